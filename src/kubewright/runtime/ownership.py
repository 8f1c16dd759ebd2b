"""Turns what we own by having created an object into what we own by applying it.

A POST leaves an ``Update`` entry in ``managedFields``; an apply under the same name makes a second, ``Apply``
entry. A field left out of the second would stay, held by the first, forever. So before the first apply the entry
changes its operation. The equivalent of client-go's ``csaupgrade``.
"""

from __future__ import annotations

from kubewright.objects import JsonObject


def migration(live: JsonObject, manager: str) -> list[JsonObject] | None:
    """The JSON patch that makes ``manager``'s ``Update`` entry ``Apply``; None where there is nothing to do."""
    metadata = live["metadata"]
    entries: list[JsonObject] = metadata.get("managedFields") or []
    ours = [entry for entry in entries if entry.get("manager") == manager and not entry.get("subresource")]
    updates = [entry for entry in ours if entry.get("operation") == "Update"]
    if not updates:
        return None
    applied = next((entry for entry in ours if entry.get("operation") == "Apply"), None)
    merged: JsonObject = {**(applied or updates[-1]), "operation": "Apply"}
    for entry in updates:
        merged["fieldsV1"] = _union(merged.get("fieldsV1", {}), entry.get("fieldsV1", {}))
    kept = [entry for entry in entries if entry not in ours]
    return [
        {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
        {"op": "replace", "path": "/metadata/managedFields", "value": [*kept, merged]},
    ]


def _union(one: JsonObject, other: JsonObject) -> JsonObject:
    made = dict(one)
    for name, value in other.items():
        made[name] = _union(made[name], value) if name in made else value
    return made
