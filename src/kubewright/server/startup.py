"""What is there when a server starts: its resources, the first namespaces, the ``kubernetes`` Service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewright import clock
from kubewright.objects import JsonObject
from kubewright.server.registry import ResourceDefinition

if TYPE_CHECKING:
    from kubewright.server.crd.definition import CrdStrategy
    from kubewright.server.server import Server

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


def initial_resources(server: Server) -> list[ResourceDefinition]:
    """The built-in kinds, with CustomResourceDefinitions that ``server`` serves as they come."""
    from kubewright.server.builtin import builtin_resources
    from kubewright.server.crd import crd_definition
    from kubewright.server.startup_access import with_access

    return [
        crd_definition(server, definition)
        if definition.resource.group == "apiextensions.k8s.io"
        else with_access(server, definition)
        for definition in builtin_resources()
    ]


def begin(server: Server) -> None:
    """Store what every cluster has, as far as it is not there, and serve the custom resources that are."""
    from kubewright.server.startup_access import put_roles, restore_signing_key

    now = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    namespaces = server.resources.stored("", "namespaces")
    if namespaces is None:
        return
    store = server.resource_store(namespaces)
    for name in NAMESPACES:
        if name not in store.table.objects:
            store.replace_unchecked(_namespace(name, now))
    services = server.resources.stored("", "services")
    if services is not None and "default/kubernetes" not in server.resource_store(services).table.objects:
        server.resource_store(services).replace_unchecked(_kubernetes_service(now))
    put_roles(server, now)
    restore_signing_key(server)
    if (crds := _crd_strategy(server)) is not None:
        crds.restore(now)


async def resume(server: Server) -> None:
    """Go on deleting what definitions of custom resources leave behind."""
    if (crds := _crd_strategy(server)) is not None:
        await crds.resume(clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"))


def _crd_strategy(server: Server) -> CrdStrategy | None:
    from kubewright.server.crd.definition import CrdStrategy

    definition = server.resources.stored("apiextensions.k8s.io", "customresourcedefinitions")
    strategy = definition.strategy if definition is not None else None
    return strategy if isinstance(strategy, CrdStrategy) else None


def _namespace(name: str, now: str) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "uid": clock.uuid4(),
            "creationTimestamp": now,
            "labels": {"kubernetes.io/metadata.name": name},
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def _kubernetes_service(now: str) -> JsonObject:
    address = "10.96.0.1"
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "uid": clock.uuid4(),
            "creationTimestamp": now,
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "clusterIP": address,
            "clusterIPs": [address],
            "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 443}],
            "sessionAffinity": "None",
            "type": "ClusterIP",
        },
        "status": {"loadBalancer": {}},
    }
