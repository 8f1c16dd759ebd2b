"""Lists and watches, whatever the server can do and whatever breaks."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable

import pytest

from kubewright.cache import Cache, Scope
from kubewright.client import Client
from kubewright.errors import ConnectionFailed
from kubewright.kinds import core_v1 as core
from kubewright.objects import ObjectKey, ObjectMeta
from kubewright.server import InMemoryTransport, Server
from kubewright.wire import Request, Response, Transport, WholeResponse

SCOPE = Scope(core.ConfigMap.api_resource, "default")


class Gate(Transport):
    """Lets through what ``refuse`` has no answer to, and remembers the rest."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self.refuse: Callable[[Request], Response | None] = lambda _: None
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        return self.refuse(request) or await self.inner.send(request)

    async def close(self) -> None:
        await self.inner.close()


def status(code: int, reason: str) -> Response:
    body = {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": reason}
    return WholeResponse(code, {}, json.dumps(body).encode())


@pytest.fixture
async def gate() -> Gate:
    return Gate(InMemoryTransport(Server()))


@pytest.fixture
async def client(gate: Gate) -> AsyncIterator[Client]:
    async with Client(gate) as client:
        yield client


async def fill(client: Client, count: int) -> None:
    for number in range(count):
        await client.create(core.ConfigMap(metadata=ObjectMeta(name=f"c{number:04}", namespace="default")))


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not reached():  # noqa: ASYNC110 - whatever the condition
            await asyncio.sleep(0.001)


async def test_the_first_state_comes_as_a_stream_and_then_its_changes(gate: Gate, client: Client) -> None:
    await fill(client, 3)
    gate.requests.clear()
    cache = Cache(client)
    informer = cache.informer(SCOPE)
    await informer.synced.wait()
    assert len(informer.store) == 3
    await fill_one_more(client)
    await until(lambda: ObjectKey("default", "more") in informer.store)
    assert [request.method for request in gate.requests if request.method == "GET"] == ["GET"]
    await cache.stop()


async def fill_one_more(client: Client) -> None:
    await client.create(core.ConfigMap(metadata=ObjectMeta(name="more", namespace="default")))


@pytest.mark.parametrize(("code", "reason"), [(422, "Invalid"), (400, "BadRequest"), (501, "NotImplemented")])
async def test_a_server_without_watch_lists_is_listed_in_pages(
    gate: Gate, client: Client, code: int, reason: str
) -> None:
    await fill(client, 1200)
    gate.refuse = lambda request: status(code, reason) if ("sendInitialEvents", "true") in request.query else None
    gate.requests.clear()
    cache = Cache(client)
    informer = cache.informer(SCOPE)
    await informer.synced.wait()
    assert len(informer.store) == 1200
    pages = [dict(request.query) for request in gate.requests if ("limit", "500") in request.query]
    assert len(pages) == 3
    await fill_one_more(client)
    await until(lambda: ObjectKey("default", "more") in informer.store)
    await cache.stop()


async def test_what_is_forbidden_or_unreachable_is_asked_for_again_and_told(
    gate: Gate, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    gate.refuse = lambda _: status(403, "Forbidden")
    cache = Cache(client)
    informer = cache.informer(SCOPE)
    await until(lambda: "watching configmaps in namespace default: Forbidden (grant it" in caplog.text)
    assert not informer.synced.is_set()

    def cut(_: Request) -> Response:
        raise ConnectionFailed("refused")

    gate.refuse = cut
    await until(lambda: "refused" in caplog.text)
    gate.refuse = lambda _: None
    await informer.synced.wait()
    await cache.stop()


async def test_one_scope_is_watched_once_however_many_ask(gate: Gate, client: Client) -> None:
    cache = Cache(client)
    assert cache.informer(SCOPE) is cache.informer(Scope(core.ConfigMap.api_resource, "default"))
    assert cache.informer(SCOPE) is not cache.informer(Scope(core.ConfigMap.api_resource, "other"))
    await cache.wait_synced()
    assert len(gate.requests) == 2
    await cache.stop()


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        (Scope(core.ConfigMap.api_resource, "default", name="a"), {"a"}),
        (Scope(core.ConfigMap.api_resource, "default", label_selector="app=x"), {"b"}),
    ],
)
async def test_a_narrow_scope_is_narrow_at_the_server(client: Client, scope: Scope, names: set[str]) -> None:
    for name, labels in (("a", {}), ("b", {"app": "x"}), ("c", {"app": "y"})):
        await client.create(core.ConfigMap(metadata=ObjectMeta(name=name, namespace="default", labels=labels)))
    cache = Cache(client)
    await cache.informer(scope).synced.wait()
    assert {obj.key.name for obj in cache.informer(scope).store} == names
    await cache.stop()
