"""Reconciling while the watch lags: no decision on a world that is no more does harm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from kubewright.client import Client
from kubewright.errors import Conflict, ConnectionBroken
from kubewright.kinds import core_v1 as core
from kubewright.objects import JsonObject, ObjectKey, ObjectMeta, Resource, Spec, crd, resource
from kubewright.runtime import Backoff, Controller, Desired, Operator, ReconcileRecord, Running, Seen
from kubewright.runtime.guarded import guarded_patch
from kubewright.server import InMemoryTransport, Server
from kubewright.wire import Request, Response, Transport


class ThingSpec(Spec):
    """What its ConfigMap says, if it has one."""

    text: str | None = None


@resource(group="lag.kubewright.test", version="v1")
class Thing(Resource[ThingSpec, None]):
    """Something."""


class Things(Controller[Thing]):
    """One ConfigMap each; one try only."""

    owns = (core.ConfigMap,)
    backoff = Backoff(base=1000)

    def desired(self, obj: Thing, seen: Seen, /) -> Desired[None]:
        text = obj.spec.text
        made = core.ConfigMap(metadata=ObjectMeta(name="t"), data={"text": text or ""})
        return Desired(children=[made] if text is not None else [])


class Held(Response):
    """A watch whose events come when they are let go."""

    def __init__(self, inner: Response, flowing: asyncio.Event) -> None:
        self.inner, self.status, self.headers, self.flowing = inner, inner.status, inner.headers, flowing

    async def read(self) -> bytes:
        return await self.inner.read()

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self.inner.chunks():
            await self.flowing.wait()
            yield chunk

    async def close(self) -> None:
        await self.inner.close()


class Lagging(Transport):
    """Holds back what watches tell of ConfigMaps; loses the answer to the next POST if told so."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.lose_answer = False

    async def send(self, request: Request) -> Response:
        response = await self.inner.send(request)
        if request.stream and "/configmaps" in request.path:
            return Held(response, self.flowing)
        if request.method == "POST" and "/configmaps" in request.path and self.lose_answer:
            self.lose_answer = False
            raise ConnectionBroken("the connection broke off")
        return response

    async def close(self) -> None:
        await self.inner.close()


class World:
    """An operator behind a lagging watch, and somebody else with a clear view."""

    def __init__(self, lagging: Lagging, client: Client, other: Client) -> None:
        self.lagging, self.client, self.other = lagging, client, other
        self.records: list[ReconcileRecord] = []

    def operating(self, *controllers: Controller[Thing]) -> Running:
        operator = Operator("demo", controllers=controllers or (Things(),))
        return operator.running(self.client, observers=[self.records.append])

    async def create(self, text: str | None) -> None:
        await self.other.create(
            Thing(metadata=ObjectMeta(name="t", namespace="default"), spec=ThingSpec(text=text))
        )

    async def change(self, text: str | None) -> None:
        patch: JsonObject = {"spec": {"text": text}}
        await self.other.patch(Thing, "t", patch, "merge", "default")

    async def replace_by_stranger(self) -> None:
        await self.other.delete(core.ConfigMap, "t", "default")
        stranger = core.ConfigMap(metadata=ObjectMeta(name="t", namespace="default"), data={"text": "stranger"})
        await self.other.create(stranger)

    async def text(self) -> str:
        found = await self.other.get(core.ConfigMap, "t", "default")
        return (found.data or {})["text"]

    async def reconciled(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.records) < count:  # noqa: ASYNC110 - records come by callback
                await asyncio.sleep(0.001)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    server = Server()
    lagging = Lagging(InMemoryTransport(server))
    async with Client(lagging) as client, Client(InMemoryTransport(server)) as other:
        await other.create(core.Namespace(metadata=ObjectMeta(name="lag")))
        await other.create(crd(Thing))
        yield World(lagging, client, other)
        lagging.flowing.set()


async def test_an_apply_never_takes_over_what_came_in_the_childs_place(world: World) -> None:
    async with world.operating() as running:
        await world.create("one")
        await running.wait_idle()
        await world.change("two")
        await running.wait_idle()
        world.lagging.flowing.clear()
        await world.replace_by_stranger()
        await world.change("three")
        await world.reconciled(3)
        assert world.records[-1].outcome == "error"
        assert await world.text() == "stranger"
        world.lagging.flowing.set()


async def test_a_prune_never_deletes_what_came_in_the_childs_place(world: World) -> None:
    async with world.operating() as running:
        await world.create("one")
        await running.wait_idle()
        world.lagging.flowing.clear()
        await world.replace_by_stranger()
        await world.change(None)
        await world.reconciled(2)
        assert world.records[-1].outcome == "error"
        assert await world.text() == "stranger"
        world.lagging.flowing.set()


async def test_a_patch_whose_test_fails_is_a_conflict(world: World) -> None:
    await world.create("one")
    operations: list[JsonObject] = [{"op": "test", "path": "/metadata/uid", "value": "another"}]
    with pytest.raises(Conflict, match="Thing default/t changed meanwhile"):
        await guarded_patch(world.client, Thing, ObjectKey("default", "t"), operations, manager="demo")


async def test_a_created_child_whose_answer_was_lost_is_known_as_ours(world: World) -> None:
    async with world.operating() as running:
        await running.wait_idle()
        world.lagging.flowing.clear()
        world.lagging.lose_answer = True
        await world.create("one")
        await world.reconciled(1)
        assert world.records[-1].outcome == "error"
        await world.change("two")
        await world.reconciled(2)
        assert world.records[-1].outcome == "done"
        assert await world.text() == "two"
        world.lagging.flowing.set()


async def test_own_writes_are_read_however_late_the_watch_is(world: World) -> None:
    async with world.operating() as running:
        await running.wait_idle()
        world.lagging.flowing.clear()
        await world.create("one")
        await world.reconciled(1)
        for number, text in enumerate(["two", "three", "four"], 2):
            await world.change(text)
            await world.reconciled(number)
        assert await world.text() == "four"
        assert {record.outcome for record in world.records} == {"done"}, "no conflict, no second creation"
        assert not running.idle
        world.lagging.flowing.set()
        await running.wait_idle()
        assert len(world.records) == 4, "the echoes cause nothing"


async def test_what_one_controller_writes_the_others_see_at_once(world: World) -> None:
    seen_texts: list[str | None] = []

    class Reader(Controller[Thing]):
        name = "reader"
        reads = (core.ConfigMap,)

        def desired(self, obj: Thing, seen: Seen, /) -> Desired[None]:
            found = seen.get(core.ConfigMap, "t")
            if obj.metadata.name == "bystander":
                seen_texts.append((found.data or {})["text"] if found else None)
            return Desired()

    bystander = Thing(metadata=ObjectMeta(name="bystander", namespace="default"), spec=ThingSpec())
    await world.other.create(bystander)
    async with world.operating(Things(), Reader()) as running:
        await running.wait_idle()
        world.lagging.flowing.clear()
        await world.create("one")
        async with asyncio.timeout(10):
            while "one" not in seen_texts:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.001)
        world.lagging.flowing.set()


async def test_when_a_stranger_leaves_the_name_its_turn_comes_without_a_retry(world: World) -> None:
    stranger = core.ConfigMap(metadata=ObjectMeta(name="t", namespace="default"), data={"text": "stranger"})
    await world.other.create(stranger)
    async with world.operating():
        await world.create("ours")
        await world.reconciled(1)
        assert world.records[-1].outcome == "error"
        await world.other.delete(core.ConfigMap, "t", "default")
        await world.reconciled(2)
        assert await world.text() == "ours"


async def test_a_child_that_is_being_deleted_is_left_to_go(world: World) -> None:
    async with world.operating() as running:
        await world.create("one")
        await running.wait_idle()
        hold: JsonObject = {"metadata": {"finalizers": ["test/hold"]}}
        await world.other.patch(core.ConfigMap, "t", hold, "merge", "default")
        await world.other.delete(core.ConfigMap, "t", "default")
        await running.wait_idle()
        world.records.clear()
        await world.change("two")
        await running.wait_idle()
        assert [record.writes for record in world.records] == [()]
        await world.other.patch(core.ConfigMap, "t", {"metadata": {"finalizers": None}}, "merge", "default")
        await running.wait_idle()
        assert await world.text() == "two"
