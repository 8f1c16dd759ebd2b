"""What goes on while a webhook is asked."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from kubewright.server import InMemoryTransport, Server
from kubewright.server.certificates import Authority, server_context
from kubewright.wire import Request

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
GROUP = "/apis/admissionregistration.k8s.io/v1"
Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class Webhook:
    """Answers requests by ``answer``, which a test sets."""

    def __init__(self, url: str, authority: bytes) -> None:
        self.url = url
        self.authority = base64.b64encode(authority).decode()
        self.answer: Answer

    def configuration(self, *names: str, operations: tuple[str, ...] = ("*",)) -> dict[str, Any]:
        hooks = [
            {
                "name": name,
                "clientConfig": {"url": self.url, "caBundle": self.authority},
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "resources": ["configmaps"],
                        "operations": list(operations),
                    }
                ],
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
            }
            for name in names
        ]
        return {"metadata": {"name": "under-test"}, "webhooks": hooks}


@pytest.fixture
async def webhook() -> AsyncIterator[Webhook]:
    authority = Authority()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        review = json.loads(await request.read())
        response = {"uid": review["request"]["uid"], "allowed": True, **await made.answer(review["request"])}
        return web.json_response({**review, "request": None, "response": response})

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    context = server_context(authority.serve(["127.0.0.1"]), authority.pem)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    made = Webhook(f"https://127.0.0.1:{runner.addresses[0][1]}/", authority.pem)
    yield made
    await runner.cleanup()


async def send(server: Server, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    sent = b"" if body is None else json.dumps(body).encode()
    response = await InMemoryTransport(server).send(Request(method, path, (), {"content-type": kind}, sent))
    return response.status, json.loads(await response.read())


async def test_an_object_that_changes_meanwhile_is_asked_about_again(webhook: Webhook) -> None:
    server = Server()
    await send(server, "POST", CONFIGMAPS, {"metadata": {"name": "a"}})
    seen: list[Any] = []

    async def answer(request: dict[str, Any]) -> dict[str, Any]:
        seen.append(request["object"].get("data"))
        if len(seen) == 1:
            await send(server, "PATCH", f"{CONFIGMAPS}/a", {"data": {"meanwhile": "1"}})
        return {}

    webhook.answer = answer
    path = f"{GROUP}/validatingwebhookconfigurations"
    await send(server, "POST", path, webhook.configuration("a.example.com", operations=("UPDATE",)))
    code, changed = await send(server, "PATCH", f"{CONFIGMAPS}/a", {"data": {"mine": "2"}})
    assert code == 200
    assert changed["data"] == {"meanwhile": "1", "mine": "2"}
    assert seen == [{"mine": "2"}, {"meanwhile": "1"}, {"meanwhile": "1", "mine": "2"}]


async def test_an_object_that_goes_meanwhile_is_not_found(webhook: Webhook) -> None:
    server = Server()
    await send(server, "POST", CONFIGMAPS, {"metadata": {"name": "a"}})

    async def answer(request: dict[str, Any]) -> dict[str, Any]:
        if request["operation"] == "UPDATE":
            await send(server, "DELETE", f"{CONFIGMAPS}/a")
        return {}

    webhook.answer = answer
    path = f"{GROUP}/mutatingwebhookconfigurations"
    await send(server, "POST", path, webhook.configuration("a.example.com"))
    assert (await send(server, "PATCH", f"{CONFIGMAPS}/a", {"data": {"mine": "2"}}))[0] == 404


async def test_validating_webhooks_are_asked_at_once_and_others_are_not_kept_waiting(webhook: Webhook) -> None:
    server = Server()
    everybody = asyncio.Barrier(3)

    async def answer(request: dict[str, Any]) -> dict[str, Any]:
        await everybody.wait()
        return {}

    webhook.answer = answer
    path = f"{GROUP}/validatingwebhookconfigurations"
    names = ("a.example.com", "b.example.com", "c.example.com")
    await send(server, "POST", path, webhook.configuration(*names, operations=("CREATE",)))
    creating = asyncio.create_task(send(server, "POST", CONFIGMAPS, {"metadata": {"name": "a"}}))
    assert (await send(server, "GET", CONFIGMAPS))[0] == 200
    assert (await creating)[0] == 201


async def test_a_configuration_that_is_gone_is_not_asked(webhook: Webhook) -> None:
    server = Server()

    async def answer(request: dict[str, Any]) -> dict[str, Any]:
        return {"allowed": False}

    webhook.answer = answer
    path = f"{GROUP}/validatingwebhookconfigurations"
    await send(server, "POST", path, webhook.configuration("a.example.com"))
    assert (await send(server, "POST", CONFIGMAPS, {"metadata": {"name": "a"}}))[0] == 400
    await send(server, "DELETE", f"{path}/under-test")
    assert (await send(server, "POST", CONFIGMAPS, {"metadata": {"name": "a"}}))[0] == 201
