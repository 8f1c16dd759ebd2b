"""The listener: certificates, credentials, occupied ports, watches that end when it closes."""

from __future__ import annotations

import asyncio
import io
import ssl

import aiohttp
import pytest

from kubewright.errors import UsageError
from kubewright.server import Listener, Server, listen


def session(listener: Listener, token: str | None = None) -> aiohttp.ClientSession:
    trust = ssl.create_default_context(cadata=listener.ca_pem.decode())
    headers = {"authorization": f"Bearer {listener.token if token is None else token}"}
    return aiohttp.ClientSession(listener.url, headers=headers, connector=aiohttp.TCPConnector(ssl=trust))


async def test_its_certificate_is_trusted_and_its_token_taken() -> None:
    listener = await listen(Server())
    try:
        async with session(listener) as http, http.get("/api/v1/namespaces/default") as answer:
            assert answer.status == 200
            assert (await answer.json())["metadata"]["name"] == "default"
        async with session(listener, "wrong") as http, http.get("/api/v1/namespaces") as answer:
            assert answer.status == 401
            assert (await answer.json())["reason"] == "Unauthorized"
    finally:
        await listener.close()


async def test_an_occupied_port_is_a_clear_error() -> None:
    listener = await listen(Server())
    try:
        with pytest.raises(UsageError, match="something else listens there") as refused:
            await listen(Server(), port=listener.port)
        assert "another port" in refused.value.hint
    finally:
        await listener.close()


async def test_closing_ends_watches() -> None:
    listener = await listen(Server())
    async with session(listener) as http, http.get("/api/v1/namespaces?watch=1") as watching:
        first = await watching.content.readline()
        assert b'"ADDED"' in first
        closing = asyncio.create_task(listener.close())
        await asyncio.wait_for(watching.content.read(), 10)
        await asyncio.wait_for(closing, 10)


async def test_connections_that_say_nothing_or_half_of_it_hold_up_nobody() -> None:
    listener = await listen(Server(), tls=False)
    idle = [await asyncio.open_connection(listener.host, listener.port) for _ in range(50)]
    for index, (_, writer) in enumerate(idle):
        writer.write(b"POST /api/v1/namespaces HTTP/1.1\r\ncontent-length: 100\r\n\r\n{"[: 5 + index])
    async with aiohttp.ClientSession(listener.url, headers={"authorization": f"Bearer {listener.token}"}) as http:
        async with http.get("/api/v1/namespaces/default") as answer:
            assert answer.status == 200
        too_large = io.BytesIO(bytes(3 * 1024 * 1024 + 1))
        async with http.post("/api/v1/namespaces", data=too_large) as answer:
            assert answer.status == 413
    for _, writer in idle:
        writer.close()
    await asyncio.wait_for(listener.close(), 10)
