"""Our Update entry becomes Apply, and nobody else's is touched."""

from __future__ import annotations

from kubewright.objects import JsonObject
from kubewright.runtime.ownership import migration


def entry(manager: str, operation: str, fields: JsonObject, subresource: str = "") -> JsonObject:
    made: JsonObject = {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields}
    return {**made, "subresource": subresource} if subresource else made


def live(*entries: JsonObject) -> JsonObject:
    return {"metadata": {"resourceVersion": "7", "managedFields": list(entries)}}


def test_an_update_becomes_an_apply_at_this_very_version() -> None:
    other = entry("kubectl", "Update", {"f:data": {}})
    status = entry("me", "Update", {"f:status": {}}, "status")
    assert migration(live(other, entry("me", "Update", {"f:spec": {}}), status), "me") == [
        {"op": "test", "path": "/metadata/resourceVersion", "value": "7"},
        {
            "op": "replace",
            "path": "/metadata/managedFields",
            "value": [other, status, entry("me", "Apply", {"f:spec": {}})],
        },
    ]


def test_both_become_one() -> None:
    patch = migration(
        live(entry("me", "Apply", {"f:a": {"f:x": {}}}), entry("me", "Update", {"f:a": {"f:y": {}}, "f:b": {}})),
        "me",
    )
    assert patch is not None
    assert patch[1]["value"] == [entry("me", "Apply", {"f:a": {"f:x": {}, "f:y": {}}, "f:b": {}})]


def test_what_is_applied_already_stays_as_it_is() -> None:
    assert migration(live(entry("me", "Apply", {"f:a": {}}), entry("you", "Update", {})), "me") is None
