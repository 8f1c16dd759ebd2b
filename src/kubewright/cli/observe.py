"""Watches what custom resources stand for, and tells a view."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from kubewright import clock
from kubewright.cache import Cache, Scope
from kubewright.cli.world import Change, World
from kubewright.errors import Forbidden

if TYPE_CHECKING:
    from kubewright.cache import Change as Seen
    from kubewright.cli.view import View
    from kubewright.client import Client
    from kubewright.objects import ApiResource, RawObject


POLL_SECONDS = 0.005


def title_of(resource: ApiResource) -> str:
    """The kind as kubectl prints it in front of a name: ``deployment.apps``."""
    kind = resource.kind.lower()
    return f"{kind}.{resource.group}" if resource.group else kind


class Observer:
    """Keeps a :class:`World` up to date from watches, and tells ``view`` of what hangs on its roots."""

    def __init__(self, client: Client, view: View) -> None:
        self.world = World()
        self._view = view
        self._cache = Cache(client)
        self._untold: dict[str, Change] = {}
        self._told: dict[str, None] = {}
        self._changed = asyncio.Event()

    def watch(
        self,
        resources: Iterable[ApiResource],
        *,
        namespace: str = "",
        root: Callable[[RawObject], bool] | None = None,
    ) -> None:
        """Watch ``resources``; objects for which ``root`` holds are shown even without an owner."""
        for resource in resources:
            informer = self._cache.informer(Scope(resource, namespace=namespace if resource.namespaced else ""))
            informer.add_handler(self._handler(resource, root))

    async def wait(self, holds: Callable[[World], bool]) -> None:
        """Return once ``holds`` does.

        Raises:
            KubewrightError: a watch cannot be opened.
        """
        while not holds(self.world):
            if (failed := self._cache.failed()) is not None:
                raise failed
            self._changed.clear()
            await self._changed.wait()

    async def catch_up(self) -> None:
        """Take in all that the server holds now, as far as we may list it."""
        try:
            probes = await self._cache.probes()
        except Forbidden:
            return
        for probe in probes:
            while not probe():
                await clock.sleep(POLL_SECONDS)

    def wake(self) -> None:
        """Look again at what is waited for."""
        self._changed.set()

    async def stop(self) -> None:
        """End the watches."""
        await self._cache.stop()

    def _handler(self, resource: ApiResource, root: Callable[[RawObject], bool] | None) -> Callable[[Seen], None]:
        def handle(seen: Seen) -> None:
            if seen.new is None:
                uid = seen.object.metadata.uid
                self._untold.pop(uid, None)
                change = self.world.remove(uid)
                if change is not None and uid in self._told:
                    del self._told[uid]
                    self._view.changed(change, self.world)
            else:
                is_root = root is not None and root(seen.new)
                change = self.world.put(seen.new.to_dict(), title_of(resource), root=is_root)
                if change is not None:
                    self._untold[seen.new.metadata.uid] = change
                self._tell()
            self._changed.set()

        return handle

    def _tell(self) -> None:
        """Tell what hangs on a root, owners first; and what did so when it was told of before."""
        shown = [node.uid for root in self.world.forest() for node in root.all()]
        for uid in (*shown, *self._told):
            change = self._untold.pop(uid, None)
            if change is not None:
                self._told[uid] = None
                self._view.changed(change, self.world)
