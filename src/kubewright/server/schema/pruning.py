"""Dropping what the schema does not know."""

from __future__ import annotations

from typing import Any

from kubewright.objects import JsonObject
from kubewright.server.schema.model import MaybeSchema, Schema

META_FIELDS = frozenset({"apiVersion", "kind", "metadata"})

_OWNER = frozenset({"apiVersion", "blockOwnerDeletion", "controller", "kind", "name", "uid"})
_MANAGED = frozenset({"apiVersion", "fieldsType", "fieldsV1", "manager", "operation", "subresource", "time"})
_LISTS_IN_METADATA = {"ownerReferences": _OWNER, "managedFields": _MANAGED}
OBJECT_META_FIELDS = frozenset(
    {
        "annotations",
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "generation",
        "labels",
        "managedFields",
        "name",
        "namespace",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)


def prune(schema: Schema, obj: JsonObject) -> list[str]:
    """Remove from a whole object, in place, the fields that its schema does not know.

    Returns:
        The paths removed, sorted, as the server's warnings name them: ``spec.ports[0].nmae``.
    """
    unknown: list[str] = []
    _prune_object(obj, schema, "", unknown, embedded=True)
    unknown.sort()
    return unknown


def _child(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _prune(value: Any, schema: MaybeSchema, path: str, unknown: list[str]) -> None:
    if isinstance(value, dict):
        if schema is None:
            unknown.extend(_child(path, key) for key in value)
            value.clear()
        else:
            _prune_object(value, schema, path, unknown, embedded=schema.embedded_resource)
    elif isinstance(value, list):
        if schema is not None and schema.preserve_unknown:
            if schema.items is not None:
                for index, item in enumerate(value):
                    _prune_preserving(item, schema.items, f"{path}[{index}]", unknown)
            return
        items = None if schema is None else schema.items
        for index, item in enumerate(value):
            if isinstance(item, (dict, list)):
                _prune(item, items, f"{path}[{index}]", unknown)


def _prune_object(obj: JsonObject, schema: Schema, path: str, unknown: list[str], *, embedded: bool) -> None:
    properties, additional = schema.properties, schema.additional_properties
    for key in list(obj):
        value = obj[key]
        if embedded and key in META_FIELDS:
            if key == "metadata" and isinstance(value, dict):
                _prune_metadata(value, _child(path, key), unknown)
            continue
        prop = properties.get(key)
        if prop is not None:
            if isinstance(value, (dict, list)):
                _prune(value, prop, _child(path, key), unknown)
        elif additional is not None or schema.allows_additional:
            if isinstance(value, (dict, list)):
                _prune(value, additional, _child(path, key), unknown)
        elif not schema.preserve_unknown:
            if key not in META_FIELDS or path:
                unknown.append(_child(path, key))
            del obj[key]


def _prune_preserving(value: Any, schema: Schema, path: str, unknown: list[str]) -> None:
    """Below ``preserve unknown``, only what a schema describes is looked into."""
    if isinstance(value, list):
        if schema.items is not None:
            for index, item in enumerate(value):
                _prune_preserving(item, schema.items, f"{path}[{index}]", unknown)
        return
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        if schema.embedded_resource and key in META_FIELDS:
            continue
        described = schema.field(key)
        if described is not None and isinstance(inner, (dict, list)):
            _prune(inner, described, _child(path, key), unknown)


def _prune_metadata(metadata: JsonObject, path: str, unknown: list[str]) -> None:
    """Metadata is read into Go's ObjectMeta and written back: what is empty is gone too."""
    for key in list(metadata):
        if key not in OBJECT_META_FIELDS:
            unknown.append(_child(path, key))
            del metadata[key]
            continue
        if not metadata[key]:
            del metadata[key]
            continue
        known = _LISTS_IN_METADATA.get(key)
        if known is None or not isinstance(metadata[key], list):
            continue
        for index, entry in enumerate(metadata[key]):
            if isinstance(entry, dict):
                for name in [name for name in entry if name not in known]:
                    unknown.append(f"{path}.{key}[{index}].{name}")
                    del entry[name]
