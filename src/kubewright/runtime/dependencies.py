"""Who read what: the custom resources that a change of some object concerns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from kubewright.cache import Change
from kubewright.objects import ObjectKey, Selector


class Got(NamedTuple):
    """One object was asked for by name, whether or not it was there."""

    resource: str
    key: ObjectKey


class Listed(NamedTuple):
    """Objects were listed; the empty namespace is all of them."""

    resource: str
    namespace: str
    selector: Selector


Dependency = Got | Listed


class Dependencies:
    """What each request has read, found by what changed."""

    def __init__(self) -> None:
        self._of: dict[ObjectKey, frozenset[Dependency]] = {}
        self._got: defaultdict[Got, set[ObjectKey]] = defaultdict(set)
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
        if isinstance(dependency, Got):
            self._got[dependency].add(request)
        else:
            self._listed[dependency.resource][dependency].add(request)
        self._of[request] = self._of.get(request, frozenset()) | {dependency}

    def forget(self, request: ObjectKey) -> None:
        """``request`` is gone."""
        self.record(request, ())

    def readers(self, resource: str, change: Change) -> set[ObjectKey]:
        """The requests that read the changed object, or whose lists it is, or was, in."""
        key = change.object.key
        found = set(self._got.get(Got(resource, key), ()))
        for listed, requests in self._listed.get(resource, {}).items():
            if listed.namespace in {"", key.namespace} and any(
                listed.selector.matches(state.metadata.labels) for state in (change.old, change.new) if state
            ):
                found |= requests
        return found

    def _drop(self, request: ObjectKey, dependency: Dependency) -> None:
        if isinstance(dependency, Got):
            got = self._got[dependency]
            got.discard(request)
            if not got:
                del self._got[dependency]
        else:
            listed = self._listed[dependency.resource]
            listed[dependency].discard(request)
            if not listed[dependency]:
                del listed[dependency]
