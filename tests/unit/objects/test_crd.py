from typing import Annotated

import pytest

from kubewright.errors import SchemaError
from kubewright.kinds import apps_v1 as apps
from kubewright.kinds import core_v1 as core
from kubewright.objects import Column, Meta, Object, Resource, Scale, Spec, Status, crd, guess_plural, resource

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


class ScaledSpec(Spec):
    count: int = 0


class ScaledStatus(Status):
    replicas: int = 0


@resource(group=GROUP, version="v1", scale=Scale(".spec.count", ".status.replicas"))
class Scaled(Resource[ScaledSpec, ScaledStatus]):
    pass


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


def test_the_example_of_the_design() -> None:
    made = crd(AppService)
    assert made["metadata"] == {"name": f"appservices.{GROUP}"}
    assert made["spec"]["names"] == {
        "kind": "AppService",
        "listKind": "AppServiceList",
        "plural": "appservices",
        "singular": "appservice",
        "shortNames": ["as"],
    }
    assert made["spec"]["scope"] == "Namespaced"
    (version,) = made["spec"]["versions"]
    assert version["subresources"] == {"status": {}}
    assert [column["name"] for column in version["additionalPrinterColumns"]] == ["Image", "Ready", "Age"]
    schema = version["schema"]["openAPIV3Schema"]
    assert schema["description"] == "A web application reachable on a node port."
    assert schema["x-kubernetes-validations"] == [
        {"rule": "size(self.spec.ports) > 0", "message": "at least one port is needed"}
    ]
    assert schema["properties"]["metadata"] == {"type": "object"}
    assert schema["properties"]["spec"]["required"] == ["image", "ports"]
    assert schema["required"] == ["spec"]


def test_the_class_knows_what_serves_it() -> None:
    described = AppService.api_resource
    assert (described.group, described.version, described.kind) == (GROUP, "v1", "AppService")
    assert described.path("a", "b", "status") == f"/apis/{GROUP}/v1/namespaces/a/appservices/b/status"
    assert described.subresources == ("status",)
    assert Scaled.api_resource.subresources == ("status", "scale")
    assert FleetV1.api_resource.subresources == ()
    assert not FleetV1.api_resource.namespaced


@pytest.mark.parametrize(
    ("kind", "plural"),
    [
        ("AppService", "appservices"),
        ("Bus", "buses"),
        ("Policy", "policies"),
        ("Day", "daies"),
        ("MyEndpoints", "myendpoints"),
        ("Proxy", "proxies"),
        ("Box", "boxs"),
    ],
)
def test_plurals_are_kubernetes_own_guess(kind: str, plural: str) -> None:
    assert guess_plural(kind) == plural


def test_several_versions_stand_in_one_definition_and_the_hub_is_stored() -> None:
    made = crd(FleetV1Beta1, FleetV1)
    assert [(one["name"], one["storage"]) for one in made["spec"]["versions"]] == [("v1", True), ("v1beta1", False)]
    assert made["spec"]["versions"][1]["deprecationWarning"] == "use v1 instead"


class OneSpec(Spec):
    size: int = 1


class OneStatus(Status):
    replicas: int = 0


def test_versions_that_do_not_fit_together_are_refused() -> None:
    @resource(group=GROUP, version="v1", kind="One")
    class OneV1(Resource[OneSpec, None]):
        pass

    @resource(group=GROUP, version="v2", kind="One")
    class OneV2(Resource[OneSpec, None]):
        pass

    @resource(group=GROUP, version="v2", kind="Two", storage=False)
    class Two(Resource[OneSpec, None]):
        pass

    @resource(group=GROUP, version="v1", kind="One", storage=False)
    class OneAgain(Resource[OneSpec, None]):
        pass

    with pytest.raises(SchemaError, match="OneV1, OneV2: exactly one version is stored, not 2"):
        crd(OneV1, OneV2)
    with pytest.raises(SchemaError, match="Two and OneV1 are not versions of one kind: kind is 'Two' and 'One'"):
        crd(OneV1, Two)
    with pytest.raises(SchemaError, match="OneAgain and OneV1 are both version v1"):
        crd(OneV1, OneAgain)
    with pytest.raises(SchemaError, match="OneSpec is not declared as a custom resource"):
        crd(OneSpec)  # type: ignore[arg-type]


def test_paths_that_lead_nowhere_are_refused() -> None:
    def declared(**options: object) -> type[Object]:
        class One(Resource[OneSpec, OneStatus]):
            pass

        return resource(group=GROUP, version="v1", **options)(One)  # type: ignore[arg-type]

    with pytest.raises(
        SchemaError, match=r"One: column 'Size': the path '.spec.sise' leads to no field: there is no"
    ):
        crd(declared(columns=[Column("Size", ".spec.sise")]))
    with pytest.raises(SchemaError, match=r"column 'Size': the path 'spec.size' does not begin with \."):
        crd(declared(columns=[Column("Size", "spec.size")]))
    with pytest.raises(SchemaError, match=r"scale: the path '.spec.replicas' leads to no field"):
        crd(declared(scale=Scale(".spec.replicas", ".status.replicas")))
    with pytest.raises(SchemaError, match=r"selectable field: the path '.metadata.name' does not begin with"):
        crd(declared(selectable_fields=[".metadata.name"]))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"group": "example"}, "group 'example' is not a lowercase domain name with a dot"),
        ({"group": "App.example.com"}, "group 'App.example.com' is not"),
        ({"version": "1"}, "version '1' is not a version"),
        ({"kind": "App_Service"}, "kind 'app_service' is not a CamelCase name"),
        ({"plural": "Apps"}, "plural 'Apps' is not a lowercase name"),
        ({"short_names": "as"}, "One: short_names is a text, not a list"),
        ({"short_names": ["A"]}, "short name or category 'A' is not a lowercase name"),
    ],
)
def test_names_no_server_would_accept_are_refused(names: dict[str, object], message: str) -> None:
    class One(Resource[OneSpec, None]):
        pass

    with pytest.raises(SchemaError, match=message):
        resource(**{"group": GROUP, "version": "v1", **names})(One)  # type: ignore[arg-type]


def test_only_resources_can_be_declared() -> None:
    with pytest.raises(SchemaError, match="@resource is for classes of custom resources, which OneSpec is not"):
        resource(group=GROUP, version="v1")(OneSpec)  # type: ignore[type-var]
