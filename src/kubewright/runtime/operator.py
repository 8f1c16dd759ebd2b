"""Several controllers, one client, one cache: what runs in a Pod, or in a test's loop."""

from __future__ import annotations

import asyncio
import copy
import logging
import re
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from kubewright import clock
from kubewright.cache import Cache
from kubewright.client import Client
from kubewright.errors import NotIdle, UsageError
from kubewright.runtime import health
from kubewright.runtime.controller import Controller
from kubewright.runtime.election import Election, FencedTransport, LeaderElection, Tenure
from kubewright.runtime.metrics import Gauges, Metrics, page
from kubewright.runtime.reconciler import Reconciler
from kubewright.runtime.record import Observer, ReconcileRecord
from kubewright.runtime.serving import Answer, BindAddress, HttpServer
from kubewright.runtime.sources import ALL
from kubewright.runtime.writes import WriteThrough

log = logging.getLogger("kubewright.runtime")

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_POLL_SECONDS = 0.002
_WATCHDOG_SECONDS = 1.0

DEFAULT_TERMS = LeaderElection()


def _checked(namespaces: Sequence[str]) -> tuple[str, ...]:
    """Each once. One that can never exist would be watched in silence for ever."""
    for namespace in namespaces:
        if not _NAME.fullmatch(namespace):
            raise UsageError(
                f"{namespace!r} cannot be the name of a namespace",
                hint="lowercase letters, digits, dashes; no namespaces at all (WATCH_NAMESPACE='') are all of them",
            )
    return tuple(dict.fromkeys(namespaces))


class Operator:
    """A named set of controllers. Making one starts nothing.

    Args:
        name: of the operator, never changed: field managers and finalizers are named by it.
        controllers: instances; each kind of custom resource may have several.
        namespaces: watched; None for all.
        leader_election: the terms on which ``kubewright run`` elects one of several replicas in a cluster; None if
            all of them may work at once.
    """

    def __init__(
        self,
        name: str,
        *,
        controllers: Sequence[Controller[Any]],
        namespaces: Sequence[str] | None = None,
        leader_election: LeaderElection | None = DEFAULT_TERMS,
    ) -> None:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"the operator's name {name!r} is no DNS label", hint="lowercase letters, digits, dashes"
            )
        names = [controller.name for controller in controllers]
        for twice in {name for name in names if names.count(name) > 1}:
            raise UsageError(f"two controllers are named {twice!r}", hint="give one a name of its own: name = …")
        for controller in controllers:
            cls = type(controller)
            if not cls.name:
                raise UsageError(
                    f"{cls.__name__} does not say what it controls", hint="derive Controller[YourKind]"
                )
            if cls.desired is Controller.desired and cls.reconcile is Controller.reconcile:
                raise UsageError(f"{cls.__name__} has neither desired nor reconcile")
        self.name = name
        self.controllers = tuple(controllers)
        self.namespaces = None if namespaces is None else _checked(namespaces)
        self.leader_election = leader_election

    @property
    def lease_name(self) -> str:
        """The Lease that its replicas elect a leader by; empty if they do not."""
        return "" if self.leader_election is None else self.leader_election.lease_name or self.name

    def running(
        self,
        client: Client,
        *,
        namespaces: Sequence[str] | None = None,
        observers: Sequence[Observer] = (),
        shutdown_seconds: float = 30.0,
        election: Election | None = None,
        health_probe_bind_address: str = "",
        metrics_bind_address: str = "",
    ) -> Running:
        """``async with operator.running(client) as running:`` is started at the block's begin, stopped at its end.

        Args:
            client: stays open.
            namespaces: instead of the operator's own; none of them is all.
            observers: called after each reconcile.
            shutdown_seconds: what reconciles under way are given to end, before they are cancelled.
            election: to be won before anything is reconciled, while the caches fill; None to work at once.
            health_probe_bind_address: where ``/healthz``, ``/livez`` and ``/readyz`` are served, as ``:8081``;
                empty for nowhere.
            metrics_bind_address: where ``/metrics`` is served, for Prometheus; empty for nowhere.
        """
        where = self.namespaces if namespaces is None else _checked(namespaces)
        probes = BindAddress.parse(health_probe_bind_address) if health_probe_bind_address else None
        scraped = BindAddress.parse(metrics_bind_address) if metrics_bind_address else None
        return Running(self, client, where or ALL, observers, shutdown_seconds, election, probes, scraped)

    async def run(
        self,
        client: Client,
        stop: asyncio.Event,
        *,
        namespaces: Sequence[str] | None = None,
        observers: Sequence[Observer] = (),
        shutdown_seconds: float = 30.0,
        election: Election | None = None,
        health_probe_bind_address: str = "",
        metrics_bind_address: str = "",
    ) -> None:
        """Run until ``stop`` is set; arguments as for :meth:`running`. Returns once everything has ended.

        Raises:
            NotLeading: it led, and does no longer.
        """
        async with self.running(
            client,
            namespaces=namespaces,
            observers=observers,
            shutdown_seconds=shutdown_seconds,
            election=election,
            health_probe_bind_address=health_probe_bind_address,
            metrics_bind_address=metrics_bind_address,
        ) as running:
            running.prepare()
            while not stop.is_set():
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(stop.wait(), _WATCHDOG_SECONDS)
                running.check()


class Running:
    """An operator at work in this loop; made by :meth:`Operator.running`."""

    def __init__(
        self,
        operator: Operator,
        client: Client,
        namespaces: tuple[str, ...],
        observers: Sequence[Observer],
        shutdown_seconds: float,
        election: Election | None,
        probes: BindAddress | None,
        scraped: BindAddress | None,
    ) -> None:
        self.operator = operator
        self.namespaces = namespaces
        self._outer = client
        self._observers = list(observers)
        self._shutdown_seconds = shutdown_seconds
        self._election = election
        self._tenure: Tenure | None = None
        self._probes = HttpServer(probes, health.routes(self)) if probes else None
        self._servers = [self._probes] if self._probes else []
        if scraped:
            self._metrics = Metrics()
            self._observers.append(self._metrics.observe)
            self._servers.append(HttpServer(scraped, {"/metrics": self._scrape}))
        self._guard: asyncio.Task[None] | None = None
        self._cache: Cache | None = None
        self._reconcilers: list[Reconciler] = []
        self._last: dict[tuple[str, Any], ReconcileRecord] = {}

    async def __aenter__(self) -> Self:
        for server in self._servers:
            await server.start()
        self._cache = Cache(self._outer)
        self.client = copy.copy(self._outer)
        self.client.transport = WriteThrough(self._outer.transport, self._cache)
        if self._election is not None:
            self._tenure = self._election.join()
            self._guard = asyncio.create_task(
                self._stop_when_lost(self._tenure), name="stop when the lease is lost"
            )
            self.client.transport = FencedTransport(self.client.transport, self._tenure)
        for controller in self.operator.controllers:
            reconciler = Reconciler(
                controller,
                operator=self.operator.name,
                client=self.client,
                cache=self._cache,
                namespaces=self.namespaces,
                observe=self._observed,
                may_work=self._tenure.begun if self._tenure else None,
            )
            self._reconcilers.append(reconciler)
            reconciler.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await asyncio.gather(*(reconciler.stop(self._shutdown_seconds) for reconciler in self._reconcilers))
        finally:
            lost = self._tenure.error if self._tenure is not None else None
            if self._guard is not None:
                self._guard.cancel()
            if self._election is not None:
                await self._election.leave()
            await self.cache.stop()
            for server in self._servers:
                await server.stop()
        if error is None:
            if lost is not None:
                raise lost
            self.check()

    async def _stop_when_lost(self, tenure: Tenure) -> None:
        """Whoever takes over must find nobody at work: what is under way is cancelled at once."""
        await tenure.ended.wait()
        log.error("%s", tenure.error)
        await asyncio.gather(*(reconciler.stop(0) for reconciler in self._reconcilers))

    @property
    def cache(self) -> Cache:
        """The informers."""
        if self._cache is None:
            raise UsageError("the operator is not running", hint="async with operator.running(client) as running:")
        return self._cache

    @property
    def ready(self) -> bool:
        """Whether all caches are filled and all controllers at work."""
        return all(reconciler.ready for reconciler in self._reconcilers)

    @property
    def synced(self) -> bool:
        """Whether all caches are filled. So they are in a standby, which is not :attr:`ready`."""
        return self.cache.synced

    def missing(self) -> list[str]:
        """What the caches do not hold yet, for people."""
        if self._cache is None:
            return ["the operator is starting"]
        return [f"no list yet of {resource.group_resource}" for resource in self._cache.unsynced()]

    @property
    def idle(self) -> bool:
        """Whether nothing is queued or under way, and the watches have told of every own write."""
        return all(reconciler.idle for reconciler in self._reconcilers) and self.cache.caught_up

    def prepare(self) -> None:
        """Make now what the first reconcile would otherwise make, holding up the loop for some ten milliseconds."""
        for reconciler in self._reconcilers:
            reconciler.prepare()

    def observe(self, observer: Observer) -> None:
        """Call ``observer`` after each reconcile from now on."""
        self._observers.append(observer)

    def check(self) -> None:
        """Raise what ended a task of ours that should never end, or the loss of the Lease."""
        if self._tenure is not None and self._tenure.ended.is_set() and self._tenure.error is not None:
            raise self._tenure.error
        for error in (self.cache.failed(), *(reconciler.failed() for reconciler in self._reconcilers)):
            if error is not None:
                raise error

    async def wait_ready(self, timeout: float = 30.0) -> None:  # noqa: ASYNC109 - its error says what is missing
        """Wait until :attr:`ready`.

        Raises:
            NotIdle: it takes longer than ``timeout`` seconds; the message says what is missing.
        """
        await self._until(lambda: self.ready, timeout)

    async def wait_idle(self, timeout: float = 30.0) -> None:  # noqa: ASYNC109 - its error says what is missing
        """Wait until the caches hold what the server holds now, and then until :attr:`idle`.

        Raises:
            NotIdle: it takes longer than ``timeout`` seconds; the message says what is still to do.
        """
        end = clock.monotonic() + timeout
        await self.wait_ready(timeout)
        for probe in await self.cache.probes():
            await self._until(probe, end - clock.monotonic())
        await self._until(lambda: self.idle, end - clock.monotonic())

    async def _until(self, reached: Any, seconds: float) -> None:
        end = clock.monotonic() + seconds
        while not reached():
            self.check()
            if clock.monotonic() >= end:
                raise NotIdle(f"operator {self.operator.name} is not idle after {seconds:.0f} s: {self._busy()}")
            await clock.sleep(_POLL_SECONDS)

    def _scrape(self) -> Answer:
        lease = self.operator.lease_name if self._tenure else ""
        leads = self._tenure is not None and self._tenure.valid
        gauges = [
            Gauges(each.controller.name, each.controller.workers, each.queue.running, len(each.queue))
            for each in self._reconcilers
        ]
        return page(self._metrics.text(gauges, lease=lease, leads=leads))

    def _busy(self) -> str:
        told = self.missing()
        for reconciler in self._reconcilers:
            name = reconciler.controller.name
            for key in reconciler.queue.failing():
                last = self._last.get((name, key))
                told.append(f"{name} {key} fails: {last.message if last else '?'}")
            if not reconciler.queue.idle and not reconciler.queue.failing():
                told.append(f"{name} is reconciling")
        return "; ".join(told) or "a watch lags behind own writes"

    def _observed(self, record: ReconcileRecord) -> None:
        if record.outcome == "gone":
            self._last.pop((record.controller, record.key), None)
        else:
            self._last[record.controller, record.key] = record
        for observer in self._observers:
            try:
                observer(record)
            except Exception:
                log.exception("an observer failed")
