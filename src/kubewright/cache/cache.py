"""The informers of one process: one for each scope, shared by all who read it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from kubewright.cache.informer import Informer
from kubewright.cache.reflector import Reflector
from kubewright.cache.scope import Scope
from kubewright.client import Client, ListResult
from kubewright.errors import NotFound
from kubewright.objects import ApiResource, RawObject


class Cache:
    """Starts an informer on first use and keeps it until :meth:`stop`.

    Args:
        client: what the reflectors list and watch with.
        watch_list: take the first state as a WatchList stream where the server has it.
    """

    def __init__(self, client: Client, *, watch_list: bool = True) -> None:
        self._client = client
        self._watch_list = watch_list
        self._informers: dict[Scope, Informer] = {}
        self._by_path: dict[tuple[str, str], list[Informer]] = {}
        self._tasks: dict[Scope, asyncio.Task[None]] = {}

    def informer(self, scope: Scope) -> Informer:
        """The informer of ``scope``; its watch runs from now on."""
        found = self._informers.get(scope)
        if found is None:
            found = self._informers[scope] = Informer(scope)
            resource = scope.resource
            self._by_path.setdefault((resource.group, resource.plural), []).append(found)
            reflector = Reflector(self._client, found, watch_list=self._watch_list)
            self._tasks[scope] = asyncio.create_task(reflector.run(), name=f"watch {scope}")
        return found

    def informers(self) -> list[Informer]:
        """All of them."""
        return list(self._informers.values())

    def informers_of(self, group: str, plural: str) -> list[Informer]:
        """Those that watch the resource, whatever their namespace and selectors."""
        return self._by_path.get((group, plural), [])

    @property
    def synced(self) -> bool:
        """Whether every informer holds its first list."""
        return all(informer.synced.is_set() for informer in self._informers.values())

    @property
    def caught_up(self) -> bool:
        """Whether the watches have told of every own write."""
        return all(informer.caught_up for informer in self._informers.values())

    async def wait_synced(self) -> None:
        """Wait until every informer holds its first list."""
        for informer in self.informers():
            await informer.synced.wait()

    def unsynced(self) -> list[ApiResource]:
        """The resources whose first list has not come."""
        return [scope.resource for scope, informer in self._informers.items() if not informer.synced.is_set()]

    async def probes(self) -> list[Callable[[], bool]]:
        """Ask the server what it holds now; each probe tells whether one informer has come so far."""
        return [partial(informer.reflects, await self._now(scope)) for scope, informer in self._informers.items()]

    async def _now(self, scope: Scope) -> ListResult[RawObject]:
        try:
            return await self._client.list(
                scope.resource,
                namespace=scope.namespace or None,
                label_selector=scope.label_selector,
                field_selector=scope.field_selector,
                metadata_only=scope.metadata_only,
            )
        except NotFound:
            return ListResult([], "")

    def failed(self) -> BaseException | None:
        """What ended a watch for good: a defect, since reflectors outlive every answer of a server."""
        for task in self._tasks.values():
            if task.done() and not task.cancelled() and (error := task.exception()):
                return error
        return None

    async def stop(self) -> None:
        """End all watches."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
