"""The work queue: what is to be reconciled, by whom never twice at once, and when."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final

from kubewright import clock
from kubewright.objects import ObjectKey
from kubewright.runtime.reason import Reason

LOW_PRIORITY: Final = -100
"""Of objects that were there at the start: they give way to changes."""

MAX_REASONS = 16


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long an item that failed waits: ``base * 2**failures`` seconds, at most ``cap``, plus ``jitter`` of it.

    The defaults are controller-runtime's, with jitter.
    """

    base: float = 0.005
    cap: float = 1000.0
    jitter: float = 0.2

    def delay(self, failures: int) -> float:
        """Seconds to wait after the ``failures``-th failure in a row, counted from 1."""
        return clock.jitter(min(self.base * 2.0 ** min(failures - 1, 60), self.cap), self.jitter)


@dataclass(frozen=True, slots=True)
class Item:
    """One key taken from the queue, with everything that put it there."""

    key: ObjectKey
    reasons: tuple[Reason, ...]
    priority: int


@dataclass(slots=True)
class _Entry:
    priority: int
    reasons: list[Reason] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None
    due: float = 0.0
    added: float = 0.0
    number: int = 0
    failing: bool = False


class Queue:
    """Keys in order of priority and age; each with one worker at a time.

    The equivalent of controller-runtime's priority queue, with ageing: a point of priority is worth
    ``ageing`` seconds of waiting, so that low priority means later, never never.
    """

    def __init__(self, *, backoff: Backoff | None = None, ageing: float = 0.1) -> None:
        self._backoff = backoff or Backoff()
        self._ageing = ageing
        self._entries: dict[ObjectKey, _Entry] = {}
        self._ready: list[tuple[float, int, ObjectKey]] = []
        self._running: dict[ObjectKey, int] = {}
        self._failures: dict[ObjectKey, int] = {}
        self._getters: deque[asyncio.Future[None]] = deque()
        self._count = 0
        self._shut = False

    def __len__(self) -> int:
        """Keys that could be taken now."""
        return sum(entry.timer is None for entry in self._entries.values())

    @property
    def running(self) -> int:
        """Keys that are being worked on."""
        return len(self._running)

    @property
    def idle(self) -> bool:
        """Nothing is being worked on and nothing waits, but for what asked to come back later."""
        return not self._running and not any(e.timer is None or e.failing for e in self._entries.values())

    def failing(self) -> list[ObjectKey]:
        """Keys that wait for another try after a failure."""
        return [key for key, entry in self._entries.items() if entry.failing]

    def add(self, key: ObjectKey, reason: Reason, *, priority: int = 0, after: float = 0.0) -> None:
        """Put ``key`` in the queue, to be taken in ``after`` seconds at the earliest.

        What is there already keeps the sooner time, the higher priority and both reasons.
        """
        if self._shut:
            return
        loop = asyncio.get_running_loop()
        entry = self._entries.get(key)
        if entry is None:
            self._count += 1
            entry = self._entries[key] = _Entry(priority, number=self._count)
        elif entry.timer is None:  # ready already, or being worked on
            self._reason(entry, reason)
            if priority > entry.priority:
                entry.priority = priority
                if key not in self._running:
                    self._push(key, entry)
            return
        self._reason(entry, reason)
        entry.priority = max(entry.priority, priority)
        if after > 0:
            due = loop.time() + after
            if entry.timer is not None and entry.due <= due:
                return
            self._unschedule(entry)
            entry.due = due
            entry.timer = loop.call_at(due, self._mature, key)
        else:
            self._unschedule(entry)
            self._mature(key)

    def retry(self, key: ObjectKey, reason: Reason, *, priority: int = 0) -> float:
        """Put ``key`` back after a failure; returns the seconds it waits."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        delay = self._backoff.delay(failures)
        self.add(key, reason, priority=priority, after=delay)
        if not self._shut:
            self._entries[key].failing = True
        return delay

    def forget(self, key: ObjectKey) -> None:
        """``key`` did not fail: its next failure is the first."""
        self._failures.pop(key, None)

    def failures(self, key: ObjectKey) -> int:
        """How often in a row ``key`` failed."""
        return self._failures.get(key, 0)

    async def get(self) -> Item | None:
        """Take the next key; :meth:`done` must follow. None once the queue is shut down."""
        while not self._shut:
            while self._ready:
                _, number, key = heappop(self._ready)
                entry = self._entries.get(key)
                if entry is None or entry.number != number or entry.timer is not None or key in self._running:
                    continue
                del self._entries[key]
                self._running[key] = entry.priority
                return Item(key, tuple(entry.reasons), entry.priority)
            getter = asyncio.get_running_loop().create_future()
            self._getters.append(getter)
            try:
                await getter
            except asyncio.CancelledError:
                if getter in self._getters:
                    self._getters.remove(getter)
                else:  # woken, and cancelled before it could take anything
                    self._wake()
                raise
        return None

    def done(self, key: ObjectKey) -> None:
        """The work on ``key`` has ended; what came for it meanwhile may now be taken."""
        del self._running[key]
        entry = self._entries.get(key)
        if entry is not None and entry.timer is None:
            self._push(key, entry)

    def shut_down(self) -> None:
        """Hand out nothing more; what is being worked on may end."""
        self._shut = True
        for entry in self._entries.values():
            self._unschedule(entry)
        self._entries.clear()
        while self._getters:
            self._wake()

    def _mature(self, key: ObjectKey) -> None:
        entry = self._entries[key]
        entry.timer = None
        entry.failing = False
        entry.added = asyncio.get_running_loop().time()
        if key not in self._running:
            self._push(key, entry)

    def _push(self, key: ObjectKey, entry: _Entry) -> None:
        self._count += 1
        entry.number = self._count
        heappush(self._ready, (entry.added - entry.priority * self._ageing, entry.number, key))
        self._wake()

    def _wake(self) -> None:
        while self._getters:
            getter = self._getters.popleft()
            if not getter.done():
                getter.set_result(None)
                return

    @staticmethod
    def _unschedule(entry: _Entry) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
            entry.timer = None

    @staticmethod
    def _reason(entry: _Entry, reason: Reason) -> None:
        if reason not in entry.reasons and len(entry.reasons) < MAX_REASONS:
            entry.reasons.append(reason)
