"""What makes an API server a cluster: garbage collection, namespaces, endpoints, a node."""

from __future__ import annotations

import asyncio

import pytest

from kubewright.client import Client
from kubewright.cluster import NODE, SIMULATED, Cluster
from kubewright.errors import Forbidden, NotFound
from kubewright.kinds import core_v1 as core
from kubewright.kinds import discovery_v1 as discovery
from kubewright.objects import JsonObject, ObjectMeta, OwnerReference


@pytest.fixture
def client(cluster: Cluster) -> Client:
    return cluster.client()


async def config_map(client: Client, name: str, *owners: core.ConfigMap, blocks: bool = False) -> core.ConfigMap:
    references = [
        OwnerReference(
            api_version="v1",
            kind="ConfigMap",
            name=owner.metadata.name or "",
            uid=owner.metadata.uid or "",
            block_owner_deletion=blocks or None,
        )
        for owner in owners
    ]
    meta = ObjectMeta(name=name, namespace="default", owner_references=references or None)
    return await client.create(core.ConfigMap(metadata=meta))


async def names(client: Client) -> list[str | None]:
    found = (await client.list(core.ConfigMap, namespace="default")).items
    return [obj.metadata.name for obj in found if obj.metadata.name != "kube-root-ca.crt"]


async def test_nothing_is_left_running() -> None:
    before = asyncio.all_tasks()
    async with Cluster():
        pass
    assert asyncio.all_tasks() == before


async def test_dependents_go_with_their_owner(cluster: Cluster, client: Client) -> None:
    owner = await config_map(client, "owner")
    middle = await config_map(client, "middle", owner)
    await config_map(client, "leaf", middle)
    await client.delete(core.ConfigMap, "owner")
    await cluster.wait_idle()
    assert await names(client) == []


async def test_one_owner_left_is_enough(cluster: Cluster, client: Client) -> None:
    one, two = await config_map(client, "one"), await config_map(client, "two")
    await config_map(client, "shared", one, two)
    await client.delete(core.ConfigMap, "one")
    await cluster.wait_idle()
    shared = await client.get(core.ConfigMap, "shared")
    assert [owner.name for owner in shared.metadata.owner_references or ()] == ["two"]


async def test_an_owner_that_never_was_is_no_owner(cluster: Cluster, client: Client) -> None:
    ghost = core.ConfigMap(metadata=ObjectMeta(name="ghost", uid="11111111-1111-4111-8111-111111111111"))
    await config_map(client, "haunted", ghost)
    await cluster.wait_idle()
    assert await names(client) == []


async def test_orphans_stay(cluster: Cluster, client: Client) -> None:
    owner = await config_map(client, "owner")
    await config_map(client, "child", owner)
    await client.delete(core.ConfigMap, "owner", propagation_policy="Orphan")
    await cluster.wait_idle()
    child = await client.get(core.ConfigMap, "child")
    assert child.metadata.owner_references is None
    assert await names(client) == ["child"]


async def test_in_the_foreground_the_owner_goes_last(cluster: Cluster, client: Client) -> None:
    owner = await config_map(client, "owner")
    child = await config_map(client, "child", owner, blocks=True)
    await client.patch(core.ConfigMap, "child", {"metadata": {"finalizers": ["example.com/hold"]}}, "merge")
    await client.delete(core.ConfigMap, "owner", propagation_policy="Foreground")
    await cluster.wait_idle()
    held = await client.get(core.ConfigMap, "owner")
    assert held.metadata.finalizers == ["foregroundDeletion"]
    assert (await client.get(core.ConfigMap, "child")).metadata.deletion_timestamp is not None
    await client.patch(core.ConfigMap, child.metadata.name or "", {"metadata": {"finalizers": None}}, "merge")
    await cluster.wait_idle()
    assert await names(client) == []


async def test_a_namespace_is_given_what_every_namespace_has_and_ends_empty(
    cluster: Cluster, client: Client
) -> None:
    await client.create(core.Namespace(metadata=ObjectMeta(name="team")))
    await cluster.wait_idle()
    assert await client.get(core.ServiceAccount, "default", "team")
    assert await client.get(core.ConfigMap, "kube-root-ca.crt", "team")
    await client.create(core.ConfigMap(metadata=ObjectMeta(name="mine", namespace="team")))
    await client.delete(core.Namespace, "team")
    await cluster.wait_idle()
    for kind, name in ((core.Namespace, "team"), (core.ConfigMap, "mine")):
        with pytest.raises(NotFound):
            await client.get(kind, name, None if kind is core.Namespace else "team")


async def test_a_namespace_that_cannot_end_says_why(cluster: Cluster, client: Client) -> None:
    await client.create(core.Namespace(metadata=ObjectMeta(name="team")))
    meta = ObjectMeta(name="mine", namespace="team", finalizers=["example.com/hold"])
    await client.create(core.ConfigMap(metadata=meta))
    await client.delete(core.Namespace, "team")
    await cluster.wait_idle()
    namespace = await client.get(core.Namespace, "team")
    assert namespace.status is not None
    assert namespace.status.phase == "Terminating"
    reasons = {c.reason for c in namespace.status.conditions or ()}
    assert "SomeFinalizersRemain" in reasons
    with pytest.raises(Forbidden):
        await client.create(core.ConfigMap(metadata=ObjectMeta(name="late", namespace="team")))


def pod(name: str) -> JsonObject:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}},
        "spec": {
            "containers": [{"name": "web", "image": "nginx", "ports": [{"name": "http", "containerPort": 80}]}]
        },
    }


async def test_a_service_finds_its_pods(cluster: Cluster, client: Client) -> None:
    spec = {"selector": {"app": "web"}, "ports": [{"port": 8080, "targetPort": "http"}]}
    meta = {"name": "web", "namespace": "default"}
    await client.create({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})
    await client.create(pod("one"))
    await cluster.wait_idle()
    (found,) = (await client.list(discovery.EndpointSlice, namespace="default")).items
    (endpoint,) = found.endpoints or []
    assert endpoint.conditions is not None
    assert endpoint.conditions.ready is True
    assert [port.port for port in found.ports or ()] == [80]
    await client.delete(core.Service, "web")
    await cluster.wait_idle()
    assert (await client.list(discovery.EndpointSlice, namespace="default")).items == []
    assert [e.metadata.name for e in (await client.list(core.Endpoints, namespace="default")).items] == []


async def test_pods_say_that_they_are_simulated(cluster: Cluster, client: Client) -> None:
    await client.create(pod("one"))
    await cluster.wait_idle()
    found = await client.get(core.Pod, "one")
    assert (found.metadata.annotations or {})[SIMULATED] == "true"
    assert found.spec is not None
    assert found.spec.node_name == NODE
    assert found.status is not None
    assert found.status.qos_class == "BestEffort"
    node = await client.get(core.Node, NODE)
    assert (node.metadata.annotations or {})[SIMULATED] == "true"


async def test_a_claim_is_bound_and_protected_while_it_is_used(cluster: Cluster, client: Client) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    meta = {"name": "data", "namespace": "default"}
    await client.create({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec})
    using = pod("user")
    using["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    await client.create(using)
    await cluster.wait_idle()
    claim = await client.get(core.PersistentVolumeClaim, "data")
    assert claim.status is not None
    assert (claim.status.phase, claim.status.capacity) == ("Bound", {"storage": "1Gi"})
    await client.delete(core.PersistentVolumeClaim, "data")
    await cluster.wait_idle()
    assert (await client.get(core.PersistentVolumeClaim, "data")).metadata.deletion_timestamp is not None
    await client.delete(core.Pod, "user")
    await cluster.wait_idle()
    assert (await client.list(core.PersistentVolumeClaim, namespace="default")).items == []
    assert (await client.list(core.PersistentVolume)).items == []


async def test_stages_can_be_slow(cluster: Cluster, client: Client) -> None:
    cluster.pods.stages.scheduled = 3600
    await client.create(pod("waits"))
    await cluster.wait_idle()
    assert (await client.get(core.Pod, "waits")).status == core.PodStatus(phase="Pending", qos_class="BestEffort")
