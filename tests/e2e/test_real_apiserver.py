"""An operator in this process against a real API server, over the network; no controllers stand behind that one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import pytest

from kubewright import (
    Controller,
    Desired,
    LabelSelector,
    Meta,
    ObjectMeta,
    Operator,
    Resource,
    Seen,
    Spec,
    resource,
)
from kubewright.client import Client, connect, load_config
from kubewright.errors import AlreadyExists, Invalid
from kubewright.kinds import apiextensions, apps, core
from kubewright.objects import crd, to_json
from kubewright.runtime import ReconcileRecord, Running, Write
from kubewright.wire import Request

NAMESPACE = "kubewright-e2e"
pytestmark = pytest.mark.real


class WebAppSpec(Spec):
    size: Annotated[int, Meta(ge=0, le=50)] = 1
    image: Annotated[str, Meta(min_length=1)]
    resources: core.ResourceRequirements | None = None
    envs: list[core.EnvVar] = []
    ports: list[core.ServicePort]


@resource(group="e2e.kubewright.example.com", version="v1", rules={"size(self.spec.ports) > 0": "a port is needed"})
class WebApp(Resource[WebAppSpec, apps.DeploymentStatus]):
    """A web application."""


class WebAppController(Controller[WebApp]):
    owns = (apps.Deployment, core.Service)

    def desired(self, obj: WebApp, seen: Seen) -> Desired[apps.DeploymentStatus]:
        labels = {"app": obj.metadata.name or ""}
        meta = ObjectMeta(name=obj.metadata.name, namespace=obj.metadata.namespace)
        container = core.Container(
            name="app", image=obj.spec.image, env=obj.spec.envs, resources=obj.spec.resources
        )
        deployment = apps.Deployment(
            metadata=meta,
            spec=apps.DeploymentSpec(
                replicas=obj.spec.size,
                selector=LabelSelector(match_labels=labels),
                template=core.PodTemplateSpec(
                    metadata=ObjectMeta(labels=labels), spec=core.PodSpec(containers=[container])
                ),
            ),
        )
        service = core.Service(
            metadata=meta, spec=core.ServiceSpec(type="NodePort", selector=labels, ports=obj.spec.ports)
        )
        live = seen.get(deployment)
        status = live.status if live and live.status else apps.DeploymentStatus()
        return Desired(children=[deployment, service], status=status, ready=status.ready_replicas == obj.spec.size)


def make_operator() -> Operator:
    return Operator("e2e", controllers=[WebAppController()], namespaces=[NAMESPACE])


def web_app(name: str, **spec: object) -> WebApp:
    given = {"image": "nginx:1.7.9", "ports": [core.ServicePort(port=80, target_port=80)], **spec}
    return WebApp(metadata=ObjectMeta(name=name, namespace=NAMESPACE), spec=WebAppSpec(**given))  # type: ignore[arg-type]


async def install(kubeconfig: Path) -> None:
    client = connect(load_config(str(kubeconfig)))
    with suppress(AlreadyExists):
        await client.create(core.Namespace(metadata=ObjectMeta(name=NAMESPACE)))
    definition = crd(WebApp)
    name = definition["metadata"]["name"]
    await client.apply(definition, field_manager="e2e", force=True)
    watch = client.watch(
        apiextensions.CustomResourceDefinition, field_selector=f"metadata.name={name}", send_initial_events=True
    )
    async with asyncio.timeout(30), watch:
        async for event in watch:
            if established(event.object):
                break
    await client.close()


async def remove(kubeconfig: Path) -> None:
    client = connect(load_config(str(kubeconfig)))
    await client.delete_collection(apps.Deployment, namespace=NAMESPACE)
    await client.delete_collection(core.Service, namespace=NAMESPACE)
    await client.delete(apiextensions.CustomResourceDefinition, crd(WebApp)["metadata"]["name"])
    # No namespace controller stands behind this server: what that would do last is done here.
    await client.delete(core.Namespace, NAMESPACE)
    namespace = core.Namespace(metadata=ObjectMeta(name=NAMESPACE), spec=core.NamespaceSpec(finalizers=[]))
    path = core.Namespace.api_resource.path(name=NAMESPACE, subresource="finalize")
    headers = {"content-type": "application/json"}
    await client.raw(Request("PUT", path, headers=headers, body=to_json(namespace)))
    await client.close()


def established(definition: apiextensions.CustomResourceDefinition) -> bool:
    conditions = definition.status.conditions if definition.status else None
    return any(condition.type == "Established" and condition.status == "True" for condition in conditions or ())


@pytest.fixture(scope="module")
def installed(real_kubeconfig: Path) -> Iterator[Path]:
    """The kubeconfig of a server that knows WebApps."""
    asyncio.run(install(real_kubeconfig))
    yield real_kubeconfig
    asyncio.run(remove(real_kubeconfig))


@pytest.fixture
async def client(installed: Path) -> AsyncIterator[Client]:
    client = connect(load_config(str(installed)))
    yield client
    await client.delete_collection(WebApp, namespace=NAMESPACE)
    await client.close()


@pytest.fixture
async def running(client: Client) -> AsyncIterator[Running]:
    async with make_operator().running(client) as running:
        await running.wait_idle()
        yield running


@pytest.fixture
def writes(running: Running) -> list[Write]:
    """Every write of the operator from here on."""
    seen: list[Write] = []

    def observe(record: ReconcileRecord) -> None:
        seen.extend(record.writes)

    running.observe(observe)
    return seen


async def deployment_of(client: Client, name: str) -> apps.Deployment:
    return await client.get(apps.Deployment, name, NAMESPACE)


def container_of(deployment: apps.Deployment) -> core.Container:
    assert deployment.spec.template.spec is not None
    return deployment.spec.template.spec.containers[0]


async def test_children_are_made_and_owned(client: Client, running: Running, writes: list[Write]) -> None:
    made = await client.create(web_app("made", size=2))
    await running.wait_idle()
    deployment = await deployment_of(client, "made")
    service = await client.get(core.Service, "made", NAMESPACE)
    for child in (deployment, service):
        [owner] = child.metadata.owner_references or []
        assert (owner.kind, owner.uid, owner.controller) == ("WebApp", made.metadata.uid, True)
    assert deployment.spec.replicas == 2
    assert [str(write) for write in writes if write.verb == "create"] == [
        f"create deployments.apps {NAMESPACE}/made",
        f"create services {NAMESPACE}/made",
    ]


async def test_what_is_no_longer_asked_for_goes(client: Client, running: Running) -> None:
    envs = [core.EnvVar(name="A", value="1"), core.EnvVar(name="B", value="2")]
    resources = core.ResourceRequirements(requests={"cpu": "0.5"})
    await client.create(web_app("changed", envs=envs, resources=resources))
    await running.wait_idle()
    assert container_of(await deployment_of(client, "changed")).env == envs

    live = await client.get(WebApp, "changed", NAMESPACE)
    live.spec = web_app("changed", envs=envs[1:], image="nginx:1.27.0", size=0).spec
    await client.replace(live)
    await running.wait_idle()
    deployment = await deployment_of(client, "changed")
    container = container_of(deployment)
    assert (container.env, container.image, deployment.spec.replicas) == (envs[1:], "nginx:1.27.0", 0)
    assert container.resources == core.ResourceRequirements()


async def test_what_is_changed_by_hand_is_put_back(client: Client, running: Running) -> None:
    await client.create(web_app("drifting"))
    await running.wait_idle()
    patch = {"spec": {"replicas": 7, "template": {"spec": {"containers": [{"name": "app", "image": "else"}]}}}}
    await client.patch(apps.Deployment, "drifting", patch, "strategic", NAMESPACE, field_manager="somebody")
    await client.delete(core.Service, "drifting", NAMESPACE)
    await running.wait_idle()
    deployment = await deployment_of(client, "drifting")
    assert (deployment.spec.replicas, container_of(deployment).image) == (1, "nginx:1.7.9")
    assert (await client.get(core.Service, "drifting", NAMESPACE)).spec


async def test_nothing_is_written_where_nothing_differs(client: Client) -> None:
    async with make_operator().running(client) as running:
        # Values the server writes otherwise than we did: a quantity, a port it allocates.
        await client.create(web_app("quiet", resources=core.ResourceRequirements(limits={"cpu": "0.5"})))
        await running.wait_idle()
    before = await deployment_of(client, "quiet")
    records: list[ReconcileRecord] = []
    async with make_operator().running(client, observers=[records.append]) as running:
        await running.wait_idle()
    assert [record.outcome for record in records if record.key.name == "quiet"]
    assert [write for record in records for write in record.writes] == []
    assert (await deployment_of(client, "quiet")).metadata.resource_version == before.metadata.resource_version


async def test_a_status_by_others_arrives(client: Client, running: Running) -> None:
    await client.create(web_app("reporting", size=3))
    await running.wait_idle()
    status = {"status": {"replicas": 3, "readyReplicas": 3, "availableReplicas": 3}}
    await client.patch(apps.Deployment, "reporting", status, "merge", NAMESPACE, subresource="status")
    await running.wait_idle()
    live = await client.get(WebApp, "reporting", NAMESPACE)
    assert live.status
    assert (live.status.ready_replicas, live.status.available_replicas) == (3, 3)


async def test_a_stranger_of_the_same_name_is_not_taken_over(client: Client, running: Running) -> None:
    ports = [core.ServicePort(port=1)]
    service = core.Service(
        metadata=ObjectMeta(name="taken", namespace=NAMESPACE), spec=core.ServiceSpec(ports=ports)
    )
    await client.create(service)
    failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    def observe(record: ReconcileRecord) -> None:
        if record.error and not failed.done():
            failed.set_result(record.error)

    running.observe(observe)
    await client.create(web_app("taken"))
    assert f"Service {NAMESPACE}/taken" in str(await asyncio.wait_for(failed, 30))
    assert (await client.get(core.Service, "taken", NAMESPACE)).metadata.owner_references is None


async def test_the_rules_of_the_type_are_the_servers(client: Client) -> None:
    with pytest.raises(Invalid, match="a port is needed"):
        await client.create(web_app("wrong", ports=[]))
    with pytest.raises(Invalid, match="less than or equal to 50"):
        await client.create(web_app("wrong", size=51))
