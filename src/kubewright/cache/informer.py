"""One watched kind: its store, kept by a reflector and by this process's own writes, and who is told of changes.

Own writes are the *overlay*: what the server answered to a write is visible to reads at once, and the handlers are
told at once, with the writer as ``origin``. The watch tells the same again later; since resource versions can be
compared, that echo is recognised and told to nobody. A foreign change is always told, also one that lies between
what was known and the own write that came after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from kubewright.cache.resource_version import is_newer
from kubewright.cache.scope import Scope
from kubewright.cache.store import Store
from kubewright.cache.trim import metadata_only, without_managed_fields
from kubewright.client import ListResult
from kubewright.objects import ObjectKey, RawObject

ChangeType: TypeAlias = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one object.

    Attributes:
        type: as a watch says it.
        old: the object as it was known, or None.
        new: the object as it is, or None once it is deleted.
        initial: it was there when the watch began.
        origin: whose write made the change, as given to :meth:`Informer.finish_write`; None for everybody else's.
    """

    type: ChangeType
    old: RawObject | None
    new: RawObject | None
    initial: bool = False
    origin: object = None

    @property
    def object(self) -> RawObject:
        """The newest known state."""
        found = self.new if self.new is not None else self.old
        assert found is not None  # noqa: S101 - a change is of something
        return found


Handler: TypeAlias = Callable[[Change], None]


@dataclass(slots=True)
class _InFlight:
    """Own writes to one object whose answers are still to come, and what the watch said meanwhile."""

    count: int = 0
    held: list[Change] = field(default_factory=list)
    origins: dict[str, object] = field(default_factory=dict)


class Informer:
    """Answers reads of one :class:`Scope` and tells handlers of changes."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.store = Store()
        self.synced = asyncio.Event()
        self.version = ""
        self._handlers: list[Handler] = []
        self._in_flight: dict[ObjectKey, _InFlight] = {}
        self._echoes: dict[ObjectKey, dict[str, object]] = {}
        self._tombstones: set[tuple[ObjectKey, str]] = set()

    @property
    def caught_up(self) -> bool:
        """Whether the watch has told of every own write."""
        return not (self._echoes or self._tombstones or self._in_flight)

    def reflects(self, listed: ListResult[RawObject]) -> bool:
        """Whether the store has come as far as the server was at this list."""
        keys = set()
        for obj in listed.items:
            keys.add(obj.key)
            known = self.store.get(obj.key)
            reached = known.metadata.resource_version if known else self.version
            if is_newer(obj.metadata.resource_version, reached) and not self._is_dead(obj):
                return False
        return not any(
            known.key not in keys and not is_newer(known.metadata.resource_version, listed.resource_version)
            for known in self.store
        )

    def add_handler(self, handler: Handler) -> None:
        """Tell ``handler`` of every change from now on, and first of the objects already there."""
        self._handlers.append(handler)
        for obj in self.store:
            handler(Change("ADDED", None, obj, initial=True))

    def remove_handler(self, handler: Handler) -> None:
        """Tell ``handler`` no more."""
        self._handlers.remove(handler)

    # What the reflector says.

    def replace(self, items: Iterable[RawObject], resource_version: str) -> None:
        """The whole list as of ``resource_version``: what it lacks was deleted, unless it is a newer own write."""
        listed, alive = set(), set()
        for obj in items:
            listed.add(obj.key)
            alive.add((obj.key, obj.metadata.uid))
            self._put(obj, initial=not self.synced.is_set())
        for known in self.store:
            if known.key not in listed and not is_newer(known.metadata.resource_version, resource_version):
                self._remove(known.key)
        self._tombstones &= alive
        self.bookmark(resource_version)
        self.synced.set()

    def clear(self) -> None:
        """The resource is no longer served: everything is deleted."""
        for known in self.store:
            self._remove(known.key)
        self._tombstones.clear()
        self._echoes.clear()

    def changed(self, obj: RawObject) -> None:
        """The watch says ADDED or MODIFIED."""
        self._reached(obj.metadata.resource_version)
        self._put(obj)

    def deleted(self, obj: RawObject) -> None:
        """The watch says DELETED."""
        key, uid = obj.key, obj.metadata.uid
        self._reached(obj.metadata.resource_version)
        version = obj.metadata.resource_version
        echo = version in self._echoes.get(key, ())
        self._forget_echoes(key, version)
        if echo:  # an own write that took it out of the scope
            return
        if self._is_dead(obj):
            self._tombstones.remove((key, uid))
            return
        known = self.store.get(key)
        if known is not None and known.metadata.uid == uid:
            self._remove(key)
        else:  # an own write made it anew, and knew nothing of this
            self._notify(Change("DELETED", obj, None))

    def bookmark(self, resource_version: str) -> None:
        """The watch has told of everything up to ``resource_version``."""
        self._reached(resource_version)
        for key in list(self._echoes):
            self._forget_echoes(key, resource_version)

    # What this process writes.

    def begin_write(self, key: ObjectKey) -> None:
        """A write to ``key`` is being sent: what the watch says of it may be its echo, so the handlers wait."""
        self._in_flight.setdefault(key, _InFlight()).count += 1

    def finish_write(
        self,
        key: ObjectKey,
        *,
        written: RawObject | None = None,
        deleted_uid: str = "",
        origin: object = None,
    ) -> None:
        """The write has ended.

        Args:
            key: as given to :meth:`begin_write`.
            written: the object the server answered with, or None when the write failed.
            deleted_uid: the uid of the object that the server says is gone.
            origin: the writer, told to the handlers.
        """
        flight = self._in_flight[key]
        if written is not None:
            flight.origins[written.metadata.resource_version] = origin
            self._overlay(written, origin)
        if deleted_uid:
            flight.origins[deleted_uid] = origin
            known = self.store.get(key)
            was_here = known is not None and known.metadata.uid == deleted_uid
            told = any(change.new is None and change.object.metadata.uid == deleted_uid for change in flight.held)
            # Of an object that was not here, and that a selector leaves out, the watch will tell nothing.
            if not told and (was_here or (self.scope.covers(key) and not self.scope.label_selector)):
                self._tombstones.add((key, deleted_uid))
            if was_here:
                self._remove(key, origin)
        flight.count -= 1
        if flight.count == 0:
            del self._in_flight[key]
            for change in flight.held:
                mark = change.object.metadata.uid if change.new is None else change.object.metadata.resource_version
                writer = flight.origins.get(mark) if change.origin is None else change.origin
                self._tell(replace(change, origin=writer))

    def _overlay(self, obj: RawObject, origin: object) -> None:
        key, version = obj.key, obj.metadata.resource_version
        self._trim(obj)
        known = self.store.get(key)
        if not is_newer(version, self.version) or self._is_dead(obj):
            return  # the watch has told of it, and perhaps of its end
        within = self.scope.matches(obj)
        if within or known is not None:
            self._echoes.setdefault(key, {})[version] = origin
        if not within:
            self._remove(key, origin)
            return
        if known is None or is_newer(version, known.metadata.resource_version):
            self.store.put(obj)
        self._notify(Change("MODIFIED" if known else "ADDED", known, obj, origin=origin))

    # Both.

    def _trim(self, obj: RawObject) -> None:
        obj.raw = (metadata_only if self.scope.metadata_only else without_managed_fields)(obj.raw)

    def _is_dead(self, obj: RawObject) -> bool:
        return (obj.key, obj.metadata.uid) in self._tombstones

    def _reached(self, version: str) -> None:
        if is_newer(version, self.version):
            self.version = version

    def _put(self, obj: RawObject, *, initial: bool = False) -> None:
        key, version = obj.key, obj.metadata.resource_version
        if self._is_dead(obj):
            return
        if version in self._echoes.get(key, ()):
            self._forget_echoes(key, version)
            return
        known = self.store.get(key)
        if known is not None and not is_newer(version, known.metadata.resource_version):
            if version != known.metadata.resource_version:
                self._notify(Change("MODIFIED", known, obj))
            return
        self._forget_echoes(key, version)
        self._trim(obj)
        self.store.put(obj)
        self._notify(Change("MODIFIED" if known else "ADDED", known, obj, initial=initial))

    def _remove(self, key: ObjectKey, origin: object = None) -> None:
        known = self.store.remove(key)
        if known is not None:
            self._notify(Change("DELETED", known, None, origin=origin))

    def _forget_echoes(self, key: ObjectKey, up_to: str) -> None:
        echoes = self._echoes.get(key)
        if echoes is None:
            return
        for version in [version for version in echoes if not is_newer(version, up_to)]:
            del echoes[version]
        if not echoes:
            del self._echoes[key]

    def _notify(self, change: Change) -> None:
        flight = self._in_flight.get(change.object.key)
        if flight is not None and change.origin is None:
            flight.held.append(change)
        else:
            self._tell(change)

    def _tell(self, change: Change) -> None:
        for handler in list(self._handlers):
            handler(change)
