"""An object's state in a few words, from what stands in it."""

from __future__ import annotations

from typing import Any, NamedTuple

from kubewright.objects import JsonObject


class State(NamedTuple):
    """A few words, and whether the object is what its spec asks for."""

    words: str
    done: bool


def describe(obj: JsonObject) -> State:
    """The object's state."""
    if obj.get("metadata", {}).get("deletionTimestamp"):
        return State("deleting", False)
    special = _SPECIAL.get(obj.get("kind", ""))
    return special(obj) if special is not None else _by_conditions(obj)


def condition(obj: JsonObject, kind: str) -> dict[str, Any]:
    """The condition of that type, or an empty one."""
    found: dict[str, Any]
    for found in obj.get("status", {}).get("conditions") or ():
        if found.get("type") == kind:
            return found
    return {}


def _seen_generation(obj: JsonObject) -> bool:
    observed = obj.get("status", {}).get("observedGeneration")
    return observed is None or bool(observed >= obj["metadata"].get("generation", 0))


def _by_conditions(obj: JsonObject) -> State:
    ready = condition(obj, "Ready")
    if not ready:
        return State("there", True)
    if ready.get("status") == "True":
        return State("ready", _seen_generation(obj))
    why = ready.get("message") or ready.get("reason") or "not ready"
    return State(str(why), False)


def _definition(obj: JsonObject) -> State:
    if condition(obj, "Established").get("status") == "True":
        return State("established", True)
    refused = condition(obj, "NamesAccepted")
    if refused.get("status") == "False":
        return State(f"names not accepted: {refused.get('message', '')}", False)
    return State("being established", False)


def _replicated(obj: JsonObject) -> State:
    wanted = obj.get("spec", {}).get("replicas", 1)
    status = obj.get("status", {})
    ready = status.get("readyReplicas", 0)
    updated = status.get("updatedReplicas", ready)
    done = ready >= wanted and updated >= wanted and status.get("replicas", 0) == wanted and _seen_generation(obj)
    failure = condition(obj, "ReplicaFailure")
    if failure.get("status") == "True":
        return State(f"{ready}/{wanted} ready: {failure.get('message', '')}", False)
    return State(f"{ready}/{wanted} ready", done)


def _pod(obj: JsonObject) -> State:
    status = obj.get("status", {})
    phase = status.get("phase", "Pending")
    for container in status.get("containerStatuses") or ():
        waiting = container.get("state", {}).get("waiting") or {}
        if waiting.get("reason") and waiting["reason"] not in ("ContainerCreating", "PodInitializing"):
            return State(f"{waiting['reason']}: {waiting.get('message', '')}".rstrip(": "), False)
    ready = condition(obj, "Ready").get("status") == "True"
    images = ", ".join(container.get("image", "") for container in obj.get("spec", {}).get("containers", ()))
    return State(f"{phase}  {images}", phase == "Succeeded" or (phase == "Running" and ready))


def _service(obj: JsonObject) -> State:
    spec = obj.get("spec", {})
    ports = ",".join(
        f"{port.get('port')}"
        + (f":{port['nodePort']}" if port.get("nodePort") else "")
        + f"/{port.get('protocol', 'TCP')}"
        for port in spec.get("ports") or ()
    )
    return State(f"{spec.get('type', 'ClusterIP')} {ports}".strip(), True)


def _claim(obj: JsonObject) -> State:
    phase = obj.get("status", {}).get("phase", "Pending")
    return State(phase, phase == "Bound")


def _job(obj: JsonObject) -> State:
    if condition(obj, "Complete").get("status") == "True":
        return State("complete", True)
    failed = condition(obj, "Failed")
    if failed.get("status") == "True":
        return State(f"failed: {failed.get('message', '')}", False)
    return State(f"{obj.get('status', {}).get('active', 0)} active", False)


_SPECIAL = {
    "CustomResourceDefinition": _definition,
    "Deployment": _replicated,
    "Job": _job,
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "ReplicaSet": _replicated,
    "Service": _service,
    "StatefulSet": _replicated,
}
