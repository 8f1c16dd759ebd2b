"""watch: changes as they happen, from the log of the table."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

from kubewright import clock
from kubewright.objects import JsonObject
from kubewright.server import media, status, tables
from kubewright.server.handlers.read import check_revision
from kubewright.server.handlers.scope import Scope, warning_header
from kubewright.server.options import ListOptions, text
from kubewright.server.selection import Selection, select
from kubewright.server.store import Compacted, Entry, Event, Table, event_line
from kubewright.wire import Response

BOOKMARK_SECONDS = 60.0
_TIMEOUT_SECONDS = 1800
_BEFORE_END = 2.0
"""Seconds before the end of a watch at which a last bookmark is sent."""
_BATCH = 512
"""Events joined into one chunk at most."""


class WatchResponse(Response):
    """A stream of events; closing it ends the watch."""

    def __init__(self, headers: Mapping[str, str], lines: AsyncIterator[bytes]) -> None:
        self.status = 200
        self.headers = headers
        self._lines = lines

    async def read(self) -> bytes:
        """All events until the watch times out."""
        return b"".join([chunk async for chunk in self._lines])

    def chunks(self) -> AsyncIterator[bytes]:
        """The events, line by line or several at once."""
        return self._lines

    async def close(self) -> None:
        """End the watch."""
        close = getattr(self._lines, "aclose", None)
        if close is not None:
            await close()


class _Encoding:
    """How events are written for one watcher: the shared line, or what its version or Accept asks for."""

    def __init__(self, scope: Scope, transform: str, version: str) -> None:
        self._scope = scope
        self._transform = transform
        self._version = version
        self._columns = True
        self.plain = not transform and not scope.resources.converts

    def line(self, kind: str, raw: bytes) -> bytes:
        if self.plain:
            return event_line(kind, raw)
        obj = media.decode(raw)
        definition = self._scope.definition
        if self._scope.resources.converts:
            obj = definition.convert(obj, definition.resource.api_version)
        if self._transform == tables.PARTIAL:
            obj = tables.partial_object(obj, self._version)
        elif self._transform == tables.TABLE:
            metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            include = text(self._scope.query, "includeObject")
            obj = tables.table(definition, [obj], metadata, include, version=self._version, columns=self._columns)
            self._columns = False
        return event_line(kind, media.encode(obj))

    def bookmark(self, revision: int, *, initial_events_end: bool = False) -> bytes:
        metadata: JsonObject = {"resourceVersion": str(revision)}
        if initial_events_end:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        resource = self._scope.definition.resource
        obj: JsonObject = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        if self._transform == tables.PARTIAL:
            obj = tables.partial_object(obj, self._version)
        elif self._transform == tables.TABLE:
            obj = {
                "kind": tables.TABLE,
                "apiVersion": f"meta.k8s.io/{self._version}",
                "metadata": {"resourceVersion": str(revision)},
                "columnDefinitions": None,
                "rows": [tables.empty_row(self._scope.definition, obj, self._version)],
            }
        return event_line("BOOKMARK", media.encode(obj))


def watch(scope: Scope, closing: Callable[[], bool]) -> Response:
    """Start a watch.

    Args:
        scope: the request.
        closing: whether the server is going away, which ends all watches.
    """
    accepted = scope.accepted()
    options = ListOptions.parse(scope.query, watch=True)
    field_selector = options.field_selector
    if scope.info.name:
        field_selector = f"metadata.name={scope.info.name}"
    chosen = select(scope.definition, scope.context.namespace, options.label_selector, field_selector)
    since = check_revision(options)
    encoding = _Encoding(scope, accepted.transform, accepted.version)
    headers = {
        "content-type": media.JSON,
        "cache-control": "no-cache, private",
        "transfer-encoding": "chunked",
    }
    if scope.context.warnings:
        headers["warning"] = warning_header(scope.context.warnings)
    table = scope.resources.table
    # The start is fixed now, not when the body is first read.
    initial: list[Entry] = []
    position = table.end
    wants_initial = options.send_initial_events
    if wants_initial or (wants_initial is None and since == 0):
        initial = [entry for entry in table.scan(chosen.prefix) if chosen.matches(entry)]
    elif since:
        try:
            position = table.position_after(since)
        except Compacted as error:
            gone = status.expired(str(error))
            return WatchResponse(headers, _one(event_line("ERROR", media.encode(gone.to_object()))))
    lines = _lines(scope, options, chosen, encoding, table, initial, position, closing)
    return WatchResponse(headers, lines)


async def _one(line: bytes) -> AsyncIterator[bytes]:
    yield line


async def _lines(
    scope: Scope,
    options: ListOptions,
    chosen: Selection,
    encoding: _Encoding,
    table: Table,
    initial: list[Entry],
    position: int,
    closing: Callable[[], bool],
) -> AsyncIterator[bytes]:
    for at in range(0, len(initial), _BATCH):
        yield b"".join([encoding.line("ADDED", entry.raw) for entry in initial[at : at + _BATCH]])
    if options.send_initial_events and options.allow_watch_bookmarks:
        yield encoding.bookmark(scope.revision, initial_events_end=True)
    initial.clear()
    seconds = options.timeout_seconds or clock.jitter(_TIMEOUT_SECONDS, 1.0)
    end = clock.monotonic() + seconds
    bookmark_at = _next_bookmark(end) if options.allow_watch_bookmarks else None
    while not closing():
        if position < table.first:
            return  # too slow: what comes next is no longer there
        batch = table.log[position - table.first : position - table.first + _BATCH]
        position += len(batch)
        chunk = b"".join([line for event in batch if (line := _event(event, chosen, encoding))])
        if chunk:
            yield chunk
        if batch:
            continue
        if table.dropped:
            return
        now = clock.monotonic()
        if now >= end:
            return
        if bookmark_at is not None and now >= bookmark_at:
            yield encoding.bookmark(scope.resources.current_revision)
            bookmark_at = _next_bookmark(end)
            continue
        until = end if bookmark_at is None else min(end, bookmark_at)
        try:
            async with asyncio.timeout(max(until - now, 0.0)):
                await table.changed(position)
        except TimeoutError:
            continue


def _next_bookmark(end: float) -> float | None:
    now = clock.monotonic()
    last = end - _BEFORE_END
    if now >= last:
        return None
    return min(now + BOOKMARK_SECONDS, last)


def _event(event: Event, chosen: Selection, encoding: _Encoding) -> bytes | None:
    if not event.entry.key.startswith(chosen.prefix):
        return None
    if chosen.everything:
        return event.line if encoding.plain else encoding.line(event.type, event.entry.raw)
    before = event.previous is not None and chosen.matches(event.previous)
    after = event.type != "DELETED" and chosen.matches(event.entry)
    if after:
        if event.type == "MODIFIED" and not before:
            return encoding.line("ADDED", event.entry.raw)
        return event.line if encoding.plain else encoding.line(event.type, event.entry.raw)
    if not before or event.previous is None:
        return None
    if event.type == "DELETED":
        return event.line if encoding.plain else encoding.line("DELETED", event.entry.raw)
    # It no longer matches: gone, for this watcher, as it was when it last did.
    last = media.decode(event.previous.raw)
    last["metadata"]["resourceVersion"] = str(event.entry.revision)
    return encoding.line("DELETED", media.encode(last))
