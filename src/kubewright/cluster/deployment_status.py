"""What a Deployment's status says: counts, and the conditions Available, Progressing and ReplicaFailure."""

from __future__ import annotations

from datetime import datetime

from kubewright import clock
from kubewright.cluster.rollout import count, replicas_of, unavailable
from kubewright.cluster.writing import now
from kubewright.kinds import apps_v1 as apps

_NEVER = 2**31 - 1


def status_of(
    obj: apps.Deployment, new: apps.ReplicaSet | None, old: list[apps.ReplicaSet]
) -> tuple[apps.DeploymentStatus, float | None]:
    """The status, and the seconds until the progress deadline passes, if it is running."""
    status = _counts(obj, new, old)
    conditions = {c.type: c for c in (obj.status.conditions if obj.status else None) or ()}
    _set(conditions, _available(obj, status))
    again = None
    deadline = obj.spec.progress_deadline_seconds
    if deadline is None or deadline == _NEVER:
        conditions.pop("Progressing", None)
    elif obj.spec.paused:
        if (current := conditions.get("Progressing")) is None or current.reason != "DeploymentPaused":
            _set(conditions, _condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused"))
    else:
        again = _progress(obj, status, new, old, conditions, deadline)
    failures = [
        c
        for rs in [*([new] if new else []), *old]
        for c in (rs.status.conditions if rs.status else None) or ()
        if c.type == "ReplicaFailure"
    ]
    if failures:
        failed = failures[0]
        _set(conditions, _condition("ReplicaFailure", failed.status, failed.reason or "", failed.message or ""))
    else:
        conditions.pop("ReplicaFailure", None)
    status.conditions = [*conditions.values()] or None
    return status, again


def _counts(obj: apps.Deployment, new: apps.ReplicaSet | None, old: list[apps.ReplicaSet]) -> apps.DeploymentStatus:
    sets = [*old, *([new] if new else [])]

    def total(name: str) -> int:
        return sum(count(rs, name) for rs in sets)

    available = total("available_replicas")
    asked = sum(replicas_of(rs.spec) for rs in sets)
    return apps.DeploymentStatus(
        observed_generation=obj.metadata.generation,
        replicas=total("replicas") or None,
        updated_replicas=(count(new, "replicas") if new else 0) or None,
        ready_replicas=total("ready_replicas") or None,
        available_replicas=available or None,
        unavailable_replicas=max(asked - available, 0) or None,
        terminating_replicas=total("terminating_replicas"),
        collision_count=obj.status.collision_count if obj.status else None,
    )


def _available(obj: apps.Deployment, status: apps.DeploymentStatus) -> apps.DeploymentCondition:
    if (status.available_replicas or 0) >= replicas_of(obj.spec) - unavailable(obj.spec):
        message = "Deployment has minimum availability."
        return _condition("Available", "True", "MinimumReplicasAvailable", message)
    message = "Deployment does not have minimum availability."
    return _condition("Available", "False", "MinimumReplicasUnavailable", message)


def _progress(
    obj: apps.Deployment,
    status: apps.DeploymentStatus,
    new: apps.ReplicaSet | None,
    old: list[apps.ReplicaSet],
    conditions: dict[str | None, apps.DeploymentCondition],
    deadline: int,
) -> float | None:
    what = f'ReplicaSet "{new.metadata.name}"' if new else f'Deployment "{obj.metadata.name}"'
    current = conditions.get("Progressing")
    if current is not None and current.reason == "DeploymentPaused":
        _set(conditions, _condition("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed"))
        current = conditions["Progressing"]
    settled = current is not None and current.reason == "NewReplicaSetAvailable"
    if settled and (status.replicas or 0) == (status.updated_replicas or 0):
        return None
    wanted = replicas_of(obj.spec)
    counted = (status.updated_replicas, status.replicas, status.available_replicas)
    if all((number or 0) == wanted for number in counted):
        message = f"{what} has successfully progressed."
        _set(conditions, _condition("Progressing", "True", "NewReplicaSetAvailable", message))
        return None
    if current is None:
        if new is not None:
            message = f'Created new replica set "{new.metadata.name}"'
            _set(conditions, _condition("Progressing", "True", "NewReplicaSetCreated", message))
        return float(deadline)
    if _has_progressed(obj.status or apps.DeploymentStatus(), status):
        kept = current.last_transition_time if current.status == "True" else now()
        made = _condition("Progressing", "True", "ReplicaSetUpdated", f"{what} is progressing.")
        made.last_transition_time = kept
        conditions.pop("Progressing")
        conditions["Progressing"] = made
        return float(deadline)
    if current.reason == "ProgressDeadlineExceeded":
        return None
    left = deadline - (clock.now() - _updated(current)).total_seconds()
    if left > 0:
        return left
    message = f"{what} has timed out progressing."
    _set(conditions, _condition("Progressing", "False", "ProgressDeadlineExceeded", message))
    return None


def _updated(condition: apps.DeploymentCondition) -> datetime:
    return condition.last_update_time or now()


def _has_progressed(before: apps.DeploymentStatus, after: apps.DeploymentStatus) -> bool:
    def old_ones(status: apps.DeploymentStatus) -> int:
        return (status.replicas or 0) - (status.updated_replicas or 0)

    return (
        (after.updated_replicas or 0) > (before.updated_replicas or 0)
        or old_ones(after) < old_ones(before)
        or (after.ready_replicas or 0) > (before.ready_replicas or 0)
        or (after.available_replicas or 0) > (before.available_replicas or 0)
    )


def _condition(kind: str, status: str | None, reason: str, message: str) -> apps.DeploymentCondition:
    return apps.DeploymentCondition(
        type=kind,
        status=status,
        reason=reason,
        message=message,
        last_update_time=now(),
        last_transition_time=now(),
    )


def _set(conditions: dict[str | None, apps.DeploymentCondition], made: apps.DeploymentCondition) -> None:
    """Put ``made`` in place of the condition of its type; nothing if status and reason are as they were."""
    current = conditions.get(made.type)
    if current is not None and (current.status, current.reason) == (made.status, made.reason):
        return
    if current is not None and current.status == made.status:
        made.last_transition_time = current.last_transition_time
    conditions.pop(made.type, None)
    conditions[made.type] = made
