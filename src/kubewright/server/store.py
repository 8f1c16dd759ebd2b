"""The objects, their one sequence of revisions, and the history of changes that watches and paged lists read.

The equivalent of etcd with apiserver's watch cache over it. Each resource has a :class:`Table`: the objects as
the JSON bytes that are sent, sorted as etcd sorts them, and a bounded log of what happened. A watcher holds a
position in that log, not a queue of its own: an event is encoded once for all, and who falls behind is cut off.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Literal, Protocol, TypeAlias

EventType: TypeAlias = Literal["ADDED", "MODIFIED", "DELETED"]

HISTORY = 8192
"""Events that a table remembers, unless the store is told otherwise."""


class Compacted(Exception):
    """The revision asked for is older than the history."""

    def __init__(self, revision: int, oldest: int) -> None:
        super().__init__(f"too old resource version: {revision} ({oldest})")
        self.revision = revision
        self.oldest = oldest


class Entry:
    """An object as it is stored.

    Attributes:
        key: ``namespace/name``, or the name alone for the cluster scope.
        raw: the object's JSON in the version that is stored, resourceVersion included.
        revision: of the last change.
        labels: for selectors.
        fields: what field selectors see besides name and namespace.
    """

    __slots__ = ("fields", "key", "labels", "raw", "revision")

    def __init__(
        self, key: str, raw: bytes, revision: int, labels: dict[str, str] | None, fields: dict[str, str] | None
    ) -> None:
        self.key = key
        self.raw = raw
        self.revision = revision
        self.labels = labels
        self.fields = fields

    @property
    def namespace(self) -> str:
        """Empty for the cluster scope."""
        return self.key.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The object's name."""
        return self.key.rpartition("/")[2]


class Event:
    """One change: what it was, the object after it (a deletion: as it was last), and before it."""

    __slots__ = ("_line", "entry", "previous", "type")

    def __init__(self, type: EventType, entry: Entry, previous: Entry | None) -> None:  # noqa: A002 - the wire's word
        self.type = type
        self.entry = entry
        self.previous = previous
        self._line: bytes | None = None

    @property
    def line(self) -> bytes:
        """The event as a watch sends it, encoded once for all watchers."""
        if self._line is None:
            self._line = event_line(self.type, self.entry.raw)
        return self._line


def event_line(kind: str, raw: bytes) -> bytes:
    """A line of a watch stream."""
    return b'{"type":"%s","object":%s}\n' % (kind.encode(), raw)


class Journal(Protocol):
    """Where changes are written before they are made; what raises is not changed."""

    def put(self, table: str, entry: Entry) -> None:
        """An object is there."""

    def remove(self, table: str, last: Entry) -> None:
        """An object is gone."""

    def drop(self, table: str, revision: int) -> None:
        """A table is gone."""


class Table:
    """The objects of one resource and the log of their changes."""

    __slots__ = (
        "_history",
        "_keys",
        "_waiters",
        "compacted",
        "dropped",
        "first",
        "journal",
        "log",
        "name",
        "objects",
    )

    def __init__(self, history: int, compacted: int, name: str = "") -> None:
        self.name = name
        self.journal: Journal | None = None
        self._history = history
        self._keys: list[str] = []
        self._waiters: list[asyncio.Future[None]] = []
        self.objects: dict[str, Entry] = {}
        self.log: list[Event] = []
        self.first = 0
        """The position of the log's first event."""
        self.compacted = compacted
        """The newest revision of which the log no longer knows what happened."""
        self.dropped = False
        """Whether its resource is no longer served."""

    @property
    def end(self) -> int:
        """The position after the log's last event."""
        return self.first + len(self.log)

    def position_after(self, revision: int) -> int:
        """Where in the log the changes after ``revision`` begin.

        Raises:
            Compacted: some of them are no longer there.
        """
        if revision < self.compacted:
            raise Compacted(revision, self.compacted)
        return self.first + bisect_left(self.log, revision + 1, key=lambda event: event.entry.revision)

    def scan(self, prefix: str = "", start: str = "") -> Iterator[Entry]:
        """The objects whose key begins with ``prefix``, from the key ``start`` on, in order of keys."""
        keys, objects = self._keys, self.objects
        index = bisect_left(keys, max(prefix, start))
        # Positions of a list that may change while a caller pauses: each page is taken in one go.
        for key in keys[index:]:
            if not key.startswith(prefix):
                return
            yield objects[key]

    def scan_at(self, revision: int, prefix: str = "", start: str = "") -> Iterator[Entry]:
        """As :meth:`scan`, of the state that ``revision`` was.

        Raises:
            Compacted: the history does not reach back that far.
        """
        position = self.position_after(revision)
        if position == self.end:
            yield from self.scan(prefix, start)
            return
        then: dict[str, Entry | None] = {}
        for event in self.log[position - self.first :]:
            then.setdefault(event.entry.key, event.previous)
        low = max(prefix, start)
        keys = [key for key in self._keys[bisect_left(self._keys, low) :] if key not in then]
        keys.extend(key for key, entry in then.items() if entry is not None and key >= low)
        keys.sort()
        for key in keys:
            if not key.startswith(prefix):
                return
            entry = then.get(key) or self.objects[key]
            yield entry

    def count(self, prefix: str, start: str) -> int:
        """How many objects :meth:`scan` would yield."""
        low = bisect_left(self._keys, max(prefix, start))
        high = bisect_left(self._keys, prefix + "\U0010ffff") if prefix else len(self._keys)
        return high - low

    async def changed(self, position: int) -> None:
        """Return once the log has something at ``position``."""
        if position < self.end:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def wake(self) -> None:
        """Let everyone who waits for a change look again."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def compact(self, keep: int = 0) -> None:
        """Forget all but the last ``keep`` events."""
        drop = len(self.log) - keep
        if drop > 0:
            self.compacted = self.log[drop - 1].entry.revision
            self.first += drop
            del self.log[:drop]

    def restore(self, entry: Entry) -> None:
        """Have ``entry`` without anything having happened: what is known from before the history."""
        self.objects[entry.key] = entry
        self._insert_key(entry.key)

    def _insert_key(self, key: str) -> None:
        if self._keys and key < self._keys[-1]:
            insort(self._keys, key)
        else:
            self._keys.append(key)

    def put(self, entry: Entry) -> None:
        """Store ``entry``, and log whether it was new."""
        if self.journal is not None:
            self.journal.put(self.name, entry)
        previous = self.objects.get(entry.key)
        if previous is None:
            self._insert_key(entry.key)
        self.objects[entry.key] = entry
        self._append(Event("ADDED" if previous is None else "MODIFIED", entry, previous))

    def remove(self, last: Entry) -> None:
        """Remove the object; ``last`` is how it was, at the revision of its removal."""
        if self.journal is not None:
            self.journal.remove(self.name, last)
        previous = self.objects.pop(last.key)
        del self._keys[bisect_left(self._keys, last.key)]
        self._append(Event("DELETED", last, previous))

    def _append(self, event: Event) -> None:
        self.log.append(event)
        if len(self.log) > 2 * self._history:
            self.compact(self._history)
        if self._waiters:
            self.wake()


class Store:
    """All tables, and the counter they share.

    Args:
        history: how many events each table remembers at least.
    """

    def __init__(self, history: int = HISTORY) -> None:
        self.revision = 1
        """The last change's; lists answer with it."""
        self._history = history
        self._tables: dict[str, Table] = {}
        self._journal: Journal | None = None

    def table(self, group_resource: str) -> Table:
        """The table of ``deployments.apps``; made when first asked for."""
        found = self._tables.get(group_resource)
        if found is None:
            found = self._tables[group_resource] = Table(self._history, self.revision, group_resource)
            found.journal = self._journal
        return found

    def tables(self) -> list[tuple[str, Table]]:
        """All tables by name."""
        return list(self._tables.items())

    def begin_at(self, revision: int) -> None:
        """Know nothing of what happened up to ``revision``."""
        self.revision = revision

    def keep_in(self, journal: Journal) -> None:
        """Write every change to ``journal`` from now on."""
        self._journal = journal
        for table in self._tables.values():
            table.journal = journal

    def next_revision(self) -> int:
        """Advance the counter; the caller stores a change under it."""
        self.revision += 1
        return self.revision

    def compact(self) -> None:
        """Forget the whole history, as etcd's compaction does: older revisions answer 410."""
        for table in self._tables.values():
            table.compact()
            table.compacted = self.revision

    def drop(self, group_resource: str) -> None:
        """Forget a table with all that is in it; whoever watches it is woken and finds it gone."""
        if self._journal is not None and group_resource in self._tables:
            self._journal.drop(group_resource, self.revision)
        table = self._tables.pop(group_resource, None)
        if table is not None:
            table.dropped = True
            table.wake()

    def wake(self) -> None:
        """Let every watcher look again (the server is closing)."""
        for table in self._tables.values():
            table.wake()
