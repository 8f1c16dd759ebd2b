"""A folder that a server's objects live in.

``00000003.log`` holds the changes since ``00000003.snapshot``, which holds everything before them (there is none
for the first log). A change is written before it is made; an answer waits until what it tells of is on the disk,
one ``fsync`` for all that wait. A log that has grown larger than the snapshot it follows is replaced by a new
snapshot, written by a thread while a new log takes the changes.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

from kubewright.errors import DataError
from kubewright.server.durable.lock import lock
from kubewright.server.durable.records import MAGIC, Reader, Record, framed, of_entry
from kubewright.server.store import Entry, Store

COMPACT_BYTES = 16 * 1024 * 1024
"""A log smaller than this is never replaced."""

_sync = getattr(os, "fdatasync", os.fsync)


class DataFolder:
    """Opens ``path``, or makes it; nobody else can open it until it is closed.

    Args:
        path: the folder.
        fsync: answer only once the disk has a change. Without, a change survives the end of this process in any
            way, but not that of the machine.
        compact_bytes: see :data:`COMPACT_BYTES`.

    Raises:
        DataError: it cannot be written, or another process uses it.
    """

    def __init__(self, path: Path, *, fsync: bool = True, compact_bytes: int = COMPACT_BYTES) -> None:
        self.path = path
        self._fsync = fsync
        self._compact_bytes = compact_bytes
        self._store: Store | None = None
        self._number = 0
        self._file = -1
        self._size = 0
        self._snapshot_size = 0
        self._written = 0
        self._synced = 0
        self._syncing: asyncio.Future[None] | None = None
        self._compacting: threading.Thread | None = None
        self._failure: OSError | None = None
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = lock(path / "lock")
        except OSError as error:
            raise DataError(
                f"{path} cannot be used: {error.strerror or error}", hint="choose another folder"
            ) from None

    # -- beginning ----------------------------------------------------------------------------------------------

    def load(self, store: Store) -> None:
        """Put what is here into ``store``, and keep its changes from now on.

        Raises:
            DataError: a file is damaged.
        """
        try:
            self._load(store)
        except DataError:
            os.close(self._lock)
            raise
        self._store = store
        store.keep_in(self)

    def _load(self, store: Store) -> None:
        snapshots = self._numbers("snapshot")
        logs = self._numbers("log")
        self._number = snapshots[-1] if snapshots else 0
        for stale in self.path.glob("*.tmp"):
            stale.unlink()
        if snapshots:
            self._read_snapshot(store, self._path("snapshot"))
        following = [number for number in logs if number >= self._number]
        if following != list(range(self._number, self._number + len(following))):
            raise DataError(f"{self.path} lacks a log between {following}", hint="restore the folder from a copy")
        good = 0
        for number in following:
            self._number = number
            reader = Reader(self._path("log"), may_be_torn=number == following[-1])
            for record in reader:
                _replay(store, record)
            good = reader.good
        self._open_log(good)

    def _numbers(self, suffix: str) -> list[int]:
        return sorted(int(path.stem) for path in self.path.glob(f"*.{suffix}") if path.stem.isdecimal())

    def _path(self, suffix: str, number: int | None = None) -> Path:
        return self.path / f"{self._number if number is None else number:08}.{suffix}"

    def _read_snapshot(self, store: Store, path: Path) -> None:
        count, ended = 0, False
        for record in Reader(path, may_be_torn=False):
            if record.op == "begin":
                store.begin_at(record.revision)
            elif record.op == "end":
                ended = record.revision == count
            else:
                store.table(record.table).restore(record.entry())
                count += 1
        if not ended:
            raise DataError(f"{path} is damaged: its end is missing", hint="restore the folder from a copy")
        self._snapshot_size = path.stat().st_size

    def _open_log(self, good: int) -> None:
        path = self._path("log")
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        os.ftruncate(self._file, good)
        os.lseek(self._file, good, os.SEEK_SET)
        self._size = good or os.write(self._file, MAGIC)
        if self._fsync:
            os.fsync(self._file)
            _sync_folder(self.path)

    def secret(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The content of a file that only this user can read; ``make`` gives it the first time."""
        path = self.path / name
        if not path.exists():
            temporary = path.with_suffix(".tmp")
            temporary.touch(mode=0o600)
            temporary.write_bytes(make())
            temporary.replace(path)
        return path.read_bytes()

    # -- changes ------------------------------------------------------------------------------------------------

    def put(self, table: str, entry: Entry) -> None:
        """An object is there."""
        self._append(framed(of_entry("put", table, entry)))

    def remove(self, table: str, last: Entry) -> None:
        """An object is gone."""
        self._append(framed(of_entry("remove", table, last)))

    def drop(self, table: str, revision: int) -> None:
        """A table is gone."""
        self._append(framed(Record("drop", table, revision)))

    def _append(self, data: bytes) -> None:
        if self._failure is not None:
            raise self._failure
        if self._size > max(self._compact_bytes, self._snapshot_size) and self._store is not None:
            # Before the change: the store does not have it yet, nor would the snapshot.
            self._compact(self._store)
        try:
            written = os.write(self._file, data)
            while written < len(data):
                written += os.write(self._file, data[written:])
        except OSError as error:
            # Nothing half written may stand before what comes next.
            try:
                os.ftruncate(self._file, self._size)
                os.lseek(self._file, self._size, os.SEEK_SET)
            except OSError:
                self._failure = error
            raise
        self._size += len(data)
        self._written += 1

    async def synced(self) -> None:
        """Return once everything changed so far is on the disk.

        Raises:
            OSError: the disk failed; no further change is taken.
        """
        if not self._fsync:
            return
        target = self._written
        while self._synced < target:
            if self._failure is not None:
                raise self._failure
            if self._syncing is None:
                self._syncing = asyncio.ensure_future(self._sync_once())
            await asyncio.shield(self._syncing)

    async def _sync_once(self) -> None:
        covered = self._written
        # A descriptor of its own: the log may be replaced meanwhile.
        descriptor = os.dup(self._file)
        try:
            await asyncio.to_thread(_sync, descriptor)
            self._synced = max(self._synced, covered)
        except OSError as error:
            # What the kernel could not write it may have forgotten: later success would prove nothing.
            self._failure = error
        finally:
            os.close(descriptor)
            self._syncing = None

    # -- snapshots ----------------------------------------------------------------------------------------------

    def _compact(self, store: Store) -> None:
        if self._compacting is not None and self._compacting.is_alive():
            return
        if self._fsync:
            _sync(self._file)
            self._synced = self._written
        os.close(self._file)
        self._number += 1
        self._open_log(0)
        state = [(name, list(table.objects.values())) for name, table in store.tables()]
        number, revision = self._number, store.revision
        self._compacting = threading.Thread(target=self._write_snapshot, args=(number, revision, state))
        self._compacting.start()

    def _write_snapshot(self, number: int, revision: int, state: list[tuple[str, list[Entry]]]) -> None:
        path = self._path("snapshot", number)
        temporary = path.with_suffix(".tmp")
        try:
            with temporary.open("wb") as file:
                file.write(MAGIC + framed(Record("begin", "", revision)))
                for table, entries in state:
                    file.writelines(framed(of_entry("put", table, entry)) for entry in entries)
                count = sum(len(entries) for _, entries in state)
                file.write(framed(Record("end", "", count)))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            _sync_folder(self.path)
        except OSError:
            temporary.unlink(missing_ok=True)  # the logs have it all; the next attempt may succeed
            return
        self._snapshot_size = path.stat().st_size
        for suffix in ("log", "snapshot"):
            for old in self._numbers(suffix):
                if old < number:
                    self._path(suffix, old).unlink()

    def close(self) -> None:
        """Let go of the folder; what was changed is on the disk."""
        if self._file < 0:
            return
        if self._compacting is not None:
            self._compacting.join()
        if self._failure is None:
            self._failure = OSError("the data folder is closed")
            os.fsync(self._file)
        os.close(self._file)
        self._file = -1
        os.close(self._lock)


def _replay(store: Store, record: Record) -> None:
    if record.op == "drop":
        store.drop(record.table)
        return
    table = store.table(record.table)
    store.revision = max(store.revision, record.revision)
    if record.op == "put":
        table.put(record.entry())
    else:
        table.remove(record.entry())


def _sync_folder(path: Path) -> None:
    if os.name != "posix":
        return  # elsewhere a folder cannot be opened, and needs no sync
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
