"""The one simulated node: it says that it is simulated, and can be lost."""

from __future__ import annotations

from contextlib import suppress

from kubewright import clock
from kubewright.client import Client
from kubewright.cluster.podstatus import HOST_IP, stamp
from kubewright.cluster.simulation import SimulatedPods
from kubewright.cluster.writing import MANAGER, SIMULATED, now, record_event
from kubewright.errors import AlreadyExists, NotFound
from kubewright.kinds import core_v1 as core
from kubewright.objects import JsonObject, ObjectMeta
from kubewright.runtime import Context, Controller, Result

NODE = "kubewright-simulated"
UNREACHABLE = "node.kubernetes.io/unreachable"


class NodeController(Controller[core.Node]):
    """Tells whether the simulated node is there, as the node lifecycle controller does; others are left alone."""

    def __init__(self, pods: SimulatedPods) -> None:
        self._pods = pods

    async def reconcile(self, obj: core.Node, ctx: Context, /) -> Result:
        """Bring condition and taints of the node to what is simulated."""
        if obj.metadata.name != NODE:
            return Result()
        conditions = (obj.status.conditions if obj.status else None) or ()
        told_lost = any(c.type == "Ready" and c.status != "True" for c in conditions)
        lost = self._pods.node_lost
        if lost == told_lost:
            return Result()
        taints = [
            {"key": UNREACHABLE, "effect": effect, "timeAdded": stamp(now())}
            for effect in ("NoSchedule", "NoExecute")
        ]
        resource = core.Node.api_resource
        try:
            await ctx.client.patch(
                resource, NODE, {"spec": {"taints": taints if lost else None}}, "merge", field_manager=MANAGER
            )
            ready = _ready(
                "Unknown" if lost else "True",
                "NodeStatusUnknown" if lost else "KubeletReady",
                "Kubelet stopped posting node status." if lost else "simulated: nothing runs here",
            )
            status = {"status": {"conditions": [ready]}}
            await ctx.client.patch(resource, NODE, status, "merge", subresource="status", field_manager=MANAGER)
        except NotFound:
            return Result()
        reason = "NodeNotReady" if lost else "NodeReady"
        message = f"Node {NODE} status is now: {reason}"
        await record_event(ctx.client, obj, reason, message, component="node-controller")
        return Result()


async def touch_node(client: Client) -> None:
    """Change the node, so that all who look at it look again: the Pods' controller does for every Pod."""
    changed = {"metadata": {"annotations": {"kubewright.dev/simulation-changed": clock.uuid4()}}}
    with suppress(NotFound):
        await client.patch(core.Node.api_resource, NODE, changed, "merge", field_manager=MANAGER)


def is_lost(node: core.Node) -> bool:
    """Whether the node's kubelet is known to be silent."""
    conditions = (node.status.conditions if node.status else None) or ()
    return any(c.type == "Ready" and c.status != "True" for c in conditions)


async def create_node(client: Client) -> None:
    """The one node, which says that it is simulated."""
    labels = {
        "kubernetes.io/hostname": NODE,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        SIMULATED: "true",
    }
    node = core.Node(metadata=ObjectMeta(name=NODE, labels=labels, annotations={SIMULATED: "true"}))
    capacity = {"cpu": "1k", "memory": "1Ti", "pods": "100k", "ephemeral-storage": "10Ti"}
    info = {"kubeletVersion": "v1.37.0+kubewright", "osImage": "simulated", "kernelVersion": "simulated"}
    runtime = {"containerRuntimeVersion": "simulated://0", "operatingSystem": "linux", "architecture": "amd64"}
    zeros = dict.fromkeys(("machineID", "systemUUID", "bootID", "kubeProxyVersion"), "")
    status = {
        "capacity": capacity,
        "allocatable": capacity,
        "conditions": [_ready("True", "KubeletReady", "simulated: nothing runs here")],
        "addresses": [{"type": "InternalIP", "address": HOST_IP}, {"type": "Hostname", "address": NODE}],
        "nodeInfo": {**zeros, **info, **runtime},
    }
    try:
        await client.create(node, field_manager=MANAGER)
    except AlreadyExists:
        return
    await client.patch(
        core.Node.api_resource, NODE, {"status": status}, "merge", subresource="status", field_manager="kubelet"
    )


def _ready(status: str, reason: str, message: str) -> JsonObject:
    moment = stamp(now())
    return {
        "type": "Ready",
        "status": status,
        "reason": reason,
        "message": message,
        "lastHeartbeatTime": moment,
        "lastTransitionTime": moment,
    }
