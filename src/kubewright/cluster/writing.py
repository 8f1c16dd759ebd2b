"""What the cluster's controllers have in common when they write: names, owner references, status, events."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from kubewright import clock
from kubewright.client import Client
from kubewright.errors import Conflict, NotFound
from kubewright.kinds import core_v1 as core
from kubewright.objects import JsonObject, Model, Object, ObjectMeta, OwnerReference

MANAGER = "kube-controller-manager"
"""The field manager of built-in controllers, as on a real cluster."""

SIMULATED = "kubewright.dev/simulated"
"""The annotation of Pods and nodes that exist in name only."""


def now() -> datetime:
    """The time as objects carry it: whole seconds."""
    return clock.now().replace(microsecond=0)


def plain(model: Model | None) -> JsonObject:
    """A model as JSON values; nothing for None."""
    return {} if model is None else dict(msgspec.to_builtins(model))


def controller_of(owner: Object) -> OwnerReference:
    """The reference by which ``owner`` controls another object."""
    resource = owner.api_resource
    return OwnerReference(
        api_version=resource.api_version,
        kind=resource.kind,
        name=owner.metadata.name or "",
        uid=owner.metadata.uid or "",
        controller=True,
        block_owner_deletion=True,
    )


def controlled_by(obj: Object) -> OwnerReference | None:
    """The owner that controls ``obj``."""
    return next((owner for owner in obj.metadata.owner_references or () if owner.controller), None)


async def write_status(client: Client, obj: Object, status: Model, *, manager: str = MANAGER) -> bool:
    """Replace the status of ``obj`` if it differs; whether it did."""
    live: Any = getattr(obj, "status", None)
    wanted = plain(status)
    if plain(live) == wanted:
        return False
    patch: list[JsonObject] = [
        {"op": "test", "path": "/metadata/uid", "value": obj.metadata.uid},
        {"op": "add", "path": "/status", "value": wanted},
    ]
    await client.patch(
        type(obj).api_resource,
        obj.metadata.name or "",
        patch,
        "json",
        obj.metadata.namespace,
        subresource="status",
        field_manager=manager,
    )
    return True


async def delete_quietly(client: Client, obj: Object, *, grace_period_seconds: int | None = None) -> None:
    """Delete ``obj`` if it is still there and still the same."""
    try:
        await client.delete(
            type(obj),
            obj.metadata.name or "",
            obj.metadata.namespace,
            uid=obj.metadata.uid,
            grace_period_seconds=grace_period_seconds,
        )
    except (NotFound, Conflict):
        return


async def record_event(
    client: Client,
    obj: Object,
    reason: str,
    message: str,
    *,
    component: str,
    kind: str = "Normal",
    field_path: str | None = None,
) -> None:
    """Tell of what happened to ``obj`` by a core Event, as ``kubectl describe`` shows it."""
    resource, meta = obj.api_resource, obj.metadata
    namespace = meta.namespace or "default"
    suffix = f"{int(clock.now().timestamp() * 1e6):x}{clock.token(3, '0123456789abcdef')}"
    regarding = core.ObjectReference(
        api_version=resource.api_version,
        kind=resource.kind,
        name=meta.name,
        namespace=meta.namespace,
        uid=meta.uid,
        resource_version=meta.resource_version,
        field_path=field_path,
    )
    event = core.Event(
        metadata=ObjectMeta(name=f"{meta.name}.{suffix}", namespace=namespace),
        involved_object=regarding,
        reason=reason,
        message=message,
        type=kind,
        count=1,
        source=core.EventSource(component=component),
        first_timestamp=now(),
        last_timestamp=now(),
        reporting_component=component,
    )
    try:
        await client.create(event, field_manager=MANAGER)
    except (NotFound, Conflict):
        return
