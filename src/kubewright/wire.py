"""What crosses the wire: a request, a streaming response, and the one-method transport between them.

The client speaks to a :class:`Transport` and to nothing else. The network's is in ``kubewright.http``; the
embedded server's, in the same process, is in ``kubewright.server``. A wrapper that records, delays or cuts is
a transport too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(slots=True)
class Request:
    """One HTTP request, whole.

    Attributes:
        method: in capitals.
        path: absolute and percent-encoded, without the query: ``/api/v1/namespaces/default/pods``.
        query: pairs in order, neither encoded.
        headers: names in lower case.
        body: all of it; empty for none.
        timeout: seconds until the response's head must be there, or None for the transport's default.
        stream: the response's body comes without an end in sight (a watch, a log that is followed): only
            the idle timeout applies to it.
        idle_timeout: seconds that a streaming body may stay silent before the connection is taken for dead.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    timeout: float | None = None
    stream: bool = False
    idle_timeout: float | None = None


class Response(ABC):
    """The answer to a :class:`Request`; its body is read once, whole or as it comes.

    Attributes:
        status: the HTTP status.
        headers: names in lower case; repeated ``warning`` headers are joined with ``", "``.
    """

    status: int
    headers: Mapping[str, str]

    @abstractmethod
    async def read(self) -> bytes:
        """All of the body. Releases the connection."""

    @abstractmethod
    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes, in pieces of no particular size."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of the body unread, and of its connection. May be called more than once."""


class Transport(Protocol):
    """Carries a request to an API server and brings its response back."""

    async def send(self, request: Request) -> Response:
        """Send ``request``; return once the response's head is there.

        Raises:
            TransportError: no response came. A response of any status is returned, never raised.
        """
        ...

    async def close(self) -> None:
        """Close idle connections; what is in flight ends with ``ConnectionFailed``."""
        ...


class WholeResponse(Response):
    """A response whose body is already there."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    async def read(self) -> bytes:
        """All of the body."""
        return self.body

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, in one piece."""
        yield self.body

    async def close(self) -> None:
        """Nothing to let go of."""
