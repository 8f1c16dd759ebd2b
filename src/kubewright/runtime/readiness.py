"""Whether a built-in object does what it is there for: what ``after=`` waits for."""

from __future__ import annotations

from kubewright.objects import JsonObject


def is_ready(resource: str, live: JsonObject) -> bool:
    """Whether a live object is ready; of kinds that say nothing of it, existing is enough.

    Kinds with a ``Ready`` condition (Pods, custom resources) are ready when it is True.
    """
    spec: JsonObject = live.get("spec") or {}
    status: JsonObject = live.get("status") or {}
    if resource in {"deployments.apps", "statefulsets.apps", "replicasets.apps"}:
        counts = (
            ["availableReplicas"] if resource == "replicasets.apps" else ["availableReplicas", "updatedReplicas"]
        )
        wanted = int(spec.get("replicas", 1))
        return _observed(live) and all(int(status.get(count, 0)) >= wanted for count in counts)
    if resource == "daemonsets.apps":
        wanted = int(status.get("desiredNumberScheduled", 0))
        return _observed(live) and int(status.get("numberAvailable", 0)) >= wanted
    if resource == "jobs.batch":
        return _condition(status, "Complete") is True
    if resource == "persistentvolumeclaims":
        return bool(status.get("phase") == "Bound")
    if resource == "namespaces":
        return bool(status.get("phase", "Active") == "Active")
    return _condition(status, "Ready") is not False


def _observed(live: JsonObject) -> bool:
    """Whether the object's own controller has seen its present spec."""
    return int((live.get("status") or {}).get("observedGeneration", 0)) >= int(
        live["metadata"].get("generation", 0)
    )


def _condition(status: JsonObject, kind: str) -> bool | None:
    for condition in status.get("conditions") or ():
        if condition.get("type") == kind:
            return bool(condition.get("status") == "True")
    return None
