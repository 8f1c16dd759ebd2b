"""Elections in virtual time: replicas in one process, with clocks, networks and pauses of their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from kubewright import clock
from kubewright.client import Client, Retries
from kubewright.errors import ConnectionBroken, KubeconfigError, NotLeading, UsageError
from kubewright.kinds import core_v1 as core
from kubewright.kinds.coordination_v1 import Lease, LeaseSpec
from kubewright.objects import ObjectKey, ObjectMeta, Resource, Spec, Status, crd, resource
from kubewright.runtime import Controller, Desired, LeaderElection, LeaseElection, Operator, Running, Seen
from kubewright.runtime.election import FencedTransport, Tenure
from kubewright.server import InMemoryTransport, Server
from kubewright.wire import Request, Response, Transport, WholeResponse

Virtually = Callable[[Coroutine[Any, Any, Any]], Any]
KEY = ObjectKey("default", "demo")


class MemoSpec(Spec):
    """One ConfigMap."""

    text: str = ""


@resource(group="election.kubewright.test", version="v1")
class Memo(Resource[MemoSpec, Status]):
    """A memo."""


class Memos(Controller[Memo]):
    """Writes who made the child."""

    owns = (core.ConfigMap,)

    def __init__(self, replica: str) -> None:
        self.replica = replica

    def desired(self, obj: Memo, seen: Seen, /) -> Desired[Status]:
        name = f"{obj.metadata.name}-copy"
        return Desired(children=[core.ConfigMap(metadata=ObjectMeta(name=name), data={"text": obj.spec.text})])


class Network(Transport):
    """One replica's: it may be cut or slow, and remembers the writes sent, but for Leases."""

    def __init__(self, server: Server) -> None:
        self.inner = InMemoryTransport(server)
        self.cut = False
        self.cut_from_leases = False
        self.delay = 0.0
        self.writes: list[tuple[float, str]] = []

    async def send(self, request: Request) -> Response:
        if request.method not in {"GET", "HEAD"} and "/leases" not in request.path:
            self.writes.append((clock.monotonic(), request.path))
        if self.cut or (self.cut_from_leases and "/leases" in request.path):
            await asyncio.sleep(0.5)
            raise ConnectionBroken("no route to the server")
        if self.delay and request.method != "GET":
            await asyncio.sleep(self.delay)
        return Cuttable(await self.inner.send(request), self)

    async def close(self) -> None:
        pass


class Cuttable(Response):
    """A watch that breaks off when the network is cut."""

    def __init__(self, inner: Response, network: Network) -> None:
        self.inner, self.status, self.headers, self.network = inner, inner.status, inner.headers, network

    async def read(self) -> bytes:
        return await self.inner.read()

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self.inner.chunks():
            if self.network.cut:
                raise ConnectionBroken("no route to the server")
            yield chunk

    async def close(self) -> None:
        await self.inner.close()


class Replica:
    """One process, as far as that can be had in one loop."""

    def __init__(self, server: Server, name: str, settings: LeaderElection | None = None) -> None:
        self.name = name
        self.network = Network(server)
        self.election = LeaseElection(
            KEY,
            identity=name,
            connect=lambda: Client(self.network, retries=Retries(attempts=1)),
            settings=settings,
            thread=False,
        )
        self.running: Running

    async def start(self) -> Replica:
        operator = Operator("demo", controllers=[Memos(self.name)])
        self.running = operator.running(Client(self.network), election=self.election, shutdown_seconds=1.0)
        await self.running.__aenter__()
        return self

    async def stop(self) -> None:
        await self.running.__aexit__(None, None, None)

    @property
    def leads(self) -> bool:
        return self.running.ready and self.running._tenure is not None and self.running._tenure.valid


async def until(reached: Callable[[], bool], seconds: float = 60.0) -> float:
    """Seconds of virtual time until ``reached``."""
    began = clock.monotonic()
    while not reached():
        assert clock.monotonic() - began < seconds, "not reached"
        await asyncio.sleep(0.01)
    return clock.monotonic() - began


@asynccontextmanager
async def replicas(*names: str) -> AsyncIterator[tuple[Client, list[Replica]]]:
    """Started one after the other; whatever still runs at the end is stopped."""
    server = Server()
    client = Client(InMemoryTransport(server))
    await client.create(crd(Memo))
    made: list[Replica] = []
    try:
        for name in names:
            made.append(await Replica(server, name).start())
            await until(lambda: made[0].leads and made[-1].running.synced)
        yield client, made
    finally:
        for each in made:
            with suppress(NotLeading):
                await each.stop()


async def lease(client: Client) -> LeaseSpec:
    spec = (await client.get(Lease, "demo", "default")).spec
    assert spec is not None
    return spec


async def write_memo(client: Client, name: str, text: str = "x") -> None:
    await client.create(Memo(metadata=ObjectMeta(name=name), spec=MemoSpec(text=text)))


async def test_terms_under_which_two_could_write_are_refused() -> None:
    with pytest.raises(UsageError, match="lease_duration"):
        LeaderElection(lease_duration=10)
    with pytest.raises(UsageError, match="retry_period"):
        LeaderElection(retry_period=9)


def test_one_leads_and_the_other_is_warm(virtually: Virtually) -> None:
    async def main() -> None:
        async with replicas("a", "b") as (client, [a, b]):
            await write_memo(client, "m")
            await until(lambda: bool(a.network.writes))
            await asyncio.sleep(60)
            assert a.leads
            assert not b.leads
            assert b.running.synced
            assert not b.network.writes
            spec = await lease(client)
            assert (spec.holder_identity, spec.lease_transitions, spec.lease_duration_seconds) == ("a", 0, 15)

    virtually(main())


def test_release_hands_over_within_a_second(virtually: Virtually) -> None:
    async def main() -> None:
        async with replicas("a", "b") as (client, [a, b]):
            await asyncio.sleep(7)
            await a.stop()
            assert await until(lambda: b.leads) < 0.1
            spec = await lease(client)
            assert (spec.holder_identity, spec.lease_transitions) == ("b", 1)
            await write_memo(client, "m")
            await until(lambda: bool(b.network.writes))
            assert not a.network.writes

    virtually(main())


def test_release_is_found_by_asking_where_the_lease_cannot_be_watched(virtually: Virtually) -> None:
    async def main() -> None:
        async with replicas("a") as (_, [a]):
            b = Replica(a.network.inner._server, "b")
            b.network.inner = NoWatch(b.network.inner)  # type: ignore[assignment]
            await b.start()
            try:
                await asyncio.sleep(20)
                await a.stop()
                assert await until(lambda: b.leads) < 2.5
            finally:
                await b.stop()

    virtually(main())


class NoWatch(Transport):
    """A Role that does not let Leases be watched."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner

    async def send(self, request: Request) -> Response:
        if "/leases" in request.path and request.stream:
            body = b'{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403}'
            return WholeResponse(403, {}, body)
        return await self.inner.send(request)

    async def close(self) -> None:
        pass


def test_after_a_crash_the_lease_runs_out(virtually: Virtually) -> None:
    async def main() -> None:
        async with replicas("a", "b") as (client, [a, b]):
            await asyncio.sleep(7)
            a.network.cut = True
            assert 12.5 < await until(lambda: b.leads) < 15.5
            assert (await lease(client)).lease_transitions == 1

    virtually(main())


def test_a_leader_that_cannot_renew_stops_before_another_starts(virtually: Virtually) -> None:
    """All else it could still do, and there is always something to do."""

    async def main() -> None:
        async with replicas("a", "b") as (client, [a, b]):
            await asyncio.sleep(7)
            a.network.cut_from_leases = True
            for n in range(300):
                await write_memo(client, f"m{n}")
                await asyncio.sleep(0.1)
            assert b.leads
            with pytest.raises(NotLeading, match="the Lease default/demo is lost: it was not renewed in time"):
                a.running.check()
            last = max(at for at, _ in a.network.writes)
            first = min(at for at, _ in b.network.writes)
            assert 14 < last < 17
            assert 19 < first < 23

    virtually(main())


def test_writes_in_flight_are_cancelled_when_the_lease_is_lost(virtually: Virtually) -> None:
    async def main() -> None:
        server = Server()
        network = Network(server)
        network.delay = 100.0
        tenure = Tenure("Lease default/demo")
        transport = FencedTransport(network, tenure)
        with pytest.raises(NotLeading, match="is not held"):
            await transport.send(Request("DELETE", "/api/v1/namespaces/x"))
        tenure.extend(clock.monotonic() + 10)
        began = clock.monotonic()
        with pytest.raises(NotLeading, match="nothing may be written: the Lease default/demo is lost"):
            await transport.send(Request("DELETE", "/api/v1/namespaces/x"))
        assert clock.monotonic() - began == pytest.approx(10)
        assert (await transport.send(Request("GET", "/api/v1/namespaces"))).status == 200

    virtually(main())


def test_renewals_let_a_write_go_on_and_its_time_is_limited(virtually: Virtually) -> None:
    timeouts = []

    class Asked(Network):
        async def send(self, request: Request) -> Response:
            timeouts.append(request.timeout)
            return await super().send(request)

    async def main() -> None:
        tenure = Tenure("Lease default/demo", write_timeout=4.5)
        network = Asked(Server())
        network.delay = 3.0
        transport = FencedTransport(network, tenure)
        tenure.extend(clock.monotonic() + 2)
        asyncio.get_running_loop().call_later(1, tenure.extend, clock.monotonic() + 10)
        namespace = b'{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"x"}}'
        headers = {"content-type": "application/json"}
        response = await transport.send(Request("POST", "/api/v1/namespaces", (), headers, namespace))
        assert response.status == 201
        await transport.send(Request("DELETE", "/api/v1/namespaces/x", timeout=1.0))
        await transport.send(Request("GET", "/api/v1/namespaces"))
        assert timeouts == [4.5, 1.0, None]
        tenure.close()

    virtually(main())


class Suspendable(clock.SeededClock):
    """The loop's time stands still while a machine is suspended; this clock goes on."""

    slept = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.slept


class Skewed(clock.SeededClock):
    """A wall clock that is wrong, and jumps."""

    offset = timedelta()

    def now(self) -> datetime:
        return super().now() + self.offset


def test_a_leader_that_was_suspended_writes_nothing_afterwards(virtually: Virtually) -> None:
    async def main() -> None:
        async with replicas("a") as (client, [_]):
            pass
        machine = Suspendable()
        with clock.use(machine):
            a = await Replica(client.transport._server, "suspended").start()  # type: ignore[attr-defined]
        await until(lambda: a.leads)
        a.network.writes.clear()
        machine.slept = 3600.0
        await write_memo(client, "m")
        for _ in range(1000):
            await asyncio.sleep(0)
        assert not a.network.writes
        await asyncio.sleep(1)
        with pytest.raises(NotLeading):
            a.running.check()
        await asyncio.sleep(60)
        assert not a.network.writes
        with pytest.raises(NotLeading):
            await a.stop()
        assert (await lease(client)).holder_identity == "", "what it still held, it gave up in the end"

    virtually(main())


@pytest.mark.parametrize("hours", [-1000, 1000])
def test_wrong_and_jumping_wall_clocks_change_nothing(virtually: Virtually, hours: int) -> None:
    async def main() -> None:
        async with replicas("a") as (_, [a]):
            wrong = Skewed()
            wrong.offset = timedelta(hours=hours)
            with clock.use(wrong):
                b = await Replica(a.network.inner._server, "b").start()
            for _ in range(10):
                await asyncio.sleep(5)
                wrong.offset = -wrong.offset
                assert a.leads
                assert not b.leads
            await a.stop()
            assert await until(lambda: b.leads) < 0.1
            await asyncio.sleep(60)
            assert b.leads
            await b.stop()

    virtually(main())


def test_a_deleted_lease_stays_its_holders(virtually: Virtually) -> None:
    async def main() -> None:
        async with replicas("a", "b") as (client, [a, b]):
            await client.delete(Lease, "demo", "default")
            await asyncio.sleep(30)
            assert a.leads
            assert not b.leads
            assert (await lease(client)).holder_identity == "a"

    virtually(main())


def test_a_lease_that_somebody_else_took_is_lost(virtually: Virtually) -> None:
    async def main() -> None:
        async with replicas("a") as (client, [a]):
            found = await client.get(Lease, "demo", "default")
            assert found.spec is not None
            found.spec.holder_identity = "stranger"
            await client.replace(found)
            await asyncio.sleep(3)
            with pytest.raises(NotLeading, match="it is held by stranger"):
                a.running.check()
            with pytest.raises(NotLeading):
                await a.stop()
            assert (await lease(client)).holder_identity == "stranger"

    virtually(main())


def test_of_many_that_start_at_once_one_leads(virtually: Virtually) -> None:
    async def main() -> None:
        server = Server()
        await Client(InMemoryTransport(server)).create(crd(Memo))
        many = await asyncio.gather(*(Replica(server, f"r{n}").start() for n in range(8)))
        seen = 0
        while many:
            await until(lambda: any(each.leads for each in many))
            await asyncio.sleep(5)
            [leader] = [each for each in many if each.leads]
            many.remove(leader)
            await leader.stop()
            seen += 1
        assert seen == 8

    virtually(main())


@pytest.mark.parametrize("thread", [True, False])
async def test_a_candidate_that_cannot_stand_ends_the_operator(thread: bool) -> None:
    def connect() -> Client:
        raise KubeconfigError("the token file is empty")

    client = Client(InMemoryTransport(Server()))
    await client.create(crd(Memo))
    election = LeaseElection(KEY, identity="a", connect=connect, thread=thread)
    operator = Operator("demo", controllers=[Memos("a")])
    with pytest.raises(NotLeading, match="the election failed: the token file is empty"):
        await asyncio.wait_for(operator.run(client, asyncio.Event(), election=election), 10)


async def test_renewals_go_on_while_the_loop_is_held_up() -> None:
    """In a thread, with the machine's clock: the only one here that takes its time."""
    server = Server()
    sent: list[str] = []

    class Counting(InMemoryTransport):
        async def send(self, request: Request) -> Response:
            sent.append(request.method)
            return await super().send(request)

    election = LeaseElection(
        KEY,
        identity="a",
        connect=lambda: Client(Counting(server), retries=Retries(attempts=1)),
        settings=LeaderElection(lease_duration=2, renew_deadline=0.5, retry_period=0.05),
    )
    tenure = election.join()
    await asyncio.wait_for(tenure.begun.wait(), 5)
    before = len(sent)
    time.sleep(0.8)  # noqa: ASYNC251 - what a user's desired might do
    assert tenure.valid
    assert len(sent) > before + 3
    await election.leave()
    assert not tenure.valid
    assert (await lease(Client(InMemoryTransport(server)))).holder_identity == ""
