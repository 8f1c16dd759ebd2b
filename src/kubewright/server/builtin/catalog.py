"""All built-in resources, from the recorded discovery, OpenAPI documents and Table columns."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec

from kubewright.objects import ApiResource, JsonObject
from kubewright.server.builtin.actions import ACTIONS
from kubewright.server.builtin.kinds import STRATEGIES, SUBRESOURCES, behaviour_of
from kubewright.server.builtin.strategy import Behaviour, BuiltinStatusStrategy, BuiltinStrategy
from kubewright.server.registry import (
    DEFAULT_COLUMNS,
    NAME_COLUMN,
    Column,
    ResourceDefinition,
    Scale,
    Strategy,
    TableColumns,
)

if TYPE_CHECKING:
    from kubewright.server.schema import Schema

_WORKLOAD_SCALE = Scale(label_selector=".spec.selector")
_STORAGE_VERSIONS = {"horizontalpodautoscalers.autoscaling": "v2"}


@cache
def _recorded(name: str) -> JsonObject:
    data = files("kubewright.server").joinpath(f"data/{name}.json.gz").read_bytes()
    document: JsonObject = msgspec.json.decode(gzip.decompress(data))
    return document


def builtin_resources() -> list[ResourceDefinition]:
    """A definition for every resource that Kubernetes 1.37 serves in a GA version, made anew for one server."""
    return [
        _definition(group["metadata"].get("name", ""), version["version"], resource)
        for group in _recorded("discovery")["items"]
        for version in group["versions"]
        for resource in version["resources"]
    ]


def _definition(group: str, version: str, found: JsonObject) -> ResourceDefinition:
    subresources = {sub["subresource"]: sub for sub in found.get("subresources") or ()}
    resource = ApiResource(
        group=group,
        version=version,
        kind=found["responseKind"]["kind"],
        plural=found["resource"],
        namespaced=found["scope"] == "Namespaced",
        singular=found.get("singularResource", ""),
        short_names=tuple(found.get("shortNames") or ()),
        categories=tuple(found.get("categories") or ()),
        verbs=tuple(found["verbs"]),
        subresources=tuple(subresources),
    )
    if resource.plural == "componentstatuses":
        return ResourceDefinition(resource=resource, missing=resource.group_resource)
    if "get" not in found["verbs"]:
        return ResourceDefinition(
            resource=resource,
            schema=schema_of(resource),
            strategy=BuiltinStrategy(resource.api_version, resource.kind, Behaviour()),
            missing=resource.group_resource,
        )
    behaviour = behaviour_of(resource.group_resource, has_status="status" in subresources)
    actions = {
        name: action
        for name in subresources
        if (action := ACTIONS.get(f"{resource.group_resource}/{name}")) is not None
    }
    writing = _writing_subresources(resource, subresources, behaviour)
    scale = _WORKLOAD_SCALE if "scale" in subresources else None
    missing = subresources.keys() - actions.keys() - writing.keys() - {"scale"}
    return ResourceDefinition(
        resource=resource,
        schema=schema_of(resource),
        strategy=STRATEGIES.get(resource.group_resource, BuiltinStrategy)(
            resource.api_version, resource.kind, behaviour
        ),
        columns=_columns(resource, behaviour),
        subresources=writing,
        scale=scale,
        actions=actions,
        missing_subresources=frozenset(missing),
        storage_version=_STORAGE_VERSIONS.get(resource.group_resource, ""),
    )


def _writing_subresources(
    resource: ApiResource, subresources: dict[str, JsonObject], behaviour: Behaviour
) -> dict[str, Strategy]:
    writing: dict[str, Strategy] = {}
    for name in subresources:
        made = SUBRESOURCES.get(f"{resource.group_resource}/{name}")
        if made is None and name == "status":
            made = BuiltinStatusStrategy
        if made is not None:
            writing[name] = made(resource.api_version, resource.kind, behaviour)
    return writing


def schema_of(resource: ApiResource, document: str = "") -> Callable[[], Schema]:
    """The recorded schema of a kind, read when first needed; ``document`` is where, if not in its own group's."""
    where = document or f"{resource.group or 'core'}__{resource.version}"
    return lambda: _schema(resource.group, resource.version, resource.kind, where)


@cache
def _schema(group: str, version: str, kind: str, where: str) -> Schema:
    from kubewright.server.schema import from_openapi

    document = _recorded(f"openapi/{where}")
    wanted = {"group": group, "version": version, "kind": kind}
    for name, schema in document["components"]["schemas"].items():
        if schema.get("x-kubernetes-group-version-kind", [None])[0] == wanted:
            return from_openapi(document, name)
    raise LookupError(f"no schema was recorded for {kind} of {group}/{version}")


def _columns(resource: ApiResource, behaviour: Behaviour) -> TableColumns:
    if behaviour.rows is None:
        return DEFAULT_COLUMNS
    recorded = _recorded("tables").get(f"{resource.api_version}/{resource.plural}")
    if recorded is None:
        return DEFAULT_COLUMNS
    return [_column(column) for column in recorded]


def _column(recorded: JsonObject) -> Column:
    if recorded["format"] == "name" and not recorded.get("priority"):
        return NAME_COLUMN
    return Column(
        recorded["name"],
        type=recorded["type"],
        format=recorded.get("format", ""),
        description=recorded.get("description", ""),
        priority=recorded.get("priority", 0),
    )
