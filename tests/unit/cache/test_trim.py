"""managedFields go, every other byte stays."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewright.cache import without_managed_fields

MANAGED = [{"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:data": {'k:{"a":"b"}': {}}}}]


def compact(tree: object) -> bytes:
    return json.dumps(tree, separators=(",", ":")).encode()


@pytest.mark.parametrize("position", ["first", "middle", "last", "only"])
def test_wherever_they_stand(position: str) -> None:
    around = {
        "first": [[], ["name", "uid"]],
        "middle": [["name"], ["uid"]],
        "last": [["name", "uid"], []],
        "only": [[], []],
    }
    before, after = around[position]
    metadata = {**dict.fromkeys(before, "x"), "managedFields": MANAGED, **dict.fromkeys(after, "x")}
    kept = {name: value for name, value in metadata.items() if name != "managedFields"}
    raw = compact({"kind": "ConfigMap", "metadata": metadata, "data": {"a": "1"}})
    assert without_managed_fields(raw) == compact({"kind": "ConfigMap", "metadata": kept, "data": {"a": "1"}})


def test_what_only_looks_like_them_stays() -> None:
    tree = {"metadata": {"annotations": {"a": '"managedFields":[]'}}, "spec": {"managedFields": MANAGED}}
    assert without_managed_fields(compact(tree)) == compact(tree)


def test_white_space_is_no_obstacle() -> None:
    raw = json.dumps({"metadata": {"name": "a", "managedFields": MANAGED}}, indent=2).encode()
    assert json.loads(without_managed_fields(raw)) == {"metadata": {"name": "a"}}


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=12), max_size=4), st.integers(0, 4))
def test_the_rest_is_as_it_was(annotations: dict[str, str], at: int) -> None:
    items: list[tuple[str, object]] = [("name", "a"), ("annotations", annotations), ("uid", "1")]
    items.insert(min(at, 3), ("managedFields", MANAGED))
    raw = msgspec.json.encode({"metadata": dict(items), "data": annotations})
    items = [item for item in items if item[0] != "managedFields"]
    assert without_managed_fields(raw) == msgspec.json.encode({"metadata": dict(items), "data": annotations})
