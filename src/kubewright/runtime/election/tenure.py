"""What an election comes to: the right to write, for a time."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable

from kubewright import clock
from kubewright.errors import NotLeading

_WATCHDOG_SECONDS = 1.0


class Tenure:
    """One replica's right to write.

    It belongs to the event loop it was made in; :meth:`extend` and :meth:`end` may be called from any thread.

    Attributes:
        begun: set once this replica leads; it stays set.
        ended: set once it no longer does. A tenure never begins anew.
        write_timeout: seconds that a write may take, or None.
        trouble: why it could not be extended of late, or empty.
    """

    def __init__(self, lock: str, *, write_timeout: float | None = None) -> None:
        """``lock`` is what is held, for people: ``Lease default/demo``."""
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()
        self.write_timeout = write_timeout
        self.trouble = ""
        self._lock = lock
        self._loop = asyncio.get_running_loop()
        self._until = float("-inf")
        self._error: NotLeading | None = None
        self._writes: set[asyncio.Timeout] = set()
        self._watchdog: asyncio.TimerHandle | None = None

    @property
    def valid(self) -> bool:
        """Whether a write may begin now. Read from a clock that counts the time a machine is suspended."""
        return self._error is None and clock.monotonic() < self._until

    @property
    def error(self) -> NotLeading | None:
        """Why the tenure ended, or None."""
        return self._error

    def extend(self, until: float) -> None:
        """Writes may begin until ``until``, by ``clock.monotonic``. The first call begins the tenure."""
        first = self._until == float("-inf")
        self._until = until
        if first:
            self._call(self._begin)

    def end(self, why: str) -> None:
        """No write begins any more, and those in flight are cancelled."""
        if self._error is None:
            self._error = NotLeading(
                f"the {self._lock} is lost: {why}",
                hint="this process must end; it starts again as a standby. Was it held up, or the API server?",
            )
            self._call(self._end)

    def close(self) -> None:
        """Nobody works under it any more."""
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        if self._error is None:
            self._error = NotLeading(f"the {self._lock} is given up")

    def check(self) -> None:
        """Raise unless a write may begin now.

        Raises:
            NotLeading: it may not.
        """
        if not self.valid:
            raise NotLeading(f"nothing may be written: {self._error or f'the {self._lock} is not held'}")

    def enter(self, write: asyncio.Timeout) -> None:
        """``write`` is in flight: it expires when the tenure ends."""
        self._writes.add(write)

    def leave(self, write: asyncio.Timeout) -> None:
        """``write`` has ended."""
        self._writes.discard(write)

    def _call(self, method: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(method)

    def _begin(self) -> None:
        if self._error is None:
            self.begun.set()
            self._watch()

    def _watch(self) -> None:
        """Whoever renews may be stuck: the deadline is watched here too."""
        left = self._until - clock.monotonic()
        if left <= 0:
            self.end(f"it was not renewed in time{f' ({self.trouble})' if self.trouble else ''}")
        else:
            self._watchdog = self._loop.call_later(min(left, _WATCHDOG_SECONDS), self._watch)

    def _end(self) -> None:
        self.ended.set()
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        for write in self._writes:
            if not write.expired():
                write.reschedule(self._loop.time())


class Election(ABC):
    """Decides which replicas work. Today one of all; others may share the work some day."""

    @abstractmethod
    def join(self) -> Tenure:
        """Become a candidate. Called in the operator's event loop."""

    @abstractmethod
    async def leave(self) -> None:
        """Be a candidate no more; what was held is given up, so that others need not wait. All work has ended."""
