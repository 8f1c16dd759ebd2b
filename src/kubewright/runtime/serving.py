"""Serves a few fixed paths over HTTP, from the operator's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from kubewright.errors import UsageError

if TYPE_CHECKING:
    from aiohttp import web_request, web_response
    from aiohttp.web_server import Server


class Answer(NamedTuple):
    """What a path answers now."""

    status: int
    text: str
    content_type: str = "text/plain; charset=utf-8"


Route: TypeAlias = Callable[[], Answer]


class BindAddress(NamedTuple):
    """Where to listen: ``:8081`` on all addresses, ``127.0.0.1:8081``, ``[::1]:8081``; port 0 chooses one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> BindAddress:
        """Read ``text``.

        Raises:
            UsageError: it is no address with a port.
        """
        host, colon, port = text.rpartition(":")
        if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65535:
            raise UsageError(f"{text!r} is no address to listen on", hint="as in :8081 or 127.0.0.1:8081")
        return cls(host.removeprefix("[").removesuffix("]"), int(port))


class HttpServer:
    """Answers GET and HEAD at the paths of ``routes``."""

    def __init__(self, address: BindAddress, routes: Mapping[str, Route]) -> None:
        self._address = address
        self._routes = routes
        self._listening: asyncio.Server | None = None
        self._server: Server | None = None

    @property
    def port(self) -> int:
        """The port it listens on, once it does."""
        port: int = self._listening.sockets[0].getsockname()[1] if self._listening else 0
        return port

    async def start(self) -> None:
        """Listen.

        Raises:
            UsageError: the address is taken, or not of this machine.
        """
        # The low-level server alone: it takes half of what aiohttp.web takes to import, in time and memory.
        from aiohttp.web_server import Server

        server = Server(self._answer, access_log=None)
        host, port = self._address
        try:
            self._listening = await asyncio.get_running_loop().create_server(server, host or None, port)
        except OSError as error:
            raise UsageError(
                f"cannot listen on {host}:{port}: {error.strerror or error}",
                hint="another process listens there: choose another address",
            ) from error
        self._server = server

    async def stop(self) -> None:
        """Listen no more, and close what is open."""
        if self._listening is not None and self._server is not None:
            self._listening.close()
            await self._server.shutdown()
            self._listening = None

    async def _answer(self, request: web_request.BaseRequest) -> web_response.Response:
        from aiohttp.web_response import Response

        route = self._routes.get(request.path)
        if route is None:
            answer = Answer(404, "there is: " + " ".join(sorted(self._routes)))
        elif request.method not in {"GET", "HEAD"}:
            answer = Answer(405, "GET only")
        else:
            answer = route()
        headers = {"content-type": answer.content_type, "cache-control": "no-store"}
        return Response(status=answer.status, body=answer.text.encode(), headers=headers)
