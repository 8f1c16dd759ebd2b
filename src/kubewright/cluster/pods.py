"""Simulated scheduling and a simulated kubelet: Pods run in name only, and say so.

A Pod passes through named stages, each after a delay that a test can set: it is *scheduled* onto the one node,
*started*, *ready*; one that runs to completion is *completed*; one that is deleted is *terminated*.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime

import msgspec

from kubewright import clock
from kubewright.client import Client
from kubewright.cluster.writing import MANAGER, SIMULATED, delete_quietly, now, plain, record_event
from kubewright.errors import AlreadyExists, Conflict, NotFound
from kubewright.kinds import core_v1 as core
from kubewright.objects import JsonObject, ObjectMeta
from kubewright.runtime import Context, Controller, Reads, Result
from kubewright.wire import Request

NODE = "kubewright-simulated"
HOST_IP = "127.0.0.1"
_RUNNING = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


@dataclass(slots=True)
class PodStages:
    """Seconds a Pod waits before each stage; change them while the cluster runs.

    Attributes:
        scheduled: before a node is chosen.
        started: from then, before its containers run.
        ready: from then, before they are ready.
        completed: from then, before a Pod that does not restart ends well.
        terminated: between a deletion and the end; at most the Pod's grace period.
    """

    scheduled: float = 0.0
    started: float = 0.0
    ready: float = 0.0
    completed: float = 0.0
    terminated: float = 0.0


@dataclass(slots=True)
class _Progress:
    """When a Pod reached its stages, by the monotonic clock: objects carry whole seconds only."""

    since: float
    stage: str = "created"


class PodController(Controller[core.Pod]):
    """Schedules and runs the Pods that name the default scheduler, or this node."""

    reads = (Reads(core.Node, names=(NODE,)),)

    def __init__(self, stages: PodStages) -> None:
        self.stages = stages
        self._progress: dict[str, _Progress] = {}

    async def reconcile(self, obj: core.Pod, ctx: Context, /) -> Result:
        """Bring the Pod to its next stage."""
        spec, status = obj.spec, obj.status or core.PodStatus()
        if spec is None or status.phase in ("Succeeded", "Failed") or spec.scheduling_gates:
            return Result()
        progress = self._progress.setdefault(obj.metadata.uid or "", _Progress(clock.monotonic()))
        if not spec.node_name:
            if (wait := self._wait(progress, self.stages.scheduled)) > 0:
                return Result(requeue_after=wait)
            if why := _unschedulable(obj, ctx):
                await _tell_unschedulable(obj, why, ctx)
                return Result()
            await _bind(obj, ctx)
            self._reach(progress, "scheduled")
        elif spec.node_name != NODE:
            return Result()
        running = status.phase == "Running"
        ready = running and all(container.ready for container in status.container_statuses or ())
        if not running:
            if (wait := self._wait(progress, self.stages.started)) > 0:
                return Result(requeue_after=wait)
            self._reach(progress, "started")
        if not ready:
            wait = self._wait(progress, self.stages.ready)
            await _run(obj, ctx, ready=wait <= 0, started=not running)
            if wait > 0:
                return Result(requeue_after=wait)
            self._reach(progress, "ready")
        if spec.restart_policy == "Always":
            return Result()
        if (wait := self._wait(progress, self.stages.completed)) > 0:
            return Result(requeue_after=wait)
        await _complete(obj, ctx)
        return Result()

    async def terminate(self, obj: core.Pod, ctx: Context, /) -> Result:
        """Let the Pod end."""
        if obj.spec is None or obj.spec.node_name != NODE:
            return Result()
        progress = self._progress.setdefault(obj.metadata.uid or "", _Progress(clock.monotonic()))
        if progress.stage != "ending":
            self._reach(progress, "ending")
        grace = obj.metadata.deletion_grace_period_seconds
        delay = self.stages.terminated if grace is None else min(self.stages.terminated, grace)
        if (wait := self._wait(progress, delay)) > 0:
            return Result(requeue_after=wait)
        self._progress.pop(obj.metadata.uid or "", None)
        await delete_quietly(ctx.client, obj, grace_period_seconds=0)
        return Result()

    def _wait(self, progress: _Progress, delay: float) -> float:
        return progress.since + delay - clock.monotonic() if delay else 0.0

    def _reach(self, progress: _Progress, stage: str) -> None:
        progress.stage, progress.since = stage, clock.monotonic()


def _unschedulable(pod: core.Pod, ctx: Context) -> str:
    """Why the Pod cannot be put on the one node, or nothing."""
    assert pod.spec is not None  # noqa: S101 - checked by the caller
    node = ctx.seen.get(core.Node, NODE)
    if node is None:
        return "no nodes available to schedule pods"
    unschedulable = "node.kubernetes.io/unschedulable"
    tolerated = any(t.key in (None, "", unschedulable) for t in pod.spec.tolerations or ())
    if node.spec and node.spec.unschedulable and not tolerated:
        return "0/1 nodes are available: 1 node(s) were unschedulable."
    labels = node.metadata.labels or {}
    if any(labels.get(key) != value for key, value in (pod.spec.node_selector or {}).items()):
        return "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
    return ""


async def _tell_unschedulable(pod: core.Pod, why: str, ctx: Context) -> None:
    known = (pod.status.conditions if pod.status else None) or ()
    if any(c.type == "PodScheduled" and c.message == why for c in known):
        return
    condition = {**_condition(pod, "PodScheduled", "False", "Unschedulable"), "message": why}
    patch = {"metadata": {"uid": pod.metadata.uid}, "status": {"conditions": [condition]}}
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


def _condition(pod: core.Pod, kind: str, status: str, reason: str | None = None) -> JsonObject:
    before = (pod.status.conditions if pod.status else None) or ()
    known = next((c for c in before if c.type == kind and c.status == status), None)
    since = known.last_transition_time if known and known.last_transition_time else now()
    condition = {
        "type": kind,
        "status": status,
        "observedGeneration": pod.metadata.generation,
        "lastProbeTime": None,
        "lastTransitionTime": _stamp(since),
    }
    if reason:
        condition["reason"] = reason
    return condition


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def address_of(pod: core.Pod) -> str:
    """The Pod's address, made of its uid: stable, and no two alike in a small cluster."""
    number = zlib.crc32((pod.metadata.uid or "").encode())
    return f"10.244.{number >> 8 & 255}.{1 + number % 254}"


async def _run(pod: core.Pod, ctx: Context, *, ready: bool, started: bool) -> None:
    """The status of a Pod whose containers run."""
    assert pod.spec is not None  # noqa: S101 - checked by the caller
    reason = None if ready else "ContainersNotReady"
    conditions = [
        _condition(pod, kind, "True" if ready or kind not in ("Ready", "ContainersReady") else "False")
        for kind in _RUNNING
    ]
    for condition in conditions:
        if reason and condition["type"] in ("Ready", "ContainersReady"):
            condition["reason"] = reason
            names = " ".join(container.name for container in pod.spec.containers)
            condition["message"] = f"containers with unready status: [{names}]"
    address = address_of(pod)
    start = pod.status.start_time if pod.status and pod.status.start_time else now()
    status = {
        "phase": "Running",
        "observedGeneration": pod.metadata.generation,
        "conditions": conditions,
        "hostIP": HOST_IP,
        "hostIPs": [{"ip": HOST_IP}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": _stamp(start),
        "containerStatuses": [_container(container, start, ready=ready) for container in pod.spec.containers],
    }
    if pod.spec.init_containers:
        status["initContainerStatuses"] = [_ended(container, start) for container in pod.spec.init_containers]
    await _write(pod, status, ctx)
    if started:
        for container in pod.spec.containers:
            message = f"Started container {container.name} (simulated: nothing runs)"
            await record_event(ctx.client, pod, "Started", message, component="kubelet")


def _container(container: core.Container, start: datetime, *, ready: bool) -> JsonObject:
    return {
        "name": container.name,
        "image": container.image,
        "imageID": f"simulated://{container.image}",
        "containerID": f"simulated://{zlib.crc32((container.image or '').encode()):08x}",
        "ready": ready,
        "started": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": _stamp(start)}},
        "lastState": {},
    }


def _ended(container: core.Container, start: datetime) -> JsonObject:
    ended = {"exitCode": 0, "reason": "Completed", "startedAt": _stamp(start), "finishedAt": _stamp(now())}
    return {**_container(container, start, ready=True), "started": False, "state": {"terminated": ended}}


async def _complete(pod: core.Pod, ctx: Context) -> None:
    assert pod.spec is not None  # noqa: S101 - checked by the caller
    start = pod.status.start_time if pod.status and pod.status.start_time else now()
    conditions = [
        _condition(
            pod,
            kind,
            "False" if kind in ("Ready", "ContainersReady", "PodReadyToStartContainers") else "True",
            None if kind in ("PodScheduled", "PodReadyToStartContainers") else "PodCompleted",
        )
        for kind in _RUNNING
    ]
    containers = [{**_ended(container, start), "ready": False} for container in pod.spec.containers]
    status = {"phase": "Succeeded", "conditions": conditions, "containerStatuses": containers}
    await _write(pod, status, ctx)


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


async def create_node(client: Client) -> None:
    """The one node, which says that it is simulated."""
    labels = {
        "kubernetes.io/hostname": NODE,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        SIMULATED: "true",
    }
    node = core.Node(metadata=ObjectMeta(name=NODE, labels=labels, annotations={SIMULATED: "true"}))
    capacity = {"cpu": "1k", "memory": "1Ti", "pods": "100k", "ephemeral-storage": "10Ti"}
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "simulated: nothing runs here",
        "lastHeartbeatTime": _stamp(now()),
        "lastTransitionTime": _stamp(now()),
    }
    info = {"kubeletVersion": "v1.37.0+kubewright", "osImage": "simulated", "kernelVersion": "simulated"}
    runtime = {"containerRuntimeVersion": "simulated://0", "operatingSystem": "linux", "architecture": "amd64"}
    zeros = dict.fromkeys(("machineID", "systemUUID", "bootID", "kubeProxyVersion"), "")
    status = {
        "capacity": capacity,
        "allocatable": capacity,
        "conditions": [ready],
        "addresses": [{"type": "InternalIP", "address": HOST_IP}, {"type": "Hostname", "address": NODE}],
        "nodeInfo": {**zeros, **info, **runtime},
    }
    try:
        await client.create(node, field_manager=MANAGER)
    except AlreadyExists:
        return
    await client.patch(
        core.Node.api_resource, NODE, {"status": status}, "merge", subresource="status", field_manager="kubelet"
    )
