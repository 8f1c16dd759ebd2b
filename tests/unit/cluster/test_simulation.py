"""What a test can make go wrong with simulated Pods is told in a kubelet's words."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from kubewright import clock
from kubewright.client import Client
from kubewright.cluster import NODE, Cluster, PodStages
from kubewright.kinds import apps_v1 as apps
from kubewright.kinds import batch_v1 as batch
from kubewright.kinds import core_v1 as core
from kubewright.objects import JsonObject
from kubewright.testing import run_in_virtual_time

NO_SUCH_IMAGE = (
    'rpc error: code = NotFound desc = failed to pull and unpack image "docker.io/library/nginx:broken": '
    'failed to resolve reference "docker.io/library/nginx:broken": '
    "docker.io/library/nginx:broken: not found"
)


@pytest.fixture
def client(cluster: Cluster) -> Client:
    return cluster.client()


def pod(name: str = "web", *, image: str = "nginx", policy: str = "Always", **spec: Any) -> JsonObject:
    containers = [{"name": "web", "image": image}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
        "spec": {"containers": containers, "restartPolicy": policy, **spec},
    }


async def status(client: Client, name: str = "web") -> core.PodStatus:
    found = (await client.get(core.Pod, name)).status
    assert found is not None
    return found


async def container(client: Client, name: str = "web") -> core.ContainerStatus:
    (only,) = (await status(client, name)).container_statuses or ()
    return only


async def conditions(client: Client, name: str = "web") -> dict[str, tuple[str, str | None, str | None]]:
    return {c.type: (c.status, c.reason, c.message) for c in (await status(client, name)).conditions or ()}


async def events(client: Client, name: str = "web") -> list[tuple[str | None, str | None, str | None]]:
    found = await client.list(core.Event, namespace="default", field_selector=f"involvedObject.name={name}")
    return [(event.type, event.reason, event.message) for event in found.items]


async def test_a_pod_that_no_node_takes(cluster: Cluster, client: Client) -> None:
    full = "0/1 nodes are available: 1 Insufficient cpu."
    refusal = cluster.pods.refuse_scheduling("app=web", message=full)
    await client.create(pod())
    await client.create(pod("other"))
    await cluster.wait_idle()
    found = await status(client)
    assert (found.phase, found.container_statuses) == ("Pending", None)
    assert await conditions(client) == {"PodScheduled": ("False", "Unschedulable", full)}
    assert await events(client) == [("Warning", "FailedScheduling", full)]
    assert (await status(client, "other")).phase == "Running"
    refusal.end()
    await cluster.wait_idle()
    assert (await status(client)).phase == "Running"


async def test_an_image_that_cannot_be_pulled(cluster: Cluster, client: Client) -> None:
    seen: list[str] = []
    async with client.watch(core.Pod, namespace="default", resource_version="0") as watch:
        with cluster.pods.fail_pull("nginx:broken"):
            await client.create(pod(image="nginx:broken"))
            async for event in watch:
                for each in (event.object.status.container_statuses if event.object.status else None) or ():
                    assert each.state is not None
                    assert each.state.waiting is not None
                    seen.append(each.state.waiting.reason or "")
                if "ImagePullBackOff" in seen:
                    break
            await cluster.wait_idle()
            assert seen == ["ErrImagePull", "ImagePullBackOff"]
            found = await container(client)
            assert found.state is not None
            assert found.state.waiting == core.ContainerStateWaiting(
                reason="ImagePullBackOff",
                message=f'Back-off pulling image "nginx:broken": ErrImagePull: {NO_SUCH_IMAGE}',
            )
            assert (found.ready, found.started, found.restart_count, found.image_id) == (False, False, 0, "")
            assert (await status(client)).phase == "Pending"
            unready = ("False", "ContainersNotReady", "containers with unready status: [web]")
            assert await conditions(client) == {
                "PodReadyToStartContainers": ("True", None, None),
                "Initialized": ("True", None, None),
                "Ready": unready,
                "ContainersReady": unready,
                "PodScheduled": ("True", None, None),
            }
            assert [event for event in await events(client) if event[1] != "Scheduled"] == [
                ("Normal", "Pulling", 'Pulling image "nginx:broken"'),
                ("Warning", "Failed", f'Failed to pull image "nginx:broken": {NO_SUCH_IMAGE}'),
                ("Warning", "Failed", "Error: ErrImagePull"),
                ("Normal", "BackOff", 'Back-off pulling image "nginx:broken"'),
                ("Warning", "Failed", "Error: ImagePullBackOff"),
            ]
    await cluster.wait_idle()
    assert (await status(client)).phase == "Running"


async def test_a_pull_that_fails_twice(cluster: Cluster, client: Client) -> None:
    cluster.pods.stages.backoff = 0.0
    cluster.pods.fail_pull("registry.example/*", error="unauthorized", times=2)
    created = await client.create(pod(image="registry.example/team/app:1"))
    async with client.watch(core.Pod, namespace="default", resource_version="0") as watch:
        async for event in watch:
            if event.object.status and event.object.status.phase == "Running":
                break
    assert created.metadata.name == "web"
    assert [reason for _, reason, _ in await events(client)].count("Pulling") == 2


async def test_a_container_that_crashes_backs_off_and_recovers(cluster: Cluster, client: Client) -> None:
    crash = cluster.pods.crash("app=web", exit_code=3, message="no database")
    created = await client.create(pod())
    await cluster.wait_idle()
    found = await container(client)
    assert found.restart_count == 1, "the first restart is at once, as a kubelet's"
    assert found.state is not None
    assert found.last_state is not None
    assert found.state.waiting == core.ContainerStateWaiting(
        reason="CrashLoopBackOff",
        message=f"back-off 10s restarting failed container=web pod=web_default({created.metadata.uid})",
    )
    ended = found.last_state.terminated
    assert ended is not None
    assert (ended.exit_code, ended.reason, ended.message) == (3, "Error", "no database")
    assert (await status(client)).phase == "Running"
    assert (await conditions(client))["Ready"][:2] == ("False", "ContainersNotReady")
    crash.end()
    await cluster.wait_idle()
    found = await container(client)
    assert (found.ready, found.restart_count) == (True, 2)


def test_back_offs_double_up_to_five_minutes() -> None:
    async def main() -> list[float]:
        async with Cluster() as cluster:
            client = cluster.client()
            cluster.pods.crash(times=9)
            moments: list[float] = []
            restarts = -1
            await client.create(pod())
            async with client.watch(core.Pod, namespace="default", resource_version="0") as watch:
                async for event in watch:
                    for each in (event.object.status.container_statuses if event.object.status else None) or ():
                        if each.restart_count > restarts and each.state and each.state.running:
                            restarts = each.restart_count
                            moments.append(clock.monotonic())
                    if restarts == 9:
                        break
            return [round(later - sooner) for sooner, later in itertools.pairwise(moments)]

    assert run_in_virtual_time(main()) == [0, 10, 20, 40, 80, 160, 300, 300, 300]


@pytest.mark.parametrize(("policy", "phase", "restarts"), [("Never", "Failed", 0), ("OnFailure", "Succeeded", 1)])
async def test_what_an_exit_code_means(
    cluster: Cluster, client: Client, policy: str, phase: str, restarts: int
) -> None:
    cluster.pods.crash(exit_code=137, reason="OOMKilled", times=1)
    await client.create(pod(policy=policy))
    await cluster.wait_idle()
    found = await container(client)
    assert ((await status(client)).phase, found.restart_count) == (phase, restarts)
    past = found.state if policy == "Never" else found.last_state
    assert past is not None
    assert past.terminated is not None
    assert (past.terminated.reason, past.terminated.exit_code) == ("OOMKilled", 137)


async def test_a_job_whose_first_pod_fails(cluster: Cluster, client: Client) -> None:
    cluster.pods.crash("job-name=import", exit_code=2, times=1)
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "web", "image": "importer"}]}}
    await client.create(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "import", "namespace": "default"},
            "spec": {"template": template},
        }
    )
    await cluster.wait_idle()
    job = (await client.get(batch.Job, "import")).status
    assert job is not None
    assert (job.failed, job.succeeded) == (1, 1)
    assert [c.type for c in job.conditions or ()] == ["SuccessCriteriaMet", "Complete"]


async def test_readiness_fails_and_recovers(cluster: Cluster, client: Client) -> None:
    await client.create(pod())
    await cluster.wait_idle()
    with cluster.pods.fail_readiness("app=web"):
        await cluster.wait_idle()
        assert (await conditions(client))["Ready"][0] == "False"
        assert (await status(client)).phase == "Running"
        message = "Readiness probe failed: HTTP probe failed with statuscode: 503"
        assert ("Warning", "Unhealthy", message) in await events(client)
    await cluster.wait_idle()
    assert (await conditions(client))["Ready"][0] == "True"


def test_readiness_that_flaps() -> None:
    async def main() -> list[bool]:
        async with Cluster() as cluster:
            client = cluster.client()
            cluster.pods.fail_readiness(flapping=5)
            await client.create(pod())
            await cluster.wait_idle()
            seen: list[bool] = []
            for _ in range(4):
                seen.append((await container(client)).ready)
                await clock.sleep(5)
            return seen

    assert run_in_virtual_time(main()) == [False, True, False, True]


async def test_some_pods_are_slower_than_others(cluster: Cluster, client: Client) -> None:
    cluster.pods.set_stages("app=slow", PodStages(ready=3600))
    await client.create(pod())
    await client.create(pod("slow"))
    await cluster.wait_idle()
    assert (await container(client)).ready
    assert not (await container(client, "slow")).ready


async def test_an_evicted_pod_fails_and_is_replaced(cluster: Cluster, client: Client) -> None:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "nginx"}]}}
    await client.create(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"selector": {"matchLabels": labels}, "template": template},
        }
    )
    await cluster.wait_idle()
    cluster.pods.evict("app=web")
    await cluster.wait_idle()
    found = (await client.list(core.Pod, namespace="default")).items
    by_phase = {each.status.phase: each for each in found if each.status}
    assert sorted(phase or "" for phase in by_phase) == ["Failed", "Running"]
    gone = by_phase["Failed"].status
    assert gone is not None
    assert (gone.reason, gone.message) == ("Evicted", "The node was low on resource: memory. ")
    target = next(c for c in gone.conditions or () if c.type == "DisruptionTarget")
    assert (target.status, target.reason) == ("True", "TerminationByKubelet")
    live = (await client.get(apps.ReplicaSet, "web")).status
    assert live is not None
    assert live.ready_replicas == 1


async def test_a_lost_node(cluster: Cluster, client: Client) -> None:
    await client.create(pod())
    await cluster.wait_idle()
    lost = cluster.pods.lose_node()
    await cluster.wait_idle()
    node = await client.get(core.Node, NODE)
    assert node.status is not None
    assert [(c.status, c.reason) for c in node.status.conditions or ()] == [("Unknown", "NodeStatusUnknown")]
    assert (await conditions(client))["Ready"][0] == "False"
    await client.create(pod("late"))
    await client.delete(core.Pod, "web")
    await cluster.wait_idle()
    assert (await client.get(core.Pod, "web")).metadata.deletion_timestamp is not None
    reason = "0/1 nodes are available: 1 node(s) had untolerated taint(s). preemption: "
    assert ((await conditions(client, "late"))["PodScheduled"][2] or "").startswith(reason)
    lost.end()
    await cluster.wait_idle()
    assert [p.metadata.name for p in (await client.list(core.Pod, namespace="default")).items] == ["late"]
    assert (await status(client, "late")).phase == "Running"


async def test_init_containers_come_first(cluster: Cluster, client: Client) -> None:
    fault = cluster.pods.fail_pull("migrate:1")
    await client.create(pod(initContainers=[{"name": "migrate", "image": "migrate:1"}]))
    await cluster.wait_idle()
    found = await container(client)
    assert found.state is not None
    assert found.state.waiting is not None
    assert found.state.waiting.reason == "PodInitializing"
    assert (await conditions(client))["Initialized"] == (
        "False",
        "ContainersNotInitialized",
        "containers with incomplete status: [migrate]",
    )
    fault.end()
    await cluster.wait_idle()
    assert (await container(client)).ready
    (init,) = (await status(client)).init_container_statuses or ()
    assert init.state is not None
    assert init.state.terminated is not None
    assert init.state.terminated.reason == "Completed"
