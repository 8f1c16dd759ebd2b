"""Turns a Python type into a structural schema, the OpenAPI of a CustomResourceDefinition."""

from __future__ import annotations

import enum
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal, NoReturn

import msgspec

from kubewright.errors import SchemaError
from kubewright.objects import schema_checks as checks
from kubewright.objects.annotations import ModelField, Reading, is_enum, is_model, model_fields, read, type_name
from kubewright.objects.compare import KEY_DEFAULTS
from kubewright.objects.docs import describe
from kubewright.objects.jsontree import JsonObject
from kubewright.objects.markers import (
    Atomic,
    EmbeddedResource,
    Format,
    ListMap,
    ListSet,
    Nullable,
    PreserveUnknown,
    QuantityMarker,
    Rule,
)
from kubewright.objects.meta import ObjectMeta
from kubewright.objects.model import Object, Resource
from kubewright.objects.resource import has_status

QUANTITY_PATTERN = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    r"(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)
"""What the API server accepts as a quantity, as the CRDs of Go projects say it."""

PRESERVE = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING = "x-kubernetes-int-or-string"

_SCALARS: dict[Any, JsonObject] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bytes: {"type": "string", "format": "byte"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
}

_INSTEAD: dict[Any, str] = {
    set: "write Annotated[list[...], ListSet()], which the API server keeps free of duplicates",
    frozenset: "write Annotated[list[...], ListSet()], which the API server keeps free of duplicates",
    tuple: "write list[...], or a Spec with one field for each part",
    timedelta: "write a number of seconds, or Annotated[str, Format('duration')]",
    time: "write str with a pattern",
    Decimal: "write Quantity, which is compared by value, or str",
    complex: "write two fields",
}

TEMPLATE_META = ("annotations", "finalizers", "generateName", "labels", "name", "namespace")
"""What a template may say of the metadata of objects made from it; the API server sets the rest."""


def schema_of(type_: Any) -> JsonObject:
    """The structural schema of a type: a ``Spec``, a ``Resource``, or anything that may stand in one.

    Descriptions of Kubernetes' own types are left out: they would make most of a CRD's size.

    Raises:
        SchemaError: no structural schema says what the type says; the message names the field's path.
    """
    if isinstance(type_, type) and issubclass(type_, Resource):
        return _resource_schema(type_)
    return _Walk(type_name(type_)).schema(type_)


def _resource_schema(cls: type[Object]) -> JsonObject:
    """The schema of a whole custom resource: it says nothing of the metadata."""
    walk = _Walk(cls.__name__)
    made = walk.model(cls, skip=("metadata",) if has_status(cls) else ("metadata", "status"))
    try:
        msgspec.json.Decoder(cls)
    except TypeError as error:
        walk.refuse(str(error).splitlines()[0], "say it so that its objects can be decoded")
    made["properties"] = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        **made.get("properties", {}),
    }
    return made


class _Walk:
    """One walk over a type: knows where it is, and which models it is inside of."""

    def __init__(self, start: str) -> None:
        self._path = [start]
        self._inside: list[type] = []

    def refuse(self, message: str, hint: str = "") -> NoReturn:
        raise SchemaError(f"{''.join(self._path)}: {message}", hint=hint)

    @contextmanager
    def at(self, step: str) -> Iterator[None]:
        self._path.append(step)
        try:
            yield
        finally:
            self._path.pop()

    def schema(self, annotation: Any) -> JsonObject:
        reading = read(annotation)
        made = self._bare(reading)
        for extra in reading.extras:
            if isinstance(extra, msgspec.Meta):
                if reading.base is bytes and (extra.min_length, extra.max_length) != (None, None):
                    self.refuse(
                        "a CRD schema counts the letters of base64, not bytes", "check the length in a Rule"
                    )
                self._constrain(made, extra)
            else:
                self._mark(made, extra)
        rules = [extra for extra in reading.extras if isinstance(extra, Rule)]
        if rules:
            made.setdefault("x-kubernetes-validations", []).extend(checks.validations(rules))
        return made

    # ---- what the type is

    def _bare(self, reading: Reading) -> JsonObject:
        base = reading.base
        if reading.marker(QuantityMarker):
            return {"anyOf": _int_or_string(), "pattern": QUANTITY_PATTERN, INT_OR_STRING: True}
        members = (
            [read(member) for member in typing.get_args(base)] if typing.get_origin(base) is typing.Union else []
        )
        if {member.base for member in members} == {int, str}:
            return self._either(members)
        if base in (Any, object, msgspec.Raw):
            return {PRESERVE: True}
        if base in _SCALARS:
            return dict(_SCALARS[base])
        if {member.base for member in members} == {int, float}:
            return {"type": "number"}
        if is_enum(base):
            return self._enumeration(type_name(base), [member.value for member in base])
        origin, arguments = typing.get_origin(base), typing.get_args(base)
        if origin is Literal:
            return self._enumeration(type_name(base), list(arguments))
        if is_model(base) or is_model(origin):
            return self._nested(base, reading)
        if base is dict or origin is dict:
            return self._map(arguments)
        if base is list or origin is list:
            return self._list(arguments, reading)
        return self._refuse_type(base, origin)

    def _either(self, members: list[Reading]) -> JsonObject:
        made: JsonObject = {"anyOf": _int_or_string(), INT_OR_STRING: True}
        for member in members:
            for extra in member.extras:
                if isinstance(extra, msgspec.Meta):
                    self._constrain(made, extra)
        return made

    def _refuse_type(self, base: Any, origin: Any) -> NoReturn:
        name = type_name(base)
        if isinstance(base, typing.TypeVar):
            self.refuse(f"the type parameter {name} is not given", "write Resource[MySpec, MyStatus]")
        if origin is typing.Union:
            self.refuse(
                f"a CRD schema cannot say {name}",
                "make one Spec with an optional field for each case, and a Rule that exactly one is set: "
                "Rule('(has(self.a) ? 1 : 0) + (has(self.b) ? 1 : 0) == 1')",
            )
        if base is type(None):
            self.refuse("a field that is always None has no schema", "leave it out")
        for refused, hint in _INSTEAD.items():
            if refused in (base, origin):
                self.refuse(f"a CRD schema cannot say {name}", hint)
        self.refuse(
            f"a CRD schema cannot say {name}",
            "use str, int, float, bool, datetime, bytes, Literal, Enum, list, dict[str, …] or a Spec",
        )

    def _enumeration(self, name: str, values: list[Any]) -> JsonObject:
        kinds = {type(value.value if isinstance(value, enum.Enum) else value) for value in values}
        plain = [value.value if isinstance(value, enum.Enum) else value for value in values]
        if kinds == {str}:
            return {"type": "string", "enum": plain}
        if kinds == {int}:
            return {"type": "integer", "enum": plain}
        return self.refuse(f"the values of {name} are not all strings or all integers", "use values of one type")

    def _map(self, arguments: tuple[Any, ...]) -> JsonObject:
        if not arguments:
            return {"type": "object", PRESERVE: True}
        key = read(arguments[0])
        if key.base is not str:
            self.refuse(f"the keys of a map are strings, not {type_name(key.base)}", "use dict[str, …]")
        if any(isinstance(extra, msgspec.Meta) for extra in key.extras):
            self.refuse(
                "a CRD schema cannot constrain the keys of a map",
                "put a Rule on the map: Rule('self.all(key, size(key) <= 63)')",
            )
        if read(arguments[1]).base in (Any, object):
            return {"type": "object", PRESERVE: True}
        with self.at("[*]"):
            return {"type": "object", "additionalProperties": self._item(arguments[1])}

    def _list(self, arguments: tuple[Any, ...], reading: Reading) -> JsonObject:
        with self.at("[]"):
            items = self._item(arguments[0] if arguments else Any)
        made: JsonObject = {"type": "array", "items": items}
        if keyed := reading.marker(ListMap):
            self._require_keys(items, keyed, read(arguments[0]).base if arguments else None)
        if reading.marker(ListSet) and items.get("type") not in ("string", "integer", "number", "boolean"):
            self.refuse("the items of a ListSet are scalars", "use ListMap('key') for a list of objects")
        return made

    def _item(self, annotation: Any) -> JsonObject:
        reading = read(annotation)
        if reading.optional and not reading.marker(Nullable):
            self.refuse("an item or a map's value cannot be None", "add the Nullable() marker if null is meant")
        return self.schema(annotation)

    def _require_keys(self, items: JsonObject, keyed: ListMap, item_type: Any) -> None:
        if not keyed.keys:
            self.refuse("ListMap needs the names of its keys", "for instance ListMap('name')")
        if items.get("type") != "object" or "properties" not in items:
            self.refuse("the items of a ListMap are objects with fields", "use ListSet() for a list of scalars")
        for key in keyed.keys:
            described = items["properties"].get(key)
            if described is None:
                self.refuse(f"ListMap key {key!r} is not a field of its items", "keys are wire names: nodePort")
            if described.get("type") not in ("string", "integer", "number", "boolean"):
                self.refuse(f"ListMap key {key!r} is not a scalar")
            if key in items.get("required", ()) or "default" in described:
                continue
            if not _is_builtin(item_type):
                self.refuse(f"ListMap key {key!r} is optional", "make it required, or give it a default")
            if key in KEY_DEFAULTS and len(keyed.keys) > 1:
                described["default"] = KEY_DEFAULTS[key]
            else:
                items["required"] = [*items.get("required", ()), key]

    # ---- models

    def _nested(self, cls: Any, reading: Reading) -> JsonObject:
        plain = typing.get_origin(cls) or cls
        if plain is ObjectMeta:
            return self._template_meta()
        if cls in self._inside:
            if reading.marker(PreserveUnknown):
                return {"type": "object", PRESERVE: True}
            self.refuse(
                f"{type_name(cls)} contains itself, which a CRD schema cannot say",
                "mark the inner one with PreserveUnknown(): it is then accepted without being checked",
            )
        made = self.model(cls)
        if issubclass(plain, Object):
            head = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
            made["properties"] = {**head, **made.get("properties", {})}
        return made

    def model(self, cls: Any, skip: tuple[str, ...] = ()) -> JsonObject:
        """The schema of a struct class, ``skip`` left out."""
        plain: type = typing.get_origin(cls) or cls
        config = plain.__struct_config__  # type: ignore[attr-defined]
        if config.array_like or config.tag is not None:
            self.refuse(f"{plain.__name__} is a tagged or array-like struct", "derive it from Spec without these")
        try:
            fields = model_fields(cls)
        except NameError as error:
            self.refuse(
                f"an annotation of {plain.__name__} names {error.name!r}, which is not defined there",
                "types are read at run time: import it outside of `if TYPE_CHECKING:`",
            )
        builtin = _is_builtin(plain)
        docs = None if builtin else describe(plain)
        made: JsonObject = {"type": "object"}
        if docs is not None and docs.text:
            made["description"] = docs.text
        properties: JsonObject = {}
        required: list[str] = []
        self._inside.append(cls)
        for wire, field in fields.items():
            if wire in skip:
                continue
            with self.at(f".{field.name}"):
                described = self._field(field, builtin)
            if docs is not None and field.name in docs.fields:
                described.setdefault("description", docs.fields[field.name])
            properties[wire] = described
            if field.required:
                required.append(wire)
        self._inside.pop()
        if required:
            made["required"] = required
        if properties:
            made["properties"] = properties
        if rules := getattr(plain, "schema_rules", ()):
            made["x-kubernetes-validations"] = checks.validations(rules)
        return made

    def _field(self, field: ModelField, builtin: bool) -> JsonObject:
        reading = read(field.annotation)
        if field.required and reading.optional and not reading.marker(Nullable):
            self.refuse(
                "a field that may be None needs a default, since None is never sent",
                f"write {field.name}: … | None = None; or mark it Nullable() to accept an explicit null",
            )
        made = self.schema(field.annotation)
        if builtin:
            made.pop("description", None)
        try:
            has_default, default = checks.default_of(field)
        except checks.UnfitDefault as error:
            self.refuse(str(error), error.hint)
        if has_default:
            made["default"] = default
        return made

    def _template_meta(self) -> JsonObject:
        fields = model_fields(ObjectMeta)
        return {
            "type": "object",
            "properties": {wire: self.schema(fields[wire].annotation) for wire in TEMPLATE_META},
        }

    # ---- what stands around the type

    def _mark(self, made: JsonObject, extra: object) -> None:
        kind = made.get("type")
        match extra:
            case ListMap():
                self._expect(kind == "array", "ListMap", "a list of objects")
                made["x-kubernetes-list-type"] = "map"
                made["x-kubernetes-list-map-keys"] = list(extra.keys)
            case ListSet():
                self._expect(kind == "array", "ListSet", "a list of scalars")
                made["x-kubernetes-list-type"] = "set"
            case Atomic():
                self._expect(kind in ("array", "object"), "Atomic", "a list, a map or a Spec")
                made["x-kubernetes-list-type" if kind == "array" else "x-kubernetes-map-type"] = "atomic"
            case PreserveUnknown():
                self._expect(kind in ("object", None), "PreserveUnknown", "a Spec or a map (of a list: its items)")
                made[PRESERVE] = True
            case EmbeddedResource():
                free = kind in ("object", None) and PRESERVE in made
                self._expect(free, "EmbeddedResource", "a JsonObject (a typed one does not send its kind)")
                made["type"] = "object"
                made["x-kubernetes-embedded-resource"] = True
            case Nullable():
                made["nullable"] = True
            case Format():
                made["format"] = extra.name

    def _expect(self, fits: bool, marker: str, wanted: str) -> None:
        if not fits:
            self.refuse(f"{marker}() is for {wanted}")

    def _constrain(self, made: JsonObject, meta: msgspec.Meta) -> None:
        try:
            made.update(checks.constraints(made, meta))
        except checks.UnfitConstraint as error:
            self.refuse(str(error), error.hint)


def _int_or_string() -> list[JsonObject]:
    return [{"type": "integer"}, {"type": "string"}]


def _is_builtin(cls: Any) -> bool:
    plain = typing.get_origin(cls) or cls
    return str(getattr(plain, "__module__", "")).startswith(("kubewright.kinds.", "kubewright.objects."))
