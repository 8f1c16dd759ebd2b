"""SIGINT, SIGTERM and SIGHUP: the first asks for a clean stop, a second SIGINT or SIGTERM leaves at once.

Handlers are plain ``signal.signal`` ones, so that they work while modules are being imported and on Windows.
This module is the first one imported, so it imports next to nothing itself.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from types import FrameType


class Stopped(BaseException):
    """A signal asked to stop, and no event loop ran that could be asked."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by signal {number}")
        self.number = number


class Stop:
    """Whether a signal has asked to stop."""

    def __init__(self) -> None:
        self.asked = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._body: asyncio.Task[None] | None = None

    def install(self) -> None:
        """Handle the signals from now on, in this thread, the main one."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is None or (name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN):
                continue  # `nohup` asks to outlive the terminal
            signal.signal(number, self._handle)

    def run(self, body: Coroutine[object, object, None]) -> None:
        """Run ``body`` to its end, or cancel it when a signal asks to stop and let it clean up.

        Whatever ``body`` raises while it cleans up is raised here.
        """
        import asyncio

        async def until_stopped() -> None:
            self._body = asyncio.ensure_future(body)
            self._loop = asyncio.get_running_loop()
            if self.asked:
                # Stopped was raised where exceptions are swallowed: in a destructor, or a callback from C.
                self._body.cancel()
            try:
                await self._body
            except asyncio.CancelledError:
                if not self.asked:
                    raise

        try:
            asyncio.run(until_stopped())
        finally:
            self._loop = self._body = None
            body.close()  # a signal may have come before it was begun

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self.asked:
            if number == getattr(signal, "SIGHUP", None):
                return  # a terminal that closes may send several: no person insists
            sys.stdout.flush()
            os._exit(128 + number)
        self.asked = True
        if self._loop is None or self._body is None or self._body.done():
            raise Stopped(number)
        self._loop.call_soon_threadsafe(self._body.cancel)


stop = Stop()
"""The process's: signals are the process's too."""
