"""Kinds of which nothing is read but the metadata, against the embedded server and the real one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kubewright.client import Client
from kubewright.errors import UndeclaredRead, UsageError
from kubewright.kinds import core_v1 as core
from kubewright.objects import ObjectMeta, Resource, Spec, Status, resource
from kubewright.runtime import Controller, Desired, Operator, Reads, Running, Seen
from kubewright.server import InMemoryTransport, Server


class CensusSpec(Spec):
    """Nothing to say."""


class CensusStatus(Status):
    """The Secrets seen, with their versions."""

    names: list[str] = []
    token: str | None = None


@resource(group="metadata.kubewright.test", version="v1")
class Census(Resource[CensusSpec, CensusStatus]):
    """Counts Secrets without looking into them."""


class Counting(Controller[Census]):
    """Names the Secrets that are labelled, and the ``color`` of the one named ``token``."""

    reads = (Reads(core.Secret, metadata_only=True),)

    def desired(self, obj: Census, seen: Seen, /) -> Desired[CensusStatus]:
        names = [found.name or "" for found in seen.list_metadata(core.Secret, {"counted": "yes"})]
        token = seen.metadata(core.Secret, "token")
        return Desired(
            status=CensusStatus(names=names, token=(token.annotations or {}).get("color") if token else None)
        )


def secret(api: Any, name: str, **annotations: str) -> core.Secret:
    meta = ObjectMeta(name=name, namespace=api.namespace, labels={"counted": "yes"}, annotations=annotations)
    return core.Secret(metadata=meta, string_data={"password": "hunter2"})


def cached(running: Running) -> list[bytes]:
    return [obj.raw for informer in running.cache.informers_of("", "secrets") for obj in informer.store]


async def test_metadata_is_watched_and_nothing_else_comes_over_the_wire(api: Any) -> None:
    await api.install(Census)
    await api.client.create(secret(api, "early"))
    async with api.operating(Counting()) as running:
        await api.client.create(Census(metadata=ObjectMeta(name="c", namespace=api.namespace), spec=CensusSpec()))
        await api.client.create(secret(api, "token", color="red"))
        await running.wait_idle()
        status = (await api.client.get(Census, "c", api.namespace)).status
        assert status.names == ["early", "token"]
        assert status.token == "red"
        raw = b"".join(cached(running))
        assert b"early" in raw
        assert b"data" not in raw.replace(b"metadata", b"")
        assert b"managedFields" not in raw

        await api.client.delete(core.Secret, "token", api.namespace)
        await running.wait_idle()
        assert (await api.client.get(Census, "c", api.namespace)).status.names == ["early"]


async def test_own_writes_leave_only_metadata_behind(api: Any) -> None:
    class Writing(Counting):
        async def reconcile(self, obj: Census, ctx: Any, /) -> Any:
            if ctx.seen.metadata(core.Secret, "mine") is None:
                await ctx.client.create(secret(api, "mine"))
            return await super().reconcile(obj, ctx)

    await api.install(Census)
    async with api.operating(Writing()) as running:
        await api.client.create(Census(metadata=ObjectMeta(name="c", namespace=api.namespace), spec=CensusSpec()))
        await running.wait_idle()
        assert (await api.client.get(Census, "c", api.namespace)).status.names == ["mine"]
        assert b"data" not in b"".join(cached(running)).replace(b"metadata", b"")


async def test_the_rest_of_the_object_cannot_be_asked_for(api: Any) -> None:
    class Prying(Counting):
        def desired(self, obj: Census, seen: Seen, /) -> Desired[CensusStatus]:
            seen.get(core.Secret, "token")
            return Desired()

    await api.install(Census)
    async with api.operating(Prying()):
        await api.client.create(Census(metadata=ObjectMeta(name="c", namespace=api.namespace), spec=CensusSpec()))
        async with asyncio.timeout(10):
            while not any(record.error for record in api.records):  # noqa: ASYNC110 - until it has failed
                await asyncio.sleep(0.001)
    error = api.records[-1].error
    assert isinstance(error, UndeclaredRead)
    assert "metadata only" in str(error)
    assert "seen.metadata" in error.hint


async def test_metadata_of_every_secret_is_no_cause_for_warning(caplog: pytest.LogCaptureFixture) -> None:
    operator = Operator("demo", controllers=[Counting()])
    async with Client(InMemoryTransport(Server())) as client, operator.running(client):
        pass
    assert "watches every" not in caplog.text


@pytest.mark.parametrize("initial", [False, True])
async def test_the_server_sends_nothing_else(api: Any, initial: bool) -> None:
    await api.client.create(secret(api, "token"))
    secrets = core.Secret.api_resource
    listed = await api.client.list(secrets, namespace=api.namespace, metadata_only=True)
    options = {"send_initial_events": True} if initial else {"resource_version": "0"}
    async with api.client.watch(secrets, namespace=api.namespace, metadata_only=True, **options) as watch:
        event = await anext(watch)
    for found in (*listed.items, event.object):
        assert found.key.name == "token"
        assert set(found.to_dict()) == {"apiVersion", "kind", "metadata"}


async def test_typed_kinds_are_not_made_of_metadata(api: Any) -> None:
    with pytest.raises(UsageError, match="is no Secret"):
        await api.client.list(core.Secret, metadata_only=True)


def test_metadata_in_a_world_made_of_objects() -> None:
    seen = Seen.of(core.Secret(metadata=ObjectMeta(name="token", labels={"counted": "yes"})))
    found = seen.metadata(core.Secret, "token")
    assert found is not None
    assert [found] == seen.list_metadata(core.Secret, {"counted": "yes"})
    assert seen.metadata(core.Secret, "other") is None
