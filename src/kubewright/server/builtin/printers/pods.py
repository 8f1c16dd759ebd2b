"""The Table row of a Pod: the status column sums up phase, conditions and container states."""

from __future__ import annotations

from kubewright.objects import JsonObject
from kubewright.server.builtin.printers.text import NONE, age, created
from kubewright.server.registry import Cell


def pod(obj: JsonObject) -> list[Cell]:
    """Name, ready, status, restarts, age; wide: IP, node, nominated node, readiness gates."""
    spec, status = obj["spec"], obj.get("status") or {}
    reason, ready, restarts, last = _summary(spec, status)
    if obj["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            reason = "Unknown"
        elif status.get("phase") not in ("Succeeded", "Failed"):
            reason = "Terminating"
    total = len(spec.get("containers") or ()) + sum(map(_restartable, spec.get("initContainers") or ()))
    addresses = status.get("podIPs") or ()
    return [
        obj["metadata"]["name"],
        f"{ready}/{total}",
        reason,
        f"{restarts} ({age(last)} ago)" if restarts and last else str(restarts),
        created(obj),
        (addresses[0].get("ip") if addresses else "") or NONE,
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        _gates(spec, status),
    ]


def _restartable(container: JsonObject) -> bool:
    return container.get("restartPolicy") == "Always"


def _condition(status: JsonObject, kind: str) -> JsonObject:
    found = (c for c in status.get("conditions") or () if c.get("type") == kind)
    return next(found, {})


def _summary(spec: JsonObject, status: JsonObject) -> tuple[str, int, int, str]:
    """What the pod is doing, how many containers are ready, restarts, and when the last one was."""
    reason = status.get("reason") or status.get("phase", "")
    if _condition(status, "PodScheduled").get("reason") == "SchedulingGated":
        reason = "SchedulingGated"
    sidecars = {c["name"] for c in spec.get("initContainers") or () if _restartable(c)}
    statuses = status.get("initContainerStatuses") or ()
    ready, initializing = 0, ""
    for index, container in enumerate(statuses):
        terminated = (container.get("state") or {}).get("terminated")
        if terminated and not terminated.get("exitCode"):
            continue
        if container["name"] in sidecars and container.get("started"):
            ready += bool(container.get("ready"))
            continue
        initializing = _init_reason(container, index, len(spec.get("initContainers") or ()))
        break
    if initializing and _condition(status, "Initialized").get("status") != "True":
        return initializing, ready, *_restarts(statuses)
    counted = [c for c in statuses if c["name"] in sidecars] + list(status.get("containerStatuses") or ())
    reason, running = _running_reason(reason, status)
    return reason, ready + running, *_restarts(counted)


def _restarts(statuses: list[JsonObject] | tuple[JsonObject, ...]) -> tuple[int, str]:
    finished = [((c.get("lastState") or {}).get("terminated") or {}).get("finishedAt") or "" for c in statuses]
    return sum(c.get("restartCount", 0) for c in statuses), max(finished, default="")


def _init_reason(container: JsonObject, index: int, total: int) -> str:
    state = container.get("state") or {}
    terminated, waiting = state.get("terminated"), state.get("waiting") or {}
    if terminated:
        return "Init:" + _ended(terminated)
    if waiting.get("reason") and waiting["reason"] != "PodInitializing":
        return f"Init:{waiting['reason']}"
    return f"Init:{index}/{total}"


def _ended(terminated: JsonObject) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _running_reason(reason: str, status: JsonObject) -> tuple[str, int]:
    running, error = 0, ""
    for container in reversed(status.get("containerStatuses") or ()):
        state = container.get("state") or {}
        if (state.get("waiting") or {}).get("reason"):
            reason = state["waiting"]["reason"]
        elif state.get("terminated"):
            reason = _ended(state["terminated"])
            if state["terminated"].get("exitCode"):
                error = reason
        elif container.get("ready") and "running" in state:
            running += 1
    if reason == "Completed":
        if running and _condition(status, "Ready").get("status") == "True":
            reason = "Running"
        elif error:
            reason = error
        elif running:
            reason = "NotReady"
    return reason, running


def _gates(spec: JsonObject, status: JsonObject) -> str:
    gates = spec.get("readinessGates") or ()
    if not gates:
        return NONE
    passed = sum(_condition(status, gate["conditionType"]).get("status") == "True" for gate in gates)
    return f"{passed}/{len(gates)}"
