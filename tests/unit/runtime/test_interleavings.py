"""Random worlds in virtual time: requests and watches take their time, others write too, answers are lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from kubewright.client import Client
from kubewright.errors import ApiError, ConnectionBroken
from kubewright.kinds import core_v1 as core
from kubewright.objects import JsonObject, ObjectMeta, Resource, Spec, Status, crd, resource
from kubewright.runtime import Controller, Desired, Operator, ReconcileRecord, Seen
from kubewright.server import InMemoryTransport, Server
from kubewright.wire import Request, Response, Transport

NAMES = ("x", "y", "z")


class NoteSpec(Spec):
    """One ConfigMap a text."""

    texts: dict[str, str] = {}


class NoteStatus(Status):
    """How many there are."""

    copies: int = 0


@resource(group="interleavings.kubewright.test", version="v1")
class Note(Resource[NoteSpec, NoteStatus]):
    """A note."""


class Notes(Controller[Note]):
    """Its children are named by note and text, and carry what is in a Secret."""

    owns = (core.ConfigMap,)
    reads = (core.Secret,)

    def desired(self, obj: Note, seen: Seen, /) -> Desired[NoteStatus]:
        secret = seen.get(core.Secret, "s")
        version = (secret.metadata.labels or {}).get("version", "") if secret else "none"
        children = [
            core.ConfigMap(metadata=ObjectMeta(name=f"{obj.metadata.name}-{name}"), data={"t": text, "s": version})
            for name, text in obj.spec.texts.items()
        ]
        copies = sum(seen.get(child) is not None for child in children)
        return Desired(children=children, status=NoteStatus(copies=copies))


class Slow(Response):
    """A watch whose events take their time."""

    def __init__(self, inner: Response, chance: random.Random) -> None:
        self.inner, self.status, self.headers, self.chance = inner, inner.status, inner.headers, chance

    async def read(self) -> bytes:
        return await self.inner.read()

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self.inner.chunks():
            await asyncio.sleep(self.chance.random() ** 3 * 0.3)
            yield chunk
            if self.chance.random() < 0.03:
                raise ConnectionBroken("the watch broke off")

    async def close(self) -> None:
        await self.inner.close()


class Network(Transport):
    """Delays everything, and loses answers now and then."""

    def __init__(self, inner: Transport, chance: random.Random) -> None:
        self.inner, self.chance = inner, chance
        self.calm = False

    async def send(self, request: Request) -> Response:
        if self.calm:
            return await self.inner.send(request)
        await asyncio.sleep(self.chance.random() ** 3 * 0.1)
        response = await self.inner.send(request)
        if request.stream:
            return Slow(response, self.chance)
        await asyncio.sleep(self.chance.random() ** 3 * 0.1)
        if self.chance.random() < 0.03:
            raise ConnectionBroken("the answer was lost")
        return response

    async def close(self) -> None:
        await self.inner.close()


class Mischief:
    """Somebody with a clear view, who does what people do."""

    def __init__(self, client: Client, chance: random.Random) -> None:
        self.client, self.chance = client, chance

    async def act(self) -> None:
        name = self.chance.choice("ab")
        deeds = [self.change, self.change, self.drift, self.delete_child, self.secret, self.replace, self.status]
        with suppress(ApiError):
            await self.chance.choice(deeds)(name)

    def child(self, name: str) -> str:
        return f"{name}-{self.chance.choice(NAMES)}"

    async def change(self, name: str) -> None:
        texts = {text: self.chance.choice([None, "1", "2", "3"]) for text in NAMES if self.chance.random() < 0.6}
        await self.client.patch(Note, name, {"spec": {"texts": texts}}, "merge", "default")

    async def drift(self, name: str) -> None:
        patch: JsonObject = {"data": {"t": "drift"}, "metadata": {"labels": {"by": "hand"}}}
        await self.client.patch(core.ConfigMap, self.child(name), patch, "merge", "default")

    async def delete_child(self, name: str) -> None:
        await self.client.delete(core.ConfigMap, self.child(name), "default")

    async def secret(self, _: str) -> None:
        with suppress(ApiError):
            await self.client.create(core.Secret(metadata=ObjectMeta(name="s", namespace="default")))
        if self.chance.random() < 0.3:
            await self.client.delete(core.Secret, "s", "default")
        else:
            labels = {"version": str(self.chance.randrange(9))}
            await self.client.patch(core.Secret, "s", {"metadata": {"labels": labels}}, "merge", "default")

    async def replace(self, name: str) -> None:
        """The custom resource goes and comes again; no garbage collector takes its children."""
        await self.client.delete(Note, name, "default")
        for item in (await self.client.list(core.ConfigMap, namespace="default")).items:
            if (item.metadata.name or "").startswith(f"{name}-"):
                await self.client.delete(core.ConfigMap, item.metadata.name or "", "default")
        await self.client.create(
            Note(metadata=ObjectMeta(name=name, namespace="default"), spec=NoteSpec(texts={"x": "new"}))
        )

    async def collect_garbage(self) -> None:
        """What a reconcile under way still made for a custom resource that was just deleted."""
        alive = {note.metadata.uid for note in (await self.client.list(Note)).items}
        for item in (await self.client.list(core.ConfigMap, namespace="default")).items:
            if not alive & {owner.uid for owner in item.metadata.owner_references or ()}:
                await self.client.delete(core.ConfigMap, item.metadata.name or "", "default")

    async def status(self, name: str) -> None:
        patch: JsonObject = {"status": {"copies": 99}}
        await self.client.patch(Note, name, patch, "merge", "default", subresource="status")


async def converges(seed: int) -> None:
    chance = random.Random(seed)
    server = Server()
    network = Network(InMemoryTransport(server), chance)
    records: list[ReconcileRecord] = []
    async with Client(network) as client, Client(InMemoryTransport(server)) as other:
        await other.create(crd(Note))
        for name in "ab":
            await other.create(Note(metadata=ObjectMeta(name=name, namespace="default"), spec=NoteSpec()))
        mischief = Mischief(other, chance)
        operator = Operator("demo", controllers=[Notes()], namespaces=["default"])
        async with operator.running(client, observers=[records.append]) as running:
            for _ in range(40):
                await mischief.act()
                await asyncio.sleep(chance.random() ** 2 * 0.4)
            network.calm = True
            await running.wait_idle(600)
            await mischief.collect_garbage()
            await running.wait_idle(600)
            secret = next(iter((await other.list(core.Secret, namespace="default")).items), None)
            version = (secret.metadata.labels or {}).get("version", "") if secret else "none"
            wanted: dict[str, tuple[str, str]] = {}
            for note in (await other.list(Note)).items:
                texts = note.spec.texts
                wanted |= {f"{note.metadata.name}-{name}": (text, version) for name, text in texts.items()}
                assert note.status is not None
                assert note.status.copies == len(texts)
            found = (await other.list(core.ConfigMap, namespace="default")).items
            live = {item.metadata.name: ((item.data or {})["t"], (item.data or {})["s"]) for item in found}
            assert live == wanted
            # At rest, a look at everything writes nothing.
            records.clear()
            for name in "ab":
                await other.patch(Note, name, {"metadata": {"labels": {"look": "again"}}}, "merge", "default")
            await running.wait_idle(600)
            assert len(records) == 2
            assert [record.writes for record in records] == [(), ()]


@pytest.mark.parametrize("seed", range(30))
def test_the_world_becomes_as_desired_whatever_happens(
    seed: int, virtually: Callable[[Coroutine[Any, Any, None]], None]
) -> None:
    virtually(converges(seed))
