"""Defaults of the core group's types, by the name of the Go type they belong to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy

from kubewright.objects import JsonObject

_REGISTRY_PORT = ":"


def fill(obj: JsonObject, **values: object) -> None:
    """Set what is not there yet, or null."""
    for name, value in values.items():
        if obj.get(name) is None:
            obj[name] = value


def pull_policy(image: str) -> str:
    """``Always`` for images tagged ``latest`` or not at all, ``IfNotPresent`` for others."""
    if "@" in image:
        return "IfNotPresent"
    tag = image.rpartition("/")[2].partition(_REGISTRY_PORT)[2]
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _container(obj: JsonObject) -> None:
    fill(
        obj,
        imagePullPolicy=pull_policy(obj.get("image", "")),
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
    )


def _volume(obj: JsonObject) -> None:
    if not any(name != "name" for name in obj):
        obj["emptyDir"] = {}
    image = obj.get("image")
    if image is not None:
        fill(image, pullPolicy=pull_policy(image.get("reference", "")))


def _pod_spec(obj: JsonObject) -> None:
    account = obj.get("serviceAccountName") or obj.get("serviceAccount")
    if account:
        obj["serviceAccountName"] = obj["serviceAccount"] = account
    fill(
        obj,
        dnsPolicy="ClusterFirst",
        restartPolicy="Always",
        securityContext={},
        terminationGracePeriodSeconds=30,
        schedulerName="default-scheduler",
    )
    if obj.get("hostNetwork"):
        for container in _containers(obj):
            for port in container.get("ports") or ():
                fill(port, hostPort=port.get("containerPort"))


def _containers(spec: JsonObject) -> Iterator[JsonObject]:
    yield from spec.get("containers") or ()
    yield from spec.get("initContainers") or ()


def _pod(obj: JsonObject) -> None:
    spec = obj["spec"]
    if spec.get("terminationGracePeriodSeconds", 0) < 0:
        spec["terminationGracePeriodSeconds"] = 1
    for container in _containers(spec):
        limits = container["resources"].get("limits")
        if limits:
            requests = container["resources"].setdefault("requests", {})
            for name, value in limits.items():
                requests.setdefault(name, value)
    fill(spec, enableServiceLinks=True)


def _pod_status(obj: JsonObject) -> None:
    address, addresses = obj.get("podIP"), obj.get("podIPs")
    if address and (not addresses or addresses[0].get("ip") != address):
        obj["podIPs"] = [{"ip": address}]
    elif addresses and not address:
        obj["podIP"] = addresses[0].get("ip", "")


def _probe(obj: JsonObject) -> None:
    fill(obj, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)


def _http_get(obj: JsonObject) -> None:
    fill(obj, path="/", scheme="HTTP")


def _service(obj: JsonObject) -> None:
    spec = obj["spec"]
    fill(spec, sessionAffinity="None", type="ClusterIP")
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        client = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        if client.get("timeoutSeconds") is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": 10800}}
    for port in spec.get("ports") or ():
        fill(port, protocol="TCP")
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port["port"]
    kind = spec["type"]
    if (kind in ("NodePort", "LoadBalancer")) or (kind == "ClusterIP" and spec.get("externalIPs")):
        fill(spec, externalTrafficPolicy="Cluster")
    if kind in ("ClusterIP", "NodePort", "LoadBalancer"):
        fill(spec, internalTrafficPolicy="Cluster")
    if kind == "LoadBalancer":
        fill(spec, allocateLoadBalancerNodePorts=True)
        for ingress in obj["status"]["loadBalancer"].get("ingress") or ():
            if ingress.get("ip"):
                fill(ingress, ipMode="VIP")


def _namespace(obj: JsonObject) -> None:
    if name := obj["metadata"].get("name"):
        obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = name


def _replication_controller(obj: JsonObject) -> None:
    spec = obj["spec"]
    fill(spec, replicas=1)
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    if labels:
        fill(spec, selector=dict(labels))
        fill(obj["metadata"], labels=dict(labels))


def _persistent_volume(obj: JsonObject) -> None:
    fill(obj["status"], phase="Pending")
    fill(obj["spec"], persistentVolumeReclaimPolicy="Retain", volumeMode="Filesystem")


def _limit_range_item(obj: JsonObject) -> None:
    if obj.get("type") != "Container":
        return
    limits = {**obj.get("max", {}), **obj.get("default", {})}
    requests = {**obj.get("min", {}), **limits, **obj.get("defaultRequest", {})}
    if limits:
        obj["default"] = limits
    if requests:
        obj["defaultRequest"] = requests


def _node_status(obj: JsonObject) -> None:
    if obj.get("capacity"):
        fill(obj, allocatable=dict(obj["capacity"]))


def replacing_zero(**values: object) -> Callable[[JsonObject], None]:
    """A defaulter for fields that are always sent: zero stands for nothing."""

    def defaulter(obj: JsonObject) -> None:
        obj.update({name: value for name, value in values.items() if not obj.get(name)})

    return defaulter


def setting(**values: object) -> Callable[[JsonObject], None]:
    """A defaulter that sets constants."""
    return lambda obj: fill(obj, **deepcopy(values))


CORE: dict[str, Callable[[JsonObject], None]] = {
    "Container": _container,
    "EphemeralContainer": _container,
    "ContainerPort": setting(protocol="TCP"),
    "Volume": _volume,
    "PodSpec": _pod_spec,
    "Pod": _pod,
    "PodStatus": _pod_status,
    "Probe": _probe,
    "HTTPGetAction": _http_get,
    "GRPCAction": setting(service=""),
    "SecretVolumeSource": setting(defaultMode=420),
    "ConfigMapVolumeSource": setting(defaultMode=420),
    "DownwardAPIVolumeSource": setting(defaultMode=420),
    "ProjectedVolumeSource": setting(defaultMode=420),
    "ServiceAccountTokenProjection": setting(expirationSeconds=3600),
    "HostPathVolumeSource": setting(type=""),
    "ISCSIVolumeSource": setting(iscsiInterface="default"),
    "ISCSIPersistentVolumeSource": setting(iscsiInterface="default"),
    "RBDVolumeSource": setting(pool="rbd", user="admin", keyring="/etc/ceph/keyring"),
    "RBDPersistentVolumeSource": setting(pool="rbd", user="admin", keyring="/etc/ceph/keyring"),
    "ScaleIOVolumeSource": setting(storageMode="ThinProvisioned", fsType="xfs"),
    "ScaleIOPersistentVolumeSource": setting(storageMode="ThinProvisioned", fsType="xfs"),
    "AzureDiskVolumeSource": setting(cachingMode="ReadWrite", fsType="ext4", readOnly=False, kind="Shared"),
    "FileKeySelector": setting(optional=False),
    "ObjectFieldSelector": setting(apiVersion="v1"),
    "Service": _service,
    "Namespace": _namespace,
    "NamespaceStatus": setting(phase="Active"),
    "NodeStatus": _node_status,
    "Secret": setting(type="Opaque"),
    "ReplicationController": _replication_controller,
    "PersistentVolume": _persistent_volume,
    "PersistentVolumeClaimSpec": setting(volumeMode="Filesystem"),
    "PersistentVolumeClaim": lambda obj: fill(obj["status"], phase="Pending"),
    "EndpointPort": setting(protocol="TCP"),
    "LimitRangeItem": _limit_range_item,
}
