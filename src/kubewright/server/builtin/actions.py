"""Subresources that are neither status nor scale: a Pod's log, binding and eviction."""

from __future__ import annotations

from kubewright.objects import JsonObject, selectors
from kubewright.server import deletion, status
from kubewright.server.options import DeleteOptions
from kubewright.server.registry import Action, ActionRequest, Strategy
from kubewright.wire import Response, WholeResponse


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
    """Delete a Pod if the disruption budgets it counts in allow it."""
    context = asked.context
    pod = _pod(asked)
    for budget in context.lookups.list("policy", "poddisruptionbudgets", context.namespace):
        selector = selectors.label_selector(budget["spec"].get("selector"))
        if selector is None or not selector.matches(pod["metadata"].get("labels")):
            continue
        counted = budget.get("status") or {}
        if counted.get("disruptionsAllowed", 0) <= 0:
            raise _refused(budget["metadata"]["name"], counted)

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


def _refused(budget: str, counted: JsonObject) -> status.StatusError:
    wanted, healthy = counted.get("desiredHealthy", 0), counted.get("currentHealthy", 0)
    cause = f"The disruption budget {budget} needs {wanted} healthy pods and has {healthy} currently"
    error = status.too_many_requests("Cannot evict pod as it would violate the pod's disruption budget.", 0)
    error.details = {"causes": [{"reason": "DisruptionBudget", "message": cause}]}
    return error


ACTIONS: dict[str, Action] = {
    "pods/log": pod_log,
    "pods/binding": pod_binding,
    "pods/eviction": pod_eviction,
}
"""By group resource and subresource."""
