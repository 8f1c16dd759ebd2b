"""Lists, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from kubewright.client.decode import Decode
from kubewright.client.options import Query
from kubewright.errors import DecodeError, Gone

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ListResult(Generic[T]):
    """A whole list, and the resourceVersion to watch from.

    Iterating over it is iterating over its items.
    """

    items: list[T]
    resource_version: str


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a list.

    Attributes:
        items: this page's.
        resource_version: the list's; the same on all its pages.
        restarted: the server no longer knew the state the pages before came from, so the list begins anew
            with this page: forget those.
        remaining: how many items are still to come, where the server tells.
    """

    items: list[T]
    resource_version: str
    restarted: bool = False
    remaining: int | None = None


class _ListMeta(msgspec.Struct, rename={"continue_": "continue", "resource_version": "resourceVersion"}):
    resource_version: str = ""
    continue_: str = ""
    remaining: int | None = msgspec.field(name="remainingItemCount", default=None)


class _List(msgspec.Struct):
    metadata: _ListMeta = msgspec.field(default_factory=_ListMeta)
    items: list[msgspec.Raw] | None = None


_decoder = msgspec.json.Decoder(_List)


async def pages(
    fetch: Callable[[Query], Awaitable[bytes]], decode: Decode[T], *, query: Query, paging: Query, limit: int
) -> AsyncIterator[Page[T]]:
    """The pages of a list, each fetched when the one before has been taken.

    A continue token that has expired (410) is answered, as client-go's pager does, by the whole list in one
    page: its state is the newest, and it cannot expire again.

    Args:
        fetch: gets the list's JSON for a query.
        decode: makes an object of each item.
        query: goes with every request.
        paging: goes with the first request only (resourceVersion, resourceVersionMatch).
        limit: items on a page; 0 for all.
    """
    token, restarted = "", False
    while True:
        page_query = query
        if limit:
            page_query += (("limit", str(limit)),)
        page_query += (("continue", token),) if token else paging
        try:
            page = _split(await fetch(page_query))
        except Gone:
            if not token:
                raise
            token, limit, restarted = "", 0, True
            continue
        meta = page.metadata
        yield Page([decode(item) for item in page.items or ()], meta.resource_version, restarted, meta.remaining)
        token, restarted = meta.continue_, False
        if not token:
            return


def _split(body: bytes) -> _List:
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError as error:
        raise DecodeError(f"the server's answer is not a list: {error}") from error
