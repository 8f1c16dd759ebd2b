"""Claims of the default storage class are bound to simulated volumes, and neither goes while it is used."""

from __future__ import annotations

from contextlib import suppress

from kubewright.client import Client
from kubewright.cluster.writing import MANAGER, SIMULATED, plain, record_event
from kubewright.errors import AlreadyExists, Conflict, NotFound
from kubewright.kinds import core_v1 as core
from kubewright.kinds import storage_v1 as storage
from kubewright.objects import JsonObject, ObjectMeta
from kubewright.runtime import ALL_NAMESPACES, Context, Controller, Reads, Result

_CLAIM_FINALIZER = "kubernetes.io/pvc-protection"
_VOLUME_FINALIZER = "kubernetes.io/pv-protection"
_BOUND = {"pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes"}


PROVISIONER = "simulated.kubewright.dev"
_COMPONENT = "persistentvolume-controller"


async def create_storage_class(client: Client) -> None:
    """The default class, named as kind's and minikube's."""
    annotations = {"storageclass.kubernetes.io/is-default-class": "true", SIMULATED: "true"}
    made = storage.StorageClass(
        metadata=ObjectMeta(name="standard", annotations=annotations),
        provisioner=PROVISIONER,
        reclaim_policy="Delete",
        volume_binding_mode="Immediate",
    )
    with suppress(AlreadyExists):
        await client.create(made, field_manager=MANAGER)


class ClaimController(Controller[core.PersistentVolumeClaim]):
    """Provisions a volume for every claim of a class of ours, in name only, and says so."""

    reads = (Reads(core.Pod), Reads(storage.StorageClass))

    async def reconcile(self, obj: core.PersistentVolumeClaim, ctx: Context, /) -> Result:
        """Bind."""
        if obj.spec is None or (obj.status and obj.status.phase == "Bound"):
            return Result()
        meta = obj.metadata
        wanted = obj.spec.storage_class_name
        known = ctx.seen.get(storage.StorageClass, wanted) if wanted else None
        if known is None or known.provisioner != PROVISIONER:
            await _tell_why_pending(obj, known, ctx)
            return Result()
        name = obj.spec.volume_name or f"pvc-{meta.uid}"
        with suppress(AlreadyExists):
            await ctx.client.create(_volume(obj, name), field_manager=MANAGER)
        await _patch(obj, {"metadata": {"annotations": _BOUND}, "spec": {"volumeName": name}}, ctx)
        capacity = plain(obj.spec.resources).get("requests") if obj.spec.resources else None
        status = {"phase": "Bound", "accessModes": obj.spec.access_modes, "capacity": capacity}
        await _patch(obj, {"status": status}, ctx, "status")
        await ctx.client.patch(
            core.PersistentVolume.api_resource,
            name,
            {"status": {"phase": "Bound"}},
            "merge",
            subresource="status",
            field_manager=MANAGER,
        )
        return Result()

    async def terminate(self, obj: core.PersistentVolumeClaim, ctx: Context, /) -> Result:
        """Let the claim go once no Pod uses it."""
        finalizers = obj.metadata.finalizers or []
        if _CLAIM_FINALIZER not in finalizers:
            return Result()
        if any(_uses(pod, obj.metadata.name or "") for pod in ctx.seen.list(core.Pod)):
            return Result()
        kept = [name for name in finalizers if name != _CLAIM_FINALIZER]
        await _patch(obj, {"metadata": {"finalizers": kept or None}}, ctx)
        return Result()


class VolumeController(Controller[core.PersistentVolume]):
    """Removes simulated volumes whose claim is gone."""

    reads = (Reads(core.PersistentVolumeClaim),)

    async def reconcile(self, obj: core.PersistentVolume, ctx: Context, /) -> Result:
        """Delete a simulated volume that is no longer claimed."""
        if SIMULATED in (obj.metadata.annotations or {}) and not _claimed(obj, ctx):
            try:
                await ctx.client.delete(core.PersistentVolume, obj.metadata.name or "", uid=obj.metadata.uid)
            except (NotFound, Conflict):
                return Result()
            return await self.terminate(obj, ctx)
        return Result()

    async def terminate(self, obj: core.PersistentVolume, ctx: Context, /) -> Result:
        """Let the volume go once it is no longer claimed."""
        finalizers = obj.metadata.finalizers or []
        if _VOLUME_FINALIZER in finalizers and not _claimed(obj, ctx):
            kept = [name for name in finalizers if name != _VOLUME_FINALIZER]
            await _patch(obj, {"metadata": {"finalizers": kept or None}}, ctx)
        return Result()


async def _tell_why_pending(
    claim: core.PersistentVolumeClaim, known: storage.StorageClass | None, ctx: Context
) -> None:
    name = claim.spec.storage_class_name if claim.spec else None
    if not name:
        reason, kind = "FailedBinding", "Normal"
        message = "no persistent volumes available for this claim and no storage class is set"
    elif known is None:
        reason, kind = "ProvisioningFailed", "Warning"
        message = f'storageclass.storage.k8s.io "{name}" not found'
    else:
        reason, kind = "ExternalProvisioning", "Normal"
        message = (
            "Waiting for a volume to be created either by the external provisioner "
            f"'{known.provisioner}' or manually by the system administrator. If volume creation is delayed, please "
            "verify that the provisioner is running and correctly registered."
        )
    await record_event(ctx.client, claim, reason, message, component=_COMPONENT, kind=kind)


def _claimed(volume: core.PersistentVolume, ctx: Context) -> bool:
    reference = volume.spec.claim_ref if volume.spec else None
    if reference is None:
        return False
    claims = ctx.seen.list(core.PersistentVolumeClaim, namespace=ALL_NAMESPACES)
    return any(claim.metadata.uid == reference.uid for claim in claims)


def _uses(pod: core.Pod, claim: str) -> bool:
    if pod.status and pod.status.phase in ("Succeeded", "Failed"):
        return False
    sources = [volume.persistent_volume_claim for volume in (pod.spec.volumes if pod.spec else None) or ()]
    return any(source is not None and source.claim_name == claim for source in sources)


def _volume(claim: core.PersistentVolumeClaim, name: str) -> core.PersistentVolume:
    assert claim.spec is not None  # noqa: S101 - checked by the caller
    meta = claim.metadata
    reference = core.ObjectReference(
        api_version="v1", kind="PersistentVolumeClaim", name=meta.name, namespace=meta.namespace, uid=meta.uid
    )
    spec = core.PersistentVolumeSpec(
        access_modes=claim.spec.access_modes,
        capacity=claim.spec.resources.requests if claim.spec.resources else None,
        claim_ref=reference,
        csi=core.CSIPersistentVolumeSource(driver=PROVISIONER, volume_handle=meta.uid or name),
        persistent_volume_reclaim_policy="Delete",
        storage_class_name=claim.spec.storage_class_name,
        volume_mode=claim.spec.volume_mode,
    )
    return core.PersistentVolume(metadata=ObjectMeta(name=name, annotations={SIMULATED: "true"}), spec=spec)


async def _patch(
    obj: core.PersistentVolumeClaim | core.PersistentVolume, patch: JsonObject, ctx: Context, subresource: str = ""
) -> None:
    meta = obj.metadata
    try:
        await ctx.client.patch(
            type(obj).api_resource,
            meta.name or "",
            patch,
            "merge",
            meta.namespace,
            subresource=subresource,
            field_manager=MANAGER,
        )
    except (NotFound, Conflict):
        return
