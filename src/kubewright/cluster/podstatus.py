"""The status that a kubelet gives its Pods."""

from __future__ import annotations

import zlib
from datetime import datetime

from kubewright.cluster.podruns import ContainerRun, Ended, PodRun
from kubewright.cluster.writing import now
from kubewright.kinds import core_v1 as core
from kubewright.objects import JsonObject

HOST_IP = "127.0.0.1"


def address_of(pod: core.Pod) -> str:
    """The Pod's address, made of its uid: stable, and no two alike in a small cluster."""
    number = zlib.crc32((pod.metadata.uid or "").encode())
    return f"10.244.{number >> 8 & 255}.{1 + number % 254}"


def status_of(pod: core.Pod, run: PodRun) -> JsonObject:
    """What the kubelet writes of a Pod on its node."""
    address, phase = address_of(pod), run.phase
    started = pod.status.start_time if pod.status and pod.status.start_time else now()
    over = phase in ("Succeeded", "Failed")
    status: JsonObject = {
        "phase": phase,
        "observedGeneration": pod.metadata.generation,
        "conditions": _conditions(pod, run, over=over),
        "hostIP": HOST_IP,
        "hostIPs": [{"ip": HOST_IP}],
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": stamp(started),
        "containerStatuses": [_container(each, initialized=run.initialized) for each in run.containers],
    }
    if run.inits:
        status["initContainerStatuses"] = [_init_container(each) for each in run.inits]
    return status


def evicted(pod: core.Pod, message: str) -> JsonObject:
    """What the kubelet writes of a Pod that it evicts."""
    target = condition(pod, "DisruptionTarget", "True", "TerminationByKubelet", message)
    others = [c for kind in _KINDS if (c := _kept(pod, kind)) is not None]
    for other in others:
        if other["type"] in ("Ready", "ContainersReady"):
            other.update(condition(pod, other["type"], "False", "PodFailed"))
    return {"phase": "Failed", "reason": "Evicted", "message": message, "conditions": [target, *others]}


def condition(pod: core.Pod, kind: str, status: str, reason: str = "", message: str = "") -> JsonObject:
    """A condition, with the time since which it holds."""
    before = (pod.status.conditions if pod.status else None) or ()
    known = next((c for c in before if c.type == kind and c.status == status), None)
    since = known.last_transition_time if known and known.last_transition_time else now()
    made: JsonObject = {
        "type": kind,
        "status": status,
        "observedGeneration": pod.metadata.generation,
        "lastProbeTime": None,
        "lastTransitionTime": stamp(since),
    }
    if reason:
        made["reason"] = reason
    if message:
        made["message"] = message
    return made


def stamp(moment: datetime) -> str:
    """A time as objects carry it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


_KINDS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


def _kept(pod: core.Pod, kind: str) -> JsonObject | None:
    before = (pod.status.conditions if pod.status else None) or ()
    known = next((c for c in before if c.type == kind), None)
    return None if known is None else condition(pod, kind, known.status, known.reason or "", known.message or "")


def _conditions(pod: core.Pod, run: PodRun, *, over: bool) -> list[JsonObject]:
    ended = ("PodCompleted" if run.phase == "Succeeded" else "PodFailed") if over else ""
    unready = [each.name for each in run.containers if not each.ready]
    if unready and not over:
        reason, message = "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]"
    else:
        reason, message = ended, ""
    ready = "True" if run.ready else "False"
    waiting = [each.name for each in run.inits if each.ended is None or each.ended.exit_code]
    if run.initialized:
        initialized = condition(pod, "Initialized", "True", ended if run.phase == "Succeeded" else "")
    else:
        missing = f"containers with incomplete status: [{' '.join(waiting)}]"
        initialized = condition(pod, "Initialized", "False", "ContainersNotInitialized", missing)
    return [
        condition(pod, "PodReadyToStartContainers", "False" if over else "True"),
        initialized,
        condition(pod, "Ready", ready, reason, message),
        condition(pod, "ContainersReady", ready, reason, message),
        condition(pod, "PodScheduled", "True"),
    ]


def _container(run: ContainerRun, *, initialized: bool = True) -> JsonObject:
    state: JsonObject
    if run.state == "running":
        state = {"running": {"startedAt": stamp(run.started or now())}}
    elif run.ended is not None:
        state = {"terminated": _terminated(run, run.ended)}
    else:
        reason = run.reason if initialized or run.reason != "ContainerCreating" else "PodInitializing"
        state = {"waiting": {"reason": reason, **({"message": run.message} if run.message else {})}}
    status: JsonObject = {
        "name": run.name,
        "image": run.image,
        "imageID": "",
        "ready": run.ready,
        "started": run.state == "running",
        "restartCount": run.restarts,
        "state": state,
        "lastState": {"terminated": _terminated(run, run.before)} if run.before is not None else {},
    }
    if run.started is not None:
        status["imageID"] = f"simulated://{run.image}"
        status["containerID"] = _id(run)
    return status


def _init_container(run: ContainerRun) -> JsonObject:
    done = run.ended is not None and run.ended.exit_code == 0
    return {**_container(run), "ready": done or run.ready}


def _terminated(run: ContainerRun, ended: Ended) -> JsonObject:
    told: JsonObject = {
        "exitCode": ended.exit_code,
        "reason": ended.reason,
        "startedAt": stamp(ended.started),
        "finishedAt": stamp(ended.finished),
        "containerID": _id(run),
    }
    return {**told, "message": ended.message} if ended.message else told


def _id(run: ContainerRun) -> str:
    return f"simulated://{zlib.crc32(run.image.encode()):08x}"
