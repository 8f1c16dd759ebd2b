import base64
import copy
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewright.kinds import apps_v1 as apps
from kubewright.kinds import core_v1 as core
from kubewright.kinds import networking_v1 as networking
from kubewright.objects import (
    Atomic,
    IntOrString,
    JsonObject,
    ListMap,
    ListSet,
    Object,
    Quantity,
    Resource,
    Spec,
    resource,
    subset_differences,
)


class Rung(Spec):
    name: str
    weight: int | None = None


class LadderSpec(Spec):
    rungs: Annotated[list[Rung], ListMap("name")] = []
    order: list[Rung] = []
    hosts: Annotated[list[str], ListSet()] = []
    args: Annotated[list[str], Atomic()] = []
    memory: dict[str, Quantity] = {}
    port: IntOrString | None = None
    whole: Annotated[dict[str, str], Atomic()] = {}
    parts: dict[str, str] = {}
    anything: Any = None


@resource(group="compare.kubewright.dev", version="v1")
class Ladder(Resource[LadderSpec, None]):
    pass


def spec(**fields: Any) -> JsonObject:
    return {"metadata": {"name": "a"}, "spec": fields}


SAME: list[tuple[JsonObject, JsonObject]] = [
    (spec(), {"metadata": {"name": "a", "uid": "u", "managedFields": []}, "spec": {"port": 1}, "status": {}}),
    (spec(rungs=[{"name": "b"}, {"name": "a"}]), spec(rungs=[{"name": "a", "weight": 1}, {"name": "b"}])),
    (spec(rungs=[{"name": "a"}]), spec(rungs=[{"name": "injected"}, {"name": "a"}])),
    (spec(order=[{"name": "a"}]), spec(order=[{"name": "a", "weight": 1}])),
    (spec(hosts=["a", "b"]), spec(hosts=["b", "a", "c"])),
    (spec(memory={"a": "1Gi", "b": "0.5", "c": 1}), spec(memory={"a": "1024Mi", "b": "500m", "c": "1"})),
    (spec(port=80), spec(port="80")),
    (spec(parts={"a": "1"}), spec(parts={"a": "1", "b": "2"})),
    (spec(parts={}, rungs=[], anything={}), spec()),
    (spec(parts={"a": None}), spec(parts={})),
    (spec(anything={"a": [{"b": 1}]}), spec(anything={"a": [{"b": 1, "c": 2}], "d": 1})),
    ({"apiVersion": "a/v1", "kind": "A", **spec()}, spec()),
]
DIFFERENT: list[tuple[JsonObject, JsonObject, list[str]]] = [
    (spec(rungs=[{"name": "a"}]), spec(rungs=[{"name": "b"}]), ["spec.rungs[name=a]"]),
    (
        spec(rungs=[{"name": "a", "weight": 1}]),
        spec(rungs=[{"name": "a", "weight": 2}]),
        ["spec.rungs[name=a].weight"],
    ),
    (spec(rungs=[{"name": "a"}, {"name": "a"}]), spec(rungs=[{"name": "a"}]), ["spec.rungs[name=a]"]),
    (spec(order=[{"name": "a"}]), spec(order=[{"name": "a"}, {"name": "b"}]), ["spec.order"]),
    (
        spec(order=[{"name": "a"}, {"name": "b"}]),
        spec(order=[{"name": "b"}, {"name": "a"}]),
        ["spec.order[0].name", "spec.order[1].name"],
    ),
    (spec(order=[]), spec(order=[{"name": "b"}]), ["spec.order"]),
    (spec(hosts=["a"]), spec(hosts=["b"]), ["spec.hosts[a]"]),
    (spec(args=["a", "b"]), spec(args=["b", "a"]), ["spec.args[0]", "spec.args[1]"]),
    (spec(memory={"a": "1Gi"}), spec(memory={"a": "1G"}), ["spec.memory.a"]),
    (spec(memory={"x.y/z": "1"}), spec(), ["spec.memory"]),
    (spec(memory={"x.y/z": "1"}), spec(memory={}), ["spec.memory[x.y/z]"]),
    (spec(port=80), spec(port="http"), ["spec.port"]),
    (spec(port=0), spec(), ["spec.port"]),
    (spec(whole={"a": "1"}), spec(whole={"a": "1", "b": "2"}), ["spec.whole.b"]),
    (spec(parts={"a": "1"}), spec(parts={"a": "2"}), ["spec.parts.a"]),
    (spec(anything=[1]), spec(anything=[1, 2]), ["spec.anything"]),
    (spec(rungs=[{"name": "a"}]), spec(rungs={"name": "a"}), ["spec.rungs"]),
    ({"metadata": {"labels": {"a.b/c": "d"}}}, {"metadata": {"name": "a"}}, ["metadata.labels"]),
]


@pytest.mark.parametrize(("desired", "live"), SAME)
def test_what_the_live_object_holds_is_no_difference(desired: JsonObject, live: JsonObject) -> None:
    assert subset_differences(desired, live, Ladder) == []


@pytest.mark.parametrize(("desired", "live", "paths"), DIFFERENT)
def test_what_it_does_not_hold_is_named(desired: JsonObject, live: JsonObject, paths: list[str]) -> None:
    assert subset_differences(desired, live, Ladder) == paths


def container(**fields: Any) -> JsonObject:
    return {"spec": {"template": {"spec": {"containers": [{"name": "web", **fields}]}}}}


BUILT_IN: list[tuple[type[Object], JsonObject, JsonObject]] = [
    (core.Service, {"spec": {"ports": [{"port": 80}]}}, {"spec": {"ports": [{"port": 80, "protocol": "TCP"}]}}),
    (
        core.Service,
        {"spec": {"ports": [{"port": 80, "protocol": "UDP"}, {"port": 80}]}},
        {"spec": {"ports": [{"port": 80, "protocol": "TCP"}, {"port": 80, "protocol": "UDP"}]}},
    ),
    (
        apps.Deployment,
        container(env=[{"name": "A", "value": ""}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]),
        container(
            env=[{"name": "A"}, {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "x", "apiVersion": "v1"}}}],
            imagePullPolicy="Always",
        ),
    ),
    (apps.Deployment, container(resources={"limits": {"cpu": 1}}), container(resources={"limits": {"cpu": "1"}})),
    (
        core.Secret,
        {"stringData": {"a": "b"}, "data": {"c": "ZA=="}},
        {"data": {"a": base64.b64encode(b"b").decode(), "c": "ZA=="}},
    ),
    (
        networking.NetworkPolicy,
        {"spec": {"podSelector": {"matchLabels": {"a": "b"}}, "ingress": [{}]}},
        {"spec": {"podSelector": {"matchLabels": {"a": "b"}}, "ingress": [{}], "policyTypes": ["Ingress"]}},
    ),
    (
        core.Pod,
        {"metadata": {"creationTimestamp": "2026-01-01T00:00:00Z"}},
        {"metadata": {"creationTimestamp": "2026-01-01T01:00:00+01:00"}},
    ),
]


@pytest.mark.parametrize(("kind", "desired", "live"), BUILT_IN)
def test_what_the_server_defaults_is_no_difference(
    kind: type[Object], desired: JsonObject, live: JsonObject
) -> None:
    assert subset_differences(desired, live, kind) == []


def test_an_atomic_struct_is_owned_whole() -> None:
    desired = {"spec": {"selector": {"matchLabels": {"a": "b"}}}}
    live = copy.deepcopy(desired)
    live["spec"]["selector"]["matchExpressions"] = [{"key": "a", "operator": "Exists"}]
    assert subset_differences(desired, live, apps.Deployment) == ["spec.selector.matchExpressions"]


def test_a_changed_secret_is_seen_through_its_encoding() -> None:
    assert subset_differences({"stringData": {"a": "b"}}, {"data": {"a": "ZA=="}}, core.Secret) == ["data.a"]


def test_without_a_type_scalars_are_compared_as_they_are() -> None:
    assert subset_differences({"a": {"b": "1"}}, {"a": {"b": "1", "c": 1}}) == []
    assert subset_differences({"a": {"b": "1"}}, {"a": {"b": 1}}) == ["a.b"]


names = st.sampled_from(["a", "b", "c"])
rungs = st.lists(st.fixed_dictionaries({"name": names}, optional={"weight": st.integers(1, 3)}), max_size=3)
words = st.lists(names, max_size=3)
specs = st.fixed_dictionaries(
    {},
    optional={
        "rungs": rungs.map(lambda items: list({item["name"]: item for item in items}.values())),
        "order": rungs,
        "hosts": words.map(lambda items: sorted(set(items))),
        "args": words,
        "memory": st.dictionaries(names, st.sampled_from(["1", "1Gi", 1, "500m", "0.5"]), max_size=2),
        "port": st.sampled_from([1, "1", "http"]),
        "whole": st.dictionaries(names, names, max_size=2),
        "parts": st.dictionaries(names, names, max_size=2),
        "anything": st.recursive(names, lambda inner: st.lists(inner, max_size=2), max_leaves=4),
    },
)


@given(specs)
def test_an_object_holds_itself(value: JsonObject) -> None:
    assert subset_differences({"spec": value}, {"spec": copy.deepcopy(value)}, Ladder) == []
    assert subset_differences({"spec": value}, {"spec": copy.deepcopy(value)}) == []


def merged(value: JsonObject, desired: JsonObject) -> JsonObject:
    """What a server holds after an apply of ``desired`` over ``value``, by the rules of each field."""
    made = {**value, **desired}
    for field in ("memory", "parts"):
        if field in value and field in desired:
            made[field] = {**value[field], **desired[field]}
    if "hosts" in value and "hosts" in desired:
        made["hosts"] = [*value["hosts"], *(host for host in desired["hosts"] if host not in value["hosts"])]
    if "rungs" in value and "rungs" in desired:
        held = {item["name"]: item for item in value["rungs"]}
        for item in desired["rungs"]:
            held[item["name"]] = {**held.get(item["name"], {}), **item}
        made["rungs"] = list(held.values())
    return made


@given(specs, specs)
def test_after_it_is_applied_nothing_differs(live: JsonObject, desired: JsonObject) -> None:
    assert subset_differences({"spec": desired}, {"spec": merged(live, desired)}, Ladder) == []


@given(specs, specs)
def test_no_difference_means_applying_changes_no_value(live: JsonObject, desired: JsonObject) -> None:
    if subset_differences({"spec": desired}, {"spec": live}, Ladder):
        return
    after = merged(live, desired)
    assert subset_differences({"spec": after}, {"spec": live}, Ladder) == []
