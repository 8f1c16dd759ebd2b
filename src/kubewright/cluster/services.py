"""EndpointSlices, and the Endpoints of old, of Services that select Pods."""

from __future__ import annotations

from typing import Any

from kubewright.cluster.replicasets import is_ready
from kubewright.cluster.writing import MANAGER, controller_of, now, plain
from kubewright.errors import AlreadyExists, NotFound
from kubewright.kinds import core_v1 as core
from kubewright.kinds import discovery_v1 as discovery
from kubewright.objects import JsonObject, ObjectMeta, to_dict
from kubewright.runtime import Context, Controller, Reads, Result

_SERVICE_NAME = "kubernetes.io/service-name"
_SLICE_LABELS = {"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}
_ENDPOINT_LABELS = {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}


class ServiceController(Controller[core.Service]):
    """The equivalent of kube-controller-manager's endpoint and endpointslice controllers; one slice a Service."""

    owns = (discovery.EndpointSlice,)
    reads = (Reads(core.Pod), Reads(core.Endpoints))

    async def reconcile(self, obj: core.Service, ctx: Context, /) -> Result:
        """Write where the Service's Pods are."""
        spec = obj.spec
        if spec is None or not spec.selector or spec.type == "ExternalName":
            return Result()
        pods = [pod for pod in ctx.seen.list(core.Pod, spec.selector) if _has_address(pod)]
        await self._write_slice(obj, pods, ctx)
        await self._write_endpoints(obj, pods, ctx)
        return Result()

    async def _write_slice(self, obj: core.Service, pods: list[core.Pod], ctx: Context) -> None:
        found = ctx.seen.owned(discovery.EndpointSlice)
        live = found[0] if found else None
        wanted: JsonObject = {
            "addressType": "IPv4",
            "endpoints": [_endpoint(pod) for pod in pods] or None,
            "ports": _ports(obj, pods) or None,
        }
        labels = {**(obj.metadata.labels or {}), **_SLICE_LABELS, _SERVICE_NAME: obj.metadata.name or ""}
        if obj.spec and obj.spec.cluster_ip == "None":
            labels["service.kubernetes.io/headless"] = ""
        if live is None:
            meta = ObjectMeta(
                generate_name=f"{obj.metadata.name}-",
                namespace=obj.metadata.namespace,
                labels=labels,
                annotations=_triggered(),
                owner_references=[controller_of(obj)],
            )
            made = discovery.EndpointSlice(metadata=meta, address_type="IPv4")
            await ctx.client.create({**to_dict(made), **wanted}, field_manager=MANAGER)
            return
        known = to_dict(live)
        if live.metadata.labels == labels and all((known.get(k) or None) == v for k, v in wanted.items()):
            return
        changed = {"uid": live.metadata.uid, "labels": labels, "annotations": _triggered()}
        patch = {**wanted, "metadata": changed}
        await _merge(live, patch, ctx)

    async def _write_endpoints(self, obj: core.Service, pods: list[core.Pod], ctx: Context) -> None:
        wanted = _subsets(obj, pods)
        labels = {**(obj.metadata.labels or {}), **_ENDPOINT_LABELS}
        if obj.spec and obj.spec.cluster_ip == "None":
            labels["service.kubernetes.io/headless"] = ""
        live = ctx.seen.get(core.Endpoints, obj.metadata.name or "")
        if live is None:
            meta = ObjectMeta(
                name=obj.metadata.name,
                namespace=obj.metadata.namespace,
                labels=labels,
                annotations=_triggered(),
            )
            made = {**to_dict(core.Endpoints(metadata=meta)), "subsets": wanted}
            try:
                await ctx.client.create(made, field_manager=MANAGER)
            except (AlreadyExists, NotFound):
                return
            return
        if live.metadata.labels != labels or [plain(subset) for subset in live.subsets or ()] != wanted:
            await _merge(
                live, {"metadata": {"labels": labels, "annotations": _triggered()}, "subsets": wanted}, ctx
            )


class EndpointsController(Controller[core.Endpoints]):
    """Endpoints go with their Service."""

    reads = (Reads(core.Service),)

    async def reconcile(self, obj: core.Endpoints, ctx: Context, /) -> Result:
        """Delete them once the Service is gone."""
        labels = obj.metadata.labels or {}
        managed = _ENDPOINT_LABELS.items() <= labels.items()
        if managed and ctx.seen.get(core.Service, obj.metadata.name or "") is None:
            try:
                await ctx.client.delete(core.Endpoints, obj.metadata.name or "", obj.metadata.namespace)
            except NotFound:
                return Result()
        return Result()


async def _merge(live: core.Endpoints | discovery.EndpointSlice, patch: JsonObject, ctx: Context) -> None:
    meta = live.metadata
    try:
        await ctx.client.patch(
            type(live).api_resource, meta.name or "", patch, "merge", meta.namespace, field_manager=MANAGER
        )
    except NotFound:
        return


def _triggered() -> dict[str, str]:
    return {"endpoints.kubernetes.io/last-change-trigger-time": now().strftime("%Y-%m-%dT%H:%M:%SZ")}


def _has_address(pod: core.Pod) -> bool:
    status = pod.status
    return bool(status and status.pod_ip and status.phase not in ("Succeeded", "Failed"))


def _target(pod: core.Pod) -> JsonObject:
    meta = pod.metadata
    return {"kind": "Pod", "namespace": meta.namespace, "name": meta.name, "uid": meta.uid}


def _endpoint(pod: core.Pod) -> JsonObject:
    ending = pod.metadata.deletion_timestamp is not None
    ready = is_ready(pod)
    return {
        "addresses": [pod.status.pod_ip if pod.status else None],
        "conditions": {"ready": ready and not ending, "serving": ready, "terminating": ending},
        "nodeName": pod.spec.node_name if pod.spec else None,
        "targetRef": _target(pod),
    }


def _target_port(port: core.ServicePort, pods: list[core.Pod]) -> int | None:
    """The number of a Service's target port; a name is looked up in the Pods."""
    if not isinstance(port.target_port, str):
        return port.target_port or port.port
    for pod in pods:
        for container in pod.spec.containers if pod.spec else ():
            for found in container.ports or ():
                if found.name == port.target_port and (found.protocol or "TCP") == (port.protocol or "TCP"):
                    return found.container_port
    return None


def _ports(obj: core.Service, pods: list[core.Pod]) -> list[JsonObject]:
    ports: list[JsonObject] = []
    if not pods:
        return ports
    for port in (obj.spec.ports if obj.spec else None) or ():
        number = _target_port(port, pods)
        if number is None:
            continue
        made: dict[str, Any] = {"name": port.name or "", "port": number, "protocol": port.protocol or "TCP"}
        if port.app_protocol:
            made["appProtocol"] = port.app_protocol
        ports.append(made)
    return ports


def _subsets(obj: core.Service, pods: list[core.Pod]) -> list[JsonObject]:
    publish = bool(obj.spec and obj.spec.publish_not_ready_addresses)
    ready: list[JsonObject] = []
    waiting: list[JsonObject] = []
    for pod in pods:
        if pod.metadata.deletion_timestamp is not None and not publish:
            continue
        address = {"ip": pod.status.pod_ip if pod.status else None, "targetRef": _target(pod)}
        if pod.spec and pod.spec.node_name:
            address["nodeName"] = pod.spec.node_name
        (ready if is_ready(pod) or publish else waiting).append(address)
    if not ready and not waiting:
        return []
    ports = [{k: v for k, v in port.items() if v != ""} for port in _ports(obj, pods)]
    subset: JsonObject = {"ports": ports}
    if ready:
        subset["addresses"] = ready
    if waiting:
        subset["notReadyAddresses"] = waiting
    return [subset]
