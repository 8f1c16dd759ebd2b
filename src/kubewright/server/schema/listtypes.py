"""What structural validation adds to OpenAPI's: unique items of sets and list maps, and embedded resources."""

from __future__ import annotations

import re
from typing import Any

from kubewright.objects import JsonObject
from kubewright.server import fielderrors
from kubewright.server.fielderrors import FieldError
from kubewright.server.gotext import json_text
from kubewright.server.schema.model import MaybeSchema, Schema

_DNS1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?\Z")
_DNS1035_WORDS = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used "
    "for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)


def list_errors(schema: Schema, obj: JsonObject) -> list[FieldError]:
    """Items that are there twice, in sets and list maps anywhere in the object."""
    errors: list[FieldError] = []
    _lists_in_object(obj, schema, "", errors)
    return errors


def _lists_in_object(obj: JsonObject, schema: Schema, path: str, errors: list[FieldError]) -> None:
    additional, properties = schema.additional_properties, schema.properties
    for key, value in obj.items():
        if not isinstance(value, (dict, list)):
            continue
        if additional is not None:
            _lists_in(value, additional, f"{path}[{key}]", errors)
        prop = properties.get(key)
        if prop is not None:
            _lists_in(value, prop, f"{path}.{key}" if path else key, errors)


def _lists_in(value: Any, schema: MaybeSchema, path: str, errors: list[FieldError]) -> None:
    if schema is None:
        return
    if isinstance(value, dict):
        _lists_in_object(value, schema, path, errors)
        return
    if schema.list_type == "set":
        errors.extend(fielderrors.duplicate(f"{path}[{i}]", value[i]) for i in _repeated(value))
    elif schema.list_type == "map":
        errors.extend(_list_map_errors(value, schema, path))
    if schema.items is not None:
        for index, item in enumerate(value):
            if isinstance(item, (dict, list)):
                _lists_in(item, schema.items, f"{path}[{index}]", errors)


def _repeated(items: list[Any]) -> list[int]:
    """Where each repeated item appears for the second time."""
    times: dict[str, int] = {}
    second: list[int] = []
    for index, item in enumerate(items):
        text = f"{type(item).__name__}:{json_text(item)}"
        times[text] = times.get(text, 0) + 1
        if times[text] == 2:
            second.append(index)
    return second


def _list_map_errors(items: list[Any], schema: Schema, path: str) -> list[FieldError]:
    for index, item in enumerate(items):
        if item is not None and not isinstance(item, dict):
            return [
                fielderrors.invalid(f"{path}[{index}]", item, "must be an object for an array of list-type map")
            ]
    keys = [{name: item[name] for name in schema.list_map_keys if name in item} if item else {} for item in items]
    return [fielderrors.duplicate(f"{path}[{i}]", keys[i]) for i in _repeated(keys)]


def embedded_errors(schema: Schema, obj: JsonObject) -> list[FieldError]:
    """What is wrong with the types of objects inside the object (``x-kubernetes-embedded-resource``)."""
    errors: list[FieldError] = []
    _embedded(obj, schema, "", errors)
    return errors


def _embedded(value: Any, schema: MaybeSchema, path: str, errors: list[FieldError]) -> None:
    if schema is None:
        return
    if isinstance(value, list):
        for index, item in enumerate(value):
            _embedded(item, schema.items, f"{path}[{index}]", errors)
        return
    if not isinstance(value, dict):
        return
    if schema.embedded_resource:
        errors.extend(_type_errors(value, path))
    for key, inner in value.items():
        if not isinstance(inner, (dict, list)):
            continue
        prop = schema.properties.get(key)
        if prop is not None:
            _embedded(inner, prop, f"{path}.{key}" if path else key, errors)
        else:
            _embedded(inner, schema.additional_properties, f"{path}[{key}]", errors)


def _type_errors(value: JsonObject, path: str) -> list[FieldError]:
    errors = [fielderrors.required(f"{path}.{name}") for name in ("apiVersion", "kind") if name not in value]
    if "apiVersion" in value:
        version = value["apiVersion"]
        if not isinstance(version, str):
            errors.append(fielderrors.invalid(f"{path}.apiVersion", version, "must be a string"))
        elif not version:
            errors.append(fielderrors.invalid(f"{path}.apiVersion", version, "must not be empty"))
        elif version.count("/") > 1:
            words = f"unexpected GroupVersion string: {version}"
            errors.append(fielderrors.invalid(f"{path}.apiVersion", version, words))
    if "kind" in value:
        kind = value["kind"]
        if not isinstance(kind, str):
            errors.append(fielderrors.invalid(f"{path}.kind", kind, "must be a string"))
        elif not kind:
            errors.append(fielderrors.invalid(f"{path}.kind", kind, "must not be empty"))
        elif len(kind) > 63 or not _DNS1035.match(kind.lower()):
            words = "must be no more than 63 characters" if len(kind) > 63 else _DNS1035_WORDS
            errors.append(
                fielderrors.invalid(
                    f"{path}.kind", kind, f"may have mixed case, but should otherwise match: {words}"
                )
            )
    return errors
