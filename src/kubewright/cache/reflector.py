"""Keeps an informer's store as the server has it: list, then watch, then watch again; whatever breaks meanwhile."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

from kubewright import clock
from kubewright.cache.informer import Informer
from kubewright.client import INITIAL_EVENTS_END, Client, WatchEvent
from kubewright.errors import (
    ApiError,
    BadRequest,
    DecodeError,
    Gone,
    Invalid,
    NotFound,
    NotImplementedByServer,
    TransportError,
)
from kubewright.objects import RawObject

log = logging.getLogger("kubewright.cache")

BACKOFF_BASE = 0.2
BACKOFF_CAP = 30.0
ABSENT_RETRY = 1.0
WATCH_SECONDS = 300.0


class Reflector:
    """The equivalent of client-go's ``Reflector``, for one informer.

    The first state comes as a WatchList stream where the server has it (KEP-3157), else as a paged list.
    ``410 Gone`` lists again, which tells of the deletes that happened unseen. A resource that is not served (its
    CRD is not there, or not any more) empties the store and is asked for again every second.
    """

    def __init__(self, client: Client, informer: Informer, *, watch_list: bool = True) -> None:
        self._client = client
        self._informer = informer
        self._scope = informer.scope
        self._watch_list = watch_list
        self._version = ""
        self._failures = 0
        self._absent = False

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            try:
                await self._run_once()
                continue
            except Gone:
                self._version = ""
                delay = 0.0 if self._failures == 0 else self._backoff()
                self._failures += 1
            except NotFound:
                self._not_served()
                delay = ABSENT_RETRY
            except (ApiError, TransportError) as error:
                delay = self._backoff()
                retry_after = error.retry_after if isinstance(error, ApiError) else None
                delay = max(delay, retry_after or 0.0)
                self._failures += 1
                quiet = self._failures == 1 and isinstance(error, TransportError)
                hint = f" ({error.hint})" if error.hint else ""
                log.log(
                    logging.DEBUG if quiet else logging.WARNING,
                    "watching %s: %s%s; again in %.1f s",
                    self._scope,
                    error,
                    hint,
                    delay,
                )
            await clock.sleep(clock.jitter(delay, 0.5))

    def _backoff(self) -> float:
        return float(min(BACKOFF_BASE * 2 ** min(self._failures, 16), BACKOFF_CAP))

    def _not_served(self) -> None:
        if not self._absent:
            log.warning(
                "%s is not served (is its CRD installed?); asking again", self._scope.resource.group_resource
            )
        self._absent = True
        self._version = ""
        self._failures = 0
        self._informer.clear()

    async def _run_once(self) -> None:
        """One list where it is needed, and one watch to its end."""
        if not self._version and self._watch_list:
            try:
                await self._stream(initial=True)
                return
            except (BadRequest, Invalid, NotImplementedByServer) as error:
                log.debug("%s: no WatchList here (%s); listing", self._scope, error)
                self._watch_list = False
        if not self._version:
            await self._list()
        await self._stream(initial=False)

    async def _list(self) -> None:
        scope = self._scope
        items: list[RawObject] = []
        version = ""
        async for page in self._client.pages(
            scope.resource,
            namespace=scope.namespace or None,
            label_selector=scope.label_selector,
            field_selector=scope.field_selector,
            metadata_only=scope.metadata_only,
        ):
            if page.restarted:
                items.clear()
            items.extend(page.items)
            version = page.resource_version
        self._replace(items, version)

    def _replace(self, items: list[RawObject], version: str) -> None:
        self._informer.replace(items, version)
        self._version = version
        if self._absent:
            log.info("%s is served now", self._scope.resource.group_resource)
        self._absent = False

    async def _stream(self, *, initial: bool) -> None:
        scope = self._scope
        began = clock.monotonic()
        watch = self._client.watch(
            scope.resource,
            namespace=scope.namespace or None,
            resource_version=self._version,
            label_selector=scope.label_selector,
            field_selector=scope.field_selector,
            bookmarks=True,
            send_initial_events=initial,
            timeout_seconds=int(clock.jitter(WATCH_SECONDS, 1.0)),
            metadata_only=scope.metadata_only,
        )
        async with watch:
            if initial:
                await self._initial_events(watch)
            self._failures = 0
            async for event in _decodable(watch):
                self._version = event.object.metadata.resource_version or self._version
                if event.type == "BOOKMARK":
                    self._informer.bookmark(self._version)
                elif event.type == "DELETED":
                    self._informer.deleted(event.object)
                else:
                    self._informer.changed(event.object)
        if clock.monotonic() - began < 1.0:  # a server that ends every watch at once is not to be run over
            await clock.sleep(clock.jitter(BACKOFF_BASE, 1.0))

    async def _initial_events(self, watch: AsyncIterator[WatchEvent[RawObject]]) -> None:
        items: dict[object, RawObject] = {}
        async for event in _decodable(watch):
            if event.type == "BOOKMARK":
                if event.object.metadata.annotations.get(INITIAL_EVENTS_END) == "true":
                    self._replace(list(items.values()), event.object.metadata.resource_version)
                    return
            elif event.type == "DELETED":
                items.pop(event.object.key, None)
            else:
                items[event.object.key] = event.object
        raise _InitialEventsCutOff("the stream of initial events ended before its end was told")


class _InitialEventsCutOff(TransportError):
    """The server closed a WatchList stream early."""


async def _decodable(watch: AsyncIterator[WatchEvent[RawObject]]) -> AsyncIterator[WatchEvent[RawObject]]:
    """The events; one that is no object is logged and passed over, so that it fails alone."""
    while True:
        try:
            event = await anext(watch)
        except StopAsyncIteration:
            return
        except DecodeError as error:
            log.error("%s", error)  # noqa: TRY400 - the message says it all
            continue
        yield event
