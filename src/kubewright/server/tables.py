"""Tables and partial objects: what ``kubectl get`` asks for instead of the objects themselves."""

from __future__ import annotations

from collections.abc import Sequence

from kubewright.objects import JsonObject
from kubewright.server.registry import Column, ResourceDefinition

TABLE = "Table"
PARTIAL = "PartialObjectMetadata"
PARTIAL_LIST = "PartialObjectMetadataList"


def _column(column: Column) -> JsonObject:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description,
        "priority": column.priority,
    }


def partial_object(obj: JsonObject, version: str = "v1") -> JsonObject:
    """Only the metadata of ``obj``, in a version of ``meta.k8s.io``."""
    return {"kind": PARTIAL, "apiVersion": f"meta.k8s.io/{version}", "metadata": obj["metadata"]}


def empty_row(definition: ResourceDefinition, bookmark: JsonObject, version: str) -> JsonObject:
    """The row of a bookmark: the cells of an object that has nothing but a version."""
    cells = [
        "<unknown>" if column.name == "Age" else 0 if column.type == "integer" else ""
        for column in definition.columns
    ]
    return {"cells": cells, "object": partial_object(bookmark, version)}


def table(
    definition: ResourceDefinition,
    objects: Sequence[JsonObject],
    metadata: JsonObject,
    include: str,
    *,
    version: str = "v1",
    columns: bool = True,
) -> JsonObject:
    """The Table of ``objects``.

    Args:
        definition: whose columns and cells.
        objects: one row each.
        metadata: of the list, or of the one object.
        include: ``includeObject`` of the query: Object, Metadata (default) or None.
        version: of ``meta.k8s.io``.
        columns: with column definitions; a watch sends them only once.
    """
    rows = []
    for obj in objects:
        row: JsonObject = {"cells": definition.strategy.rows(obj)}
        if include == "Object":
            row["object"] = obj
        else:
            row["object"] = None if include == "None" else partial_object(obj, version)
        rows.append(row)
    return {
        "kind": TABLE,
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": metadata,
        "columnDefinitions": [_column(column) for column in definition.columns] if columns else None,
        "rows": rows,
    }
