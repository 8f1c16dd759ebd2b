"""What one controller watches, and the reads that these watches answer."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from kubewright.cache import Cache, Change, Informer, Scope
from kubewright.errors import UndeclaredRead
from kubewright.objects import Object, ObjectKey, RawObject, Selector
from kubewright.runtime.controller import Controller, Owns, Reads
from kubewright.runtime.inventory import LABEL, inventory_entry
from kubewright.runtime.seen import as_selector

ALL = ("",)


@dataclass(frozen=True, slots=True)
class Source:
    """One kind as one declaration has it.

    Attributes:
        kind: its class.
        informers: by namespace; or one for each namespace and name.
        namespaces: that are watched; ``("",)`` for all.
        names: the only ones watched, or empty for all.
        metadata_only: nothing else of the objects is here.
        labelled: only children are here that owner references do not reach.
    """

    kind: type[Object]
    informers: tuple[Informer, ...]
    namespaces: tuple[str, ...]
    names: frozenset[str] = frozenset()
    metadata_only: bool = False
    labelled: bool = False

    def covers(self, namespace: str, name: str = "", *, metadata_only: bool = False) -> bool:
        """Whether an object of this name, or a list (no name) in this namespace, would be here."""
        if self.metadata_only and not metadata_only:
            return False
        if self.names and name and name not in self.names:
            return False
        return (
            not self.kind.api_resource.namespaced or self.namespaces == ALL or namespace in {"", *self.namespaces}
        )


Found: TypeAlias = list[RawObject]


class Sources:
    """The informers of a controller: of its own kind, of what it owns, of what it reads."""

    def __init__(self, controller: Controller[Any], cache: Cache, namespaces: tuple[str, ...]) -> None:
        self._controller = controller
        self._cache = cache
        self.primary = self._source(controller.kind, namespaces)
        self._owns = (*controller.owned(), *controller.formerly_owned())
        self.owned = [source for owns in self._owns for source in self._owned(owns, namespaces)]
        self.reads = [self._reads(declared, namespaces) for declared in controller.reads]
        self._by_resource: dict[str, list[Source]] = {}
        for source in (self.primary, *self.owned, *self.reads):
            self._by_resource.setdefault(source.kind.api_resource.group_resource, []).append(source)

    def informers(self) -> dict[Informer, type[Object]]:
        """Each informer once, with the class of its objects."""
        return {
            informer: source.kind
            for sources in self._by_resource.values()
            for source in sources
            for informer in source.informers
        }

    def owns(self, kind: type[Object]) -> bool:
        """Whether the controller says that it owns this kind."""
        return any(source.kind.api_resource == kind.api_resource for source in self.owned)

    def declares(self, kind: type[Object], namespace: str) -> bool:
        """Whether the controller says that it has children there that owner references do not reach."""
        return any(
            not kind.api_resource.namespaced or namespace in owns.namespaces or "" in owns.namespaces
            for owns in self._owns
            if owns.kind.api_resource == kind.api_resource
        )

    def beyond_references(self) -> list[tuple[type[Object], str]]:
        """The kinds, each with the namespaces (empty for all), of children that owner references do not reach."""
        return [(source.kind, where) for source in self.owned if source.labelled for where in source.namespaces]

    def live(self, kind: type[Object], key: ObjectKey) -> RawObject | None:
        """The object at ``key`` of an owned kind."""
        return self.get(kind, key)

    def controlled_by(self, uid: str) -> Iterator[tuple[type[Object], RawObject]]:
        """What has ``uid`` as its controller, in the kinds owned now or formerly; each once."""
        for source in self.owned:
            for raw in _owned_in(source, uid):
                yield source.kind, raw

    def get(self, kind: type[Object], key: ObjectKey, *, metadata_only: bool = False) -> RawObject | None:
        """The object at ``key``, or at least its metadata.

        Raises:
            UndeclaredRead: no declaration of the controller covers it.
        """
        found = None
        for source in self._declared(kind, key.namespace, key.name, metadata_only=metadata_only):
            for informer in source.informers:
                found = found or informer.store.get(key)
        return found

    def list(self, kind: type[Object], namespace: str, selector: Selector, *, metadata_only: bool = False) -> Found:
        """The objects selected, or at least their metadata; in all watched namespaces if it is empty.

        Raises:
            UndeclaredRead: no declaration of the controller covers it.
        """
        found: dict[ObjectKey, RawObject] = {}
        for source in self._declared(kind, namespace, metadata_only=metadata_only):
            for informer in source.informers:
                for raw in informer.store.select(namespace, selector):
                    found[raw.key] = raw
        return [*found.values()]

    def owned_by(self, kind: type[Object], uid: str) -> Found:
        """The objects of an owned kind whose controller is ``uid``."""
        found: dict[ObjectKey, RawObject] = {}
        for source in self._declared(kind, ""):
            found.update((raw.key, raw) for raw in _owned_in(source, uid))
        return [*found.values()]

    def _declared(
        self, kind: type[Object], namespace: str, name: str = "", *, metadata_only: bool = False
    ) -> Sequence[Source]:
        sources = self._by_resource.get(kind.api_resource.group_resource)
        who = type(self._controller).__name__
        if sources is None:
            raise UndeclaredRead(
                f"{who} reads {kind.kind} but does not declare it",
                hint=f"add {kind.__name__} to {who}.owns, or Reads({kind.__name__}, …) to {who}.reads",
            )
        covering = [source for source in sources if source.covers(namespace, name, metadata_only=metadata_only)]
        if not covering:
            if any(source.covers(namespace, name, metadata_only=True) for source in sources):
                raise UndeclaredRead(
                    f"{who} reads {kind.kind}, of which it declares to read the metadata only",
                    hint=f"use seen.metadata, or take metadata_only from Reads({kind.__name__}, …)",
                )
            what = f"{kind.kind} {ObjectKey(namespace, name)}" if name else f"{kind.kind} in namespace {namespace}"
            raise UndeclaredRead(
                f"{who} reads {what}, which is outside what it declares to read",
                hint=f"widen Reads({kind.__name__}, …) in {who}.reads, or the operator's namespaces",
            )
        return covering

    def _owned(self, owns: Owns, namespaces: tuple[str, ...]) -> Iterator[Source]:
        elsewhere = tuple(owns.namespaces)
        if not self._controller.kind.api_resource.namespaced:
            yield self._source(owns.kind, namespaces)
            if elsewhere and namespaces != ALL:
                yield self._source(owns.kind, elsewhere)
        elif not owns.kind.api_resource.namespaced:
            yield self._source(owns.kind, ALL, selector=LABEL, labelled=True)
        else:
            yield self._source(owns.kind, namespaces)
            if elsewhere:
                yield self._source(owns.kind, ALL if "" in elsewhere else elsewhere, selector=LABEL, labelled=True)

    def _reads(self, declared: Reads | type[Object], namespaces: tuple[str, ...]) -> Source:
        reads = declared if isinstance(declared, Reads) else Reads(declared)
        where = namespaces if reads.namespaces is None else tuple(reads.namespaces)
        selector = str(as_selector(reads.labels)) if reads.labels else ""
        source = self._source(reads.kind, where, tuple(reads.names), selector, metadata_only=reads.metadata_only)
        unfiltered = where == ALL and not (reads.names or selector or reads.metadata_only)
        if unfiltered and reads.kind.api_resource.group_resource in {"secrets", "configmaps"}:
            logging.getLogger("kubewright.runtime").warning(
                "%s watches every %s of the cluster: narrow Reads(…) by names, labels, namespaces or metadata_only",
                type(self._controller).__name__,
                reads.kind.kind,
            )
        return source

    def _source(
        self,
        kind: type[Object],
        namespaces: tuple[str, ...],
        names: Sequence[str] = (),
        selector: str = "",
        *,
        metadata_only: bool = False,
        labelled: bool = False,
    ) -> Source:
        where = namespaces if kind.api_resource.namespaced else ALL
        informers = tuple(
            self._cache.informer(Scope(kind.api_resource, namespace, name, selector, metadata_only))
            for namespace in where
            for name in (names or ("",))
        )
        return Source(kind, informers, where, frozenset(names), metadata_only, labelled)


def owner_keys(change: Change, child: str, kind: type[Object]) -> set[ObjectKey]:
    """The objects of ``kind`` that are, or were, the controller of the changed object, which is a ``child``."""
    resource = kind.api_resource
    found = set()
    for state in (change.old, change.new):
        if (
            state
            and (entry := inventory_entry(child, state.metadata))
            and entry.resource == resource.group_resource
        ):
            found.add(entry.key)
        for owner in state.metadata.owner_references if state else ():
            group = owner.api_version.rpartition("/")[0]
            if owner.controller and owner.kind == resource.kind and group == resource.group:
                namespace = change.object.metadata.namespace if resource.namespaced else ""
                found.add(ObjectKey(namespace, owner.name))
    return found


def _owned_in(source: Source, uid: str) -> Iterator[RawObject]:
    """What ``uid`` owns by label or, elsewhere, by a controller reference."""
    for informer in source.informers:
        if source.labelled:
            resource = source.kind.api_resource.group_resource
            for raw in informer.store.select("", as_selector({LABEL: uid})):
                entry = inventory_entry(resource, raw.metadata)
                if entry is not None and entry.uid == uid:
                    yield raw
            continue
        for raw in informer.store.owned_by(uid):
            if any(owner.controller and owner.uid == uid for owner in raw.metadata.owner_references):
                yield raw
