"""The schema of ``metadata``, which a CustomResourceDefinition leaves to the server."""

from __future__ import annotations

from kubewright.objects import JsonObject
from kubewright.server.schema.model import Schema

_TEXT: JsonObject = {"type": "string"}
_TEXTS: JsonObject = {"type": "object", "additionalProperties": {"type": "string", "default": ""}}
_WHOLE: JsonObject = {"type": "integer", "format": "int64"}
_TIME: JsonObject = {"type": "string", "format": "date-time"}

OBJECT_META: JsonObject = {
    "type": "object",
    "properties": {
        "annotations": _TEXTS,
        "creationTimestamp": _TIME,
        "deletionGracePeriodSeconds": _WHOLE,
        "deletionTimestamp": _TIME,
        "finalizers": {
            "type": "array",
            "items": {"type": "string", "default": ""},
            "x-kubernetes-list-type": "set",
            "x-kubernetes-patch-strategy": "merge",
        },
        "generateName": _TEXT,
        "generation": _WHOLE,
        "labels": _TEXTS,
        "managedFields": {
            "type": "array",
            "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            "x-kubernetes-list-type": "atomic",
        },
        "name": _TEXT,
        "namespace": _TEXT,
        "ownerReferences": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "apiVersion": {"type": "string", "default": ""},
                    "blockOwnerDeletion": {"type": "boolean"},
                    "controller": {"type": "boolean"},
                    "kind": {"type": "string", "default": ""},
                    "name": {"type": "string", "default": ""},
                    "uid": {"type": "string", "default": ""},
                },
                "x-kubernetes-map-type": "atomic",
            },
            "x-kubernetes-list-map-keys": ["uid"],
            "x-kubernetes-list-type": "map",
            "x-kubernetes-patch-merge-key": "uid",
            "x-kubernetes-patch-strategy": "merge",
        },
        "resourceVersion": _TEXT,
        "selfLink": _TEXT,
        "uid": _TEXT,
    },
}
"""ObjectMeta of meta/v1, as built-in kinds have it."""


def whole_object(schema: Schema) -> Schema:
    """The schema with ``apiVersion``, ``kind`` and ``metadata``, which a built-in kind's has already."""
    if "x-kubernetes-group-version-kind" in schema.node:
        return schema
    made = schema.__dict__.get("_whole_object")
    if not isinstance(made, Schema):
        properties = {
            **schema.node.get("properties", {}),
            "apiVersion": _TEXT,
            "kind": _TEXT,
            "metadata": OBJECT_META,
        }
        made = schema.__dict__["_whole_object"] = Schema(
            {**schema.node, "type": "object", "properties": properties}
        )
    return made
