"""Objects take the shape that Go's decoding and encoding gives them."""

from __future__ import annotations

import pytest

from kubewright.objects import JsonObject
from kubewright.server import StatusError
from kubewright.server.builtin import builtin_resources
from kubewright.server.builtin.defaults import apply_defaults
from kubewright.server.builtin.shapes import reshape, type_of


def shaped(obj: JsonObject) -> JsonObject:
    reshape(obj, type_of(obj["apiVersion"], obj["kind"]))
    return obj


def test_what_is_always_there_comes_and_what_is_empty_goes() -> None:
    found = shaped(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "a", "labels": {}},
            "spec": {"maxReplicas": 3, "metrics": []},
        }
    )
    assert found["metadata"] == {"name": "a"}
    assert found["spec"] == {"maxReplicas": 3, "scaleTargetRef": {"kind": "", "name": ""}}
    assert found["status"] == {"currentMetrics": None, "desiredReplicas": 0}


def test_pointers_keep_their_zeros() -> None:
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {}}
    found = shaped({**deployment, "spec": {"replicas": 0, "minReadySeconds": 0, "paused": False}})
    assert found["spec"]["replicas"] == 0
    assert "minReadySeconds" not in found["spec"]
    assert "paused" not in found["spec"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"replicas": "1"},
            "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            {"replicas": 1.5},
            "cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            {"template": {"spec": {"containers": [{"name": 1}]}}},
            (
                "cannot unmarshal number into Go struct field "
                "Container.spec.template.spec.containers.name of type string"
            ),
        ),
        (
            {"template": {"spec": {"containers": {}}}},
            (
                "cannot unmarshal object into Go struct field "
                "PodSpec.spec.template.spec.containers of type []v1.Container"
            ),
        ),
    ],
)
def test_a_wrong_type_is_named_by_its_go_path(spec: JsonObject, message: str) -> None:
    with pytest.raises(StatusError) as caught:
        shaped({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {}, "spec": spec})
    assert caught.value.code == 400
    assert str(caught.value) == f'Deployment in version "v1" cannot be handled as a Deployment: json: {message}'


def test_every_resource_has_a_shape_and_bears_its_own_defaults() -> None:
    for definition in builtin_resources():
        if definition.missing:
            continue
        resource = definition.resource
        empty: JsonObject = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": "a"}}
        definition.strategy.default(empty)
        again = {**empty}
        definition.strategy.default(again)
        assert again == empty, resource.group_resource
        apply_defaults(again, type_of(resource.api_version, resource.kind))
        assert again == empty, resource.group_resource


def test_every_table_has_a_cell_for_each_column() -> None:
    for definition in builtin_resources():
        if definition.missing:
            continue
        resource = definition.resource
        obj: JsonObject = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"name": "a", "creationTimestamp": "2026-01-01T00:00:00Z"},
        }
        definition.strategy.default(obj)
        assert len(definition.strategy.rows(obj)) == len(definition.columns), resource.group_resource
