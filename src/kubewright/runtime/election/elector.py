"""A candidate: it stands until it is elected, renews until it no longer can, and gives up what it holds."""

from __future__ import annotations

import asyncio
import logging

from kubewright import clock
from kubewright.errors import ApiError, Conflict, Forbidden, KubewrightError, NotFound, TransportError
from kubewright.kinds.coordination_v1 import Lease
from kubewright.runtime.election.lock import LeaseLock, Record
from kubewright.runtime.election.settings import LeaderElection
from kubewright.runtime.election.tenure import Tenure

log = logging.getLogger("kubewright.election")

_JITTER = 0.2
_NOT_NOW = (ApiError, TransportError, TimeoutError)


class Elector:
    """The equivalent of client-go's ``LeaderElector``, which also watches the Lease while it stands.

    No clock is compared with another machine's: a holder counts as alive for the Lease's duration from the moment
    *this* process saw the Lease change. A Lease that somebody deletes stays its holder's for as long.
    """

    def __init__(self, lock: LeaseLock, settings: LeaderElection, tenure: Tenure) -> None:
        self._lock = lock
        self._settings = settings
        self._tenure = tenure
        self._seen = Record()
        self._seen_at = float("-inf")
        self._free = asyncio.Event()
        self._watching = False
        self._lease: Lease | None = None
        self._until = float("-inf")
        self._may_hold = False

    async def run(self) -> None:
        """Until the tenure is lost, which it is told."""
        await self._stand()
        await self._renew()

    async def release(self) -> None:
        """Give up the Lease, if it is ours."""
        if not self._may_hold:
            return
        try:
            async with asyncio.timeout(self._settings.renew_deadline / 2):
                while True:
                    lease = await self._lock.get()
                    if lease is None or Record.of(lease).holder != self._lock.identity:
                        return
                    try:
                        await self._lock.give_up(lease)
                    except Conflict:
                        continue
                    log.info("Lease %s is released", self._lock.lease)
                    return
        except _NOT_NOW as error:
            log.warning(
                "Lease %s could not be released; others wait until it runs out: %s", self._lock.lease, error
            )

    async def _stand(self) -> None:
        log.info("%s stands for Lease %s", self._lock.identity, self._lock.lease)
        watch = asyncio.create_task(self._watch(), name=f"watch Lease {self._lock.lease}")
        try:
            while not await self._attempt():
                await self._wait()
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    async def _attempt(self) -> bool:
        """Take the Lease if nobody holds it."""
        self._free.clear()
        try:
            async with asyncio.timeout(self._settings.renew_deadline / 2):
                lease = await self._lock.get()
                self._see(lease)
                if self._held() > 0:
                    return False
                began = clock.monotonic()
                self._may_hold = True
                self._lease = await self._lock.take(lease)
        except Conflict:
            self._may_hold = False
            return False
        except _NOT_NOW as error:
            log.warning("Lease %s cannot be taken: %s", self._lock.lease, _told(error))
            return False
        self._until = began + self._settings.renew_deadline
        self._tenure.extend(self._until)
        log.info("%s leads: Lease %s", self._lock.identity, self._lock.lease)
        return True

    def _see(self, lease: Lease | None) -> None:
        if lease is None:
            return
        record = Record.of(lease)
        if record != self._seen:
            if record.holder not in {"", self._lock.identity, self._seen.holder}:
                log.info("Lease %s is held by %s", self._lock.lease, record.holder)
            self._seen, self._seen_at = record, clock.monotonic()

    def _held(self) -> float:
        """Seconds for which somebody else holds the Lease, as far as was seen."""
        if self._seen.holder in {"", self._lock.identity}:
            return 0.0
        return max(0.0, self._seen_at + self._seen.duration - clock.monotonic())

    async def _wait(self) -> None:
        """Until another attempt is worth it: the Lease is free, or has run out; or it is not watched."""
        retry = clock.monotonic() + clock.jitter(self._settings.retry_period, _JITTER)
        while not self._free.is_set():
            left = retry - clock.monotonic()
            if self._watching:
                left = max(left, self._held())
            if left <= 0:
                return
            try:
                async with asyncio.timeout(min(left, self._settings.retry_period)):
                    await self._free.wait()
            except TimeoutError:
                continue

    async def _watch(self) -> None:
        """Follow the Lease, to learn at once that it is free. It is read anew before it is taken."""
        key = self._lock.lease
        while True:
            try:
                watch = self._lock.client.watch(
                    Lease,
                    namespace=key.namespace,
                    field_selector=f"metadata.name={key.name}",
                    idle_timeout=float(self._settings.lease_duration),
                )
                async with watch:
                    self._watching = True
                    async for event in watch:
                        self._see(event.object)
                        if event.type == "DELETED" or not Record.of(event.object).holder:
                            self._free.set()
            except Forbidden as error:
                log.warning(
                    "Lease %s cannot be watched, and is asked for every %.0f s: %s",
                    key,
                    self._settings.retry_period,
                    _told(error),
                )
                return
            except (KubewrightError, TimeoutError) as error:
                log.debug("the watch of Lease %s ended: %s", key, error)
            finally:
                self._watching = False
            await clock.sleep(clock.jitter(self._settings.retry_period / 2, 1.0))

    async def _renew(self) -> None:
        while self._tenure.error is None:
            await clock.sleep(self._settings.retry_period)
            renewed = False
            while not renewed and (left := self._until - clock.monotonic()) > 0:
                try:
                    async with asyncio.timeout(min(left, self._settings.renew_deadline / 2)):
                        renewed = await self._renew_once()
                except _NOT_NOW as error:
                    self._tenure.trouble = _told(error)
                    log.warning("Lease %s could not be renewed: %s", self._lock.lease, self._tenure.trouble)
                    break
            if clock.monotonic() >= self._until:
                return  # the tenure has run out by itself

    async def _renew_once(self) -> bool:
        """Whether that settles it for now; False if it is to be tried again at once."""
        began = clock.monotonic()
        try:
            if self._lease is None:
                self._lease = await self._lock.get()
                holder = Record.of(self._lease).holder if self._lease else self._lock.identity
                if holder != self._lock.identity:
                    self._may_hold = False
                    self._tenure.end(f"it is held by {holder or 'nobody'}")
                    return True
            self._lease = await self._lock.take(self._lease)
        except (Conflict, NotFound):
            self._lease = None
            return False
        if clock.monotonic() < self._until:
            self._until = began + self._settings.renew_deadline
            self._tenure.extend(self._until)
            self._tenure.trouble = ""
        return True


def _told(error: BaseException) -> str:
    return str(error) or "no answer in time"
