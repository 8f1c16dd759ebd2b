"""The schema of a resource: what pruning, defaulting, validation, apply and strategic merge are guided by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias

from kubewright.objects import JsonObject

_REF = "#/components/schemas/"


class Definitions:
    """The named schemas of an OpenAPI v3 document, each made once and only when it is reached."""

    def __init__(self, document: JsonObject) -> None:
        self._nodes: Mapping[str, JsonObject] = document.get("components", {}).get("schemas", {})
        self._made: dict[str, Schema] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._nodes

    def schema(self, name: str) -> Schema:
        """The schema called ``name``.

        Raises:
            KeyError: the document has none of that name.
        """
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = Schema(self._nodes[name], self, name)
        return made

    def resolve(self, node: JsonObject) -> Schema:
        """The schema of ``node``, which may be a reference, bare or with words around it (``allOf`` of one)."""
        ref = node.get("$ref")
        if ref is not None:
            return self.schema(ref.removeprefix(_REF))
        all_of = node.get("allOf")
        if isinstance(all_of, list) and len(all_of) == 1 and "$ref" in all_of[0]:
            name = all_of[0]["$ref"].removeprefix(_REF)
            target = self._nodes[name]
            own = {key: value for key, value in node.items() if key not in ("allOf", "description")}
            if not own.keys() - {"default"} and own.get("default") in (None, {}):
                return self.resolve(all_of[0])
            return Schema({**target, **own}, self, name)
        return Schema(node, self)


class Schema:
    """One node of a schema; its children are made when they are first asked for.

    Attributes:
        node: the JSON schema as it was given.
        name: what an OpenAPI document calls it, or empty.
        type: ``object``, ``array``, ``string``, ``integer``, ``number``, ``boolean``, or empty for any.
        list_type: ``atomic``, ``set``, ``map``, or empty.
        map_type: ``granular``, ``atomic``, or empty.
        merge_strategy: strategies of strategic merge patch: ``merge``, ``replace``, ``retainKeys``.
        default: the default, or None if there is none (a default is never null).
        validations: ``x-kubernetes-validations`` as given.
    """

    def __init__(self, node: JsonObject, definitions: Definitions | None = None, name: str = "") -> None:
        self.node = node
        self.name = name
        self._definitions = definitions
        self._subschemas: dict[str, Sequence[Schema]] = {}
        self.type: str = node.get("type", "")
        self.format: str = node.get("format", "")
        self.nullable: bool = node.get("nullable", False)
        self.int_or_string: bool = node.get("x-kubernetes-int-or-string", False) or self.format == "int-or-string"
        self.embedded_resource: bool = node.get("x-kubernetes-embedded-resource", False)
        self.preserve_unknown: bool = node.get("x-kubernetes-preserve-unknown-fields", False) or (
            definitions is not None and _holds_anything(node)
        )
        self.list_type: str = node.get("x-kubernetes-list-type", "")
        self.list_map_keys: Sequence[str] = node.get("x-kubernetes-list-map-keys", ())
        self.map_type: str = node.get("x-kubernetes-map-type", "")
        self.merge_key: str = node.get("x-kubernetes-patch-merge-key", "")
        self.default: Any = node.get("default")
        self.validations: Sequence[JsonObject] = node.get("x-kubernetes-validations", ())
        self.required: Sequence[str] = node.get("required", ())
        self.enum: Sequence[Any] | None = node.get("enum")

    @cached_property
    def merge_strategy(self) -> frozenset[str]:
        """The strategies of a strategic merge patch."""
        text: str = self.node.get("x-kubernetes-patch-strategy", "")
        return frozenset(text.split(",")) if text else frozenset()

    @cached_property
    def properties(self) -> Mapping[str, Schema]:
        """The fields, by name."""
        given = self.node.get("properties") or {}
        return {name: self._child(node) for name, node in given.items()}

    @cached_property
    def items(self) -> Schema | None:
        """The schema of a list's items."""
        node = self.node.get("items")
        return self._child(node) if isinstance(node, dict) else None

    @cached_property
    def additional_properties(self) -> Schema | None:
        """The schema of a map's values."""
        node = self.node.get("additionalProperties")
        return self._child(node) if isinstance(node, dict) else None

    @property
    def allows_additional(self) -> bool:
        """Any further key is taken (``additionalProperties: true`` or a schema)."""
        return self.node.get("additionalProperties") not in (None, False)

    def _child(self, node: JsonObject) -> Schema:
        return Schema(node) if self._definitions is None else self._definitions.resolve(node)

    def subschemas(self, word: str) -> Sequence[Schema]:
        """The schemas under ``allOf``, ``anyOf`` or ``oneOf``."""
        made = self._subschemas.get(word)
        if made is None:
            made = self._subschemas[word] = [self._child(node) for node in self.node.get(word) or ()]
        return made

    @cached_property
    def refused(self) -> Schema | None:
        """The schema under ``not``."""
        node = self.node.get("not")
        return None if node is None else self._child(node)

    def field(self, name: str) -> Schema | None:
        """The schema of the value under a key, whether a field or an entry of a map."""
        found = self.properties.get(name)
        return self.additional_properties if found is None else found

    @cached_property
    def has_rules(self) -> bool:
        """A CEL rule stands here or anywhere below."""
        return _mentions(self.node, "x-kubernetes-validations")

    @cached_property
    def has_defaults(self) -> bool:
        """A default stands here or anywhere below."""
        return _mentions(self.node, "default")

    def __repr__(self) -> str:
        return f"<Schema {self.type or 'any'}{sorted(self.properties) if self.properties else ''}>"


MaybeSchema: TypeAlias = Schema | None


def from_crd(open_api_v3_schema: JsonObject | None) -> Schema:
    """The schema of a CustomResourceDefinition's version (``schema.openAPIV3Schema``)."""
    return Schema(open_api_v3_schema or {"type": "object", "x-kubernetes-preserve-unknown-fields": True})


def from_openapi(document: JsonObject | Definitions, name: str) -> Schema:
    """The schema called ``name`` in an OpenAPI v3 document, for instance ``io.k8s.api.apps.v1.Deployment``.

    Give the same :class:`Definitions` for all kinds of one document: what they share is then made once.
    """
    definitions = document if isinstance(document, Definitions) else Definitions(document)
    return definitions.schema(name)


def _holds_anything(node: JsonObject) -> bool:
    """A built-in type that says nothing of its fields (RawExtension, FieldsV1, JSON) takes any."""
    if node.get("type", "object") != "object" or "oneOf" in node or "$ref" in node or "allOf" in node:
        return False
    return not node.get("properties") and "additionalProperties" not in node


def _mentions(node: Any, word: str) -> bool:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == word and value:
                return True
            if key == "properties" and isinstance(value, dict):
                if any(_mentions(child, word) for child in value.values()):
                    return True
            elif key not in ("default", "enum", "example") and _mentions(value, word):
                return True
        return False
    return isinstance(node, list) and any(_mentions(item, word) for item in node)
