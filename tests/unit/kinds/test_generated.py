"""The generated modules: up to date, loaded only when used, exact on the wire."""

from __future__ import annotations

import filecmp
import subprocess
import sys
import typing
from pathlib import Path

import msgspec
import pytest

from kubewright import kinds
from kubewright.kinds import apiextensions, apps, autoscaling, core, networking, policy
from kubewright.objects import ApiResource, Atomic, LabelSelector, ListMap, Object, to_dict, to_json

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "scripts"
SOURCE = ROOT / "src" / "kubewright"


def loaded_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*[m for m in sys.modules if m.startswith('kubewright.kinds.')])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return {module.removeprefix("kubewright.kinds.") for module in done.stdout.split()}


def test_generating_again_changes_nothing(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(SCRIPTS / "generate_kinds.py"), str(tmp_path)], check=True)
    names = sorted(path.name for path in (SOURCE / "kinds").glob("*.py"))
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert filecmp.cmpfiles(tmp_path, SOURCE / "kinds", names, shallow=False) == (names, [], [])


@pytest.mark.real
def test_recording_again_changes_nothing(tmp_path: Path, real_kubeconfig: Path) -> None:
    subprocess.run([sys.executable, str(SCRIPTS / "record_openapi.py"), real_kubeconfig, tmp_path], check=True)
    names = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.gz"))
    data = SOURCE / "server" / "data"
    assert {str(path.relative_to(data)) for path in data.glob("openapi/*.gz")} < set(names)
    assert filecmp.cmpfiles(tmp_path, data, names, shallow=False) == (names, [], [])


def test_importing_the_room_loads_no_group() -> None:
    assert loaded_after("import kubewright.kinds") == set()


def test_importing_a_group_loads_that_and_what_its_types_need() -> None:
    assert loaded_after("from kubewright.kinds import rbac") == {"rbac_v1"}
    assert loaded_after("from kubewright.kinds import core_v1") == {"core_v1"}
    assert loaded_after("from kubewright.kinds import apps") == {"apps_v1", "core_v1"}


def test_a_group_stands_for_the_version_a_server_prefers() -> None:
    assert kinds.autoscaling is autoscaling
    assert autoscaling.HorizontalPodAutoscaler.api_version == "autoscaling/v2"


def test_an_unknown_group_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'extensions'"):
        kinds.extensions  # type: ignore[attr-defined]  # noqa: B018


def test_a_kind_knows_the_resource_that_serves_it() -> None:
    assert apps.Deployment.api_resource == ApiResource(
        group="apps",
        version="v1",
        kind="Deployment",
        plural="deployments",
        singular="deployment",
        short_names=("deploy",),
        categories=("all",),
        verbs=("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"),
        subresources=("scale", "status"),
    )
    assert not core.Namespace.api_resource.namespaced


def test_a_kind_of_subresources_has_no_resource_of_its_own() -> None:
    assert policy.Eviction.api_version == "policy/v1"
    assert policy.Eviction.api_resource.plural == ""


def test_every_type_decodes() -> None:
    for module in kinds.__all__:
        for name in getattr(kinds, module).__all__:
            msgspec.json.Decoder(getattr(getattr(kinds, module), name))


def test_wire_names_are_exact() -> None:
    spec = core.ServiceSpec(
        cluster_ip="None",
        cluster_ips=["None"],
        external_ips=[],
        load_balancer_source_ranges=[],
        ports=[core.ServicePort(port=80, target_port="http", node_port=30002)],
    )
    assert msgspec.to_builtins(spec) == {
        "clusterIP": "None",
        "clusterIPs": ["None"],
        "externalIPs": [],
        "loadBalancerSourceRanges": [],
        "ports": [{"port": 80, "targetPort": "http", "nodePort": 30002}],
    }
    block = networking.IPBlock(cidr="10.0.0.0/8", except_=["10.1.0.0/16"])
    assert msgspec.to_builtins(block) == {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}
    rule = networking.NetworkPolicyIngressRule(from_=[networking.NetworkPolicyPeer(ip_block=block)])
    assert "from" in msgspec.to_builtins(rule)
    schema = apiextensions.JSONSchemaProps(
        ref="#/a", not_=apiextensions.JSONSchemaProps(type="string"), x_kubernetes_preserve_unknown_fields=True
    )
    assert msgspec.to_builtins(schema) == {
        "$ref": "#/a",
        "not": {"type": "string"},
        "x-kubernetes-preserve-unknown-fields": True,
    }


def test_zeros_are_sent_and_none_is_not() -> None:
    status = apps.DeploymentStatus(ready_replicas=0, conditions=[], collision_count=None)
    assert msgspec.to_builtins(status) == {"readyReplicas": 0, "conditions": []}


def test_secret_data_is_bytes() -> None:
    secret = core.Secret(data={"a": b"\x00\xff", "empty": b""})
    assert to_dict(secret)["data"] == {"a": "AP8=", "empty": ""}
    assert msgspec.json.decode(to_json(secret), type=core.Secret).data == secret.data


def test_the_claims_of_a_stateful_set_are_sent_with_their_kind() -> None:
    stateful_set = apps.StatefulSet(
        spec=apps.StatefulSetSpec(
            selector=LabelSelector(),
            template=core.PodTemplateSpec(),
            volume_claim_templates=[core.PersistentVolumeClaim(spec=core.PersistentVolumeClaimSpec())],
        )
    )
    [claim] = to_dict(stateful_set)["spec"]["volumeClaimTemplates"]
    assert claim == {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {}, "spec": {}}


def test_no_other_kind_stands_in_another() -> None:
    nested = {
        (cls.__name__, field)
        for module in kinds.__all__
        for name in getattr(kinds, module).__all__
        for cls in [getattr(getattr(kinds, module), name)]
        for field, hint in typing.get_type_hints(cls).items()
        if any(isinstance(part, type) and issubclass(part, Object) for part in _parts(hint))
    }
    assert nested == {("StatefulSetSpec", "volume_claim_templates")}


def test_lists_say_how_they_merge() -> None:
    hints = typing.get_type_hints(core.PodSpec, include_extras=True)
    assert hints["containers"].__metadata__ == (ListMap("name"),)
    ports = typing.get_type_hints(core.Container, include_extras=True)
    assert ListMap("containerPort", "protocol") in typing.get_args(ports["ports"])[0].__metadata__
    assert typing.get_args(ports["command"])[0].__metadata__ == (Atomic(),)


def _parts(hint: object) -> list[object]:
    arguments = typing.get_args(hint)
    return [hint] if not arguments else [part for argument in arguments for part in _parts(argument)]
