"""The arithmetic of rolling updates, and what a new ReplicaSet is called."""

from __future__ import annotations

import zlib

import msgspec

from kubewright.kinds import apps_v1 as apps
from kubewright.kinds import core_v1 as core
from kubewright.objects import JsonObject

HASH_LABEL = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
_NOT_COPIED = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        "deployment.kubernetes.io/revision-history",
        DESIRED,
        MAXIMUM,
        "deprecated.deployment.rollback.to",
    }
)
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def template_json(template: core.PodTemplateSpec | None) -> JsonObject:
    """A template without the label that tells ReplicaSets apart: equal for equal templates."""
    found: JsonObject = msgspec.to_builtins(template) if template is not None else {}
    labels = dict((found.get("metadata") or {}).get("labels") or {})
    labels.pop(HASH_LABEL, None)
    return {**found, "metadata": {**(found.get("metadata") or {}), "labels": labels}}


def template_hash(template: core.PodTemplateSpec | None, collisions: int) -> str:
    """A stable name part for a template; not the algorithm of kube-controller-manager."""
    text = msgspec.json.encode(template_json(template), order="deterministic") + str(collisions).encode()
    number = zlib.crc32(text) | zlib.adler32(text) << 32
    letters = []
    for _ in range(10):
        number, digit = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[digit])
    return "".join(letters)


def replicas_of(spec: apps.DeploymentSpec | apps.ReplicaSetSpec) -> int:
    """How many are asked for; one where nothing is said."""
    return 1 if spec.replicas is None else spec.replicas


def fraction(value: int | str | None, of: int, *, up: bool) -> int:
    """A number, or a percentage of ``of`` rounded up or down."""
    if isinstance(value, str):
        product = int(value.rstrip("%")) * of
        return -(-product // 100) if up else product // 100
    return value or 0


def surge(spec: apps.DeploymentSpec) -> int:
    """How many Pods more than asked for there may be."""
    rolling = spec.strategy.rolling_update if spec.strategy else None
    return fraction(rolling.max_surge if rolling else None, replicas_of(spec), up=True)


def unavailable(spec: apps.DeploymentSpec) -> int:
    """How many of the Pods asked for may be missing; at least one if there may be no surge."""
    rolling = spec.strategy.rolling_update if spec.strategy else None
    if rolling is None:
        return 0
    found = fraction(rolling.max_unavailable, replicas_of(spec), up=False)
    if not found and not surge(spec):
        found = 1
    return min(found, replicas_of(spec))


def is_recreate(spec: apps.DeploymentSpec) -> bool:
    """All old Pods go before new ones come."""
    return bool(spec.strategy and spec.strategy.type == "Recreate")


def copied_annotations(annotations: dict[str, str] | None) -> dict[str, str]:
    """The annotations a Deployment hands to its ReplicaSets."""
    return {key: value for key, value in (annotations or {}).items() if key not in _NOT_COPIED}


def revision_of(obj: apps.ReplicaSet | apps.Deployment) -> int:
    """The revision in the annotations, or 0."""
    text = (obj.metadata.annotations or {}).get(REVISION, "0")
    return int(text) if text.isdigit() else 0


def count(replica_set: apps.ReplicaSet, name: str) -> int:
    """A number of the status; 0 where there is none."""
    found = getattr(replica_set.status, name, None) if replica_set.status else None
    return int(found or 0)


def new_replicas(spec: apps.DeploymentSpec, new: apps.ReplicaSet | None, others: list[apps.ReplicaSet]) -> int:
    """How many Pods the new ReplicaSet may have now."""
    wanted = replicas_of(spec)
    if is_recreate(spec):
        return wanted
    current = replicas_of(new.spec) if new else 0
    total = current + sum(replicas_of(other.spec) for other in others)
    room = wanted + surge(spec) - total
    return current if room <= 0 else current + min(room, max(wanted - current, 0))


def proportional(spec: apps.DeploymentSpec, active: list[apps.ReplicaSet]) -> dict[str, int]:
    """New sizes of several ReplicaSets when the Deployment is scaled in the middle of a rollout."""
    sizes = {rs.metadata.name or "": replicas_of(rs.spec) for rs in active}
    total = sum(sizes.values())
    allowed = replicas_of(spec) + surge(spec) if replicas_of(spec) else 0
    left = allowed - total
    if not left or not total:
        return sizes
    largest = sorted(active, key=lambda rs: (-sizes[rs.metadata.name or ""], -revision_of(rs)))
    for rs in largest:
        name = rs.metadata.name or ""
        share = round(sizes[name] * allowed / total) - sizes[name]
        share = min(share, left) if left > 0 else max(share, left)
        sizes[name] += share
        left -= share
    first = largest[0].metadata.name or ""
    sizes[first] = max(sizes[first] + left, 0)
    return sizes
