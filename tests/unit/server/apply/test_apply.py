"""Laws of server-side apply, and the cases its users meet."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewright.objects.patches import same_json
from kubewright.server.apply import ApplyConflict, ApplyError, apply, keep_times, track_update
from kubewright.server.schema import from_crd

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
SCHEMA = from_crd(
    {
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "properties": {
                    "size": {"type": "integer"},
                    "image": {"type": "string"},
                    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                    "whole": {"type": "array", "items": {"type": "integer"}},
                    "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                    "ports": {
                        "type": "array",
                        "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["port"],
                        "items": {
                            "type": "object",
                            "properties": {"port": {"type": "integer"}, "name": {"type": "string"}},
                        },
                    },
                },
            }
        },
    }
)
# No empty lists or maps: they are leaves, and whose they are depends on what was there before.
specs = st.fixed_dictionaries(
    {},
    optional={
        "size": st.integers(0, 3),
        "image": st.sampled_from("ab"),
        "labels": st.dictionaries(st.sampled_from("xyz"), st.sampled_from("12"), min_size=1, max_size=2),
        "whole": st.lists(st.integers(0, 2), min_size=1, max_size=2),
        "tags": st.lists(st.sampled_from("abc"), unique=True, min_size=1, max_size=3),
        "ports": st.lists(
            st.fixed_dictionaries({"port": st.integers(1, 3)}, optional={"name": st.sampled_from("ab")}),
            unique_by=lambda item: item["port"],
            min_size=1,
            max_size=3,
        ),
    },
)


def thing(spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "x", **metadata}, "spec": spec}


def applied(
    live: Any, spec: dict[str, Any], manager: str = "a", *, force: bool = False, now: datetime = NOW
) -> Any:
    return apply(
        live, thing(spec), schema=SCHEMA, manager=manager, force=force, api_version="example.com/v1", now=now
    )


def owners(obj: dict[str, Any]) -> dict[str, Any]:
    return {entry["manager"]: entry["fieldsV1"] for entry in obj["metadata"].get("managedFields", [])}


@given(specs)
def test_applying_again_changes_nothing_not_even_times(spec: dict[str, Any]) -> None:
    once = applied(None, spec)
    assert same_json(applied(once, spec, now=LATER), once)


@given(specs, specs)
def test_the_last_applied_configuration_is_all_there_is_of_a_sole_manager(
    a: dict[str, Any], b: dict[str, Any]
) -> None:
    changed = applied(applied(None, a), {**b, "size": 9})
    fresh = applied(None, {**b, "size": 9})
    assert owners(changed) == owners(fresh)
    assert {key for key, value in changed["spec"].items() if value is not None} == {*b, "size"}


@given(specs, specs)
def test_what_one_manager_removes_the_other_keeps(a: dict[str, Any], b: dict[str, Any]) -> None:
    both = applied(applied(None, a), b, "b", force=True)
    left = applied(both, {"size": b.get("size", 1)})
    assert owners(left).get("b") == owners(both).get("b")
    for key in b.keys() & {"image", "whole", "labels"}:
        assert b[key] == left["spec"][key] or a.get(key, b[key]) != b[key]
        assert same_json(left["spec"][key], both["spec"][key]) or key == "labels"


@given(specs, specs)
def test_what_is_given_is_never_changed(a: dict[str, Any], b: dict[str, Any]) -> None:
    live = applied(None, a)
    before = copy.deepcopy((live, b))
    applied(live, b, "b", force=True)
    assert (live, b) == before


def test_one_conflict_in_the_servers_words() -> None:
    live = applied(None, {"size": 1})
    with pytest.raises(ApplyConflict) as conflict:
        applied(live, {"size": 2}, "b")
    assert conflict.value.message == 'Apply failed with 1 conflict: conflict with "a": .spec.size'
    assert conflict.value.causes == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "a"', "field": ".spec.size"}
    ]


def test_several_conflicts_are_listed_by_manager() -> None:
    live = applied(None, {"size": 1})
    track = copy.deepcopy(live)
    track["spec"]["image"] = "x"
    track["spec"]["ports"] = [{"port": 80, "name": "web"}]
    track_update(live, track, schema=SCHEMA, manager="edit", api_version="example.com/v1", now=NOW)
    with pytest.raises(ApplyConflict) as conflict:
        applied(track, {"size": 2, "image": "y", "ports": [{"port": 80, "name": "api"}]}, "b")
    assert conflict.value.message == (
        "Apply failed with 3 conflicts: "
        'conflicts with "a":\n- .spec.size\n'
        'conflicts with "edit" using example.com/v1:\n- .spec.image\n- .spec.ports[port=80].name'
    )


def test_forcing_takes_the_field_over() -> None:
    taken = applied(applied(None, {"size": 1, "image": "i"}), {"size": 2}, "b", force=True)
    assert taken["spec"] == {"size": 2, "image": "i"}
    assert owners(taken) == {"a": {"f:spec": {"f:image": {}}}, "b": {"f:spec": {"f:size": {}}}}


def test_equal_values_are_owned_together() -> None:
    shared = applied(applied(None, {"size": 1}), {"size": 1}, "b")
    assert owners(shared) == {"a": {"f:spec": {"f:size": {}}}, "b": {"f:spec": {"f:size": {}}}}
    assert applied(shared, {}, "a")["spec"] == {"size": 1}


def test_a_dropped_list_item_goes_and_others_items_stay() -> None:
    live = applied(None, {"ports": [{"port": 1, "name": "a"}, {"port": 2}]})
    live = applied(live, {"ports": [{"port": 3}]}, "b")
    assert [item["port"] for item in live["spec"]["ports"]] == [1, 2, 3]
    live = applied(live, {"ports": [{"port": 2}]})
    assert [item["port"] for item in live["spec"]["ports"]] == [2, 3]


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ApplyError) as refused:
        applied(None, {"sice": 1})
    assert "(/x; example.com/v1, Kind=Thing): .spec.sice: field not declared in schema" in refused.value.message
    assert refused.value.code == 500


def test_a_configuration_with_managed_fields_is_refused() -> None:
    config = thing({}, managedFields=[{}])
    with pytest.raises(ApplyError) as refused:
        apply(None, config, schema=SCHEMA, manager="a", force=False, api_version="example.com/v1", now=NOW)
    assert (refused.value.message, refused.value.code) == ("metadata.managedFields must be nil", 400)


def test_fields_from_before_the_first_apply_have_an_owner() -> None:
    live = thing({"size": 1, "image": "i"}, uid="u")
    assert owners(applied(live, {"size": 1})) == {
        "before-first-apply": {"f:spec": {".": {}, "f:image": {}, "f:size": {}}},
        "a": {"f:spec": {"f:size": {}}},
    }


def test_kubectl_takes_over_what_it_applied_client_side() -> None:
    said = '{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"x"},"spec":{"size":1}}'
    live = thing({"size": 1}, annotations={"kubectl.kubernetes.io/last-applied-configuration": said})
    track_update(
        None, live, schema=SCHEMA, manager="kubectl-client-side-apply", api_version="example.com/v1", now=NOW
    )
    with pytest.raises(ApplyConflict):
        applied(live, {"size": 2}, "other")
    taken = applied(live, {"size": 2}, "kubectl")
    annotation = taken["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
    assert '"size":2' in annotation


def test_an_update_owns_what_it_changed() -> None:
    live = applied(None, {"size": 1, "image": "i"})
    new = copy.deepcopy(live)
    new["spec"]["size"] = 2
    track_update(live, new, schema=SCHEMA, manager="edit", api_version="example.com/v1", now=LATER)
    assert owners(new) == {"a": {"f:spec": {"f:image": {}}}, "edit": {"f:spec": {"f:size": {}}}}


def test_ownership_can_be_reset() -> None:
    live = applied(None, {"size": 1})
    new = copy.deepcopy(live)
    new["metadata"]["managedFields"] = [{}]
    track_update(live, new, schema=SCHEMA, manager="edit", api_version="example.com/v1", now=NOW)
    assert "managedFields" not in new["metadata"]


def test_status_is_not_owned_where_it_is_reset() -> None:
    new = {**thing({"size": 1}), "status": {"x": 1}}
    track_update(
        None, new, schema=SCHEMA, manager="m", api_version="example.com/v1", now=NOW, reset_fields=[("status",)]
    )
    assert "f:status" not in owners(new)["m"]


def test_the_oldest_of_many_updaters_are_merged() -> None:
    live = thing({}, uid="u")
    track_update(None, live, schema=SCHEMA, manager="m0", api_version="example.com/v1", now=NOW)
    for count in range(12):
        new = copy.deepcopy(live)
        new["spec"].setdefault("labels", {})[f"l{count}"] = "x"
        track_update(
            live,
            new,
            schema=SCHEMA,
            manager=f"m{count}",
            api_version="example.com/v1",
            now=NOW + timedelta(minutes=count),
        )
        live = new
    managers = [entry["manager"] for entry in live["metadata"]["managedFields"]]
    assert len(managers) == 10
    assert managers[0] == "ancient-changes"


def test_times_alone_are_no_change() -> None:
    old = applied(None, {"size": 1})
    new = copy.deepcopy(old)
    new["metadata"]["managedFields"][0]["time"] = "2030-01-01T00:00:00Z"
    keep_times(old, new)
    assert new == old
