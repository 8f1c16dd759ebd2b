"""The transport over the network, on aiohttp."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from kubewright.errors import ConnectionFailed, UsageError
from kubewright.http.proxy import ProxyFromEnvironment
from kubewright.http.tls import TlsConfig
from kubewright.wire import Request, Response

if TYPE_CHECKING:
    import ssl

    import aiohttp

# aiohttp takes longer to import than the rest of an operator, so the first transport imports it.

_LARGE = 2**20


class NetworkTransport:
    """Carries requests to one server over HTTP/1.1.

    Requests share up to ``connections`` pooled connections and wait for a free one beyond that; streams
    (watches, followed logs) have a connection each, without a limit, so that they never starve requests.
    """

    def __init__(
        self,
        server: str,
        *,
        tls: TlsConfig | None = None,
        proxy: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
        timeout: float = 60.0,
        connect_timeout: float = 30.0,
        connections: int = 64,
        compression: bool = False,
    ) -> None:
        """Nothing is opened until the first request.

        Args:
            server: its URL; a path in it is put before every request's.
            tls: for ``https``; the default trusts the system's certificate authorities.
            proxy: a proxy's URL; empty for none; None asks the environment (``HTTPS_PROXY``, ``NO_PROXY``).
            headers: sent with every request; names may repeat.
            timeout: seconds until a response's head must be there, where the request does not say.
            connect_timeout: seconds for one connection to be made.
            connections: how many requests are in flight at once, streams not counted.
            compression: ask for gzip where something is read.
        """
        if not server.startswith(("http://", "https://")):
            raise UsageError(f"{server!r} is not the URL of a server", hint="it begins with https:// (or http://)")
        # Here rather than at the first request, which is timed, and during which others wait for the loop.
        import aiohttp  # noqa: F401

        self.server = server.rstrip("/")
        self._tls = tls or TlsConfig()
        self._proxy = ProxyFromEnvironment.read().for_url(server) if proxy is None else proxy
        self._headers = headers
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._connections = connections
        self._compression = compression
        self._context: ssl.SSLContext | None = None
        self._requests: aiohttp.ClientSession | None = None
        self._streams: aiohttp.ClientSession | None = None
        self._closed = False

    async def send(self, request: Request) -> Response:
        """Send ``request``; return once the response's head is there.

        Raises:
            TransportError: no response came.
        """
        import aiohttp
        from yarl import URL

        from kubewright.http.failures import told

        session = self._session(stream=request.stream)
        url = self.server + request.path
        if request.query:
            url = f"{url}?{urlencode(request.query, quote_via=quote)}"
        headers = request.headers
        if self._compression and request.method == "GET" and not request.stream:
            headers = {"accept-encoding": "gzip", **headers}
        timeout = self._timeout if request.timeout is None else request.timeout
        idle = request.idle_timeout if request.stream or request.idle_timeout else timeout
        try:
            async with asyncio.timeout(timeout):
                response = await session.request(
                    request.method,
                    URL(url, encoded=True),
                    headers=headers,
                    data=_payload(request.body),
                    allow_redirects=False,
                    proxy=self._proxy or None,
                    server_hostname=self._tls.server_name or None,
                    timeout=aiohttp.ClientTimeout(sock_connect=self._connect_timeout, sock_read=idle),
                )
        except (aiohttp.ClientError, OSError) as error:
            raise told(error, self.server, f"{request.method} {request.path}") from error
        except RuntimeError as error:
            if self._closed:
                raise ConnectionFailed(f"the transport to {self.server} is closed") from error
            raise
        return NetworkResponse(response, self.server, f"{request.method} {request.path}")

    async def close(self) -> None:
        """Close all connections; what is in flight ends with ``ConnectionFailed``."""
        self._closed = True
        for session in (self._requests, self._streams):
            if session is not None:
                await session.close()
        self._requests = self._streams = None

    def _session(self, *, stream: bool) -> aiohttp.ClientSession:
        session = self._streams if stream else self._requests
        if session is None:
            if self._closed:
                raise ConnectionFailed(f"the transport to {self.server} is closed")
            session = self._open(0 if stream else self._connections)
            if stream:
                self._streams = session
            else:
                self._requests = session
        return session

    def _open(self, limit: int) -> aiohttp.ClientSession:
        import aiohttp
        from multidict import CIMultiDict

        if self._context is None and self.server.startswith("https://"):
            self._context = self._tls.context()
        connector = aiohttp.TCPConnector(
            limit=limit,
            keepalive_timeout=90,
            ssl=self._context if self._context is not None else True,
            socket_factory=_kept_alive_socket,
        )
        session = aiohttp.ClientSession(
            connector=connector,
            headers=CIMultiDict(self._headers),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent", "Content-Type"),
            read_bufsize=2**18,
            max_field_size=2**16,
            max_line_size=2**16,
        )
        # aiohttp would send PUT and DELETE again by itself when the connection breaks, although the first may have
        # been carried out: the second then answers Conflict or NotFound to what has succeeded. The client decides.
        session._retry_connection = False  # noqa: SLF001 - as aiohttp's own test client does
        return session


class NetworkResponse(Response):
    """A response on its connection."""

    __slots__ = ("_doing", "_response", "_server", "headers", "status")

    def __init__(self, response: aiohttp.ClientResponse, server: str, doing: str) -> None:
        self._response = response
        self._server = server
        self._doing = doing
        self.status = response.status
        self.headers: Mapping[str, str] = _lowered(response)

    async def read(self) -> bytes:
        """All of the body. Releases the connection."""
        import aiohttp

        from kubewright.http.failures import told

        try:
            return await self._response.read()
        except (aiohttp.ClientError, OSError) as error:
            raise told(error, self._server, self._doing) from error
        except BaseException:
            self._cut()
            raise

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes, in pieces of no particular size."""
        import aiohttp

        from kubewright.http.failures import told

        content = self._response.content
        try:
            while chunk := await content.readany():
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise told(error, self._server, self._doing) from error
        finally:
            if not content.is_eof():
                self._cut()

    async def close(self) -> None:
        """Let go of the body unread, and of its connection."""
        self._cut()

    def _cut(self) -> None:
        # A TLS connection that is closed says farewell and waits for an answer, longer than the loop may live.
        connection = self._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()
        self._response.close()

    def __del__(self) -> None:
        # aiohttp warns of a response that was dropped unread; dropping a stream is how a person stops it.
        response = getattr(self, "_response", None)
        if response is not None and not response.closed:
            response.close()


def _payload(body: bytes) -> bytes | io.BytesIO | None:
    # aiohttp warns of large bytes, which it hands to the socket in one piece, and sends files in pieces.
    return io.BytesIO(body) if len(body) >= _LARGE else body or None


def _lowered(response: aiohttp.ClientResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in response.headers.items():
        lower = name.lower()
        headers[lower] = f"{headers[lower]}, {value}" if lower in headers else value
    return headers


_AddressInfo = tuple[
    "int | socket.AddressFamily", "int | socket.SocketKind", int, str, "tuple[str, int] | tuple[str, int, int, int]"
]


def _kept_alive_socket(address: _AddressInfo) -> socket.socket:
    """A socket whose dead peer is noticed in about a minute, also under a watch that is silent for long."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family=family, type=kind, proto=protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    return made
