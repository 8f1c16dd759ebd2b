"""Virtual time: hours of back-offs, schedules and deadlines in milliseconds."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from kubewright import clock

ResultT = TypeVar("ResultT")


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that jumps to the next timer when there is nothing else to do."""

    _now = 0.0

    def time(self) -> float:
        """Seconds since the loop was made, as it counts them."""
        return self._now

    def _run_once(self) -> None:
        # asyncio has no other place to know that a loop would wait; there since Python 3.4.
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self._now = max(self._now, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def run_in_virtual_time(main: Coroutine[Any, Any, ResultT], *, seed: int = 0) -> ResultT:
    """Run ``main`` to its end in a loop of its own, where waiting takes no time.

    The clock starts on 2026-01-01 at 00:00 UTC; randomness comes from ``seed``. For what happens in this process:
    with sockets or threads in play, their answers may come hours late.
    """
    with clock.use(clock.SeededClock(seed)), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
