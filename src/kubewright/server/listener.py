"""The listener: the server over HTTPS, for kubectl and for every other client."""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from kubewright import clock
from kubewright.errors import UsageError
from kubewright.server import status
from kubewright.server.authentication import user_of_certificate
from kubewright.server.authentication.impersonation import IMPERSONATE, SEPARATOR
from kubewright.server.bodies import MAX_BODY
from kubewright.server.certificates import Authority, KeyPair, server_context
from kubewright.server.context import ADMIN, UserInfo
from kubewright.server.server import Server
from kubewright.server.status import StatusError
from kubewright.wire import Request, Response, WholeResponse

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_LOCAL = ("127.0.0.1", "::1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "10.0.0.1")
_SLOW_SECONDS = 30.0
"""How long a watcher may leave the socket's buffer full before it is cut off."""
_GRACE_SECONDS = 5.0
"""How long requests in flight may take when the listener closes."""


class Listener:
    """A server that listens.

    Attributes:
        url: where: ``https://127.0.0.1:40123``.
        host: the address bound.
        port: the port bound.
        ca_pem: what clients trust; empty without TLS.
        token: the bearer token of the administrator.
    """

    def __init__(
        self,
        server: Server,
        runner: web.ServerRunner,
        ending: asyncio.Event,
        host: str,
        port: int,
        authority: Authority | None,
        token: str,
    ) -> None:
        self._server = server
        self._runner = runner
        self._ending = ending
        self._authority = authority
        self.host = host
        self.port = port
        self.token = token
        self.ca_pem = authority.pem if authority else b""
        shown = f"[{host}]" if ":" in host else host
        self.url = f"{'https' if authority else 'http'}://{shown}:{port}"

    def client_certificate(self, name: str, groups: tuple[str, ...] = ()) -> KeyPair:
        """A client certificate for a user of this listener.

        Raises:
            UsageError: it listens without TLS.
        """
        if self._authority is None:
            raise UsageError("client certificates need TLS", hint="listen with tls=True")
        return self._authority.client(name, groups)

    async def close(self) -> None:
        """Stop listening and end what is in flight; the server itself goes on."""
        self._server.authenticator.remove_token(self.token)
        self._ending.set()
        await self._runner.cleanup()


async def listen(
    server: Server,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    tls: bool = True,
    token: str | None = None,
) -> Listener:
    """Let ``server`` listen.

    Args:
        server: who answers.
        host: the address to bind; loopback unless told otherwise.
        port: the port to bind; 0 picks a free one.
        tls: with certificates made for this listener.
        token: the administrator's bearer token; unless given, drawn at random, once for all where the server has
            a data folder.

    Raises:
        UsageError: the address cannot be bound.
    """
    token = token or _kept(server, "admin-token", lambda: clock.token(32, _ALPHABET).encode()).decode()
    authority: Authority | None = None
    context: ssl.SSLContext | None = None
    if tls:
        authority = await asyncio.to_thread(lambda: Authority(_kept(server, "authority.pem", _new_authority)))
        context = server_context(authority.serve([host, *_LOCAL]), authority.pem)
    server.authenticator.add_token(token, ADMIN)
    handler = _Handler(server)
    runner = web.ServerRunner(
        web.Server(handler.handle, access_log=None, max_line_size=64 * 1024, max_field_size=64 * 1024),
        shutdown_timeout=_GRACE_SECONDS,
    )
    await runner.setup()
    site = web.TCPSite(runner, host, port, ssl_context=context, backlog=512)
    try:
        await site.start()
    except OSError as error:
        await runner.cleanup()
        raise _cannot_bind(host, port, error) from None
    bound = runner.addresses[0]
    return Listener(server, runner, handler.closing, host, bound[1], authority, token)


def _kept(server: Server, name: str, make: Callable[[], bytes]) -> bytes:
    return make() if server.data is None else server.data.secret(name, make)


def _new_authority() -> bytes:
    return Authority().stored


def _cannot_bind(host: str, port: int, error: OSError) -> UsageError:
    if error.errno == errno.EADDRINUSE:
        why = "something else listens there"
        hint = "stop it, or choose another port (0 picks a free one)"
    elif error.errno in (errno.EACCES, errno.EPERM):
        why, hint = "not permitted", "choose a port above 1023"
    else:
        why, hint = error.strerror or str(error), "choose an address of this machine, such as 127.0.0.1"
    return UsageError(f"cannot listen on {host}:{port}: {why}", hint=hint)


class _Handler:
    """From aiohttp's request to ours, and back."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.closing = asyncio.Event()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            user = self._user(request)
            asked = await self._read(request)
            answer = await self._server.handle(asked, user)
        except StatusError as error:
            answer = error.to_response()
        if isinstance(answer, WholeResponse):
            return web.Response(status=answer.status, headers=_header_pairs(answer), body=answer.body)
        return await self._stream(request, answer)

    @staticmethod
    def _user(request: web.BaseRequest) -> UserInfo | None:
        """The user of a client certificate; None: the request's headers say who it is."""
        certificate = request.get_extra_info("peercert")
        if not certificate:
            return None
        der = request.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return user_of_certificate(certificate, der)

    async def _read(self, request: web.BaseRequest) -> Request:
        if (request.content_length or 0) > MAX_BODY:
            raise status.request_entity_too_large(MAX_BODY)
        body = bytearray()
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > MAX_BODY:
                raise status.request_entity_too_large(MAX_BODY)
        headers: dict[str, str] = {}
        for name, value in request.headers.items():
            key = name.lower()
            repeated = key in headers and key.startswith(IMPERSONATE)
            headers[key] = f"{headers[key]}{SEPARATOR}{value}" if repeated else value
        path = request.rel_url.raw_path
        query = tuple(request.rel_url.query.items())
        return Request(request.method, path, query, headers, bytes(body))

    async def _stream(self, request: web.BaseRequest, answer: Response) -> web.StreamResponse:
        stream = web.StreamResponse(status=answer.status, headers=_header_pairs(answer))
        stream.enable_chunked_encoding()
        try:
            await stream.prepare(request)
            async for chunk in self._until_closing(answer):
                # A full buffer makes this wait: who does not read in time is cut off, not buffered for.
                await asyncio.wait_for(stream.write(chunk), _SLOW_SECONDS)
            await stream.write_eof()
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
        except ConnectionError:
            pass  # the client is gone
        finally:
            await answer.close()
        return stream

    async def _until_closing(self, answer: Response) -> AsyncIterator[bytes]:
        chunks = answer.chunks()
        closing = asyncio.ensure_future(self.closing.wait())
        try:
            while True:
                following = asyncio.ensure_future(anext(chunks, None))
                await asyncio.wait({following, closing}, return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    following.cancel()
                    await asyncio.wait({following})
                    return
                chunk = following.result()
                if chunk is None:
                    return
                yield chunk
        finally:
            closing.cancel()


def _header_pairs(answer: Response) -> list[tuple[str, str]]:
    pairs = [
        (name, value) for name, value in answer.headers.items() if name not in ("warning", "transfer-encoding")
    ]
    warning = answer.headers.get("warning")
    if warning:
        # One header for each: Go's client reads only one warning of a header.
        pairs += [("Warning", f"299 - {text}") for text in warning.removeprefix("299 - ").split(", 299 - ")]
    return pairs
