"""Simulated scheduling and a simulated kubelet: Pods run in name only, and say so.

A Pod passes through named stages, each after a delay that a test can set: it is *scheduled* onto the one node,
*started*, *ready*; one that runs to completion is *completed*; one that is deleted is *terminated*. What goes wrong
on the way is up to the test: see :class:`~kubewright.cluster.simulation.SimulatedPods`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

from kubewright import clock
from kubewright.cluster.nodes import NODE, UNREACHABLE, is_lost
from kubewright.cluster.podruns import PodRun, Told
from kubewright.cluster.podstatus import condition, evicted, status_of
from kubewright.cluster.simulation import PodStages, SimulatedPods
from kubewright.cluster.writing import SIMULATED, delete_quietly, plain, record_event
from kubewright.errors import Conflict, NotFound
from kubewright.kinds import core_v1 as core
from kubewright.objects import JsonObject, ObjectMeta
from kubewright.runtime import Context, Controller, Reads, Result
from kubewright.wire import Request

_NOT_HELPFUL = "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."


@dataclass(slots=True)
class _Progress:
    """Where a Pod stands, by the monotonic clock: objects carry whole seconds only."""

    created: float
    until: float = 0.0
    stage: Literal["created", "scheduled", "started", "ending"] | None = None
    run: PodRun | None = None
    tries: int = 0


class PodController(Controller[core.Pod]):
    """Schedules and runs the Pods that name the default scheduler, or this node."""

    reads = (Reads(core.Node, names=(NODE,)), Reads(core.PersistentVolumeClaim))

    def __init__(self, pods: SimulatedPods) -> None:
        self._pods = pods
        self._progress: dict[str, _Progress] = {}
        self._tries = 0

    def try_again(self) -> None:
        """What waits for another try has it at the next reconcile."""
        self._tries += 1

    async def reconcile(self, obj: core.Pod, ctx: Context, /) -> Result:
        """Bring the Pod to its next stage."""
        spec, status = obj.spec, obj.status or core.PodStatus()
        if spec is None or status.phase in ("Succeeded", "Failed") or spec.scheduling_gates:
            return Result()
        progress, stages = self._progress_of(obj), self._pods.stages_of(obj)
        node = ctx.seen.get(core.Node, NODE)
        if not spec.node_name:
            if (wait := self._wait(progress, "created", stages.scheduled, stages)) > 0:
                return Result(requeue_after=wait)
            if why := self._refused(obj, node) or _unbound(obj, ctx):
                await _tell_unschedulable(obj, why, ctx)
                return Result()
            await _bind(obj, ctx)
        elif spec.node_name != NODE:
            return Result()
        if node is not None and is_lost(node):
            await _tell_not_ready(obj, ctx)
            return Result()
        for fault in self._pods.faults("eviction", obj):
            if fault.since >= progress.created:
                await _evict(obj, fault.message, ctx)
                return Result()
        if progress.run is None and (wait := self._wait(progress, "scheduled", stages.started, stages)) > 0:
            return Result(requeue_after=wait)
        return await self._run(obj, progress, ctx)

    async def _run(self, obj: core.Pod, progress: _Progress, ctx: Context) -> Result:
        run = progress.run = progress.run or PodRun.of(obj)
        run.pod = obj
        if progress.tries != self._tries:
            progress.tries = self._tries
            run.try_again()
        written = dict(plain(obj.status))
        while True:
            told: list[Told] = []
            wait = run.advance(self._pods, told)
            status = status_of(obj, run)
            if wait == 0 and run.phase == "Running" and not told and not _notable(run):
                continue  # started and ready at the same time: one write says both
            if any(written.get(key) != value for key, value in status.items()):
                await _write(obj, status, ctx)
                written.update(status)
            for each in told:
                await _tell(obj, each, ctx)
            if wait != 0:
                return Result(requeue_after=wait)

    async def terminate(self, obj: core.Pod, ctx: Context, /) -> Result:
        """Let the Pod end."""
        if obj.spec is None or obj.spec.node_name != NODE:
            return Result()
        node = ctx.seen.get(core.Node, NODE)
        if node is not None and is_lost(node):
            return Result()
        progress, stages = self._progress_of(obj), self._pods.stages_of(obj)
        grace = obj.metadata.deletion_grace_period_seconds
        delay = stages.terminated if grace is None else min(stages.terminated, grace)
        if (wait := self._wait(progress, "ending", delay, stages)) > 0:
            return Result(requeue_after=wait)
        self._progress.pop(obj.metadata.uid or "", None)
        await delete_quietly(ctx.client, obj, grace_period_seconds=0)
        return Result()

    def _progress_of(self, pod: core.Pod) -> _Progress:
        return self._progress.setdefault(pod.metadata.uid or "", _Progress(clock.monotonic(), tries=self._tries))

    def _wait(
        self,
        progress: _Progress,
        stage: Literal["created", "scheduled", "started", "ending"],
        delay: float,
        stages: PodStages,
    ) -> float:
        if progress.stage != stage:
            progress.stage = stage
            progress.until = clock.monotonic() + clock.jitter(delay, stages.jitter)
        return progress.until - clock.monotonic() if delay else 0.0

    def _refused(self, pod: core.Pod, node: core.Node | None) -> str:
        for fault in self._pods.faults("scheduling", pod):
            fault.happens()
            return fault.message
        return _unschedulable(pod, node)


def _notable(run: PodRun) -> bool:
    """Whether a container is in a state that whoever watches should see, however short."""
    return any(each.state != "running" or each.ready for each in (*run.inits, *run.containers))


def _unschedulable(pod: core.Pod, node: core.Node | None) -> str:
    """Why the Pod cannot be put on the one node, or nothing."""
    assert pod.spec is not None  # noqa: S101 - checked by the caller
    if node is None:
        return "no nodes available to schedule pods"
    why = ""
    if is_lost(node) and not _tolerates(pod, UNREACHABLE):
        why = "1 node(s) had untolerated taint(s)"
    elif node.spec and node.spec.unschedulable and not _tolerates(pod, "node.kubernetes.io/unschedulable"):
        why = "1 node(s) were unschedulable"
    elif (pod.spec.node_selector or {}).items() - (node.metadata.labels or {}).items():
        why = "1 node(s) didn't match Pod's node affinity/selector"
    return f"0/1 nodes are available: {why}. {_NOT_HELPFUL}" if why else ""


def _unbound(pod: core.Pod, ctx: Context) -> str:
    """Why the Pod waits for its claims, in the scheduler's own odd words, or nothing."""
    for volume in (pod.spec.volumes if pod.spec else None) or ():
        source = volume.persistent_volume_claim
        if source is None:
            continue
        claim = ctx.seen.get(core.PersistentVolumeClaim, source.claim_name)
        if claim is None:
            return f'0/1 nodes are available: persistentvolumeclaim "{source.claim_name}" not found. not found'
        if not claim.status or claim.status.phase != "Bound":
            return "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
    return ""


def _tolerates(pod: core.Pod, taint: str) -> bool:
    tolerations = (pod.spec.tolerations if pod.spec else None) or ()
    return any(t.key in (None, "", taint) and t.effect in (None, "", "NoSchedule") for t in tolerations)


async def _tell_unschedulable(pod: core.Pod, why: str, ctx: Context) -> None:
    known = (pod.status.conditions if pod.status else None) or ()
    if any(c.type == "PodScheduled" and c.message == why for c in known):
        return
    made = condition(pod, "PodScheduled", "False", "Unschedulable", why)
    patch = {"metadata": {"uid": pod.metadata.uid}, "status": {"conditions": [made]}}
    await _patch_status(pod, patch, ctx, "kube-scheduler")
    await record_event(ctx.client, pod, "FailedScheduling", why, component="default-scheduler", kind="Warning")


async def _bind(pod: core.Pod, ctx: Context) -> None:
    meta = pod.metadata
    binding = core.Binding(
        metadata=ObjectMeta(name=meta.name, namespace=meta.namespace),
        target=core.ObjectReference(api_version="v1", kind="Node", name=NODE),
    )
    path = core.Pod.api_resource.path(meta.namespace or "", meta.name or "", "binding")
    body = msgspec.json.encode({"apiVersion": "v1", "kind": "Binding", **plain(binding)})
    try:
        request = Request("POST", path, headers={"content-type": "application/json"}, body=body)
        await (await ctx.client.raw(request)).close()
    except (NotFound, Conflict):
        return
    message = f"Successfully assigned {meta.namespace}/{meta.name} to {NODE}"
    await record_event(ctx.client, pod, "Scheduled", message, component="default-scheduler")


async def _tell_not_ready(pod: core.Pod, ctx: Context) -> None:
    """What the node lifecycle controller does to Pods of a node whose kubelet is silent."""
    before = (pod.status.conditions if pod.status else None) or ()
    if not any(c.type == "Ready" and c.status == "True" for c in before):
        return
    kept = [condition(pod, c.type, c.status, c.reason or "", c.message or "") for c in before if c.type != "Ready"]
    conditions = [*kept, condition(pod, "Ready", "False")]
    patch = {"metadata": {"uid": pod.metadata.uid}, "status": {"conditions": conditions}}
    await _patch_status(pod, patch, ctx, "kube-controller-manager")
    await record_event(
        ctx.client, pod, "NodeNotReady", "Node is not ready", component="node-controller", kind="Warning"
    )


async def _evict(pod: core.Pod, message: str, ctx: Context) -> None:
    await record_event(ctx.client, pod, "Evicted", message, component="kubelet", kind="Warning")
    await _write(pod, evicted(pod, message), ctx)


async def _tell(pod: core.Pod, told: Told, ctx: Context) -> None:
    spec = pod.spec
    inits = [container.name for container in (spec.init_containers if spec else None) or ()]
    field = f"spec.{'initContainers' if told.container in inits else 'containers'}{{{told.container}}}"
    await record_event(
        ctx.client, pod, told.reason, told.message, component="kubelet", kind=told.kind, field_path=field
    )


async def _write(pod: core.Pod, status: JsonObject, ctx: Context) -> None:
    meta = pod.metadata
    patch = {"metadata": {"uid": meta.uid, "annotations": {SIMULATED: "true"}}, "status": status}
    await _patch_status(pod, patch, ctx, "kubelet")


async def _patch_status(pod: core.Pod, patch: JsonObject, ctx: Context, manager: str) -> None:
    meta = pod.metadata
    try:
        await ctx.client.patch(
            core.Pod.api_resource,
            meta.name or "",
            patch,
            "merge",
            meta.namespace,
            subresource="status",
            field_manager=manager,
        )
    except (NotFound, Conflict):
        return
