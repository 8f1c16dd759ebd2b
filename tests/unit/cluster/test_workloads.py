"""Deployments, ReplicaSets, StatefulSets and Jobs come to the state a real cluster comes to."""

from __future__ import annotations

import pytest

from kubewright.client import Client
from kubewright.cluster import Cluster
from kubewright.kinds import apps_v1 as apps
from kubewright.kinds import batch_v1 as batch
from kubewright.kinds import core_v1 as core
from kubewright.objects import JsonObject


def deployment(name: str = "web", replicas: int = 2, image: str = "nginx:1", **spec: object) -> JsonObject:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
            **spec,
        },
    }


def new_image(image: str) -> JsonObject:
    return {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}}


@pytest.fixture
def client(cluster: Cluster) -> Client:
    return cluster.client()


async def images(client: Client) -> list[str | None]:
    pods = await client.list(core.Pod, namespace="default")
    return sorted(pod.spec.containers[0].image or "" for pod in pods.items if pod.spec)


async def test_a_deployment_runs_and_says_so(cluster: Cluster, client: Client) -> None:
    await client.create(deployment())
    await cluster.wait_idle()
    live = await client.get(apps.Deployment, "web")
    assert live.metadata.generation == 1
    assert live.status is not None
    assert (live.status.replicas, live.status.available_replicas, live.status.updated_replicas) == (2, 2, 2)
    conditions = {c.type: (c.status, c.reason) for c in live.status.conditions or ()}
    assert conditions == {
        "Available": ("True", "MinimumReplicasAvailable"),
        "Progressing": ("True", "NewReplicaSetAvailable"),
    }
    assert (live.metadata.annotations or {})["deployment.kubernetes.io/revision"] == "1"


async def test_a_rolling_update_never_falls_short(cluster: Cluster, client: Client) -> None:
    rolling = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    await client.create(deployment(replicas=3, strategy=rolling))
    await cluster.wait_idle()
    available: list[int] = []
    async with client.watch(apps.Deployment, namespace="default", resource_version="0") as watch:
        await client.patch(apps.Deployment, "web", new_image("nginx:2"), "strategic")
        async for event in watch:
            status = event.object.status
            if status is None or status.observed_generation != 2:
                continue
            available.append(status.available_replicas or 0)
            if status.updated_replicas == 3 and status.replicas == 3 and status.available_replicas == 3:
                break
    assert min(available) >= 3
    await cluster.wait_idle()
    assert await images(client) == ["nginx:2"] * 3


async def test_recreate_lets_no_two_versions_run(cluster: Cluster, client: Client) -> None:
    await client.create(deployment(strategy={"type": "Recreate"}))
    await cluster.wait_idle()
    await client.patch(apps.Deployment, "web", new_image("nginx:2"), "strategic")
    await cluster.wait_idle()
    assert await images(client) == ["nginx:2", "nginx:2"]


async def test_going_back_makes_the_old_replica_set_the_newest_revision(cluster: Cluster, client: Client) -> None:
    await client.create(deployment())
    await cluster.wait_idle()
    for image in ("nginx:2", "nginx:1"):
        await client.patch(apps.Deployment, "web", new_image(image), "strategic")
        await cluster.wait_idle()
    sets = (await client.list(apps.ReplicaSet, namespace="default")).items
    revisions = {
        (rs.metadata.annotations or {})["deployment.kubernetes.io/revision"]: rs.spec.replicas for rs in sets
    }
    assert revisions == {"2": 0, "3": 2}
    live = await client.get(apps.Deployment, "web")
    assert (live.metadata.annotations or {})["deployment.kubernetes.io/revision"] == "3"


async def test_a_paused_deployment_scales_but_does_not_roll(cluster: Cluster, client: Client) -> None:
    await client.create(deployment())
    await cluster.wait_idle()
    await client.patch(apps.Deployment, "web", {"spec": {"paused": True, "replicas": 3}}, "merge")
    await client.patch(apps.Deployment, "web", new_image("nginx:2"), "strategic")
    await cluster.wait_idle()
    assert await images(client) == ["nginx:1"] * 3
    await client.patch(apps.Deployment, "web", {"spec": {"paused": False}}, "merge")
    await cluster.wait_idle()
    assert await images(client) == ["nginx:2"] * 3


async def test_history_is_limited(cluster: Cluster, client: Client) -> None:
    await client.create(deployment(revisionHistoryLimit=1))
    for number in range(2, 5):
        await cluster.wait_idle()
        await client.patch(apps.Deployment, "web", new_image(f"nginx:{number}"), "strategic")
    await cluster.wait_idle()
    assert len((await client.list(apps.ReplicaSet, namespace="default")).items) == 2


async def test_a_pod_that_is_deleted_comes_back(cluster: Cluster, client: Client) -> None:
    await client.create(deployment(replicas=1))
    await cluster.wait_idle()
    (first,) = (await client.list(core.Pod, namespace="default")).items
    await client.delete(core.Pod, first.metadata.name or "")
    await cluster.wait_idle()
    (second,) = (await client.list(core.Pod, namespace="default")).items
    assert second.metadata.uid != first.metadata.uid
    assert second.status is not None
    assert second.status.phase == "Running"


async def test_a_replica_set_adopts_pods_it_selects(cluster: Cluster, client: Client) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "orphan", "namespace": "default", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "nginx"}]},
    }
    await client.create(pod)
    spec = deployment(replicas=1)["spec"]
    await client.create(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": spec,
        }
    )
    await cluster.wait_idle()
    (found,) = (await client.list(core.Pod, namespace="default")).items
    assert found.metadata.name == "orphan"
    assert [owner.kind for owner in found.metadata.owner_references or ()] == ["ReplicaSet"]


async def test_a_stateful_set_numbers_its_pods(cluster: Cluster, client: Client) -> None:
    made = deployment(name="db", replicas=3, serviceName="db")
    made["kind"] = "StatefulSet"
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    made["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": claim}]
    await client.create(made)
    await cluster.wait_idle()
    pods = (await client.list(core.Pod, namespace="default")).items
    assert [pod.metadata.name for pod in pods] == ["db-0", "db-1", "db-2"]
    claims = (await client.list(core.PersistentVolumeClaim, namespace="default")).items
    assert [c.metadata.name for c in claims] == ["data-db-0", "data-db-1", "data-db-2"]
    await client.patch(apps.StatefulSet, "db", {"spec": {"replicas": 1}}, "merge")
    await cluster.wait_idle()
    assert [pod.metadata.name for pod in (await client.list(core.Pod, namespace="default")).items] == ["db-0"]


async def test_a_daemon_set_runs_on_the_node(cluster: Cluster, client: Client) -> None:
    made = deployment(name="agent")
    made["kind"] = "DaemonSet"
    del made["spec"]["replicas"]
    await client.create(made)
    await cluster.wait_idle()
    await client.patch(apps.DaemonSet, "agent", new_image("nginx:2"), "strategic")
    await cluster.wait_idle()
    assert await images(client) == ["nginx:2"]
    status = (await client.get(apps.DaemonSet, "agent")).status
    assert status is not None
    assert (status.desired_number_scheduled, status.number_available, status.updated_number_scheduled) == (1, 1, 1)


async def test_a_cordoned_node_takes_no_pods(cluster: Cluster, client: Client) -> None:
    await client.patch(core.Node, "kubewright-simulated", {"spec": {"unschedulable": True}}, "merge")
    await client.create(deployment(replicas=1))
    await cluster.wait_idle()
    (pod,) = (await client.list(core.Pod, namespace="default")).items
    assert pod.status is not None
    assert [c.reason for c in pod.status.conditions or ()] == ["Unschedulable"]
    await client.patch(core.Node, "kubewright-simulated", {"spec": {"unschedulable": None}}, "merge")
    await cluster.wait_idle()
    (pod,) = (await client.list(core.Pod, namespace="default")).items
    assert pod.status is not None
    assert pod.status.phase == "Running"


async def test_a_job_runs_to_its_end(cluster: Cluster, client: Client) -> None:
    container = {"name": "work", "image": "busybox"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    await client.create(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "once", "namespace": "default"},
            "spec": {"completions": 3, "parallelism": 2, "completionMode": "Indexed", "template": template},
        }
    )
    await cluster.wait_idle()
    job = await client.get(batch.Job, "once")
    assert job.status is not None
    assert (job.status.succeeded, job.status.completed_indexes) == (3, "0-2")
    assert {c.type for c in job.status.conditions or ()} == {"SuccessCriteriaMet", "Complete"}
