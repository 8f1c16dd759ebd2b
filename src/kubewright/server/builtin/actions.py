"""Subresources that are neither status nor scale: a Pod's log, binding and eviction."""

from __future__ import annotations

from dataclasses import replace

from kubewright.objects import ApiResource, JsonObject, selectors
from kubewright.server import deletion, status
from kubewright.server.options import DeleteOptions
from kubewright.server.registry import Action, ActionRequest, ResourceDefinition, Strategy
from kubewright.wire import Response, WholeResponse

_BUDGETS = ApiResource(group="policy", version="v1", kind="PodDisruptionBudget", plural="poddisruptionbudgets")
_VIOLATED = "Cannot evict pod as it would violate the pod's disruption budget."


def _pod(asked: ActionRequest) -> JsonObject:
    context = asked.context
    pod = context.lookups.get("", "pods", context.namespace, context.name)
    if pod is None:
        raise status.not_found("", "pods", context.name)
    return pod


async def pod_log(asked: ActionRequest) -> Response:
    """What a Pod would have logged, had it run: that it is simulated."""
    pod = _pod(asked)
    name = next((value for key, value in asked.request.query if key == "container"), "")
    names = [container["name"] for container in pod["spec"]["containers"]]
    if not name and len(names) > 1:
        shown = " ".join(names)
        raise status.bad_request(
            f"a container name must be specified for pod {asked.context.name}, choose one of: [{shown}]"
        )
    if name and name not in names:
        raise status.bad_request(f"container {name} is not valid for pod {asked.context.name}")
    text = f"kubewright: pod {asked.context.name} is simulated, container {name or names[0]} runs nothing\n"
    return WholeResponse(200, {"content-type": "text/plain"}, text.encode())


async def pod_binding(asked: ActionRequest) -> JsonObject:
    """Put a Pod on a node, as schedulers do."""
    context = asked.context
    target = (asked.body or {}).get("target") or {}
    node = target.get("name", "")

    def assign(pod: JsonObject | None) -> JsonObject:
        if pod is None:
            raise status.not_found("", "pods", context.name)
        why = ""
        if "deletionTimestamp" in pod["metadata"]:
            why = f"pod {context.name} is being deleted, cannot be assigned to a host"
        elif pod["spec"].get("nodeName"):
            why = f'pod {context.name} is already assigned to node "{pod["spec"]["nodeName"]}"'
        elif pod["spec"].get("schedulingGates"):
            why = f"pod {context.name} has non-empty .spec.schedulingGates"
        if why:
            raise status.conflict("", "pods/binding", context.name, why)
        pod["spec"]["nodeName"] = node
        conditions = [c for c in pod["status"].get("conditions") or () if c["type"] != "PodScheduled"]
        scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None}
        pod["status"]["conditions"] = [*conditions, {**scheduled, "lastTransitionTime": context.now}]
        return pod

    await asked.resources.update(context.name, assign, context, strategy=Strategy(), tracked=True)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


async def pod_eviction(asked: ActionRequest) -> JsonObject:
    """Delete a Pod if the disruption budget it counts in allows it, and take it off the budget."""
    context = asked.context
    pod = _pod(asked)
    if _counts(pod):
        labels = pod["metadata"].get("labels")
        budgets = [
            budget
            for budget in context.lookups.list("policy", "poddisruptionbudgets", context.namespace)
            if (selector := selectors.label_selector(budget["spec"].get("selector"))) and selector.matches(labels)
        ]
        if len(budgets) > 1:
            why = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
            raise status.StatusError(500, "", why)
        for budget in budgets:
            if not _unready_goes(pod, budget):
                await _decrement(asked, budget["metadata"]["name"])

    def mark(pod: JsonObject | None) -> JsonObject:
        if pod is None:
            raise status.not_found("", "pods", context.name)
        conditions = [c for c in pod["status"].get("conditions") or () if c["type"] != "DisruptionTarget"]
        why = {"reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting"}
        target = {"type": "DisruptionTarget", "status": "True", "lastProbeTime": None, **why}
        pod["status"]["conditions"] = [*conditions, {**target, "lastTransitionTime": context.now}]
        return pod

    await asked.resources.update(context.name, mark, context, strategy=Strategy(), tracked=True)
    given = (asked.body or {}).get("deleteOptions") or {}
    preconditions = given.get("preconditions") or {}
    options = DeleteOptions(
        grace_period_seconds=given.get("gracePeriodSeconds"),
        uid=preconditions.get("uid"),
        resource_version=preconditions.get("resourceVersion"),
    )
    await deletion.delete(asked.resources, context.name, options, context)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _counts(pod: JsonObject) -> bool:
    """Whether a budget has a say: not in Pods that do not run yet, are over, or are being deleted."""
    phase = (pod.get("status") or {}).get("phase")
    return phase not in ("Succeeded", "Failed", "Pending") and "deletionTimestamp" not in pod["metadata"]


def _unready_goes(pod: JsonObject, budget: JsonObject) -> bool:
    """Whether a Pod that is not ready may go without a healthy one being missed."""
    conditions = pod["status"].get("conditions") or ()
    if any(c["type"] == "Ready" and c["status"] == "True" for c in conditions):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    counted = budget.get("status") or {}
    wanted = counted.get("desiredHealthy", 0)
    return bool(wanted > 0 and counted.get("currentHealthy", 0) >= wanted)


async def _decrement(asked: ActionRequest, name: str) -> None:
    context = replace(asked.context, group="policy", resource=_BUDGETS.plural, name=name, subresource="status")

    def take(budget: JsonObject | None) -> JsonObject:
        if budget is None:
            raise status.not_found("policy", _BUDGETS.plural, name)
        counted = budget.setdefault("status", {})
        outdated = counted.get("observedGeneration", 0) < budget["metadata"].get("generation", 0)
        if outdated or counted.get("disruptionsAllowed", 0) <= 0:
            raise _refused(name, counted, outdated=outdated)
        counted["disruptionsAllowed"] -= 1
        counted.setdefault("disruptedPods", {})[asked.context.name] = context.now
        return budget

    budgets = asked.resources.beside(ResourceDefinition(resource=_BUDGETS))
    await budgets.update(name, take, context, strategy=Strategy(), tracked=True)


def _refused(budget: str, counted: JsonObject, *, outdated: bool) -> status.StatusError:
    wanted, healthy = counted.get("desiredHealthy", 0), counted.get("currentHealthy", 0)
    if outdated:
        cause = f"The disruption budget {budget} is still being processed by the server."
    elif healthy <= wanted:
        cause = f"The disruption budget {budget} needs {wanted} healthy pods and has {healthy} currently"
    else:
        cause = f"The disruption budget {budget} does not allow evicting pods currently"
    error = status.too_many_requests(_VIOLATED, 10 if outdated else 0)
    error.details = {"causes": [{"reason": "DisruptionBudget", "message": cause}]}
    return error


ACTIONS: dict[str, Action] = {
    "pods/log": pod_log,
    "pods/binding": pod_binding,
    "pods/eviction": pod_eviction,
}
"""By group resource and subresource."""
