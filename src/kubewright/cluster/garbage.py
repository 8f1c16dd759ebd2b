"""The garbage collector: objects whose owners are gone go too, in the order that was asked for."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from dataclasses import dataclass
from functools import partial

from kubewright.cache import Cache, Change, Scope
from kubewright.client import Client, PropagationPolicy
from kubewright.cluster.writing import MANAGER
from kubewright.errors import KubewrightError, NotFound
from kubewright.kinds import apiextensions_v1 as apiextensions
from kubewright.objects import (
    ApiResource,
    GroupVersionKind,
    JsonObject,
    ObjectKey,
    OwnerHead,
    RawObject,
    parse_api_version,
)

log = logging.getLogger("kubewright.cluster.garbage")

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
_VERBS = frozenset({"list", "watch", "delete"})
_RETRY_SECONDS = 0.1


@dataclass(slots=True)
class _Node:
    """One object of the graph."""

    resource: ApiResource
    object: RawObject

    @property
    def key(self) -> ObjectKey:
        return self.object.key

    @property
    def is_ending_in_foreground(self) -> bool:
        head = self.object.metadata
        return head.deletion_timestamp is not None and FOREGROUND in head.finalizers


class GarbageCollector:
    """Watches every resource that can be deleted, and follows owner references by uid.

    The equivalent of kube-controller-manager's. Events take no part.

    Args:
        client: to delete, patch, and look up owners that no watch has told of.
        cache: whose informers it listens to.
    """

    def __init__(self, client: Client, cache: Cache) -> None:
        self._client = client
        self._cache = cache
        self._nodes: dict[str, _Node] = {}
        self._dependents: defaultdict[str, set[str]] = defaultdict(set)
        self._watched: set[tuple[str, str]] = set()
        self._queue: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._busy = False
        self._discover = False
        self._task: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        """Nothing is queued, under way, or still to be listed."""
        return not (self._queue or self._busy or self._discover or self._cache.unsynced())

    async def start(self) -> None:
        """Watch what is served now, and what will be."""
        await self._watch_all(reload=False)
        definitions = apiextensions.CustomResourceDefinition.api_resource
        self._cache.informer(Scope(definitions)).add_handler(self._definition_changed)
        self._task = asyncio.create_task(self._run(), name="garbage collector")

    async def stop(self) -> None:
        """End; the cache is its owner's to stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def failed(self) -> BaseException | None:
        """What ended it, which nothing should."""
        task = self._task
        return task.exception() if task and task.done() and not task.cancelled() else None

    async def _watch_all(self, *, reload: bool) -> None:
        for resource in await self._client.discovery.resources(reload=reload):
            name = (resource.group, resource.plural)
            if name in self._watched or not set(resource.verbs) >= _VERBS or resource.plural == "events":
                continue
            self._watched.add(name)
            self._cache.informer(Scope(resource)).add_handler(partial(self._changed, resource))

    def _definition_changed(self, change: Change) -> None:
        if not change.initial:
            self._discover = True
            self._wake.set()

    def _changed(self, resource: ApiResource, change: Change) -> None:
        uid = change.object.metadata.uid
        if change.old is not None:
            for owner in change.old.metadata.owner_references:
                self._dependents[owner.uid].discard(uid)
        if change.new is None:
            self._nodes.pop(uid, None)
            for dependent in self._dependents.pop(uid, ()):
                self._add(dependent)
            for owner in change.object.metadata.owner_references:
                self._add(owner.uid)
            return
        self._nodes[uid] = _Node(resource, change.new)
        for owner in change.new.metadata.owner_references:
            self._dependents[owner.uid].add(uid)
            node = self._nodes.get(owner.uid)
            if node is not None and node.object.metadata.deletion_timestamp is not None:
                self._add(owner.uid)
        if change.new.metadata.owner_references or change.new.metadata.deletion_timestamp is not None:
            self._add(uid)

    def _add(self, uid: str) -> None:
        if uid in self._nodes:
            self._queue[uid] = None
            self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._busy = True
            try:
                if self._discover:
                    self._discover = False
                    await self._watch_all(reload=True)
                while self._queue:
                    uid = next(iter(self._queue))
                    del self._queue[uid]
                    await self._process(uid)
            finally:
                self._busy = False

    async def _process(self, uid: str) -> None:
        node = self._nodes.get(uid)
        if node is None:
            return
        try:
            await self._collect(uid, node)
        except NotFound:
            return
        except KubewrightError as error:
            log.debug("%s %s: %s", node.resource.kind, node.key, error)
            asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._add, uid)

    async def _collect(self, uid: str, node: _Node) -> None:
        head = node.object.metadata
        if head.deletion_timestamp is not None:
            if ORPHAN in head.finalizers:
                await self._orphan(uid, node)
            elif FOREGROUND in head.finalizers:
                await self._delete_dependents(uid, node)
            return
        if head.owner_references:
            await self._follow_owners(uid, node)

    async def _orphan(self, uid: str, node: _Node) -> None:
        for dependent in [*self._dependents.get(uid, ())]:
            if (found := self._nodes.get(dependent)) is not None:
                await self._drop_owners(found, {uid})
        await self._drop_finalizer(node, ORPHAN)

    async def _delete_dependents(self, uid: str, node: _Node) -> None:
        blocking = False
        for dependent in [*self._dependents.get(uid, ())]:
            found = self._nodes.get(dependent)
            if found is None:
                continue
            blocking |= _reference(found, uid).block_owner_deletion
            if found.object.metadata.deletion_timestamp is None:
                self._add(dependent)
        if not blocking:
            await self._drop_finalizer(node, FOREGROUND)

    async def _follow_owners(self, uid: str, node: _Node) -> None:
        solid, dangling, waiting = [], set(), set()
        for owner in node.object.metadata.owner_references:
            found = self._nodes.get(owner.uid)
            if found is None and not await self._exists(node, owner):
                dangling.add(owner.uid)
            elif found is not None and found.is_ending_in_foreground:
                waiting.add(owner.uid)
            else:
                solid.append(owner)
        if solid:
            if dangling or waiting:
                await self._drop_owners(node, dangling | waiting)
            return
        finalizers = node.object.metadata.finalizers
        policy: PropagationPolicy = "Background"
        if waiting and self._dependents.get(uid):
            policy = "Foreground"
        elif ORPHAN in finalizers:
            policy = "Orphan"
        elif FOREGROUND in finalizers:
            policy = "Foreground"
        await self._client.delete(
            node.resource, node.key.name, node.key.namespace or None, uid=uid, propagation_policy=policy
        )

    async def _exists(self, node: _Node, owner: OwnerHead) -> bool:
        """Ask the server for an owner that no watch has told of."""
        group, version = parse_api_version(owner.api_version)
        try:
            resource = await self._client.discovery.find(GroupVersionKind(group, version, owner.kind))
        except KubewrightError:
            return False
        namespace = node.key.namespace if resource.namespaced else ""
        if resource.namespaced and not namespace:
            return True  # a cluster-scoped object cannot have an owner in a namespace: leave it alone
        try:
            found = await self._client.get(resource, owner.name, namespace or None)
        except NotFound:
            return False
        return found.metadata.uid == owner.uid

    async def _drop_owners(self, node: _Node, uids: set[str]) -> None:
        owners = node.object.to_dict()["metadata"].get("ownerReferences") or []
        kept = [owner for owner in owners if owner["uid"] not in uids]
        await self._patch(node, {"ownerReferences": kept or None})

    async def _drop_finalizer(self, node: _Node, name: str) -> None:
        kept = [finalizer for finalizer in node.object.metadata.finalizers if finalizer != name]
        await self._patch(node, {"finalizers": kept or None})

    async def _patch(self, node: _Node, metadata: JsonObject) -> None:
        head = node.object.metadata
        patch = {"metadata": {"uid": head.uid, "resourceVersion": head.resource_version, **metadata}}
        key = node.key
        await self._client.patch(
            node.resource, key.name, patch, "merge", key.namespace or None, field_manager=MANAGER
        )


def _reference(node: _Node, uid: str) -> OwnerHead:
    return next(owner for owner in node.object.metadata.owner_references if owner.uid == uid)
