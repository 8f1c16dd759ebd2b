"""What a user's test of the AppService operator looks like, and what waiting tells."""

from __future__ import annotations

from typing import Annotated

import pytest

from kubewright.cluster import PodStages
from kubewright.errors import NotFound
from kubewright.kinds import apps_v1 as apps
from kubewright.kinds import core_v1 as core
from kubewright.objects import LabelSelector, Meta, ObjectMeta, Resource, Spec, resource
from kubewright.runtime import Controller, Desired, Operator, Seen
from kubewright.testing import Cluster, Environment, NotReached


class AppServiceSpec(Spec):
    size: Annotated[int, Meta(ge=0, le=50)] = 1
    image: str = "nginx:1.7.9"


@resource(group="app.example.com", version="v1")
class AppService(Resource[AppServiceSpec, apps.DeploymentStatus]):
    """A web application."""


class AppServiceController(Controller[AppService]):
    owns = (apps.Deployment,)

    def desired(self, app: AppService, seen: Seen) -> Desired[apps.DeploymentStatus]:
        if app.spec.image == "broken":
            raise ValueError("no such image")
        labels = {"app": app.metadata.name or ""}
        container = core.Container(name="web", image=app.spec.image)
        deployment = apps.Deployment(
            metadata=ObjectMeta(name=app.metadata.name, namespace=app.metadata.namespace),
            spec=apps.DeploymentSpec(
                replicas=app.spec.size,
                selector=LabelSelector(match_labels=labels),
                template=core.PodTemplateSpec(
                    metadata=ObjectMeta(labels=labels), spec=core.PodSpec(containers=[container])
                ),
            ),
        )
        live = seen.get(deployment)
        status = live.status if live and live.status else apps.DeploymentStatus()
        return Desired(
            children=[deployment], status=status, ready=(status.available_replicas or 0) >= app.spec.size
        )


def operator() -> Operator:
    return Operator("opdemo", controllers=[AppServiceController()])


def app(**spec: object) -> AppService:
    return AppService(metadata=ObjectMeta(name="web"), spec=AppServiceSpec(**spec))  # type: ignore[arg-type]


async def test_an_app_service_becomes_a_deployment_that_runs() -> None:
    async with Environment(operator()) as env:
        web = await env.wait_ready(await env.apply(app(size=2)))
        assert web.status is not None
        assert web.status.available_replicas == 2
        assert len(await env.list(core.Pod, {"app": "web"})) == 2

        await env.apply(app(size=3, image="nginx:2"))
        await env.wait_ready(web)
        assert [pod.spec.containers[0].image for pod in await env.list(core.Pod) if pod.spec] == ["nginx:2"] * 3

        await env.delete(web)
        await env.wait_gone(web)
        await env.wait_idle()
        assert await env.list(core.Pod) == []


async def test_drift_is_put_back(environment: Environment) -> None:
    async with environment.running(operator()):
        await environment.wait_ready(await environment.apply(app(size=1)))
        await environment.client.patch(
            apps.Deployment, "web", {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 5}}}}, "merge"
        )
        await environment.client.patch(apps.Deployment, "web", {"spec": {"replicas": 4}}, "merge")
        await environment.wait_idle()
        deployment = await environment.get(apps.Deployment, "web")
        assert deployment.spec.replicas == 1


async def test_a_wait_that_fails_says_why(environment: Environment) -> None:
    async with environment.running(operator()):
        web = await environment.apply(app(image="broken"))
        with pytest.raises(NotReached) as caught:
            await environment.wait_ready(web, timeout=0.2)
    assert "AppService web is not ready after 0.2 s" in str(caught.value)
    assert "ValueError: no such image" in str(caught.value)


async def test_what_never_was_is_told_so(environment: Environment) -> None:
    with pytest.raises(NotReached, match="it is not there"):
        await environment.wait_ready(core.Pod(metadata=ObjectMeta(name="nobody")), timeout=0.05)
    with pytest.raises(NotFound):
        await environment.get(core.Pod, "nobody")


async def test_a_slow_pod_is_waited_for(cluster: Cluster) -> None:
    cluster.pods.stages.ready = 0.2
    async with Environment(cluster=cluster) as env:
        container = core.Container(name="web", image="nginx")
        pod = await env.create(
            core.Pod(metadata=ObjectMeta(name="slow"), spec=core.PodSpec(containers=[container]))
        )
        await env.wait_idle()
        waiting = await env.get(pod)
        assert waiting.status is not None
        assert [c.status for c in waiting.status.conditions or () if c.type == "Ready"] == ["False"]
        ready = await env.wait_for(
            pod,
            lambda pod: any(
                c.type == "Ready" and c.status == "True"
                for c in (pod.status.conditions if pod.status else None) or ()
            ),
        )
        assert (ready.metadata.annotations or {})["kubewright.dev/simulated"] == "true"


def test_stages_default_to_no_delay() -> None:
    assert PodStages() == PodStages(scheduled=0, started=0, ready=0, completed=0, terminated=0)
