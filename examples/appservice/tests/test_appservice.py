"""AppService against an API server in this process: nothing is mocked, nothing sleeps."""

from kubewright import ObjectMeta
from kubewright.kinds import apps, core
from kubewright.testing import Environment

from opdemo.apis.app_v1.appservice import AppService, AppServiceSpec
from opdemo.operator import operator


def nginx(size: int = 2, image: str = "nginx:1.7.9", node_port: int = 30002) -> AppService:
    return AppService(
        metadata=ObjectMeta(name="nginx-app"),
        spec=AppServiceSpec(
            size=size,
            image=image,
            envs=[core.EnvVar(name="COLOR", value="green")],
            ports=[core.ServicePort(port=80, target_port=80, node_port=node_port)],
        ),
    )


async def test_two_pods_and_a_service_come_up(environment: Environment) -> None:
    async with environment.running(operator()):
        app = await environment.wait_ready(await environment.apply(nginx()))
        assert app.status is not None
        assert app.status.ready_replicas == 2

        pods = await environment.list(core.Pod, "app.kubernetes.io/instance=nginx-app")
        assert [pod.spec.containers[0].image for pod in pods if pod.spec] == ["nginx:1.7.9"] * 2
        service = await environment.get(core.Service, "nginx-app")
        assert service.spec is not None
        assert service.spec.type == "NodePort"
        assert service.spec.ports is not None
        assert service.spec.ports[0].node_port == 30002


async def test_every_change_of_the_spec_arrives(environment: Environment) -> None:
    async with environment.running(operator()):
        await environment.wait_ready(await environment.apply(nginx()))
        changed = nginx(size=3, image="nginx:1.9.1", node_port=30003)
        changed.spec.envs = []
        changed.spec.resources = core.ResourceRequirements(limits={"memory": "64Mi"})
        await environment.wait_ready(await environment.apply(changed))

        deployment = await environment.get(apps.Deployment, "nginx-app")
        assert deployment.spec is not None
        assert deployment.spec.replicas == 3
        assert deployment.spec.template.spec is not None
        container = deployment.spec.template.spec.containers[0]
        assert container.image == "nginx:1.9.1"
        assert not container.env
        assert container.resources == core.ResourceRequirements(limits={"memory": "64Mi"})
        service = await environment.get(core.Service, "nginx-app")
        assert service.spec is not None
        assert service.spec.ports is not None
        assert service.spec.ports[0].node_port == 30003


async def test_a_drift_made_by_hand_is_put_back(environment: Environment) -> None:
    async with environment.running(operator()):
        await environment.wait_ready(await environment.apply(nginx()))
        deployment = await environment.get(apps.Deployment, "nginx-app")
        assert deployment.spec is not None
        deployment.spec.replicas = 1
        await environment.client.replace(deployment)
        await environment.delete(await environment.get(core.Service, "nginx-app"))
        await environment.wait_idle()

        deployment = await environment.get(apps.Deployment, "nginx-app")
        assert deployment.spec is not None
        assert deployment.spec.replicas == 2
        await environment.get(core.Service, "nginx-app")


async def test_deleting_it_removes_all(environment: Environment) -> None:
    async with environment.running(operator()):
        app = await environment.wait_ready(await environment.apply(nginx()))
        await environment.delete(app)
        await environment.wait_gone(app)
        await environment.wait_idle()

        for kind in (apps.Deployment, apps.ReplicaSet, core.Pod):
            assert await environment.list(kind) == []
