"""The verbs, against an API server: the real one, and the embedded one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from kubewright import clock, errors
from kubewright.client import Client, ClientConfig, Watch, collect_warnings, connect, load_config
from kubewright.client.credentials import bearer
from kubewright.http import TlsConfig
from kubewright.kinds import apps_v1 as apps
from kubewright.kinds import core_v1 as core
from kubewright.objects import LabelSelector, ObjectMeta
from kubewright.server import InMemoryTransport, Server, listen
from kubewright.wire import Request

CONFIG_MAPS = core.ConfigMap.api_resource


@asynccontextmanager
async def _connected(api: str, namespace: str, request) -> AsyncIterator[Client]:
    async with AsyncExitStack() as stack:
        if api == "real":
            config = load_config(request.getfixturevalue("real_kubeconfig"), namespace=namespace)
        else:
            server = Server()
            if api == "in memory":
                yield Client(InMemoryTransport(server), namespace=namespace, user_agent="tests/1")
                return
            listener = await listen(server)
            stack.push_async_callback(listener.close)
            config = ClientConfig(
                listener.url, namespace, TlsConfig(ca_pem=listener.ca_pem), credentials=bearer(listener.token)
            )
        yield await stack.enter_async_context(connect(config, user_agent="tests/1"))


REAL = pytest.param("real", marks=pytest.mark.real)


@pytest.fixture(params=["in memory", "over HTTPS", REAL])
async def client(request) -> AsyncIterator[Client]:
    """A client whose namespace is its own, and empty."""
    async with _connected(request.param, "client-" + clock.uuid4()[:8], request) as client:
        await client.create(core.Namespace(metadata=ObjectMeta(name=client.namespace)))
        yield client
        for kind in (core.ConfigMap, core.Pod, core.ServiceAccount, apps.Deployment):
            await client.delete_collection(kind, grace_period_seconds=0)
        await client.delete(core.Namespace, client.namespace)


def config_map(name: str, **data: str) -> core.ConfigMap:
    return core.ConfigMap(metadata=ObjectMeta(name=name, labels={"name": name}), data=data)


def pod(name: str) -> core.Pod:
    return core.Pod(
        metadata=ObjectMeta(name=name),
        spec=core.PodSpec(
            containers=[core.Container(name="c", image="nginx")],
            automount_service_account_token=False,
            service_account_name="default",
        ),
    )


def deployment(name: str) -> apps.Deployment:
    labels = {"app": name}
    return apps.Deployment(
        metadata=ObjectMeta(name=name),
        spec=apps.DeploymentSpec(
            replicas=2,
            selector=LabelSelector(match_labels=labels),
            template=core.PodTemplateSpec(
                metadata=ObjectMeta(labels=labels),
                spec=core.PodSpec(containers=[core.Container(name="c", image="nginx")]),
            ),
        ),
    )


async def test_an_object_lives_and_dies(client):
    made = await client.create(config_map("a", x="1"))
    assert isinstance(made, core.ConfigMap)
    assert (made.metadata.namespace, made.data) == (client.namespace, {"x": "1"})
    with pytest.raises(errors.AlreadyExists, match='configmaps "a" already exists'):
        await client.create(config_map("a"))
    made.data = {"x": "2"}
    replaced = await client.replace(made)
    assert replaced.data == {"x": "2"}
    with pytest.raises(errors.Conflict, match="the object has been modified") as stale:
        await client.replace(made)
    assert "read the object again" in stale.value.hint
    raw = await client.get(CONFIG_MAPS, "a")
    assert raw.metadata.resource_version == replaced.metadata.resource_version
    assert (raw.kind, raw.to_dict()["data"]) == ("ConfigMap", {"x": "2"})
    with pytest.raises(errors.Conflict):
        await client.delete(core.ConfigMap, "a", uid="another")
    with pytest.raises(errors.Conflict):
        await client.delete(core.ConfigMap, "a", resource_version=made.metadata.resource_version)
    gone = await client.delete(core.ConfigMap, "a", uid=raw.metadata.uid, propagation_policy="Background")
    assert gone.kind == "Status"
    with pytest.raises(errors.NotFound) as caught:
        await client.get(core.ConfigMap, "a")
    assert caught.value.details == {"name": "a", "kind": "configmaps"}


async def test_an_object_that_must_be_waited_for_is_answered(client):
    held = config_map("held")
    held.metadata.finalizers = ["example.com/hold"]
    await client.create(held)
    going = await client.delete(core.ConfigMap, "held")
    assert (going.kind, going.metadata.finalizers) == ("ConfigMap", ("example.com/hold",))
    assert going.metadata.deletion_timestamp is not None
    await client.patch(CONFIG_MAPS, "held", {"metadata": {"finalizers": None}}, "merge")
    with pytest.raises(errors.NotFound):
        await client.get(core.ConfigMap, "held")


async def test_dicts_and_raw_objects_go_the_same_way(client):
    made = await client.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "d-"}})
    assert made.metadata.name.startswith("d-")
    listed = (
        await client.list(
            CONFIG_MAPS, namespace=client.namespace, field_selector=f"metadata.name={made.metadata.name}"
        )
    ).items[0]
    again = await client.replace(listed)
    assert (again.kind, again.metadata.uid) == ("ConfigMap", made.metadata.uid)
    with pytest.raises(errors.NotFound, match=r"does not serve kind Nothing of example\.com/v1"):
        await client.create({"apiVersion": "example.com/v1", "kind": "Nothing", "metadata": {"name": "x"}})
    with pytest.raises(errors.UsageError, match="needs apiVersion and kind"):
        await client.create({"metadata": {"name": "x"}})
    with pytest.raises(errors.UsageError, match="no metadata"):
        await client.create({"apiVersion": "v1", "kind": "ConfigMap"})
    with pytest.raises(errors.UsageError, match="a name is needed"):
        await client.get(core.ConfigMap, "")


async def test_dry_run_stores_nothing(client):
    await client.create(config_map("dry"), dry_run=True)
    with pytest.raises(errors.NotFound):
        await client.get(core.ConfigMap, "dry")


async def test_apply_owns_fields_and_conflicts(client):
    await client.apply(config_map("a", mine="1", both="1"), field_manager="one")
    with pytest.raises(errors.Conflict) as caught:
        await client.apply(config_map("a", both="2"), field_manager="two")
    assert [cause.field for cause in caught.value.causes] == [".data.both"]
    assert 'conflict with "one"' in caught.value.causes[0].message
    assert "force" in caught.value.hint
    forced = await client.apply(config_map("a", both="2"), field_manager="two", force=True)
    assert forced.data == {"mine": "1", "both": "2"}
    with pytest.raises(errors.UsageError, match="field_manager"):
        await client.apply(config_map("a"))


@pytest.mark.parametrize(
    ("patch_type", "patch"),
    [
        ("merge", {"data": {"x": "2", "y": None}}),
        ("strategic", {"data": {"x": "2", "y": None}}),
        ("json", [{"op": "replace", "path": "/data/x", "value": "2"}, {"op": "remove", "path": "/data/y"}]),
        ("json", b'[{"op":"replace","path":"/data","value":{"x":"2"}}]'),
    ],
)
async def test_patches_of_all_kinds(client, patch_type, patch):
    await client.create(config_map("a", x="1", y="1"))
    patched = await client.patch(core.ConfigMap, "a", patch, patch_type, field_manager="me")
    assert patched.data == {"x": "2"}
    assert {entry.manager for entry in patched.metadata.managed_fields or ()} == {"tests", "me"}


async def test_a_list_in_pages_and_a_selection(client):
    for index in range(7):
        await client.create(config_map(f"c{index}"))
    pages = [page async for page in client.pages(core.ConfigMap, namespace=client.namespace, limit=3)]
    assert [len(page.items) for page in pages] == [3, 3, 1]
    assert pages[0].remaining == 4
    result = await client.list(core.ConfigMap, namespace=client.namespace, label_selector="name in (c1,c2)")
    assert [item.metadata.name for item in result.items] == ["c1", "c2"]
    with pytest.raises(errors.BadRequest):
        await client.list(core.ConfigMap, label_selector="a in")
    await client.delete_collection(core.ConfigMap, label_selector="name=c1")
    assert len((await client.list(core.ConfigMap, namespace=client.namespace)).items) == 6


async def test_a_watch_goes_on_from_where_the_list_was(client):
    await client.create(config_map("old"))
    at = (await client.list(core.ConfigMap, namespace=client.namespace)).resource_version
    async with client.watch(core.ConfigMap, namespace=client.namespace, resource_version=at) as watch:
        await client.create(config_map("new", x="1"))
        await client.patch(core.ConfigMap, "new", {"data": {"x": "2"}}, "merge")
        await client.delete(core.ConfigMap, "new")
        seen = [await anext(watch) for _ in range(3)]
    assert [(event.type, (event.object.data or {})["x"]) for event in seen] == [
        ("ADDED", "1"),
        ("MODIFIED", "2"),
        ("DELETED", "2"),
    ]


async def test_a_watch_that_begins_with_what_there_is(client):
    await client.create(config_map("a"))
    async with client.watch(CONFIG_MAPS, namespace=client.namespace, send_initial_events=True) as watch:
        first, marker = await anext(watch), await anext(watch)
    assert (first.type, first.object.metadata.name) == ("ADDED", "a")
    assert (marker.type, marker.object.metadata.annotations) == ("BOOKMARK", {"k8s.io/initial-events-end": "true"})


async def test_a_watch_ends_when_its_time_is_over(client):
    watch = client.watch(core.ConfigMap, namespace=client.namespace, timeout_seconds=1)
    assert [event async for event in watch] == []


async def test_an_unknown_field_is_an_error_unless_asked_otherwise(client):
    unknown = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "u"}, "dta": {}}
    with pytest.raises(errors.BadRequest, match='strict decoding error: unknown field "dta"') as caught:
        await client.create(unknown)
    assert f"the server is {await client.server_version()}" in caught.value.hint
    with collect_warnings() as warnings:
        await client.create(unknown, field_validation="Warn")
    assert warnings == ['unknown field "dta"']


async def test_status_and_scale(client):
    made = await client.create(deployment("web"))
    assert (await client.get_scale(apps.Deployment, "web")).replicas == 2
    scaled = await client.scale(apps.Deployment, "web", 5)
    assert (scaled.replicas, scaled.status_replicas, scaled.selector) == (5, 0, "app=web")
    patched = await client.patch(
        apps.Deployment, "web", {"status": {"replicas": 3}, "spec": {"replicas": 9}}, "merge", subresource="status"
    )
    assert patched.status is not None
    assert (patched.status.replicas, patched.spec.replicas) == (3, 5)
    assert made.metadata.uid == patched.metadata.uid
    assert (await client.get(apps.Deployment, "web", subresource="status")).metadata.name == "web"


async def test_pods_are_bound_and_evicted(client):
    await client.create(core.ServiceAccount(metadata=ObjectMeta(name="default")))
    await client.create(pod("p"))
    await client.bind("p", "some-node")
    bound = await client.get(core.Pod, "p")
    assert bound.spec is not None
    assert bound.spec.node_name == "some-node"
    with pytest.raises(errors.Conflict):
        await client.evict("p", uid="another")
    await client.evict("p", grace_period_seconds=0)
    with pytest.raises(errors.NotFound):
        await client.get(core.Pod, "p")


async def test_a_log_that_is_not_there(client):
    with pytest.raises(errors.NotFound, match='pods "none" not found'):
        await client.log("none")
    with pytest.raises(errors.NotFound):
        await anext(client.follow_log("none"))


@pytest.mark.parametrize("client", [REAL], indirect=True)  # the embedded server answers 501: it signs no tokens
async def test_a_token_of_a_service_account(client):
    await client.create(core.ServiceAccount(metadata=ObjectMeta(name="robot")))
    token = await client.create_token("robot", expiration_seconds=600)
    assert token.token.count(".") == 2
    assert token.expires > clock.now()
    assert token.token not in repr(token)


async def test_discovery_tells_what_the_server_serves(client):
    deployments = await client.discovery.resolve("deploy")
    assert deployments.gvk == apps.Deployment.api_resource.gvk
    assert set(deployments.subresources) >= {"scale", "status"}
    response = await client.raw(Request("GET", "/version"))
    assert b"gitVersion" in await response.read()


async def test_a_watch_closed_by_somebody_else_just_ends(client):
    watch = client.watch(core.ConfigMap, namespace=client.namespace)
    await watch.open()
    waiting = asyncio.create_task(collect(watch))
    await client.create(config_map("a"))
    await client.get(core.ConfigMap, "a")
    await watch.aclose()
    assert len(await waiting) <= 1


async def test_a_watch_cancelled_is_over(client):
    watch = client.watch(core.ConfigMap, namespace=client.namespace)
    seen = asyncio.Event()

    async def follow() -> None:
        async for _ in watch:
            seen.set()

    waiting = asyncio.create_task(follow())
    await client.create(config_map("a"))
    await seen.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    with pytest.raises(StopAsyncIteration):
        await anext(watch)


async def collect(watch: Watch[core.ConfigMap]) -> list[core.ConfigMap]:
    return [event.object async for event in watch]
