"""The OpenAPI v3 document of a group version of custom resources."""

from __future__ import annotations

from collections.abc import Iterable

from kubewright.objects import ApiResource, JsonObject
from kubewright.server import writepath
from kubewright.server.registry import ResourceDefinition


def document(group: str, version: str, definitions: Iterable[ResourceDefinition]) -> JsonObject:
    """The document: a schema for each kind, and the paths kubectl looks for."""
    schemas: JsonObject = {}
    paths: JsonObject = {}
    for definition in definitions:
        resource = definition.resource
        name = _schema_name(resource)
        schemas[name] = _schema(definition)
        paths |= _paths(resource, name)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _schema_name(resource: ApiResource) -> str:
    reversed_group = ".".join(reversed(resource.group.split(".")))
    return f"{reversed_group}.{resource.version}.{resource.kind}"


def _schema(definition: ResourceDefinition) -> JsonObject:
    resource = definition.resource
    schema = writepath.schema_of(definition)
    node: JsonObject = dict(schema.node) if schema is not None else {"type": "object"}
    properties: JsonObject = dict(node.get("properties") or {})
    properties["apiVersion"] = {"type": "string", "description": _API_VERSION}
    properties["kind"] = {"type": "string", "description": _KIND}
    properties["metadata"] = {"type": "object", "description": _METADATA}
    node["properties"] = properties
    node["x-kubernetes-group-version-kind"] = [
        {"group": resource.group, "version": resource.version, "kind": resource.kind}
    ]
    return node


def _paths(resource: ApiResource, schema: str) -> JsonObject:
    collection = resource.path("{namespace}" if resource.namespaced else "").replace("%7B", "{").replace("%7D", "}")
    gvk = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}

    def operation(action: str) -> JsonObject:
        return {
            "responses": {"200": {"description": "OK", "content": content}},
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": gvk,
        }

    # kubectl leaves validation to a server whose patch takes fieldValidation, and asks for OpenAPI v2 otherwise.
    body = {
        "requestBody": {"content": content},
        "parameters": _parameters("dryRun", "fieldManager", "fieldValidation"),
    }
    patch = {"parameters": _parameters("dryRun", "fieldManager", "fieldValidation", "force")}
    return {
        collection: {"get": operation("list"), "post": operation("post") | body},
        f"{collection}/{{name}}": {
            "get": operation("get"),
            "put": operation("put") | body,
            "patch": operation("patch") | patch,
            "delete": operation("delete"),
        },
    }


def _parameters(*names: str) -> list[JsonObject]:
    kinds = {"force": "boolean"}
    return [
        {"name": name, "in": "query", "schema": {"type": kinds.get(name, "string"), "uniqueItems": True}}
        for name in names
    ]


_API_VERSION = (
    "APIVersion defines the versioned schema of this representation of an object. Servers should convert "
    "recognized schemas to the latest internal value, and may reject unrecognized values. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources"
)
_KIND = (
    "Kind is a string value representing the REST resource this object represents. Servers may infer this from the "
    "endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds"
)
_METADATA = (
    "Standard object's metadata. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
)
