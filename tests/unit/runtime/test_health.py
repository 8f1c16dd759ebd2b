"""Liveness and readiness, asked as a kubelet asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp
import pytest

from kubewright.client import Client
from kubewright.errors import UsageError
from kubewright.kinds import core_v1 as core
from kubewright.objects import ObjectKey, ObjectMeta, Resource, Spec, Status, crd, resource
from kubewright.runtime import Controller, Desired, LeaseElection, Operator, Running, Seen
from kubewright.runtime.serving import BindAddress
from kubewright.server import InMemoryTransport, Server


class PulseSpec(Spec):
    """Nothing."""


@resource(group="health.kubewright.test", version="v1")
class Pulse(Resource[PulseSpec, Status]):
    """Something to watch."""


class Pulses(Controller[Pulse]):
    """Does nothing."""

    owns = (core.ConfigMap,)

    def desired(self, obj: Pulse, seen: Seen, /) -> Desired[Status]:
        return Desired()


def operating(client: Client, *, election: LeaseElection | None = None) -> Running:
    return Operator("demo", controllers=[Pulses()]).running(
        client, election=election, health_probe_bind_address="127.0.0.1:0"
    )


async def ask(running: Running, path: str, method: str = "GET") -> tuple[int, str]:
    assert running._probes is not None
    url = f"http://127.0.0.1:{running._probes.port}{path}"
    async with aiohttp.ClientSession() as session, session.request(method, url) as response:
        return response.status, await response.text()


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not reached():  # noqa: ASYNC110 - it is the operator's own state that is asked
            await asyncio.sleep(0.01)


async def test_ready_once_the_caches_are_filled() -> None:
    client = Client(InMemoryTransport(Server()))
    async with operating(client) as running:
        await until(lambda: len(running.missing()) == 1)
        assert await ask(running, "/readyz") == (
            500,
            "[-]caches failed: no list yet of pulses.health.kubewright.test\n",
        )
        assert await ask(running, "/healthz") == (200, "ok")
        await client.create(crd(Pulse))
        await running.wait_ready()
        assert await ask(running, "/readyz") == (200, "ok")
        assert await ask(running, "/livez", "HEAD") == (200, "")
        assert (await ask(running, "/readyz", "POST"))[0] == 405
        assert (await ask(running, "/metrics"))[0] == 404


async def test_a_standby_is_ready_and_alive() -> None:
    server = Server()
    client = Client(InMemoryTransport(server))
    await client.create(crd(Pulse))

    def candidate(name: str) -> LeaseElection:
        return LeaseElection(
            ObjectKey("default", "demo"),
            identity=name,
            connect=lambda: Client(InMemoryTransport(server)),
            thread=False,
        )

    async with operating(client, election=candidate("a")) as leader:
        await leader.wait_ready()
        async with operating(client, election=candidate("b")) as standby:
            await until(lambda: standby.synced)
            assert not standby.ready
            assert await ask(standby, "/readyz") == (200, "ok")
            assert await ask(standby, "/healthz") == (200, "ok")


async def test_a_watch_that_ended_for_good_is_told() -> None:
    client = Client(InMemoryTransport(Server()))
    await client.create(crd(Pulse))
    async with operating(client) as running:
        await running.wait_ready()

        def broken(_: object) -> None:
            raise ZeroDivisionError

        running.cache.informers()[0].add_handler(broken)
        await client.create(Pulse(metadata=ObjectMeta(name="p"), spec=PulseSpec()))
        await until(lambda: running.cache.failed() is not None)
        assert await ask(running, "/healthz") == (500, "[-]tasks failed: ZeroDivisionError\n")
        assert await ask(running, "/readyz") == (200, "ok")


async def test_an_address_that_is_taken_or_none() -> None:
    client = Client(InMemoryTransport(Server()))
    await client.create(crd(Pulse))
    async with operating(client) as running:
        assert running._probes is not None
        taken = f"127.0.0.1:{running._probes.port}"
        other = Operator("other", controllers=[Pulses()])
        with pytest.raises(UsageError, match=f"cannot listen on {taken}"):
            async with other.running(client, health_probe_bind_address=taken):
                pass
    for wrong in ("8081", ":port", ":70000"):
        with pytest.raises(UsageError, match="is no address to listen on"):
            BindAddress.parse(wrong)
    assert BindAddress.parse("[::1]:80") == ("::1", 80)
    assert BindAddress.parse(":8081") == ("", 8081)
