"""The candidates: each can POST and stream; nothing here knows Kubernetes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit


class Candidate:
    """One library. ``verify`` is a context that trusts the server, or None for plain HTTP."""

    def __init__(self, server: str, headers: dict[str, str], verify: ssl.SSLContext | None, ca: str) -> None:
        self.server, self.headers, self.verify, self.ca = server, headers, verify, ca

    async def open(self) -> None: ...

    async def post(self, path: str, body: bytes) -> int:
        raise NotImplementedError

    def stream(self, path: str) -> AsyncIterator[bytes]:
        raise NotImplementedError

    async def close(self) -> None: ...


class Aiohttp(Candidate):
    async def open(self) -> None:
        import aiohttp

        connector = aiohttp.TCPConnector(limit=64, ssl=self.verify or True)
        self.session = aiohttp.ClientSession(
            self.server,
            connector=connector,
            headers=self.headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=["Accept-Encoding"],
            timeout=aiohttp.ClientTimeout(total=None),
        )

    async def post(self, path: str, body: bytes) -> int:
        async with self.session.post(path, data=body) as response:
            await response.read()
            return response.status

    async def stream(self, path: str) -> AsyncIterator[bytes]:
        async with self.session.get(path) as response:
            while chunk := await response.content.readany():
                yield chunk

    async def close(self) -> None:
        await self.session.close()


class Httpx(Candidate):
    async def open(self) -> None:
        import httpx

        self.session = httpx.AsyncClient(
            base_url=self.server,
            verify=self.verify or True,
            headers={**self.headers, "accept-encoding": "identity"},
            limits=httpx.Limits(max_connections=64),
            timeout=60,
            trust_env=False,
        )

    async def post(self, path: str, body: bytes) -> int:
        return (await self.session.post(path, content=body)).status_code

    async def stream(self, path: str) -> AsyncIterator[bytes]:
        async with self.session.stream("GET", path) as response:
            async for chunk in response.aiter_raw():
                yield chunk

    async def close(self) -> None:
        await self.session.aclose()


class Niquests(Candidate):
    http2 = False

    async def open(self) -> None:
        import niquests

        self.session = niquests.AsyncSession(
            pool_maxsize=64, disable_http3=True, disable_http2=not self.http2, multiplexed=False
        )
        self.session.headers.update({**self.headers, "accept-encoding": "identity"})
        self.session.verify = self.ca or True
        self.session.trust_env = False

    async def post(self, path: str, body: bytes) -> int:
        response = await self.session.post(self.server + path, data=body)
        return response.status_code or 0

    async def stream(self, path: str) -> AsyncIterator[bytes]:
        response = await self.session.get(self.server + path, stream=True)
        async for chunk in await response.iter_raw(-1):
            yield chunk

    async def close(self) -> None:
        await self.session.close()


class NiquestsHttp2(Niquests):
    http2 = True


class _Minimal(Candidate):
    """A pool of connections; what parses a response is the subclass's. No time limits, retries, proxies."""

    connection: type[Any]

    async def open(self) -> None:
        self.idle: list[Any] = []
        parts = urlsplit(self.server)
        self.where = (parts.hostname, parts.port)
        head = {"host": parts.netloc, **self.headers}
        self.head = "".join(f"{name}: {value}\r\n" for name, value in head.items()).encode()

    async def take(self) -> Any:
        if self.idle:
            return self.idle.pop()
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_connection(self.connection, *self.where, ssl=self.verify)
        return protocol

    def request(self, method: str, path: str, body: bytes) -> bytes:
        return b"%s %s HTTP/1.1\r\n%scontent-length: %d\r\n\r\n%s" % (
            method.encode(),
            path.encode(),
            self.head,
            len(body),
            body,
        )

    async def post(self, path: str, body: bytes) -> int:
        connection = await self.take()
        async for _ in connection.exchange(self.request("POST", path, body)):
            pass
        self.idle.append(connection)
        return int(connection.status)

    async def stream(self, path: str) -> AsyncIterator[bytes]:
        connection = await self.take()
        async for chunk in connection.exchange(self.request("GET", path, b"")):
            yield chunk

    async def close(self) -> None:
        for connection in self.idle:
            connection.transport.close()


class _Connection(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.pieces: list[bytes] = []
        self.done = False
        self.waiter: asyncio.Future[None] | None = None

    async def exchange(self, request: bytes) -> AsyncIterator[bytes]:
        self.done = False
        self.begin()
        self.transport.write(request)
        while True:
            if not self.pieces:
                if self.done:
                    return
                self.waiter = asyncio.get_running_loop().create_future()
                await self.waiter
            pieces, self.pieces = self.pieces, []
            for piece in pieces:
                yield piece

    def wake(self) -> None:
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(None)

    def begin(self) -> None: ...


class _HttptoolsConnection(_Connection):
    def begin(self) -> None:
        import httptools

        self.parser = httptools.HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)
        self.wake()

    def on_body(self, body: bytes) -> None:
        self.pieces.append(body)

    def on_message_complete(self) -> None:
        self.status = self.parser.get_status_code()
        self.done = True


class _H11Connection(_Connection):
    def begin(self) -> None:
        import h11

        self.h11 = h11
        self.parser = h11.Connection(h11.CLIENT)
        self.parser.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
        self.parser.send(h11.EndOfMessage())

    def data_received(self, data: bytes) -> None:
        h11 = self.h11
        self.parser.receive_data(data)
        while (event := self.parser.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
            if isinstance(event, h11.Data):
                self.pieces.append(bytes(event.data))
            elif isinstance(event, h11.Response):
                self.status = event.status_code
            elif isinstance(event, h11.EndOfMessage):
                self.done = True
                break
        self.wake()


class Httptools(_Minimal):
    connection = _HttptoolsConnection


class H11(_Minimal):
    connection = _H11Connection


CANDIDATES: dict[str, tuple[type[Candidate], str, bool]] = {
    "aiohttp": (Aiohttp, "aiohttp", False),
    "aiohttp + uvloop": (Aiohttp, "aiohttp", True),
    "httpx": (Httpx, "httpx", False),
    "niquests": (Niquests, "niquests", False),
    "niquests, HTTP/2": (NiquestsHttp2, "niquests", False),
    "h11, bare": (H11, "h11", False),
    "httptools, bare": (Httptools, "httptools", False),
}
