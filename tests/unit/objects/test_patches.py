from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewright.errors import PatchError
from kubewright.objects.patches import create_merge_patch, json_patch, merge_patch, same_json

scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b"]) | st.floats(0, 1)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc/~"), inner, max_size=3),
)
objects = st.dictionaries(st.sampled_from("abc/~"), trees, max_size=4)


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


@given(objects, objects)
def test_a_created_merge_patch_leads_to_the_new_document(old: Any, new: Any) -> None:
    old, new = without_nulls(old), without_nulls(new)
    assert same_json(merge_patch(old, create_merge_patch(old, new)), new)


@given(objects)
def test_what_does_not_differ_needs_no_patch(doc: Any) -> None:
    assert create_merge_patch(doc, copy.deepcopy(doc)) == {}


def lists_without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: lists_without_nulls(inner) for key, inner in value.items()}
    return without_nulls(value) if isinstance(value, list) else value


@given(objects, objects)
def test_a_merge_patch_changes_nothing_when_applied_again(doc: Any, patch: Any) -> None:
    patch = lists_without_nulls(patch)  # in a list, the server drops some nulls and keeps others
    once = merge_patch(doc, patch)
    assert same_json(merge_patch(once, patch), once)


@given(objects, objects)
def test_documents_and_patches_stay_as_they_are(doc: Any, patch: Any) -> None:
    before = copy.deepcopy((doc, patch))
    merged = merge_patch(doc, patch)
    json_patch(doc, [{"op": "add", "path": "/new", "value": patch}])
    assert (doc, patch) == before
    assert merged is not doc


@given(objects)
def test_removing_what_was_added_restores(doc: Any) -> None:
    steps = [{"op": "add", "path": "/new~1key", "value": 1}, {"op": "remove", "path": "/new~1key"}]
    assert same_json(json_patch(doc, steps), doc)


@pytest.mark.parametrize(
    ("doc", "ops", "expected"),
    [
        ({"a": [1, 2]}, [{"op": "add", "path": "/a/-", "value": 3}], {"a": [1, 2, 3]}),
        ({"a": [1, 2]}, [{"op": "add", "path": "/a/-1", "value": 3}], {"a": [1, 2, 3]}),
        ({"a": [1, 2]}, [{"op": "remove", "path": "/a/-1"}], {"a": [1]}),
        ({"a": 1}, [{"op": "replace", "path": "/b", "value": 2}], {"a": 1, "b": 2}),
        ({"a": 1}, [{"op": "copy", "from": "/zz", "path": "/b"}], {"a": 1, "b": None}),
        ({"a": {"b": 1}}, [{"op": "move", "from": "/a/b", "path": "/c"}], {"a": {}, "c": 1}),
        ({"a": 1}, [{"op": "test", "path": "/zz", "value": None}], {"a": 1}),
        ({"m~/": 1}, [{"op": "remove", "path": "/m~0~1"}], {}),
    ],
)
def test_operations_the_server_takes(doc: Any, ops: Any, expected: Any) -> None:
    assert json_patch(doc, ops) == expected


@pytest.mark.parametrize(
    ("ops", "words"),
    [
        (
            [{"op": "remove", "path": "/zz"}],
            "error in remove for path: '/zz': Unable to remove nonexistent key: zz",
        ),
        ([{"op": "test", "path": "/a", "value": 2}], "testing value /a failed: test failed"),
        ([{"op": "test", "path": "/a", "value": 1.0}], "testing value /a failed: test failed"),
        ([{"op": "add", "path": "/x/y", "value": 1}], 'add operation does not apply: doc is missing path: "/x/y"'),
        (
            [{"op": "add", "path": "/l/9", "value": 1}],
            "Unable to access invalid index: 9: invalid index referenced",
        ),
        ([{"op": "add", "path": "/l/x", "value": 1}], "value was not a proper array index: 'x'"),
        ([{"op": "replace", "path": "/l/9", "value": 1}], "doc is missing key: /l/9: missing value"),
        ([{"op": "bogus", "path": "/a"}], "Unexpected kind: bogus"),
        ([{"path": "/a"}], "Unexpected kind: unknown"),
        ([{"op": "add", "value": 1}], "add operation failed to decode path: missing value"),
        ([{"op": "move", "path": "/a"}], "move operation failed to decode from"),
    ],
)
def test_operations_the_server_refuses(ops: Any, words: str) -> None:
    with pytest.raises(PatchError) as refused:
        json_patch({"a": 1, "l": [1]}, ops)
    assert words in str(refused.value)
    assert refused.value.code == 422


def test_too_many_operations_are_refused_whole() -> None:
    with pytest.raises(PatchError) as refused:
        json_patch({}, [{"op": "test", "path": "/a", "value": None}] * 10_001)
    assert refused.value.code == 413


def test_nulls_in_what_a_merge_patch_adds_are_dropped() -> None:
    assert merge_patch({}, {"a": {"b": None, "c": [{"d": None}, None]}}) == {"a": {"c": [{}, None]}}
