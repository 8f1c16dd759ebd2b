"""Namespaces: what a new one is given, and how one ends."""

from __future__ import annotations

from kubewright.client import Client
from kubewright.cluster.writing import MANAGER, now, write_status
from kubewright.errors import AlreadyExists, ApiError, Conflict, NotFound
from kubewright.kinds import core_v1 as core
from kubewright.objects import ApiResource, ObjectMeta
from kubewright.runtime import Context, Controller, Reads, Result

_FINALIZER = "kubernetes"
_ROOT_CA = "kube-root-ca.crt"
_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of "
    "Kubernetes clusters."
)
_RETRY_SECONDS = 0.05
_MOST_SECONDS = 5.0


class NamespaceController(Controller[core.Namespace]):
    """Gives every namespace its default ServiceAccount and the CA's ConfigMap; empties those being deleted."""

    reads = (Reads(core.ServiceAccount), Reads(core.ConfigMap, names=(_ROOT_CA,)))

    def __init__(self, ca_pem: str = "") -> None:
        self._ca_pem = ca_pem
        self._waits: dict[str, float] = {}

    async def reconcile(self, obj: core.Namespace, ctx: Context, /) -> Result:
        """Make what every namespace has."""
        name = obj.metadata.name or ""
        if ctx.seen.get(core.ServiceAccount, "default", name) is None:
            account = core.ServiceAccount(metadata=ObjectMeta(name="default", namespace=name))
            await _create(ctx.client, account)
        if ctx.seen.get(core.ConfigMap, _ROOT_CA, name) is None:
            meta = ObjectMeta(
                name=_ROOT_CA, namespace=name, annotations={"kubernetes.io/description": _DESCRIPTION}
            )
            await _create(ctx.client, core.ConfigMap(metadata=meta, data={"ca.crt": self._ca_pem}))
        return Result()

    async def terminate(self, obj: core.Namespace, ctx: Context, /) -> Result:
        """Delete what is in it; let it go once it is empty."""
        name = obj.metadata.name or ""
        if not obj.spec or _FINALIZER not in (obj.spec.finalizers or ()):
            return Result()
        left, held = await _empty(ctx.client, name)
        if left:
            await _tell(ctx.client, obj, left, held)
            wait = min(self._waits.get(name, _RETRY_SECONDS / 2) * 2, _MOST_SECONDS)
            self._waits[name] = wait
            return Result(requeue_after=wait)
        self._waits.pop(name, None)
        await _finalize(ctx.client, obj)
        return Result()


async def _create(client: Client, obj: core.ServiceAccount | core.ConfigMap) -> None:
    try:
        await client.create(obj, field_manager=MANAGER)
    except (AlreadyExists, NotFound):
        return
    except ApiError as error:
        if error.code != 403:  # the namespace began to end meanwhile
            raise


async def _empty(client: Client, namespace: str) -> tuple[dict[str, int], dict[str, int]]:
    """Delete all in the namespace; what is left by resource, and by finalizer."""
    left: dict[str, int] = {}
    held: dict[str, int] = {}
    seen: set[str] = set()
    for resource in await client.discovery.resources(reload=True):
        if not resource.namespaced or not {"list", "delete"} <= set(resource.verbs):
            continue
        if resource.group_resource in seen:
            continue
        seen.add(resource.group_resource)
        for finalizer, number in (await _delete_all(client, resource, namespace)).items():
            left[resource.group_resource] = left.get(resource.group_resource, 0) + number
            if finalizer:
                held[finalizer] = held.get(finalizer, 0) + number
    return left, held


async def _delete_all(client: Client, resource: ApiResource, namespace: str) -> dict[str, int]:
    """Delete all of one resource; how many are left, by their first finalizer."""
    try:
        found = await client.list(resource, namespace=namespace)
        if not found.items:
            return {}
        if any(item.metadata.deletion_timestamp is None for item in found.items):
            await client.delete_collection(resource, namespace)
            found = await client.list(resource, namespace=namespace)
    except NotFound:
        return {}
    counts: dict[str, int] = {}
    for item in found.items:
        finalizer = item.metadata.finalizers[0] if item.metadata.finalizers else ""
        counts[finalizer] = counts.get(finalizer, 0) + 1
    return counts


async def _finalize(client: Client, obj: core.Namespace) -> None:
    assert obj.spec is not None  # noqa: S101 - checked by the caller
    obj.spec.finalizers = [name for name in obj.spec.finalizers or () if name != _FINALIZER]
    try:
        await client.replace(obj, subresource="finalize", field_manager=MANAGER)
    except (Conflict, NotFound):
        return


async def _tell(client: Client, obj: core.Namespace, left: dict[str, int], held: dict[str, int]) -> None:
    """The conditions by which a namespace that cannot end says why."""
    remaining = ", ".join(f"{name} has {number} resource instances" for name, number in sorted(left.items()))
    finalizers = ", ".join(f"{name} in {number} resource instances" for name, number in sorted(held.items()))
    made = [
        (
            "NamespaceDeletionDiscoveryFailure",
            "False",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        (
            "NamespaceDeletionContentFailure",
            "False",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        ("NamespaceContentRemaining", "True", "SomeResourcesRemain", f"Some resources are remaining: {remaining}"),
    ]
    if held:
        message = f"Some content in the namespace has finalizers remaining: {finalizers}"
        made.append(("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", message))
    before = {c.type: c for c in (obj.status.conditions if obj.status else None) or ()}
    conditions = []
    for kind, status, reason, message in made:
        known = before.get(kind)
        since = known.last_transition_time if known and known.status == status else now()
        conditions.append(
            core.NamespaceCondition(
                type=kind, status=status, reason=reason, message=message, last_transition_time=since
            )
        )
    try:
        await write_status(client, obj, core.NamespaceStatus(phase="Terminating", conditions=conditions))
    except (NotFound, Conflict):
        return
