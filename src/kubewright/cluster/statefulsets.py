"""StatefulSets: numbered Pods, in order, each with its own claims."""

from __future__ import annotations

import zlib

import msgspec

from kubewright.cluster.replicasets import is_ready
from kubewright.cluster.rollout import fraction
from kubewright.cluster.writing import MANAGER, controller_of, delete_quietly, plain, record_event, write_status
from kubewright.errors import AlreadyExists
from kubewright.kinds import apps_v1 as apps
from kubewright.kinds import core_v1 as core
from kubewright.objects import ObjectMeta
from kubewright.runtime import Context, Controller, Reads, Result

_COMPONENT = "statefulset-controller"
_REVISION = "controller-revision-hash"
_POD_NAME = "statefulset.kubernetes.io/pod-name"
_INDEX = "apps.kubernetes.io/pod-index"


class StatefulSetController(Controller[apps.StatefulSet]):
    """The equivalent of kube-controller-manager's, without the history of ControllerRevisions.

    The claims of Pods are made and retained, whatever ``persistentVolumeClaimRetentionPolicy`` says.
    """

    owns = (core.Pod,)
    reads = (Reads(core.PersistentVolumeClaim),)

    async def reconcile(self, obj: apps.StatefulSet, ctx: Context, /) -> Result:
        """Make the next Pod, delete the last one too many, or replace one that is out of date."""
        revision = revision_of(obj)
        current = (obj.status.current_revision if obj.status else None) or revision
        for _ in range(_wanted(obj) + len(ctx.seen.owned(core.Pod)) + 1):
            pods = {_ordinal(pod): pod for pod in ctx.seen.owned(core.Pod)}
            if not await self._step(obj, pods, current, revision, ctx):
                break
        await write_status(ctx.client, obj, _counted(obj, ctx.seen.owned(core.Pod), current, revision))
        return Result()

    async def _step(
        self, obj: apps.StatefulSet, pods: dict[int, core.Pod], current: str, revision: str, ctx: Context
    ) -> bool:
        parallel = obj.spec.pod_management_policy == "Parallel"
        first = _start(obj)
        wanted = range(first, first + _wanted(obj))
        for ordinal in wanted:
            pod = pods.get(ordinal)
            if pod is None:
                partition = _partition(obj)
                await self._create(obj, ordinal, current if ordinal < partition else revision, ctx)
                return True
            if pod.status and pod.status.phase in ("Failed", "Succeeded"):
                await delete_quietly(ctx.client, pod)
                return False
            if not parallel and (not is_ready(pod) or pod.metadata.deletion_timestamp is not None):
                return False
        for ordinal in sorted((found for found in pods if found not in wanted), reverse=True):
            if pods[ordinal].metadata.deletion_timestamp is None:
                await self._delete(obj, pods[ordinal], ctx)
                return parallel
            if not parallel:
                return False
        return await self._update(obj, pods, wanted, revision, ctx)

    async def _update(
        self, obj: apps.StatefulSet, pods: dict[int, core.Pod], wanted: range, revision: str, ctx: Context
    ) -> bool:
        if obj.spec.update_strategy and obj.spec.update_strategy.type == "OnDelete":
            return False
        rolling = obj.spec.update_strategy.rolling_update if obj.spec.update_strategy else None
        allowed = max(fraction(rolling.max_unavailable if rolling else 1, len(wanted), up=True), 1)
        missing = sum(not is_ready(pods[o]) or pods[o].metadata.deletion_timestamp is not None for o in wanted)
        for ordinal in reversed([o for o in wanted if o >= _partition(obj)]):
            if missing >= allowed:
                return False
            pod = pods[ordinal]
            if (pod.metadata.labels or {}).get(_REVISION) != revision and pod.metadata.deletion_timestamp is None:
                await self._delete(obj, pod, ctx)
                missing += 1
        return False

    async def _create(self, obj: apps.StatefulSet, ordinal: int, revision: str, ctx: Context) -> None:
        name = f"{obj.metadata.name}-{ordinal}"
        for claim in obj.spec.volume_claim_templates or ():
            if ctx.seen.get(core.PersistentVolumeClaim, f"{claim.metadata.name}-{name}") is None:
                await self._claim(obj, claim, name, ctx)
        try:
            await ctx.client.create(_pod_of(obj, name, ordinal, revision), field_manager=MANAGER)
        except AlreadyExists:
            return
        message = f"Create Pod {name} in StatefulSet {obj.metadata.name} successful"
        await record_event(ctx.client, obj, "SuccessfulCreate", message, component=_COMPONENT)

    async def _claim(
        self, obj: apps.StatefulSet, template: core.PersistentVolumeClaim, pod: str, ctx: Context
    ) -> None:
        labels = {**(template.metadata.labels or {}), **(obj.spec.selector.match_labels or {})}
        claim = core.PersistentVolumeClaim(
            metadata=ObjectMeta(
                name=f"{template.metadata.name}-{pod}",
                namespace=obj.metadata.namespace,
                labels=labels,
                annotations=template.metadata.annotations,
            ),
            spec=template.spec,
        )
        try:
            await ctx.client.create(claim, field_manager=MANAGER)
        except AlreadyExists:
            return

    async def _delete(self, obj: apps.StatefulSet, pod: core.Pod, ctx: Context) -> None:
        await delete_quietly(ctx.client, pod)
        message = f"Delete Pod {pod.metadata.name} in StatefulSet {obj.metadata.name} successful"
        await record_event(ctx.client, obj, "SuccessfulDelete", message, component=_COMPONENT)


def revision_of(obj: apps.StatefulSet) -> str:
    """The name of the template's revision; not the algorithm of kube-controller-manager."""
    text = msgspec.json.encode(plain(obj.spec.template), order="deterministic")
    return f"{obj.metadata.name}-{zlib.crc32(text):08x}"


def _wanted(obj: apps.StatefulSet) -> int:
    return 1 if obj.spec.replicas is None else obj.spec.replicas


def _start(obj: apps.StatefulSet) -> int:
    return (obj.spec.ordinals.start if obj.spec.ordinals else None) or 0


def _partition(obj: apps.StatefulSet) -> int:
    rolling = obj.spec.update_strategy.rolling_update if obj.spec.update_strategy else None
    return (rolling.partition if rolling else None) or 0


def _ordinal(pod: core.Pod) -> int:
    last = (pod.metadata.name or "").rpartition("-")[2]
    return int(last) if last.isdigit() else -1


def _pod_of(obj: apps.StatefulSet, name: str, ordinal: int, revision: str) -> core.Pod:
    template = obj.spec.template
    given = template.metadata or ObjectMeta()
    labels = {**(given.labels or {}), _REVISION: revision, _POD_NAME: name, _INDEX: str(ordinal)}
    spec = msgspec.convert(plain(template.spec), core.PodSpec)
    spec.hostname = name
    if obj.spec.service_name:
        spec.subdomain = obj.spec.service_name
    claims = {claim.metadata.name or "" for claim in obj.spec.volume_claim_templates or ()}
    volumes = [volume for volume in spec.volumes or () if volume.name not in claims]
    for claim in sorted(claims):
        source = core.PersistentVolumeClaimVolumeSource(claim_name=f"{claim}-{name}")
        volumes.append(core.Volume(name=claim, persistent_volume_claim=source))
    spec.volumes = volumes or None
    meta = ObjectMeta(
        name=name,
        generate_name=f"{obj.metadata.name}-",
        namespace=obj.metadata.namespace,
        labels=labels,
        annotations=given.annotations,
        owner_references=[controller_of(obj)],
    )
    return core.Pod(metadata=meta, spec=spec)


def _counted(obj: apps.StatefulSet, pods: list[core.Pod], current: str, revision: str) -> apps.StatefulSetStatus:
    def of(name: str) -> int:
        return sum((pod.metadata.labels or {}).get(_REVISION) == name for pod in alive)

    alive = [pod for pod in pods if pod.metadata.deletion_timestamp is None]
    ready = sum(map(is_ready, alive))
    if of(revision) == len(alive) == _wanted(obj) == ready:
        current = revision
    return apps.StatefulSetStatus(
        replicas=len(pods),
        ready_replicas=ready or None,
        available_replicas=ready,
        current_replicas=of(current) or None,
        updated_replicas=of(revision) or None,
        current_revision=current,
        update_revision=revision,
        collision_count=0,
        observed_generation=obj.metadata.generation,
    )
