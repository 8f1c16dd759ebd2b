"""Who read what: the custom resources that a change of some object concerns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kubewright.cache import Change
from kubewright.objects import ObjectKey, Selector
from kubewright.runtime.inventory import inventory_entry


class Got(NamedTuple):
    """One object was asked for by name, whether or not it was there."""

    resource: str
    key: ObjectKey


class Listed(NamedTuple):
    """Objects were listed; the empty namespace is all of them."""

    resource: str
    namespace: str
    selector: Selector


class Owned(NamedTuple):
    """The objects whose controller is ``uid`` were asked for."""

    resource: str
    uid: str


Dependency = Got | Listed | Owned


class Dependencies:
    """What each request has read, found by what changed."""

    def __init__(self) -> None:
        self._of: dict[ObjectKey, frozenset[Dependency]] = {}
        self._exact: defaultdict[Got | Owned, set[ObjectKey]] = defaultdict(set)
        self._listed: defaultdict[str, defaultdict[Listed, set[ObjectKey]]] = defaultdict(lambda: defaultdict(set))

    def record(self, request: ObjectKey, read: Iterable[Dependency]) -> None:
        """``request`` has read this and nothing else."""
        new = frozenset(read)
        old = self._of.get(request, frozenset())
        if new == old:
            return
        for dependency in old - new:
            self._drop(request, dependency)
        for dependency in new - old:
            self.add(request, dependency)
        if new:
            self._of[request] = new
        else:
            self._of.pop(request, None)

    def add(self, request: ObjectKey, dependency: Dependency) -> None:
        """``request`` is reading this, besides what it has read before."""
        if isinstance(dependency, Listed):
            self._listed[dependency.resource][dependency].add(request)
        else:
            self._exact[dependency].add(request)
        self._of[request] = self._of.get(request, frozenset()) | {dependency}

    def forget(self, request: ObjectKey) -> None:
        """``request`` is gone."""
        self.record(request, ())

    def readers(self, resource: str, change: Change) -> set[ObjectKey]:
        """The requests that read the changed object, or whose lists it is, or was, in."""
        found: set[ObjectKey] = set()
        for exact in _exactly(resource, change):
            found |= self._exact.get(exact, set())
        for listed, requests in self._listed.get(resource, {}).items():
            if _lists(listed, change):
                found |= requests
        return found

    def concerned(self, request: ObjectKey, resource: str, change: Change) -> set[Dependency]:
        """What of that which ``request`` has read is changed."""
        read = self._of.get(request, frozenset())
        found: set[Dependency] = {exact for exact in _exactly(resource, change) if exact in read}
        for dependency in read:
            if isinstance(dependency, Listed) and dependency.resource == resource and _lists(dependency, change):
                found.add(dependency)
        return found

    def _drop(self, request: ObjectKey, dependency: Dependency) -> None:
        if isinstance(dependency, Listed):
            listed = self._listed[dependency.resource]
            listed[dependency].discard(request)
            if not listed[dependency]:
                del listed[dependency]
        else:
            exact = self._exact[dependency]
            exact.discard(request)
            if not exact:
                del self._exact[dependency]


def _exactly(resource: str, change: Change) -> Iterator[Got | Owned]:
    """The reads by name and by owner that ``change`` concerns."""
    yield Got(resource, change.object.key)
    for state in (change.old, change.new):
        if state and (entry := inventory_entry(resource, state.metadata)):
            yield Owned(resource, entry.uid)
        for owner in state.metadata.owner_references if state else ():
            if owner.controller:
                yield Owned(resource, owner.uid)


def _lists(listed: Listed, change: Change) -> bool:
    if listed.namespace not in {"", change.object.key.namespace}:
        return False
    return any(listed.selector.matches(state.metadata.labels) for state in (change.old, change.new) if state)
