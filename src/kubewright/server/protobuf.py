"""Bodies of built-in kinds in protobuf, as Go clients send them, read from a table recorded of Kubernetes' own.

Only reading: what is asked for in protobuf or JSON is answered in JSON.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

import msgspec

from kubewright.objects import JsonObject, parse_api_version
from kubewright.server import status

MAGIC = b"k8s\x00"
_META = "k8s.io.apimachinery.pkg.apis.meta.v1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_APART = {
    "apiextensions.k8s.io": "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions",
    "apiregistration.k8s.io": "k8s.io.kube_aggregator.pkg.apis.apiregistration",
}
_MAX_DEPTH = 100
_SIGNED = frozenset({"int32", "int64"})


class _Field(NamedTuple):
    name: str
    type: str
    repeated: bool
    value_type: str
    """Of a map's values, or empty if it is none."""


class Malformed(ValueError):
    """The bytes are not what the table says."""


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    data = files("kubewright.server").joinpath("data/protobuf.json.gz").read_bytes()
    return msgspec.json.decode(gzip.decompress(data), type=dict[str, dict[str, list[str]]])


@lru_cache(maxsize=2048)
def _fields(message: str) -> dict[int, _Field] | None:
    recorded = _table().get(message)
    if recorded is None:
        return None
    fields = {}
    for number, (name, kind, label) in recorded.items():
        value_type = kind.removesuffix(">").partition(", ")[2] if kind.startswith("map<") else ""
        fields[int(number)] = _Field(name, kind, label == "repeated", value_type)
    return fields


def read_object(body: bytes) -> JsonObject:
    """The object in a protobuf body, in the tree that its JSON would give.

    Raises:
        StatusError: 400, it cannot be read.
    """
    if not body.startswith(MAGIC):
        why = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
        raise status.bad_request(why)
    try:
        envelope = dict(_raw_fields(body[len(MAGIC) :]))
        type_meta = dict(_raw_fields(envelope.get(1, b"")))
        api_version = _text(type_meta.get(1, b""))
        kind = _text(type_meta.get(2, b""))
        message = _message(api_version, kind)
        obj = _decode(message, envelope.get(2, b""), 0)
    except (Malformed, UnicodeDecodeError, struct.error, TypeError, msgspec.DecodeError, OverflowError) as error:
        raise status.bad_request(f"unable to decode protobuf body: {error}") from None
    if not isinstance(obj, dict):
        raise status.bad_request(f"unable to decode protobuf body: {kind} is not an object")
    return {"apiVersion": api_version, "kind": kind, **obj}


def _message(api_version: str, kind: str) -> str:
    group, version = parse_api_version(api_version)
    package = _APART.get(group, f"k8s.io.api.{group.partition('.')[0] or 'core'}")
    for name in (f"{package}.{version}.{kind}", f"{_META}.{kind}"):
        if name in _table():
            return name
    raise Malformed(f"no message is known for {kind} in {api_version}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise Malformed("truncated or overlong number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _raw_fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        value: int | bytes
        if wire == 0:
            value, at = _varint(data, at)
        elif wire == 2:
            size, at = _varint(data, at)
            value, at = data[at : at + size], at + size
        elif wire == 1:
            value, at = data[at : at + 8], at + 8
        elif wire == 5:
            value, at = data[at : at + 4], at + 4
        else:
            raise Malformed(f"wire type {wire}")
        if at > len(data):
            raise Malformed("truncated field")
        yield number, value


def _text(value: bytes) -> str:
    return value.decode()


def _decode(message: str, data: bytes, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise Malformed("nested too deeply")
    special = _SPECIAL.get(message)
    if special is not None:
        return special(data)
    fields = _fields(message)
    if fields is None:
        raise Malformed(f"no message {message} is known")
    if set(fields) == {1} and fields[1].name == "items" and fields[1].type == "string":
        return [_text(value) for _, value in _raw_fields(data)]
    obj: JsonObject = {}
    for number, raw in _raw_fields(data):
        field = fields.get(number)
        if field is None:
            continue  # newer than the table
        _put(obj, field, raw, depth)
    union = _UNIONS.get(message)
    return union(obj) if union is not None else obj


def _put(obj: JsonObject, field: _Field, raw: Any, depth: int) -> None:
    if field.value_type:
        pair = dict(_raw_fields(raw))
        default: Any = b"" if field.value_type not in ("int32", "int64", "bool") else 0
        value = _value(field.value_type, pair.get(2, default), depth)
        obj.setdefault(field.name, {})[_text(pair.get(1, b""))] = value
    elif field.repeated:
        obj.setdefault(field.name, []).append(_value(field.type, raw, depth))
    elif not field.name:
        obj.update(_value(field.type, raw, depth))
    else:
        obj[field.name] = _value(field.type, raw, depth)


def _value(kind: str, raw: Any, depth: int) -> Any:
    if kind == "string":
        return _text(raw)
    if kind == "bool":
        return bool(raw)
    if kind in _SIGNED:
        return raw - (1 << 64) if raw >= 1 << 63 else raw
    if kind == "bytes":
        import base64

        return base64.b64encode(raw).decode()
    if kind == "double":
        return struct.unpack("<d", raw)[0]
    return _decode(kind, raw, depth + 1)


def _time(data: bytes) -> str | None:
    if not data:
        return None
    return _moment(data).strftime("%Y-%m-%dT%H:%M:%SZ")


def _micro_time(data: bytes) -> str | None:
    if not data:
        return None
    return _moment(data).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(data: bytes) -> datetime:
    parts = dict(_raw_fields(data))
    seconds = _value("int64", parts.get(1, 0), 0)
    return _EPOCH + timedelta(seconds=seconds, microseconds=parts.get(2, 0) // 1000)


def _quantity(data: bytes) -> str:
    return _text(dict(_raw_fields(data)).get(1, b"")) or "0"


def _int_or_string(data: bytes) -> int | str:
    parts = dict(_raw_fields(data))
    if parts.get(1, 0) == 1:
        return _text(parts.get(3, b""))
    number: int = _value("int32", parts.get(2, 0), 0)
    return number


def _raw_json(data: bytes) -> Any:
    raw = dict(_raw_fields(data)).get(1, b"")
    return msgspec.json.decode(raw) if raw else None


_SPECIAL = {
    f"{_META}.Time": _time,
    f"{_META}.MicroTime": _micro_time,
    f"{_META}.FieldsV1": _raw_json,
    "k8s.io.apimachinery.pkg.api.resource.Quantity": _quantity,
    "k8s.io.apimachinery.pkg.util.intstr.IntOrString": _int_or_string,
    "k8s.io.apimachinery.pkg.runtime.RawExtension": _raw_json,
    "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.JSON": _raw_json,
}


def _schema_or_bool(obj: JsonObject) -> Any:
    return obj.get("schema", obj.get("Schema", obj.get("allows", obj.get("Allows", False))))


def _schema_or_list(obj: JsonObject) -> Any:
    lists = obj.get("jSONSchemas", obj.get("JSONSchemas"))
    return lists or obj.get("schema", obj.get("Schema"))


_CRD_TYPES = "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1"
_UNIONS = {
    f"{_CRD_TYPES}.JSONSchemaPropsOrBool": _schema_or_bool,
    f"{_CRD_TYPES}.JSONSchemaPropsOrArray": _schema_or_list,
}
