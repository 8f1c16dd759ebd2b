"""The transport that needs no network: requests go to a server in the same process."""

from __future__ import annotations

from kubewright.errors import ConnectionFailed
from kubewright.server.authentication import authenticated
from kubewright.server.context import ADMIN, UserInfo
from kubewright.server.server import Server
from kubewright.wire import Request, Response


class InMemoryTransport:
    """Carries requests to ``server`` as ``user``, an administrator unless told otherwise.

    A request with an ``Authorization`` header is made by whom that says. Closing the transport ends its own
    watches, not the server.
    """

    def __init__(self, server: Server, user: UserInfo = ADMIN) -> None:
        self._server = server
        self._user = authenticated(user)
        self._closed = False

    async def send(self, request: Request) -> Response:
        """Send ``request``.

        Raises:
            ConnectionFailed: the transport or the server is closed.
        """
        if self._closed or self._server.closing:
            raise ConnectionFailed("the embedded API server is closed")
        return await self._server.handle(request, None if "authorization" in request.headers else self._user)

    async def close(self) -> None:
        """Send nothing more."""
        self._closed = True
