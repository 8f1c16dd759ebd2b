"""PodDisruptionBudgets: how many of their Pods may be evicted at the moment."""

from __future__ import annotations

from datetime import datetime, timedelta

from kubewright import clock
from kubewright.cluster.replicasets import is_ready
from kubewright.cluster.rollout import fraction
from kubewright.cluster.writing import controlled_by, record_event, write_status
from kubewright.kinds import apps_v1 as apps
from kubewright.kinds import core_v1 as core
from kubewright.kinds import policy_v1 as policy
from kubewright.objects import Object, set_condition
from kubewright.runtime import Context, Controller, Reads, Result

_COMPONENT = "controllermanager"
_EVICTED_WITHIN = timedelta(minutes=2)
_SCALES: dict[str, type[Object]] = {
    "ReplicaSet": apps.ReplicaSet,
    "StatefulSet": apps.StatefulSet,
}


class DisruptionController(Controller[policy.PodDisruptionBudget]):
    """The equivalent of kube-controller-manager's, for Pods of ReplicaSets (and Deployments) and StatefulSets.

    Custom resources with a scale subresource, and ReplicationControllers, are not asked for theirs.
    """

    reads = (Reads(core.Pod), Reads(apps.ReplicaSet), Reads(apps.StatefulSet), Reads(apps.Deployment))

    async def reconcile(self, obj: policy.PodDisruptionBudget, ctx: Context, /) -> Result:
        """Count."""
        spec = obj.spec or policy.PodDisruptionBudgetSpec()
        pods = ctx.seen.list(core.Pod, spec.selector) if spec.selector else []
        if not pods:
            known = obj.status and obj.status.observed_generation == obj.metadata.generation
            if not known:
                await record_event(ctx.client, obj, "NoPods", "No matching pods found", component=_COMPONENT)
        expected, desired = _expected(spec, pods, ctx)
        disrupted = _disrupted(obj, pods)
        healthy = sum(
            is_ready(pod) and pod.metadata.deletion_timestamp is None and pod.metadata.name not in disrupted
            for pod in pods
        )
        allowed = max(healthy - desired, 0) if expected > 0 else 0
        conditions = list((obj.status.conditions if obj.status else None) or ())
        set_condition(
            conditions,
            type="DisruptionAllowed",
            status="True" if allowed else "False",
            reason="SufficientPods" if allowed else "InsufficientPods",
            now=clock.now(),
            observed_generation=obj.metadata.generation,
        )
        status = policy.PodDisruptionBudgetStatus(
            current_healthy=healthy,
            desired_healthy=desired,
            expected_pods=expected,
            disruptions_allowed=allowed,
            disrupted_pods=disrupted or None,
            observed_generation=obj.metadata.generation,
            conditions=conditions,
        )
        await write_status(ctx.client, obj, status)
        again = [(when + _EVICTED_WITHIN - clock.now()).total_seconds() for when in disrupted.values()]
        return Result(requeue_after=max(min(again), 0.1) if again else None)


def _expected(spec: policy.PodDisruptionBudgetSpec, pods: list[core.Pod], ctx: Context) -> tuple[int, int]:
    """How many Pods there should be, and how many of them healthy."""
    if spec.max_unavailable is not None:
        expected = _scale(pods, ctx)
        return expected, max(expected - fraction(spec.max_unavailable, expected, up=True), 0)
    if isinstance(spec.min_available, str):
        expected = _scale(pods, ctx)
        return expected, fraction(spec.min_available, expected, up=True)
    return len(pods), spec.min_available or 0


def _scale(pods: list[core.Pod], ctx: Context) -> int:
    """The replicas asked for of all controllers of ``pods``."""
    scales: dict[str, int] = {}
    for pod in pods:
        owner = controlled_by(pod)
        kind = _SCALES.get(owner.kind) if owner else None
        if owner is None or kind is None or owner.uid in scales:
            continue
        found = ctx.seen.get(kind, owner.name)
        above = controlled_by(found) if found is not None else None
        if above is not None and above.kind == "Deployment":
            found = ctx.seen.get(apps.Deployment, above.name) or found
        if isinstance(found, apps.ReplicaSet | apps.StatefulSet | apps.Deployment) and found.spec is not None:
            replicas = found.spec.replicas
            scales[found.metadata.uid or ""] = 1 if replicas is None else replicas
    return sum(scales.values())


def _disrupted(obj: policy.PodDisruptionBudget, pods: list[core.Pod]) -> dict[str, datetime]:
    """Pods whose eviction was granted and that are not being deleted yet."""
    granted = (obj.status.disrupted_pods if obj.status else None) or {}
    there = {pod.metadata.name for pod in pods if pod.metadata.deletion_timestamp is None}
    return {name: when for name, when in granted.items() if name in there and clock.now() < when + _EVICTED_WITHIN}
