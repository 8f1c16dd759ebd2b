"""PodDisruptionBudgets count their Pods, and evictions heed them."""

from __future__ import annotations

import pytest

from kubewright.client import Client
from kubewright.cluster import Cluster
from kubewright.errors import ApiError
from kubewright.kinds import core_v1 as core
from kubewright.kinds import policy_v1 as policy
from kubewright.objects import JsonObject

LABELS = {"app": "web"}


@pytest.fixture
def client(cluster: Cluster) -> Client:
    return cluster.client()


async def replicas(client: Client, number: int) -> None:
    pod: JsonObject = {"containers": [{"name": "web", "image": "nginx"}]}
    await client.create(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {
                "replicas": number,
                "selector": {"matchLabels": LABELS},
                "template": {"metadata": {"labels": LABELS}, "spec": pod},
            },
        }
    )


async def budget(client: Client, **spec: object) -> None:
    await client.create(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"selector": {"matchLabels": LABELS}, **spec},
        }
    )


async def counted(client: Client) -> policy.PodDisruptionBudgetStatus:
    status = (await client.get(policy.PodDisruptionBudget, "web")).status
    assert status is not None
    return status


@pytest.mark.parametrize(
    ("spec", "desired", "allowed"),
    [({"minAvailable": 2}, 2, 1), ({"maxUnavailable": 1}, 2, 1), ({"minAvailable": "50%"}, 2, 1)],
)
async def test_a_budget_counts(
    cluster: Cluster, client: Client, spec: JsonObject, desired: int, allowed: int
) -> None:
    await replicas(client, 3)
    await budget(client, **spec)
    await cluster.wait_idle()
    status = await counted(client)
    assert (status.expected_pods, status.current_healthy) == (3, 3)
    assert (status.desired_healthy, status.disruptions_allowed) == (desired, allowed)
    assert [(c.type, c.status, c.reason) for c in status.conditions or ()] == [
        ("DisruptionAllowed", "True", "SufficientPods")
    ]


async def test_a_budget_without_pods(cluster: Cluster, client: Client) -> None:
    await budget(client, minAvailable=1)
    await cluster.wait_idle()
    status = await counted(client)
    assert (status.expected_pods, status.desired_healthy, status.disruptions_allowed) == (0, 1, 0)
    assert [(c.status, c.reason) for c in status.conditions or ()] == [("False", "InsufficientPods")]


async def test_evictions_use_the_budget_up(cluster: Cluster, client: Client) -> None:
    await replicas(client, 3)
    await budget(client, minAvailable=2)
    await cluster.wait_idle()
    cluster.pods.stages.ready = 3600  # what replaces them is not ready
    first, second, _ = [pod.metadata.name or "" for pod in (await client.list(core.Pod, namespace="default")).items]
    await client.evict(first)
    with pytest.raises(ApiError, match="Cannot evict pod as it would violate the pod's disruption budget"):
        await client.evict(second)
    await cluster.wait_idle()
    status = await counted(client)
    assert (status.current_healthy, status.disruptions_allowed) == (2, 0)
    with pytest.raises(ApiError, match="disruption budget"):
        await client.evict(second)


async def test_a_pod_that_is_not_ready_goes_if_the_budget_is_met(cluster: Cluster, client: Client) -> None:
    await replicas(client, 3)
    await budget(client, minAvailable=2)
    await cluster.wait_idle()
    pods = (await client.list(core.Pod, namespace="default")).items
    cluster.pods.fail_readiness(pods[0])
    await cluster.wait_idle()
    assert (await counted(client)).disruptions_allowed == 0
    await client.evict(pods[0].metadata.name or "")
    with pytest.raises(ApiError, match="disruption budget"):
        await client.evict(pods[1].metadata.name or "")
