"""A watch: events as they come, cut from the stream wherever its pieces end."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, NamedTuple, Self, TypeVar

import msgspec

from kubewright.client.decode import Decode
from kubewright.client.status import error_from_event
from kubewright.errors import ConnectionBroken, DecodeError
from kubewright.wire import Response

T = TypeVar("T")

INITIAL_EVENTS_END = "k8s.io/initial-events-end"


class WatchEvent(NamedTuple, Generic[T]):
    """One change.

    Attributes:
        type: ``ADDED``, ``MODIFIED``, ``DELETED`` or ``BOOKMARK`` (its object has a resourceVersion, little else).
        object: the object as it is after the change; as it last was, for ``DELETED``.
    """

    type: str
    object: T


class _Line(msgspec.Struct, gc=False):
    type: str
    object: msgspec.Raw


class _BookmarkMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""


class _Bookmark(msgspec.Struct):
    metadata: _BookmarkMeta


_lines = msgspec.json.Decoder(_Line)
_bookmark = msgspec.json.Decoder(_Bookmark)


class Watch(Generic[T]):
    """Iterate over it for events; it ends when the server ends it (a timeout), which is no error.

    ``async with`` closes the connection at the block's end; leaving the loop by an exception or by
    cancellation closes it at once.

    Raises, while iterating:
        Gone: the resourceVersion is too old; list again.
        ApiError: the server refused the watch, or ended it with an error.
        TransportError: the connection broke off, or was silent for longer than the idle timeout.
        DecodeError: one object does not fit its type; iterating further goes on behind it.
    """

    def __init__(
        self,
        send: Callable[[], Awaitable[Response]],
        decode: Decode[T],
        *,
        resource_version: str = "",
        yield_bookmarks: bool = True,
    ) -> None:
        self._send = send
        self._decode = decode
        self._yield_bookmarks = yield_bookmarks
        self._response: Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None
        self._lines: deque[_Line] = deque()
        self._partial: list[bytes] = []
        self._closed = False
        self._bookmark = resource_version

    @property
    def resource_version(self) -> str:
        """Where the last bookmark stood, or where the watch began: a new watch may start here."""
        return self._bookmark

    async def open(self) -> Self:
        """Send the request, if it is not sent yet; iterating does so too."""
        if self._response is None and not self._closed:
            self._response = await self._send()
            self._chunks = self._response.chunks()
        return self

    async def aclose(self) -> None:
        """Close the connection; iterating ends."""
        self._closed = True
        self._lines.clear()
        if self._response is not None:
            await self._response.close()

    async def __aenter__(self) -> Self:
        try:
            return await self.open()
        except BaseException:
            await self.aclose()
            raise

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> WatchEvent[T]:
        lines = self._lines
        while True:
            while not lines:
                await self._receive()
            line = lines.popleft()
            if line.type == "BOOKMARK":
                self._bookmark = _bookmark.decode(line.object).metadata.resource_version
                if not self._yield_bookmarks:
                    continue
            elif line.type == "ERROR":
                await self.aclose()
                raise error_from_event(bytes(line.object))
            return WatchEvent(line.type, self._decode(line.object))

    async def _receive(self) -> None:
        """Take one more piece of the stream apart."""
        try:
            await self.open()
            if self._closed or self._chunks is None:
                raise StopAsyncIteration
            chunk = await anext(self._chunks)
            self._cut(chunk)
        except StopAsyncIteration:
            self._closed = True
            raise
        except BaseException as error:
            ended = self._closed and isinstance(error, ConnectionBroken)
            await self.aclose()
            if ended:
                raise StopAsyncIteration from None
            raise

    def _cut(self, chunk: bytes) -> None:
        """Put the lines that ``chunk`` completes into ``_lines``; keep the begun one."""
        end = chunk.rfind(b"\n") + 1
        if not end:
            self._partial.append(chunk)
            return
        whole = chunk[:end]
        if self._partial:
            self._partial.append(whole)
            whole = b"".join(self._partial)
            self._partial.clear()
        if end < len(chunk):
            self._partial.append(chunk[end:])
        try:
            self._lines.extend(_lines.decode_lines(whole))
        except msgspec.DecodeError as error:
            raise DecodeError(f"the watch sent what is no event: {error}: {whole[:200]!r}") from error
