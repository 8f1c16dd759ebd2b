import enum
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest

from kubewright.client import Client, connect, load_config
from kubewright.errors import Invalid
from kubewright.kinds import apps_v1 as apps
from kubewright.kinds import core_v1 as core
from kubewright.kinds.apiextensions_v1 import CustomResourceDefinition
from kubewright.objects import (
    Atomic,
    Column,
    Condition,
    EmbeddedResource,
    Format,
    IntOrString,
    JsonObject,
    ListMap,
    ListSet,
    Meta,
    Nullable,
    PreserveUnknown,
    Quantity,
    Resource,
    Rule,
    Scale,
    Spec,
    Status,
    crd,
    resource,
    rules,
    subset_differences,
    to_dict,
)
from kubewright.wire import Request

pytestmark = pytest.mark.real

GROUP = "types.kubewright.dev"


class AppServiceSpec(Spec):
    size: Annotated[int, Meta(ge=0, le=50)] = 1
    image: Annotated[str, Meta(min_length=1)]
    resources: core.ResourceRequirements | None = None
    envs: list[core.EnvVar] = []
    ports: list[core.ServicePort]


@resource(
    group=GROUP,
    version="v1",
    short_names=["as"],
    columns=[Column("Image", ".spec.image"), Column("Ready", ".status.readyReplicas", "integer")],
    rules={"size(self.spec.ports) > 0": "at least one port is needed"},
)
class AppService(Resource[AppServiceSpec, apps.DeploymentStatus]):
    """A web application reachable on a node port."""


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


@rules({"self.low <= self.high": "low is above high"})
class Range(Spec):
    """A range of numbers."""

    low: int = 0
    high: int = 10


class Rung(Spec):
    name: str
    zone: str = "a"
    weight: Annotated[int, Meta(gt=0, multiple_of=5)] = 5


class EverythingSpec(Spec):
    """All there is.

    Attributes:
        text: some text.
    """

    text: Annotated[str, Meta(max_length=20, pattern="^[a-z]+$", examples=["abc"], title="Text")] = "abc"
    ratio: Annotated[float, Meta(gt=0, lt=1.5)] = 0.5
    count: Annotated[int, Format("int64")] = 0
    on: bool = False
    colour: Colour = Colour.BLUE
    mode: Literal["fast", "slow"] = "fast"
    secret: bytes | None = None
    begins: datetime | None = None
    maybe: Annotated[str | None, Nullable()] = None
    port: IntOrString = 80
    memory: Quantity = "1Gi"
    share: int | Annotated[str, Meta(pattern="^[0-9]+%$")] = "50%"
    labels: Annotated[dict[str, str], Meta(max_length=10)] = {}
    deep: dict[str, list[dict[str, Rung]]] = {}
    range: Range = Range()
    rungs: Annotated[list[Rung], ListMap("name", "zone"), Meta(max_length=5)] = []
    hosts: Annotated[list[Annotated[str, Meta(max_length=63)]], ListSet(), Meta(max_length=5)] = ["localhost"]
    args: Annotated[list[str], Atomic()] | None = None
    selector: Annotated[dict[str, str], Atomic()] | None = None
    reference: core.LocalObjectReference | None = None
    anything: Any = None
    tree: JsonObject | None = None
    manifest: Annotated[JsonObject, EmbeddedResource()] | None = None
    open: Annotated[Range, PreserveUnknown()] | None = None
    fixed: Annotated[
        str, Meta(max_length=10), Rule("self == oldSelf", "it cannot change", reason="FieldValueForbidden")
    ] = "x"


class EverythingStatus(Status):
    replicas: int = 0
    selector: str = ""
    conditions: Annotated[list[Condition], ListMap("type")] = []


@resource(
    group=GROUP,
    version="v1alpha1",
    plural="everything",
    short_names=["ev", "evs"],
    categories=["all", "kubewright"],
    columns=[
        Column("Text", ".spec.text", description="its text", priority=1),
        Column("Ready", '.status.conditions[?(@.type=="Ready")].status'),
        Column("Count", ".spec.count", "integer", format="int64"),
    ],
    rules=[
        Rule(
            "self.spec.count >= 0",
            message_expression="'negative: ' + (self.spec.on ? 'on' : 'off')",
            field_path=".spec.count",
        ),
        Rule(
            "!oldSelf.hasValue() || self.spec.on == oldSelf.value().spec.on", "on is fixed", optional_old_self=True
        ),
    ],
    scale=Scale(".spec.count", ".status.replicas", ".status.selector"),
    selectable_fields=[".spec.colour", ".spec.on", ".spec.count"],
    deprecation_warning="",
)
class Everything(Resource[EverythingSpec, EverythingStatus]):
    """Everything a schema says."""


class TemplatedSpec(Spec):
    template: core.PodTemplateSpec
    claims: list[core.PersistentVolumeClaim] = []
    strategy: apps.DeploymentStrategy | None = None


@resource(group=GROUP, version="v1")
class Templated(Resource[TemplatedSpec, None]):
    """Holds a Pod template."""


class FleetSpec(Spec):
    size: int = 1


@resource(group=GROUP, version="v1", kind="Fleet", scope="Cluster", hub=True)
class FleetV1(Resource[FleetSpec, None]):
    """A fleet."""


class OldFleetSpec(Spec):
    count: int = 1


@resource(
    group=GROUP,
    version="v1beta1",
    kind="Fleet",
    scope="Cluster",
    storage=False,
    deprecation_warning="use v1 instead",
)
class FleetV1Beta1(Resource[OldFleetSpec, None]):
    """A fleet, as it used to be."""


ALL = {
    "AppService": [AppService],
    "Everything": [Everything],
    "Templated": [Templated],
    "Fleet": [FleetV1Beta1, FleetV1],
}


@pytest.fixture
async def real(real_kubeconfig: Path) -> AsyncIterator[Client]:
    client = connect(load_config(str(real_kubeconfig)))
    try:
        yield client
    finally:
        await client.close()


async def gone(client: Client, name: str) -> None:
    """Delete the CRD and wait until it is gone."""
    selector = f"metadata.name={name}"
    listed = await client.list(CustomResourceDefinition, field_selector=selector)
    if not listed.items:
        return
    watch = client.watch(
        CustomResourceDefinition, resource_version=listed.resource_version, field_selector=selector
    )
    await client.delete(CustomResourceDefinition, name)
    async with aclosing(watch):
        async for event in watch:
            if event.type == "DELETED":
                return


async def established(client: Client, made: JsonObject) -> tuple[JsonObject, str]:
    """The CRD as the server holds it once it is served, and the warnings given for it."""
    request = Request(
        "POST",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        query=(("fieldValidation", "Strict"),),
        headers={"content-type": "application/json"},
        body=msgspec.json.encode(made),
    )
    response = await client.raw(request)
    created = msgspec.json.decode(await response.read())
    name = made["metadata"]["name"]
    watch = client.watch(
        CustomResourceDefinition,
        resource_version=created["metadata"]["resourceVersion"],
        field_selector=f"metadata.name={name}",
    )
    async with aclosing(watch):
        async for event in watch:
            conditions = to_dict(event.object)["status"].get("conditions", [])
            held = {condition["type"]: condition["status"] for condition in conditions}
            if held.get("Established") == "True":
                assert "NonStructuralSchema" not in held
                break
    stored = await client.raw(Request("GET", f"{request.path}/{name}"))
    return msgspec.json.decode(await stored.read()), response.headers.get("warning", "")


@pytest.mark.parametrize("kind", ALL)
async def test_the_real_server_accepts_and_keeps_every_definition(real: Client, kind: str) -> None:
    made = crd(*ALL[kind])
    await gone(real, made["metadata"]["name"])
    try:
        stored, warning = await established(real, made)
        assert warning == ""
        for ours, theirs in zip(made["spec"]["versions"], stored["spec"]["versions"], strict=True):
            assert theirs["schema"] == ours["schema"]
        assert subset_differences(made, stored, CustomResourceDefinition) == []
    finally:
        await gone(real, made["metadata"]["name"])


async def test_the_real_server_holds_what_our_types_say(real: Client) -> None:
    made = crd(Everything)
    await gone(real, made["metadata"]["name"])
    try:
        await established(real, made)
        everything = Everything(
            spec=EverythingSpec(
                secret=b"hidden",
                begins=datetime(2026, 1, 1, tzinfo=UTC),
                deep={"a": [{"b": Rung(name="r")}]},
                rungs=[Rung(name="a"), Rung(name="a", zone="b", weight=10)],
                args=["x", "x"],
                reference=core.LocalObjectReference(name="r"),
                anything=[1, "two", {"three": 3}],
                tree={"a": {"b": []}},
                manifest={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "b"}},
                open=Range(high=3),
            )
        )
        everything.metadata.name = "e"
        everything.metadata.namespace = "default"
        created = await real.create(everything)
        assert subset_differences(to_dict(everything), to_dict(created), Everything) == []
        assert created.spec == everything.spec

        bare = await real.create(
            {**to_dict(everything), "metadata": {"name": "f", "namespace": "default"}, "spec": {}}
        )
        assert msgspec.json.decode(bare.raw)["spec"] == to_dict(Everything(spec=EverythingSpec()))["spec"] | {
            "labels": {},
            "deep": {},
            "rungs": [],
        }
        everything.spec.range = Range(low=11)
        with pytest.raises(Invalid, match="low is above high"):
            await real.create(everything)
        named = await real.list(Everything, namespace="default", field_selector="spec.colour=blue")
        assert {one.metadata.name for one in named.items} == {"e", "f"}
    finally:
        await gone(real, made["metadata"]["name"])


async def test_the_real_server_enforces_the_rules_of_the_design_s_example(real: Client) -> None:
    made = crd(AppService)
    await gone(real, made["metadata"]["name"])
    try:
        await established(real, made)
        app = AppService(spec=AppServiceSpec(image="nginx:1.7.9", ports=[]))
        app.metadata.name, app.metadata.namespace = "a", "default"
        with pytest.raises(Invalid, match="at least one port is needed"):
            await real.create(app)
        raw = {**to_dict(app), "spec": {"image": "", "size": 51, "ports": []}}
        with pytest.raises(Invalid, match="at least one port is needed") as refused:
            await real.create(raw)
        assert {cause.field for cause in refused.value.causes} >= {"spec.size", "spec.image"}
    finally:
        await gone(real, made["metadata"]["name"])
