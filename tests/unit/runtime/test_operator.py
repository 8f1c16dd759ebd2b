"""An operator at work: start, rest, stop, what it logs, what breaks around it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from kubewright import clock
from kubewright.client import Client
from kubewright.errors import AlreadyExists, ConnectionBroken, InvalidDesired, NotIdle, UndeclaredRead, UsageError
from kubewright.kinds import apiextensions_v1 as apiextensions
from kubewright.kinds import core_v1 as core
from kubewright.objects import JsonObject, ObjectMeta, Resource, Spec, Status, crd, resource
from kubewright.runtime import Context, Controller, Desired, Operator, Reads, ReconcileRecord, Result, Seen
from kubewright.server import InMemoryTransport, Server
from kubewright.wire import Request, Response, Transport, WholeResponse


class ThingSpec(Spec):
    """Nothing to say."""

    text: str = ""


@resource(group="operator.kubewright.test", version="v1")
class Thing(Resource[ThingSpec, None]):
    """Something."""


class SaidStatus(Status):
    """What was said last."""

    said: str | None = None


@resource(group="operator.kubewright.test", version="v1")
class Echo(Resource[ThingSpec, SaidStatus]):
    """Says its text in its status."""


class Echoes(Controller[Echo]):
    """Copies the text into the status."""

    def desired(self, obj: Echo, seen: Seen, /) -> Desired[SaidStatus]:
        return Desired(status=SaidStatus(said=obj.spec.text))


class Things(Controller[Thing]):
    """One ConfigMap each."""

    owns = (core.ConfigMap,)

    def desired(self, obj: Thing, seen: Seen, /) -> Desired[None]:
        return Desired(
            children=[core.ConfigMap(metadata=obj_meta(obj.metadata.name), data={"text": obj.spec.text})]
        )


def obj_meta(name: str | None) -> ObjectMeta:
    return ObjectMeta(name=name)


def thing(name: str = "t", text: str = "") -> Thing:
    return Thing(metadata=ObjectMeta(name=name, namespace="default"), spec=ThingSpec(text=text))


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with Client(InMemoryTransport(server)) as client:
        await ensure_namespace(client)
        yield client


async def ensure_namespace(client: Client) -> None:
    try:
        await client.create(core.Namespace(metadata=ObjectMeta(name="default")))
    except AlreadyExists:
        return


async def config_maps(client: Client) -> dict[str, dict[str, str] | None]:
    found = await client.list(core.ConfigMap, namespace="default")
    return {item.metadata.name or "": item.data for item in found.items}


async def test_a_crd_that_comes_late_is_waited_for_and_one_that_goes_is_no_crash(client: Client) -> None:
    records: list[ReconcileRecord] = []
    async with Operator("demo", controllers=[Things()]).running(client, observers=[records.append]) as running:
        await asyncio.sleep(0.05)
        assert not running.ready
        await client.create(crd(Thing))
        await running.wait_ready()
        await client.create(thing())
        await running.wait_idle()
        assert "t" in await config_maps(client)
        await client.delete(apiextensions.CustomResourceDefinition, "things.operator.kubewright.test")
        await until(lambda: records[-1].outcome == "gone")
        await client.create(crd(Thing))
        await client.create(thing("again"))
        await until(lambda: records[-1].outcome == "done" and records[-1].key.name == "again")
        await running.wait_idle()


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not reached():  # noqa: ASYNC110 - whatever the condition
            await asyncio.sleep(0.001)


class Cut(Response):
    """A watch that can be cut in the middle."""

    def __init__(self, inner: Response) -> None:
        self.inner, self.status, self.headers = inner, inner.status, inner.headers
        self.cut = asyncio.Event()

    async def read(self) -> bytes:
        return await self.inner.read()

    async def chunks(self) -> AsyncIterator[bytes]:
        chunks = self.inner.chunks()
        cut = asyncio.create_task(self.cut.wait())
        chunk = asyncio.ensure_future(anext(chunks))
        try:
            while True:
                await asyncio.wait([chunk, cut], return_when=asyncio.FIRST_COMPLETED)
                if self.cut.is_set():
                    raise ConnectionBroken("cut")
                yield chunk.result()
                chunk = asyncio.ensure_future(anext(chunks))
        finally:
            chunk.cancel()
            cut.cancel()
            await asyncio.gather(chunk, cut, return_exceptions=True)

    async def close(self) -> None:
        await self.inner.close()


class Cutting(Transport):
    """Cuts watches, and then says once to each that its resource version is too old."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self.watches: list[Cut] = []
        self.too_old = 0

    async def send(self, request: Request) -> Response:
        if not request.stream:
            return await self.inner.send(request)
        if self.too_old and ("sendInitialEvents", "true") not in request.query:
            self.too_old -= 1
            return WholeResponse(410, {}, json.dumps({"kind": "Status", "code": 410, "reason": "Expired"}).encode())
        self.watches.append(Cut(await self.inner.send(request)))
        return self.watches[-1]

    def cut(self) -> None:
        self.too_old = len(self.watches)
        for watch in self.watches:
            watch.cut.set()

    async def close(self) -> None:
        await self.inner.close()


async def test_what_was_deleted_while_the_watch_was_cut_is_noticed(server: Server) -> None:
    cutting = Cutting(InMemoryTransport(server))
    async with Client(cutting) as client, Client(InMemoryTransport(server)) as other:
        await ensure_namespace(other)
        await other.create(crd(Thing))
        await other.create(thing("one", "a"))
        async with Operator("demo", controllers=[Things()]).running(client) as running:
            await running.wait_idle()
            cutting.cut()
            await other.delete(core.ConfigMap, "one", "default")
            await running.wait_idle()
            assert (await config_maps(other))["one"] == {"text": "a"}
            assert cutting.too_old == 0


async def test_the_writes_of_one_controller_concern_the_others(client: Client) -> None:
    """Own echoes are hidden from the one reconcile that wrote, not from everybody in the process."""

    class Counter(Controller[Thing]):
        name = "counter"
        reads = (core.ConfigMap,)
        seen_by_now = 0

        def desired(self, obj: Thing, seen: Seen, /) -> Desired[None]:
            Counter.seen_by_now = len(seen.list(core.ConfigMap, namespace="default"))
            return Desired()

    await client.create(crd(Thing))
    async with Operator("demo", controllers=[Things(), Counter()]).running(client) as running:
        await client.create(thing("one"))
        await client.create(thing("two"))
        await running.wait_idle()
        assert Counter.seen_by_now == len(await config_maps(client)) == 2


class Shouting(Transport):
    """A mutating webhook: what is written into a ConfigMap's data comes out in capitals."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self.writes: list[str] = []

    async def send(self, request: Request) -> Response:
        if request.method in {"POST", "PATCH"} and "/configmaps" in request.path:
            self.writes.append(request.method)
            tree: JsonObject = json.loads(request.body)
            if isinstance(tree, dict) and "data" in tree:
                tree["data"] = {key: value.upper() for key, value in tree["data"].items()}
                request.body = json.dumps(tree).encode()
        return await self.inner.send(request)

    async def close(self) -> None:
        await self.inner.close()


async def test_a_difference_the_server_insists_on_is_settled_and_drift_is_still_put_back(server: Server) -> None:
    shouting = Shouting(InMemoryTransport(server))
    async with Client(shouting) as client, Client(InMemoryTransport(server)) as other:
        await ensure_namespace(other)
        await other.create(crd(Thing))
        async with Operator("demo", controllers=[Things()]).running(client) as running:

            async def touch(name: str, patch: JsonObject) -> int:
                shouting.writes.clear()
                await other.patch(Thing if name == "t" else core.ConfigMap, "t", patch, "merge", "default")
                await running.wait_idle()
                return len(shouting.writes)

            await other.create(thing(text="quiet"))
            await running.wait_idle()
            # The first of these applies in vain: that settles it.
            await touch("t", {"metadata": {"labels": {"round": "1"}}})
            for number in "234":
                assert await touch("t", {"metadata": {"labels": {"round": number}}}) == 0
            assert await touch("cm", {"data": {"text": "drift"}}) == 1
            assert await config_maps(other) == {"t": {"text": "QUIET"}}
            await touch("t", {"spec": {"text": "other"}})
            assert await config_maps(other) == {"t": {"text": "OTHER"}}


async def test_a_status_the_server_insists_on_is_settled_and_drift_is_still_put_back(server: Server) -> None:
    class Capitals(Transport):
        writes = 0

        async def send(self, request: Request) -> Response:
            if request.path.endswith("/status"):
                self.writes += 1
                request.body = request.body.replace(b"quiet", b"QUIET")
            return await inner.send(request)

        async def close(self) -> None:
            await inner.close()

    inner, capitals = InMemoryTransport(server), Capitals()
    async with Client(capitals) as client, Client(inner) as other:
        await other.create(crd(Echo))
        echo = Echo(metadata=ObjectMeta(name="e", namespace="default"), spec=ThingSpec(text="quiet"))
        await other.create(echo)
        async with Operator("demo", controllers=[Echoes()]).running(client) as running:
            await running.wait_idle()
            for number in "123":
                await other.patch(Echo, "e", {"metadata": {"labels": {"round": number}}}, "merge", "default")
                await running.wait_idle()
            assert capitals.writes == 1
            drift = {"status": {"said": "drift"}}
            await other.patch(Echo, "e", drift, "merge", "default", subresource="status")
            await running.wait_idle()
            found = await other.get(Echo, "e", "default")
            assert found.status is not None
            assert found.status.said == "QUIET"


async def test_stopping_lets_reconciles_end_and_leaves_nothing_running(client: Client) -> None:
    begun, finish = asyncio.Event(), asyncio.Event()
    ended = []

    class Slow(Controller[Thing]):
        async def reconcile(self, obj: Thing, ctx: Context, /) -> Result:
            begun.set()
            await finish.wait()
            ended.append(obj.metadata.name)
            return Result()

    await client.create(crd(Thing))
    await client.create(thing())
    before = asyncio.all_tasks()
    stop = asyncio.Event()
    running = asyncio.create_task(Operator("demo", controllers=[Slow()]).run(client, stop))
    await begun.wait()
    stop.set()
    asyncio.get_running_loop().call_later(0.02, finish.set)
    await running
    assert ended == ["t"]
    assert asyncio.all_tasks() - before == set()


async def test_what_does_not_end_in_time_is_cancelled_and_named(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    begun = asyncio.Event()

    class Stuck(Controller[Thing]):
        workers = 1

        async def reconcile(self, obj: Thing, ctx: Context, /) -> Result:
            begun.set()
            await asyncio.Event().wait()
            return Result()

    await client.create(crd(Thing))
    await client.create(thing())
    before = asyncio.all_tasks()
    async with Operator("demo", controllers=[Stuck()]).running(client, shutdown_seconds=0.01):
        await begun.wait()
    assert asyncio.all_tasks() - before == set()
    assert "demo/thing worker 0 did not end within 0 s and is cancelled" in caplog.text


async def test_code_that_holds_up_the_loop_is_named(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    class Sluggish(clock.Clock):
        lost = 0.0

        def monotonic(self) -> float:
            return super().monotonic() + self.lost

    with clock.use(Sluggish()) as sluggish:

        class Slow(Controller[Thing]):
            def desired(self, obj: Thing, seen: Seen, /) -> Desired[None]:
                if obj.metadata.name == "slow":
                    sluggish.lost += 0.25  # type: ignore[attr-defined]
                return Desired()

        await client.create(crd(Thing))
        await client.create(thing("slow"))
        await client.create(thing("quick"))
        async with Operator("demo", controllers=[Slow()]).running(client) as running:
            await running.wait_idle()
    stalls = [record.getMessage() for record in caplog.records if "held up the loop" in record.getMessage()]
    assert len(stalls) == 1
    assert stalls[0].startswith("Thing default/slow [")
    assert "for 0.25 s" in stalls[0]


@pytest.mark.parametrize(
    ("reads", "told"),
    [
        ((), "Curious reads Secret but does not declare it"),
        ((Reads(core.Secret, names=["a"]),), "Curious reads Secret default/s, which is outside what it declares"),
        (
            (Reads(core.Secret, namespaces=["a"]),),
            "Curious reads Secret default/s, which is outside what it declares",
        ),
    ],
)
async def test_reading_what_is_not_declared_is_an_error_that_says_so(
    client: Client, reads: tuple[Reads, ...], told: str
) -> None:
    class Curious(Controller[Thing]):
        def desired(self, obj: Thing, seen: Seen, /) -> Desired[None]:
            seen.get(core.Secret, "s")
            return Desired()

    Curious.reads = reads
    await client.create(crd(Thing))
    await client.create(thing())
    records: list[ReconcileRecord] = []
    async with Operator("demo", controllers=[Curious()]).running(client, observers=[records.append]) as running:
        with pytest.raises(NotIdle, match="thing default/t fails: Curious reads Secret"):
            await running.wait_idle(0.2)
    assert isinstance(records[0].error, UndeclaredRead)
    assert records[0].message.startswith(told)
    assert "Reads(Secret" in records[0].error.hint


async def test_a_child_of_a_kind_that_is_not_owned_is_refused(client: Client) -> None:
    class Careless(Things):
        name = "thing"
        owns = ()
        reads = (core.ConfigMap,)

    await client.create(crd(Thing))
    await client.create(thing())
    records: list[ReconcileRecord] = []
    async with Operator("demo", controllers=[Careless()]).running(client, observers=[records.append]) as running:
        with pytest.raises(NotIdle):
            await running.wait_idle(0.2)
    assert isinstance(records[0].error, InvalidDesired)
    assert records[0].message == (
        "Thing default/t desires ConfigMap default/t, a kind that its controller does not own"
    )
    assert await config_maps(client) == {}


async def test_every_secret_of_the_cluster_is_warned_of(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    class Hoarding(Things):
        name = "hoarding"
        reads = (core.Secret,)

    await client.create(crd(Thing))
    async with Operator("demo", controllers=[Hoarding()]).running(client):
        pass
    assert "Hoarding watches every Secret of the cluster" in caplog.text
    caplog.clear()
    async with Operator("demo", controllers=[Hoarding()]).running(client, namespaces=["default"]):
        pass
    assert "watches every" not in caplog.text


async def test_namespaces_are_kept_to(client: Client) -> None:
    await client.create(crd(Thing))
    for name in ("one", "two", "three"):
        await client.create(core.Namespace(metadata=ObjectMeta(name=name)))
        await client.create(Thing(metadata=ObjectMeta(name="t", namespace=name), spec=ThingSpec()))
    records: list[ReconcileRecord] = []
    operator = Operator("demo", controllers=[Things()], namespaces=["one", "two"])
    async with operator.running(client, observers=[records.append]) as running:
        await running.wait_idle()
    assert {record.key.namespace for record in records} == {"one", "two"}


async def test_a_namespace_that_is_going_is_no_reason_to_complain(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    await client.create(crd(Thing))
    await client.create(core.Namespace(metadata=ObjectMeta(name="going")))
    await client.create(Thing(metadata=ObjectMeta(name="t", namespace="going"), spec=ThingSpec()))
    await client.delete(core.Namespace, "going")
    records: list[ReconcileRecord] = []
    operator = Operator("demo", controllers=[Things()], namespaces=["going"])
    caplog.clear()
    async with operator.running(client, observers=[records.append]):
        await until(lambda: len(records) > 0)
    assert records[0].outcome == "error"
    assert "because it is being terminated" in records[0].message
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_write_whose_answer_is_lost_is_made_good(server: Server) -> None:
    class Losing(Transport):
        lost = 0

        async def send(self, request: Request) -> Response:
            response = await inner.send(request)
            if request.method == "POST" and "/configmaps" in request.path and not self.lost:
                self.lost += 1
                raise ConnectionBroken("cut")
            return response

        async def close(self) -> None:
            await inner.close()

    inner = InMemoryTransport(server)
    async with Client(Losing()) as client, Client(inner) as other:
        await ensure_namespace(other)
        await other.create(crd(Thing))
        await other.create(thing(text="x"))
        async with Operator("demo", controllers=[Things()]).running(client) as running:
            await running.wait_idle()
        assert await config_maps(other) == {"t": {"text": "x"}}


async def test_blocking_code_has_a_thread(client: Client) -> None:
    import threading

    threads: list[Any] = []

    class Blocking(Controller[Thing]):
        async def reconcile(self, obj: Thing, ctx: Context, /) -> Result:
            threads.append(await ctx.run_blocking(threading.current_thread))
            return Result()

    await client.create(crd(Thing))
    await client.create(thing())
    async with Operator("demo", controllers=[Blocking()]).running(client) as running:
        await running.wait_idle()
    assert threads[0] is not threading.main_thread()


async def test_every_line_of_user_code_names_its_object(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    class Talking(Controller[Thing]):
        async def reconcile(self, obj: Thing, ctx: Context, /) -> Result:
            ctx.log.info("100%% of %s", "it")
            return Result()

    await client.create(crd(Thing))
    await client.create(thing())
    async with Operator("demo", controllers=[Talking()]).running(client) as running:
        await running.wait_idle()
    (line,) = [record for record in caplog.records if "of it" in record.getMessage()]
    assert line.getMessage().startswith("Thing default/t [")
    assert line.getMessage().endswith("]: 100% of it")
    assert (line.__dict__["kind"], line.__dict__["controller"]) == ("Thing", "thing")


def test_what_cannot_work_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="two controllers are named 'thing'"):
        Operator("demo", controllers=[Things(), Things()])
    with pytest.raises(UsageError, match="is no DNS label"):
        Operator("De Mo", controllers=[])

    class Idle(Controller[Thing]):
        pass

    with pytest.raises(UsageError, match="Idle has neither desired nor reconcile"):
        Operator("demo", controllers=[Idle()])
    with pytest.raises(UsageError, match="lowercase letters"):
        type("Odd", (Things,), {"name": "Not A Name"})


@pytest.mark.parametrize("namespace", ["A_B", "*", "x/y", "", "a.b"])
def test_a_namespace_that_cannot_be_is_refused(namespace: str, client: Client) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a namespace"):
        Operator("op", controllers=[], namespaces=[namespace])
    with pytest.raises(UsageError, match="cannot be the name of a namespace"):
        Operator("op", controllers=[]).running(client, namespaces=["default", namespace])


def test_a_namespace_named_twice_is_watched_once() -> None:
    assert Operator("op", controllers=[], namespaces=["b", "a", "b"]).namespaces == ("b", "a")
