"""The only reader of time and randomness.

Everything that waits, measures, stamps or draws asks here, so that a test or a simulation can put its own
:class:`Clock` in place (:func:`use`) and, with an event loop of its own, run hours in milliseconds.
Waiting itself is the event loop's (``asyncio.sleep``, ``loop.call_later``): a virtual loop bends those.
"""

from __future__ import annotations

import asyncio
import random as _random
import secrets as _secrets
import time as _time
import uuid as _uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

__all__ = [
    "Clock",
    "SeededClock",
    "current",
    "jitter",
    "monotonic",
    "now",
    "random",
    "sleep",
    "token",
    "use",
    "uuid4",
]


class Clock:
    """The machine's clock and its source of randomness."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back and that count the time a machine is suspended, where it can tell."""
        clock = getattr(_time, "CLOCK_BOOTTIME", None)
        return _time.monotonic() if clock is None else _time.clock_gettime(clock)

    def random(self) -> float:
        """A number in [0, 1)."""
        return _random.random()  # noqa: S311 - jitter, not secrets

    def bytes(self, n: int) -> bytes:
        """``n`` random bytes, fit for secrets."""
        return _secrets.token_bytes(n)


class SeededClock(Clock):
    """A clock for tests: time is the running loop's, counted from ``start``; randomness comes from ``seed``."""

    def __init__(self, seed: int = 0, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._random = _random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._start = start

    def now(self) -> datetime:
        """``start`` plus the loop's time."""
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """The running loop's time."""
        return asyncio.get_running_loop().time()

    def random(self) -> float:
        """A number in [0, 1), the same sequence for the same seed."""
        return self._random.random()

    def bytes(self, n: int) -> bytes:
        """``n`` bytes, the same sequence for the same seed."""
        return self._random.randbytes(n)


_current: ContextVar[Clock] = ContextVar("kubewright.clock", default=Clock())  # noqa: B039 - stateless


def current() -> Clock:
    """The clock in force here."""
    return _current.get()


@contextmanager
def use(clock: Clock) -> Iterator[Clock]:
    """Put ``clock`` in force for the block, and for the tasks started in it."""
    token = _current.set(clock)
    try:
        yield clock
    finally:
        _current.reset(token)


def now() -> datetime:
    """The wall clock, in UTC."""
    return _current.get().now()


def monotonic() -> float:
    """Seconds that never go back."""
    return _current.get().monotonic()


def random() -> float:
    """A number in [0, 1)."""
    return _current.get().random()


def jitter(seconds: float, fraction: float) -> float:
    """``seconds`` made longer by up to ``fraction`` of itself."""
    return seconds * (1.0 + fraction * _current.get().random())


def token(n: int, alphabet: str) -> str:
    """``n`` characters drawn from ``alphabet``, fit for names and secrets."""
    source = _current.get()
    return "".join(alphabet[int.from_bytes(source.bytes(4), "big") % len(alphabet)] for _ in range(n))


def uuid4() -> str:
    """A random UUID as Kubernetes writes it."""
    return str(_uuid.UUID(bytes=_current.get().bytes(16), version=4))


async def sleep(seconds: float) -> None:
    """Wait; the event loop's time, so a virtual loop does not."""
    await asyncio.sleep(seconds)
