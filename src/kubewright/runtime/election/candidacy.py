"""An election by Lease, in a thread of its own: no code of the user's can hold up the renewals."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial

from kubewright.client import Client
from kubewright.errors import KubewrightError
from kubewright.objects import ObjectKey
from kubewright.runtime.election.elector import Elector
from kubewright.runtime.election.lock import LeaseLock
from kubewright.runtime.election.settings import LeaderElection
from kubewright.runtime.election.tenure import Election, Tenure

log = logging.getLogger("kubewright.election")


class LeaseElection(Election):
    """The holder of a Lease works; the others stand by, with full caches."""

    def __init__(
        self,
        lease: ObjectKey,
        *,
        identity: str,
        connect: Callable[[], Client],
        settings: LeaderElection | None = None,
        thread: bool = True,
    ) -> None:
        """Nothing is sent yet.

        Args:
            lease: its namespace and name.
            identity: of this process, and of no other that ever runs: a Pod's name is not enough, since a Pod may
                start its container again.
            connect: makes a client for the election alone, which closes it. It should not send requests again by
                itself.
            settings: the terms.
            thread: run in a thread, with an event loop of its own; else in the operator's, as virtual time needs.
        """
        self._lease = lease
        self._identity = identity
        self._connect = connect
        self._settings = settings or LeaderElection()
        self._thread = thread
        self._leave: Callable[[], object] = bool
        self._left: asyncio.Future[None] | None = None
        self._tenure: Tenure | None = None

    def join(self) -> Tenure:
        """Become a candidate."""
        tenure = self._tenure = Tenure(f"Lease {self._lease}", write_timeout=self._settings.write_timeout)
        leaving = asyncio.Event()
        if not self._thread:
            self._leave = leaving.set
            self._left = asyncio.ensure_future(self._stand(tenure, leaving))
            return tenure
        own = asyncio.new_event_loop()
        self._leave = partial(own.call_soon_threadsafe, leaving.set)
        self._left = asyncio.get_running_loop().create_future()
        body = partial(self._run, own, self._stand(tenure, leaving), self._left)
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(body,), name=f"election {self._lease}", daemon=True).start()
        return tenure

    async def leave(self) -> None:
        """Release the Lease if it is held."""
        if self._tenure is None or self._left is None:
            return
        self._tenure.close()
        if not self._left.done():
            self._leave()
        await self._left

    def _run(
        self, own: asyncio.AbstractEventLoop, standing: Coroutine[object, object, None], left: asyncio.Future[None]
    ) -> None:
        """The thread."""
        try:
            with asyncio.Runner(loop_factory=lambda: own) as runner:
                runner.run(standing)
        finally:
            with suppress(RuntimeError):  # the operator's loop was closed without waiting for us
                left.get_loop().call_soon_threadsafe(left.set_result, None)

    async def _stand(self, tenure: Tenure, leaving: asyncio.Event) -> None:
        try:
            async with self._connect() as client:
                lock = LeaseLock(
                    client, self._lease, identity=self._identity, duration=self._settings.lease_duration
                )
                elector = Elector(lock, self._settings, tenure)
                standing = asyncio.create_task(elector.run(), name=f"stand for Lease {self._lease}")
                standing.add_done_callback(partial(_ended, tenure))
                await leaving.wait()
                standing.cancel()
                await asyncio.gather(standing, return_exceptions=True)
                await elector.release()
        except Exception as error:  # noqa: BLE001 - told to the operator, which ends with it
            _failed(tenure, error)


def _ended(tenure: Tenure, standing: asyncio.Task[None]) -> None:
    if not standing.cancelled() and (error := standing.exception()) is not None:
        _failed(tenure, error)


def _failed(tenure: Tenure, error: BaseException) -> None:
    if not isinstance(error, KubewrightError):
        log.error("the election failed", exc_info=error)
    tenure.end(f"the election failed: {str(error) or type(error).__name__}")
