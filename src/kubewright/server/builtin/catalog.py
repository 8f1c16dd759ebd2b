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
    from kubewright.server.schema import Definitions, Schema

_WORKLOAD_SCALE = Scale(label_selector=".spec.selector")
_STORAGE_VERSIONS = {"horizontalpodautoscalers.autoscaling": "v2"}


class _Components(msgspec.Struct):
    schemas: dict[str, JsonObject]


class _OpenApi(msgspec.Struct):
    """What schemas are made of; the paths, most of a document, are not decoded."""

    components: _Components


def _bytes(name: str) -> bytes:
    return gzip.decompress(files("kubewright.server").joinpath(f"data/{name}.json.gz").read_bytes())


@cache
def _recorded(name: str) -> JsonObject:
    document: JsonObject = msgspec.json.decode(_bytes(name))
    return document


@cache
def _definitions(where: str) -> tuple[dict[tuple[str, str, str], str], Definitions]:
    """The schemas of a recorded OpenAPI document, and what those of kinds are called."""
    from kubewright.server.schema import Definitions

    schemas = msgspec.json.decode(_bytes(f"openapi/{where}"), type=_OpenApi).components.schemas
    names: dict[tuple[str, str, str], str] = {}
    for name, schema in schemas.items():
        for kind in schema.get("x-kubernetes-group-version-kind", ())[:1]:
            names.setdefault((kind["group"], kind["version"], kind["kind"]), name)
    return names, Definitions({"components": {"schemas": schemas}})


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
    names, definitions = _definitions(where)
    name = names.get((group, version, kind))
    if name is None:
        raise LookupError(f"no schema was recorded for {kind} of {group}/{version}")
    return definitions.schema(name)


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
