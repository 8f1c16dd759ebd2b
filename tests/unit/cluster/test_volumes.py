"""Claims of the default class are bound, others wait for who provides them."""

from __future__ import annotations

import pytest

from kubewright.client import Client
from kubewright.cluster import Cluster
from kubewright.kinds import core_v1 as core
from kubewright.kinds import storage_v1 as storage
from kubewright.objects import JsonObject


@pytest.fixture
def client(cluster: Cluster) -> Client:
    return cluster.client()


def claim(**spec: object) -> JsonObject:
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "default"},
        "spec": {**wanted, **spec},
    }


async def phase(client: Client) -> str | None:
    found = await client.get(core.PersistentVolumeClaim, "data")
    return found.status.phase if found.status else None


async def test_a_claim_without_a_class_is_of_the_default_one(cluster: Cluster, client: Client) -> None:
    (default,) = (await client.list(storage.StorageClass)).items
    assert (default.metadata.annotations or {})["storageclass.kubernetes.io/is-default-class"] == "true"
    made = await client.create(claim())
    assert made.to_dict()["spec"]["storageClassName"] == default.metadata.name == "standard"
    await cluster.wait_idle()
    assert await phase(client) == "Bound"
    (volume,) = (await client.list(core.PersistentVolume)).items
    assert volume.spec is not None
    assert volume.spec.storage_class_name == "standard"


@pytest.mark.parametrize(
    ("name", "reason", "message"),
    [
        ("", "FailedBinding", "no persistent volumes available for this claim and no storage class is set"),
        ("fast", "ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found'),
    ],
)
async def test_a_claim_that_nobody_provides_for(
    cluster: Cluster, client: Client, name: str, reason: str, message: str
) -> None:
    await client.create(claim(storageClassName=name))
    await cluster.wait_idle()
    assert await phase(client) == "Pending"
    events = (await client.list(core.Event, namespace="default")).items
    assert {(event.reason, event.message) for event in events} == {(reason, message)}


async def test_without_a_default_class_none_is_set(cluster: Cluster, client: Client) -> None:
    await client.delete(storage.StorageClass, "standard")
    made = await client.create(claim())
    assert "storageClassName" not in made.to_dict()["spec"]
    await cluster.wait_idle()
    assert await phase(client) == "Pending"


async def test_a_pod_waits_for_its_claim(cluster: Cluster, client: Client) -> None:
    source = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    spec = {"containers": [{"name": "web", "image": "nginx"}], "volumes": [source]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "default"}, "spec": spec}
    await client.create(pod)
    await cluster.wait_idle()
    waiting = (await client.get(core.Pod, "web")).status
    assert waiting is not None
    message = '0/1 nodes are available: persistentvolumeclaim "data" not found. not found'
    assert [(c.reason, c.message) for c in waiting.conditions or ()] == [("Unschedulable", message)]
    await client.create(claim())
    await cluster.wait_idle()
    running = (await client.get(core.Pod, "web")).status
    assert running is not None
    assert running.phase == "Running"
