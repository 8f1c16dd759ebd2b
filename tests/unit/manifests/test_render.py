from pathlib import Path
from typing import Annotated, Any

import pytest

from kubewright.client import connect, load_config
from kubewright.kinds import apps_v1 as apps
from kubewright.kinds import core_v1 as core
from kubewright.kinds import rbac_v1 as rbac
from kubewright.kinds import storage_v1 as storage
from kubewright.manifests import Outcome, load_manifests, render, role_bindings, roles, sample, write
from kubewright.objects import JsonObject, Meta, Resource, Spec, crd, resource, subset_differences
from kubewright.runtime import ALL_NAMESPACES, Context, Controller, Desired, Grant, Operator, Owns, Reads, Seen

GROUP = "rendered.kubewright.dev"


class AppSpec(Spec):
    size: Annotated[int, Meta(ge=0, le=50)] = 1
    image: Annotated[str, Meta(min_length=1, examples=["nginx"])]
    ports: list[core.ServicePort]


@resource(group=GROUP, version="v1")
class AppService(Resource[AppSpec, apps.DeploymentStatus]):
    pass


class FleetSpec(Spec):
    size: int = 1


@resource(group=GROUP, version="v1", scope="Cluster")
class Fleet(Resource[FleetSpec, None]):
    pass


@resource(group=GROUP, version="v1beta1", kind="AppService", storage=False)
class OldAppService(Resource[FleetSpec, None]):
    pass


class AppController(Controller[AppService]):
    owns = (apps.Deployment, core.Service)

    def desired(self, app: AppService, seen: Seen, /) -> Desired[Any]:
        return Desired()


class ReadingController(AppController):
    name = "reading"
    owns = (apps.Deployment,)
    formerly_owns = (core.ConfigMap,)
    reads = (
        Reads(core.Secret, names=("b", "a")),
        Reads(core.ConfigMap, namespaces=("shared",)),
        storage.StorageClass,
    )
    grants = (
        Grant(groups=["batch"], resources=["jobs"], verbs=["create"]),
        Grant(non_resource_urls=["/healthz"], verbs=["get"]),
    )


class FarController(Controller[AppService]):
    name = "far"
    owns = (rbac.ClusterRole, Owns(core.ConfigMap, namespaces=("shared",)))
    formerly_owns = (Owns(core.Service, namespaces=(ALL_NAMESPACES,)),)

    def desired(self, app: AppService, seen: Seen, /) -> Desired[Any]:
        return Desired()


class FleetController(Controller[Fleet]):
    owns = (core.ConfigMap,)

    def desired(self, fleet: Fleet, seen: Seen, /) -> Desired[Any]:
        return Desired()

    async def finalize(self, fleet: Fleet, ctx: Context, /) -> None:
        pass


def operator(*controllers: Controller[Any], namespaces: tuple[str, ...] | None = None) -> Operator:
    return Operator("opdemo", controllers=controllers, namespaces=namespaces)


def rights(role: JsonObject) -> dict[str, str]:
    """``deployments.apps`` → ``get list``; with names in brackets."""
    found = {}
    for rule in role["rules"]:
        for name in rule.get("resources", rule.get("nonResourceURLs")):
            group = rule.get("apiGroups", [""])[0]
            names = rule.get("resourceNames")
            key = f"{name}.{group}" if group else name
            found[key + (f"[{','.join(names)}]" if names else "")] = " ".join(rule["verbs"])
    return found


LEASES = {"leases.coordination.k8s.io": "create", "leases.coordination.k8s.io[opdemo]": "get watch update"}


def test_the_files_are_those_of_the_tutorial() -> None:
    assert list(render(operator(AppController()))) == [
        "crds/rendered_v1_appservice_crd.yaml",
        "crds/rendered_v1_appservice_cr.yaml",
        "service_account.yaml",
        "role.yaml",
        "role_binding.yaml",
        "operator.yaml",
    ]


def test_an_operator_of_one_namespace_gets_a_role_and_no_more_than_it_needs() -> None:
    (role,) = roles(operator(AppController()))
    assert role["kind"] == "Role"
    assert rights(role) == {
        f"appservices.{GROUP}": "get list watch patch",
        f"appservices/status.{GROUP}": "patch",
        f"appservices/finalizers.{GROUP}": "update",
        "deployments.apps": "get list watch create patch delete",
        "services": "get list watch create patch delete",
        "events.events.k8s.io": "create patch",
        **LEASES,
    }
    (binding,) = role_bindings(operator(AppController()))
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "opdemo"}]


def test_nothing_is_granted_by_a_star() -> None:
    made = roles(operator(ReadingController(), FleetController()), all_namespaces=True)
    assert "*" not in str(made)


def test_reads_and_grants_are_granted_where_they_are() -> None:
    here, everywhere, shared = roles(operator(ReadingController()))
    assert rights(here) == {
        f"appservices.{GROUP}": "get list watch patch",
        f"appservices/status.{GROUP}": "patch",
        f"appservices/finalizers.{GROUP}": "update",
        "deployments.apps": "get list watch create patch delete",
        "configmaps": "get list watch delete",
        "secrets[a,b]": "get list watch",
        "jobs.batch": "create",
        "events.events.k8s.io": "create patch",
        **LEASES,
    }
    assert everywhere["kind"] == "ClusterRole"
    assert rights(everywhere) == {"storageclasses.storage.k8s.io": "get list watch", "/healthz": "get"}
    assert shared["metadata"] == {"name": "opdemo", "namespace": "shared"}
    assert rights(shared) == {"configmaps": "get list watch"}
    bindings = role_bindings(operator(ReadingController()), namespace="op")
    assert [binding["kind"] for binding in bindings] == ["RoleBinding", "ClusterRoleBinding", "RoleBinding"]
    assert all(binding["subjects"][0]["namespace"] == "op" for binding in bindings)


def test_cluster_scoped_resources_need_a_cluster_role() -> None:
    here, everywhere = roles(operator(FleetController()))
    assert rights(here) == LEASES
    assert rights(everywhere) == {
        f"fleets.{GROUP}": "get list watch patch",
        f"fleets/finalizers.{GROUP}": "update",
        "configmaps": "get list watch create patch delete",
        "events.events.k8s.io": "create patch",
    }


def test_children_beyond_references_are_granted_where_they_are() -> None:
    here, everywhere, shared = roles(operator(FarController()))
    own = "get list watch create patch delete"
    assert rights(here)["configmaps"] == own
    assert rights(here)["services"] == "get list watch delete"
    assert rights(everywhere) == {
        "clusterroles.rbac.authorization.k8s.io": own,
        "services": "get list watch delete",
    }
    assert shared["metadata"]["namespace"] == "shared"
    assert rights(shared) == {"configmaps": own}


def test_reads_of_all_namespaces_are_granted_in_all() -> None:
    class Wide(AppController):
        name = "wide"
        reads = (Reads(core.ConfigMap, namespaces=(ALL_NAMESPACES,), metadata_only=True),)

    here, everywhere = roles(operator(Wide()))
    assert "configmaps" not in rights(here)
    assert rights(everywhere) == {"configmaps": "get list watch"}


def test_named_namespaces_get_a_role_each() -> None:
    made = roles(operator(AppController(), namespaces=("a", "b")))
    assert [role["metadata"].get("namespace", "") for role in made] == ["", "a", "b"]
    assert rights(made[0]) == LEASES
    assert "deployments.apps" in rights(made[2])


def environment(text: str) -> dict[str, JsonObject]:
    (made,) = load_manifests(text)
    return {one["name"]: one for one in made["spec"]["template"]["spec"]["containers"][0]["env"]}


def test_the_deployment_watches_what_the_role_allows() -> None:
    own = environment(render(operator(AppController()))["operator.yaml"])
    assert own["WATCH_NAMESPACE"]["valueFrom"]["fieldRef"] == {"fieldPath": "metadata.namespace"}
    assert own.keys() == {"WATCH_NAMESPACE", "POD_NAME", "POD_NAMESPACE"}
    every = environment(render(operator(AppController()), all_namespaces=True)["operator.yaml"])
    assert every["WATCH_NAMESPACE"]["value"] == ""
    named = environment(render(operator(AppController(), namespaces=("a", "b")))["operator.yaml"])
    assert named["WATCH_NAMESPACE"]["value"] == "a,b"
    assert "image: me/it:1\n" in render(operator(AppController()), image="me/it:1")["operator.yaml"]


def test_the_deployment_fits_the_restricted_profile_and_has_one_replica() -> None:
    (made,) = load_manifests(render(operator(AppController()))["operator.yaml"])
    assert made["spec"]["replicas"] == 1
    assert made["spec"]["strategy"]["type"] == "RollingUpdate"
    pod = made["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    (port,) = container["ports"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": port["name"]}
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": port["name"]}
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def test_all_versions_of_a_kind_stand_in_one_definition() -> None:
    files = render(operator(AppController()), resources=[OldAppService])
    (made,) = load_manifests(files["crds/rendered_v1_appservice_crd.yaml"])
    assert made == crd(AppService, OldAppService)


def test_a_sample_holds_what_is_required() -> None:
    assert sample(AppService) == {
        "apiVersion": f"{GROUP}/v1",
        "kind": "AppService",
        "metadata": {"name": "appservice-sample"},
        "spec": {"size": 1, "image": "nginx", "ports": [{"port": 0}]},
    }


def test_rendering_again_changes_nothing(tmp_path: Path) -> None:
    write(render(operator(AppController())), tmp_path)
    again = write(render(operator(AppController())), tmp_path, check=True)
    assert {result.outcome for result in again} == {Outcome.UNCHANGED}


@pytest.mark.real
@pytest.mark.parametrize("every", [False, True])
async def test_the_real_server_takes_all_that_is_rendered(real_kubeconfig: Path, every: bool) -> None:
    rendered = render(operator(ReadingController(), FleetController()), namespace="default", all_namespaces=every)
    client = connect(load_config(str(real_kubeconfig)))
    try:
        for name, text in rendered.items():
            for manifest in load_manifests(text) if not name.endswith("_cr.yaml") else ():
                if not manifest["kind"].startswith(("Cluster", "Custom")):
                    manifest["metadata"]["namespace"] = "default"
                taken = await client.apply(manifest, field_manager="tests", dry_run=True)
                assert subset_differences(manifest, taken.to_dict()) == []
    finally:
        await client.close()
