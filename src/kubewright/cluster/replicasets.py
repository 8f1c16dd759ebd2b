"""ReplicaSets: as many Pods as asked for, and what became of them."""

from __future__ import annotations

from kubewright import clock
from kubewright.cluster.writing import (
    MANAGER,
    controlled_by,
    controller_of,
    delete_quietly,
    now,
    plain,
    record_event,
    write_status,
)
from kubewright.errors import ApiError, Conflict, NotFound
from kubewright.kinds import apps_v1 as apps
from kubewright.kinds import core_v1 as core
from kubewright.objects import JsonObject, ObjectMeta, Selector, label_selector
from kubewright.runtime import Context, Controller, Reads, Result

COMPONENT = "replicaset-controller"


class ReplicaSetController(Controller[apps.ReplicaSet]):
    """The equivalent of kube-controller-manager's."""

    owns = (core.Pod,)
    reads = (Reads(core.Pod),)

    async def reconcile(self, obj: apps.ReplicaSet, ctx: Context, /) -> Result:
        """Adopt, create or delete Pods; count them."""
        selector = label_selector(obj.spec.selector) or Selector()
        pods = await self._claimed(obj, selector, ctx)
        failure = await self._scale(obj, [pod for pod in pods if is_active(pod)], ctx)
        pods = [pod for pod in ctx.seen.list(core.Pod, selector) if _is_ours(pod, obj)]
        status, again = _counted(obj, pods, failure)
        await write_status(ctx.client, obj, status)
        if failure is not None:
            raise failure
        return Result(requeue_after=again)

    async def terminate(self, obj: apps.ReplicaSet, ctx: Context, /) -> Result:
        """Count on, while dependents are being deleted first."""
        selector = label_selector(obj.spec.selector) or Selector()
        pods = [pod for pod in ctx.seen.list(core.Pod, selector) if _is_ours(pod, obj)]
        status, _ = _counted(obj, pods, None)
        try:
            await write_status(ctx.client, obj, status)
        except NotFound:
            return Result()
        return Result()

    async def _claimed(self, obj: apps.ReplicaSet, selector: Selector, ctx: Context) -> list[core.Pod]:
        claimed = []
        for pod in ctx.seen.list(core.Pod, selector):
            if _is_ours(pod, obj):
                claimed.append(pod)
            elif controlled_by(pod) is None and is_active(pod) and (adopted := await _adopt(pod, obj, ctx)):
                claimed.append(adopted)
        for pod in ctx.seen.owned(core.Pod):
            if not selector.matches(pod.metadata.labels) and pod.metadata.deletion_timestamp is None:
                await _release(pod, obj, ctx)
        return claimed

    async def _scale(self, obj: apps.ReplicaSet, active: list[core.Pod], ctx: Context) -> ApiError | None:
        assert obj.spec is not None  # noqa: S101 - the server defaults it
        wanted = obj.spec.replicas if obj.spec.replicas is not None else 1
        try:
            for _ in range(wanted - len(active)):
                pod = await ctx.client.create(_pod_of(obj), field_manager=MANAGER)
                await record_event(
                    ctx.client, obj, "SuccessfulCreate", f"Created pod: {pod.metadata.name}", component=COMPONENT
                )
        except ApiError as error:
            message = f"Error creating: {error}"
            await record_event(ctx.client, obj, "FailedCreate", message, component=COMPONENT, kind="Warning")
            return error
        for pod in sorted(active, key=_rank)[: max(len(active) - wanted, 0)]:
            await delete_quietly(ctx.client, pod)
            await record_event(
                ctx.client, obj, "SuccessfulDelete", f"Deleted pod: {pod.metadata.name}", component=COMPONENT
            )
        return None


def is_active(pod: core.Pod) -> bool:
    """Neither ended nor ending."""
    phase = pod.status.phase if pod.status else None
    return phase not in ("Succeeded", "Failed") and pod.metadata.deletion_timestamp is None


def is_ready(pod: core.Pod) -> bool:
    """The Pod's Ready condition holds."""
    return ready_condition(pod) is not None


def ready_condition(pod: core.Pod) -> core.PodCondition | None:
    """The Pod's Ready condition, if it holds."""
    conditions = (pod.status.conditions if pod.status else None) or ()
    return next((c for c in conditions if c.type == "Ready" and c.status == "True"), None)


def _is_ours(pod: core.Pod, obj: apps.ReplicaSet) -> bool:
    owner = controlled_by(pod)
    return owner is not None and owner.uid == obj.metadata.uid


async def _adopt(pod: core.Pod, obj: apps.ReplicaSet, ctx: Context) -> core.Pod | None:
    owners = [*(pod.metadata.owner_references or ()), controller_of(obj)]
    return await _own(pod, [plain(owner) for owner in owners], ctx)


async def _release(pod: core.Pod, obj: apps.ReplicaSet, ctx: Context) -> None:
    owners = [owner for owner in pod.metadata.owner_references or () if owner.uid != obj.metadata.uid]
    await _own(pod, [plain(owner) for owner in owners], ctx)


async def _own(pod: core.Pod, owners: list[JsonObject], ctx: Context) -> core.Pod | None:
    meta = pod.metadata
    patch = {"metadata": {"uid": meta.uid, "resourceVersion": meta.resource_version, "ownerReferences": owners}}
    try:
        return await ctx.client.patch(
            core.Pod, meta.name or "", patch, "merge", meta.namespace, field_manager=MANAGER
        )
    except (NotFound, Conflict):
        return None


def _pod_of(obj: apps.ReplicaSet) -> core.Pod:
    assert obj.spec is not None  # noqa: S101 - the server defaults it
    template = obj.spec.template or core.PodTemplateSpec()
    given = template.metadata or ObjectMeta()
    return core.Pod(
        metadata=ObjectMeta(
            generate_name=f"{obj.metadata.name}-",
            namespace=obj.metadata.namespace,
            labels=given.labels,
            annotations=given.annotations,
            finalizers=given.finalizers,
            owner_references=[controller_of(obj)],
        ),
        spec=template.spec,
    )


def _rank(pod: core.Pod) -> tuple[object, ...]:
    """What is deleted first sorts first, as in client-go's ActivePodsWithRanks."""
    status = pod.status or core.PodStatus()
    phases = {"Pending": 0, "Unknown": 1, "Running": 2}
    annotations = pod.metadata.annotations or {}
    cost = int(annotations.get("controller.kubernetes.io/pod-deletion-cost", "0"))
    ready = ready_condition(pod)
    since = ready.last_transition_time.timestamp() if ready and ready.last_transition_time else 0.0
    created = pod.metadata.creation_timestamp.timestamp() if pod.metadata.creation_timestamp else 0.0
    assigned = bool(pod.spec and pod.spec.node_name)
    return (
        assigned,
        phases.get(status.phase or "", 1),
        ready is not None,
        cost,
        -since,
        -created,
        pod.metadata.name,
    )


def _counted(
    obj: apps.ReplicaSet, pods: list[core.Pod], failure: ApiError | None
) -> tuple[apps.ReplicaSetStatus, float | None]:
    """The status, and the seconds until a Pod that is ready becomes available."""
    spec = obj.spec
    assert spec is not None  # noqa: S101 - the server defaults it
    template = (spec.template.metadata.labels if spec.template and spec.template.metadata else None) or {}
    active = [pod for pod in pods if is_active(pod)]
    labelled = [pod for pod in active if template.items() <= (pod.metadata.labels or {}).items()]
    waits = [wait for pod in active if (wait := _until_available(pod, spec.min_ready_seconds or 0)) is not None]
    ending = sum(pod.metadata.deletion_timestamp is not None for pod in pods)
    status = apps.ReplicaSetStatus(
        replicas=len(active),
        fully_labeled_replicas=len(labelled) or None,
        ready_replicas=sum(map(is_ready, active)) or None,
        available_replicas=sum(wait <= 0 for wait in waits) or None,
        terminating_replicas=ending,
        observed_generation=obj.metadata.generation,
        conditions=_conditions(obj, failure),
    )
    return status, min((wait for wait in waits if wait > 0), default=None)


def _until_available(pod: core.Pod, minimum: int) -> float | None:
    ready = ready_condition(pod)
    if ready is None:
        return None
    if not minimum or ready.last_transition_time is None:
        return 0.0
    return minimum - (clock.now() - ready.last_transition_time).total_seconds()


def _conditions(obj: apps.ReplicaSet, failure: ApiError | None) -> list[apps.ReplicaSetCondition] | None:
    kept = [c for c in (obj.status.conditions if obj.status else None) or () if c.type != "ReplicaFailure"]
    if failure is not None:
        before = [c for c in (obj.status.conditions if obj.status else None) or () if c.type == "ReplicaFailure"]
        since = before[0].last_transition_time if before else now()
        kept.append(
            apps.ReplicaSetCondition(
                type="ReplicaFailure",
                status="True",
                reason="FailedCreate",
                message=str(failure),
                last_transition_time=since,
            )
        )
    return kept or None
