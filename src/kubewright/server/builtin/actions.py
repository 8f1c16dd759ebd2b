"""Subresources that are neither status nor scale: a Pod's log, eviction and binding."""

from __future__ import annotations

from kubewright.objects.jsontree import JsonObject
from kubewright.server import status
from kubewright.server.registry import Action, ActionRequest
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


ACTIONS: dict[str, Action] = {"pods/log": pod_log}
"""By group resource and subresource."""
