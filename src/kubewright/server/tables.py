"""Tables and partial objects: what ``kubectl get`` asks for instead of the objects themselves."""

from __future__ import annotations

from collections.abc import Sequence

from kubewright.objects import JsonObject
from kubewright.server.registry import Column, ResourceDefinition

TABLE = "Table"
PARTIAL = "PartialObjectMetadata"
PARTIAL_LIST = "PartialObjectMetadataList"
META_VERSION = "meta.k8s.io/v1"


def _column(column: Column) -> JsonObject:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    }


def partial_object(obj: JsonObject) -> JsonObject:
    """Only the metadata of ``obj``."""
    return {"kind": PARTIAL, "apiVersion": META_VERSION, "metadata": obj["metadata"]}


def table(
    definition: ResourceDefinition,
    objects: Sequence[JsonObject],
    metadata: JsonObject,
    include: str,
    *,
    columns: bool = True,
) -> JsonObject:
    """The Table of ``objects``.

    Args:
        definition: whose columns and cells.
        objects: one row each.
        metadata: of the list, or of the one object.
        include: ``includeObject`` of the query: Object, Metadata (default) or None.
        columns: with column definitions; a watch sends them only once.
    """
    rows = []
    for obj in objects:
        row: JsonObject = {"cells": definition.strategy.rows(obj)}
        if include == "Object":
            row["object"] = obj
        else:
            row["object"] = None if include == "None" else partial_object(obj)
        rows.append(row)
    return {
        "kind": TABLE,
        "apiVersion": META_VERSION,
        "metadata": metadata,
        "columnDefinitions": [_column(column) for column in definition.columns] if columns else None,
        "rows": rows,
    }
