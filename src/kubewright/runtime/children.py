"""Makes children as they are desired: create, adopt, apply, prune; and no write where nothing differs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from kubewright.client import Client
from kubewright.errors import AlreadyExists, InvalidDesired, NotFound, NotOurs, Waiting
from kubewright.objects import JsonObject, Object, ObjectKey, RawObject, Resource, subset_differences
from kubewright.runtime.configuration import Configuration, Mark, OwnerOf, read_mark
from kubewright.runtime.dependencies import Got
from kubewright.runtime.desired import Child, Keep
from kubewright.runtime.guarded import guarded_patch
from kubewright.runtime.inventory import LABEL, inventory_entry
from kubewright.runtime.ownership import migration
from kubewright.runtime.readiness import is_ready

ChildId = tuple[type[Object], ObjectKey]

HOLDS_DATA = frozenset({"persistentvolumeclaims", "persistentvolumes", "statefulsets.apps", "namespaces"})
"""Kinds that are pruned only where the controller's ``prunes`` says so; custom resources are too."""

_MOVING = frozenset({"resourceVersion", "generation", "managedFields"})
_encoder = msgspec.json.Encoder(order="deterministic")
_APPLY = "application/apply-patch+yaml"


class LiveObjects(Protocol):
    """The informers of the kinds that a controller owns."""

    def owns(self, kind: type[Object]) -> bool:
        """Whether the controller says that it owns this kind."""
        ...

    def live(self, kind: type[Object], key: ObjectKey) -> RawObject | None:
        """The object at ``key``."""
        ...

    def controlled_by(self, uid: str) -> Iterable[tuple[type[Object], RawObject]]:
        """What has ``uid`` as its controller, in all kinds owned now or formerly."""
        ...

    def declares(self, kind: type[Object], namespace: str) -> bool:
        """Whether the controller says that it has children there that owner references do not reach."""
        ...

    def beyond_references(self) -> Sequence[tuple[type[Object], str]]:
        """The kinds, each with the namespaces (empty for all), of children that owner references do not reach."""
        ...


@dataclass(slots=True)
class Memory:
    """What is known of one custom resource's children from earlier reconciles; losing it costs a comparison.

    Attributes:
        verified: the resourceVersion at which a child was found to hold the configuration of this digest.
        settled: what the server or a webhook insists on: the digest of a child that differed still when it had
            just been applied, and its values then. A change of either unsettles it.
        settled_status: likewise, what was to be written and what was there.
    """

    verified: dict[ChildId, tuple[str, str]] = field(default_factory=dict)
    settled: dict[ChildId, tuple[str, str]] = field(default_factory=dict)
    settled_status: bytes = b""


class Children:
    """The children of one custom resource."""

    def __init__(
        self,
        client: Client,
        objects: LiveObjects,
        owner: OwnerOf,
        *,
        manager: str,
        prunes: frozenset[str],
        memory: Memory,
        watch: Callable[[Got], None],
    ) -> None:
        self._client = client
        self._objects = objects
        self._owner = owner
        self._manager = manager
        self._prunes = prunes
        self._memory = memory
        self._watch = watch

    async def apply(self, children: Sequence[Object | Child | Keep]) -> None:
        """Create what is missing and change what differs, in order.

        Raises:
            InvalidDesired: a child cannot be one.
            NotOurs: an object of a child's name exists and is not ours.
            ApiError: the server refuses a write.
        """
        configurations = self._configurations(children)
        for configuration in configurations.values():
            for other in configuration.after:
                if other not in configurations:
                    raise InvalidDesired(
                        f"{configuration} is to come after {other[0].kind} {other[1]}, no child here"
                    )
        for identity, configuration in configurations.items():
            if all(self._is_ready(other) for other in configuration.after):
                await self._make(identity, configuration)

    async def prune(self, children: Sequence[Object | Child | Keep]) -> None:
        """Delete what we control in the kinds we own and is not among ``children``.

        Raises:
            Conflict: one changed meanwhile.
        """
        wanted = {self._owner.child_key(_object(child)) for child in children if not isinstance(child, Keep)}
        wanted |= {self._kept(keep) for keep in children if isinstance(keep, Keep)}
        known = {(cls.api_resource.group_resource, key) for cls, key in wanted}
        for kind, raw in list(self._objects.controlled_by(self._owner.uid)):
            resource = kind.api_resource.group_resource
            if (resource, raw.key) in known or raw.metadata.deletion_timestamp is not None:
                continue
            if (resource in HOLDS_DATA or issubclass(kind, Resource)) and resource not in self._prunes:
                continue
            await self._delete(kind, raw)

    async def delete_beyond_references(self) -> list[str]:
        """Delete all children that owner references do not reach; which of them are there still.

        The server is asked, not the cache: a creation whose answer was lost leaves nothing behind.

        Raises:
            Conflict: one changed meanwhile.
        """
        found = await self._beyond_references()
        for kind, raw in found:
            if raw.metadata.deletion_timestamp is None:
                await self._delete(kind, raw)
        return [f"{kind.kind} {raw.key}" for kind, raw in (await self._beyond_references() if found else ())]

    async def _beyond_references(self) -> list[tuple[type[Object], RawObject]]:
        found = []
        for kind, namespace in self._objects.beyond_references():
            resource = kind.api_resource
            listed = await self._client.list(
                resource, namespace=namespace or None, label_selector=f"{LABEL}={self._owner.uid}"
            )
            found += [
                (kind, raw)
                for raw in listed.items
                if inventory_entry(resource.group_resource, raw.metadata) == self._owner.entry
            ]
        return found

    async def _delete(self, kind: type[Object], raw: RawObject) -> None:
        """Delete this very state of an object."""
        with suppress(NotFound):
            await self._client.delete(
                kind.api_resource,
                raw.key.name,
                raw.key.namespace,
                propagation_policy="Background",
                uid=raw.metadata.uid,
                resource_version=raw.metadata.resource_version,
            )

    def _configurations(self, children: Sequence[Object | Child | Keep]) -> dict[ChildId, Configuration]:
        made: dict[ChildId, Configuration] = {}
        for given in children:
            if isinstance(given, Keep):
                continue
            configuration = Configuration(given if isinstance(given, Child) else Child(given), self._owner)
            if not self._objects.owns(configuration.kind):
                raise InvalidDesired(
                    f"{self._owner} desires {configuration}, a kind that its controller does not own",
                    hint=f"add {configuration.kind.__name__} to the controller's owns",
                )
            if not configuration.reached and not self._objects.declares(
                configuration.kind, configuration.key.namespace
            ):
                raise InvalidDesired(
                    f"{self._owner} desires {configuration}, in another namespace than its own",
                    hint=f"write Owns({configuration.kind.__name__}, namespaces=…) in the controller's owns",
                )
            identity = (configuration.kind, configuration.key)
            if identity in made:
                raise InvalidDesired(
                    f"{self._owner} has two children {configuration}", hint="give one another name"
                )
            made[identity] = configuration
        return made

    def _kept(self, keep: Keep) -> ChildId:
        namespaced = keep.kind.api_resource.namespaced
        namespace = (self._owner.key.namespace if keep.namespace is None else keep.namespace) if namespaced else ""
        return keep.kind, ObjectKey(namespace, keep.name)

    def _is_ready(self, identity: ChildId) -> bool:
        kind, key = identity
        live = self._objects.live(kind, key)
        return live is not None and is_ready(kind.api_resource.group_resource, live.to_dict())

    async def _make(self, identity: ChildId, configuration: Configuration) -> None:
        live = self._objects.live(*identity)
        if live is None:
            try:
                await self._create(configuration)
                return
            except AlreadyExists:
                resource, key = configuration.kind.api_resource, configuration.key
                live = await self._client.get(resource, key.name, key.namespace)
        if live.metadata.deletion_timestamp is not None:
            return  # its deletion will bring us back
        if not self._owner.controls(configuration.kind, live):
            self._refuse_stranger(configuration, live)
            await self._apply(configuration, live, Mark())
            return
        await self._change(identity, configuration, live)

    async def _create(self, configuration: Configuration) -> None:
        path = configuration.kind.api_resource.path(configuration.key.namespace)
        body = msgspec.json.encode(configuration.body("create", Mark()))
        query = (("fieldManager", self._manager), ("fieldValidation", "Strict"))
        await self._client.call("POST", path, query, body)

    def _refuse_stranger(self, configuration: Configuration, live: RawObject) -> None:
        other = next((owner for owner in live.metadata.owner_references if owner.controller), None)
        entry = inventory_entry(configuration.resource, live.metadata)
        owner = self._owner.entry
        earlier = entry is None or (entry.resource, entry.key) == (owner.resource, owner.key)
        if other is None and earlier and configuration.adopt:
            return
        self._watch(Got(configuration.resource, configuration.key))
        if other and (other.kind, other.name) == (self._owner.kind.kind, self._owner.key.name):
            raise Waiting(f"{configuration} of an earlier {self._owner} is yet to be garbage collected")
        whose = f"controlled by {other.kind} {other.name}" if other else "controlled by nobody"
        if entry is not None:
            whose = f"a child of {entry.resource} {entry.key} with the uid {entry.uid}"
        raise NotOurs(
            f"{configuration}, desired by {self._owner}, exists and is {whose}",
            hint="give the child another name, or delete the object"
            + ("" if other or not earlier else ", or take it over with child(…, adopt=True)"),
        )

    async def _change(self, identity: ChildId, configuration: Configuration, live: RawObject) -> None:
        """Apply where the digest or a live value differs."""
        memory, version = self._memory, live.metadata.resource_version
        mark = read_mark(live.metadata.annotations)
        digest = configuration.digest(mark.salt)
        if memory.verified.get(identity) == (version, digest):
            return
        if configuration.holds(mark):
            tree = live.to_dict()
            differs = subset_differences(configuration.tree, tree, configuration.kind)
            if not differs or memory.settled.get(identity) == (digest, _values(tree)):
                memory.verified[identity] = (version, digest)
                return
        memory.settled.pop(identity, None)
        tree = (await self._apply(configuration, live, mark)).to_dict()
        if subset_differences(configuration.tree, tree, configuration.kind):
            memory.settled[identity] = (digest, _values(tree))

    async def _apply(self, configuration: Configuration, live: RawObject, mark: Mark) -> RawObject:
        resource, key = configuration.kind.api_resource, configuration.key
        if mark.verb != "apply":
            await self._own_by_apply(configuration)
        path = resource.path(key.namespace, key.name)
        body = msgspec.json.encode(configuration.body("apply", mark, uid=live.metadata.uid))
        query = (("fieldManager", self._manager), ("force", "true"), ("fieldValidation", "Strict"))
        return RawObject(await self._client.call("PATCH", path, query, body, content_type=_APPLY))

    async def _own_by_apply(self, configuration: Configuration) -> None:
        resource, key = configuration.kind.api_resource, configuration.key
        live = (await self._client.get(resource, key.name, key.namespace)).to_dict()
        operations = migration(live, self._manager)
        if operations is not None:
            await guarded_patch(self._client, configuration.kind, key, operations, manager=self._manager)


def _object(child: Object | Child) -> Object:
    return child.object if isinstance(child, Child) else child


def _values(tree: JsonObject) -> str:
    """What a live object holds, its status and version aside, to be compared another time."""
    metadata = {name: value for name, value in tree["metadata"].items() if name not in _MOVING}
    rest = {name: value for name, value in tree.items() if name not in {"metadata", "status"}}
    return hashlib.sha256(_encoder.encode([metadata, rest])).hexdigest()
