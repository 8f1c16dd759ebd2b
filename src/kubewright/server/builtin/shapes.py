"""What decoding into Go's types and encoding again makes of an object of a built-in kind.

The API server never stores what it was sent: it decodes it into a Go struct, and what it answers is that struct
encoded. An empty string or list of an ``omitempty`` field is gone, a struct that is not a pointer is always there
(``status: {}``), a list without ``omitempty`` is ``null``, quantities and times have one form. The types are
recorded in ``server/data/gotypes.json.gz`` by ``scripts/go_types``.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

import msgspec

from kubewright.objects import JsonObject
from kubewright.server.builtin.quantities import BAD_QUANTITY, canonical_quantity
from kubewright.server.status import StatusError, bad_request

_Convert: TypeAlias = Callable[[Any], Any]
_INTEGERS = {"int32": 31, "int64": 63, "int": 63, "uint16": 16, "uint32": 32, "uint64": 64, "int16": 15, "uint8": 8}
_MICRO = "2006-01-02T15:04:05.000000Z07:00"


class _Mismatch(Exception):
    """A value that the field's Go type cannot hold; the path grows while it is passed up."""

    def __init__(self, words: str, expected: str = "") -> None:
        super().__init__(words)
        self.words = words
        self.expected = expected
        self.struct = ""
        self.path: list[str] = []

    def sentence(self) -> str:
        if not self.expected:
            return self.words
        where = f"Go struct field {self.struct}.{'.'.join(reversed(self.path))}" if self.path else "Go value"
        return f"json: cannot unmarshal {self.words} into {where} of type {self.expected}"


@cache
def _recorded() -> JsonObject:
    data = files("kubewright.server").joinpath("data/gotypes.json.gz").read_bytes()
    recorded: JsonObject = msgspec.json.decode(gzip.decompress(data))
    return recorded


def type_of(api_version: str, kind: str) -> str:
    """The Go type of a kind, as ``apps/v1.Deployment``; KeyError if it was not recorded."""
    name: str = _recorded()["kinds"][f"{api_version} {kind}"]
    return name


def fields_of(type_name: str) -> dict[str, str]:
    """The type of each field of a Go struct: a name with ``*``, ``[`` and ``{`` before it for each layer."""
    return {field["n"]: field["t"] for field in _recorded()["types"][type_name]}


def reshape(obj: JsonObject, type_name: str) -> None:
    """Make ``obj``, in place, what the server answers once Go has decoded and encoded it.

    Raises:
        StatusError: 400, with the server's words, where a value does not fit its Go type.
    """
    try:
        shaped = _struct(type_name)(obj)
    except _Mismatch as mismatch:
        raise _cannot_be_handled(obj, mismatch.sentence()) from None
    obj.clear()
    obj.update(shaped)


def _cannot_be_handled(obj: JsonObject, why: str) -> StatusError:
    kind, version = obj.get("kind", ""), str(obj.get("apiVersion", "")).rpartition("/")[2]
    return bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {why}')


def _go_name(described: str) -> str:
    head, rest = described[0], described[1:]
    if head == "*":
        return _go_name(rest)
    if head == "[":
        return "[]" + _go_name(rest)
    if head == "{":
        return "map[string]" + _go_name(rest)
    if head == "#":
        return rest.rpartition("/")[2]
    return described


def _words_for(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return f"number {value}" if isinstance(value, float) else "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


@cache
def _struct(type_name: str) -> _Convert:
    short = type_name.rpartition(".")[2]
    go_name = _go_name("#" + type_name)
    fields: list[tuple[str, str, str, list[_Convert], Any]] | None = None

    def compiled() -> list[tuple[str, str, str, list[_Convert], Any]]:
        return [
            (field["n"], field.get("o", ""), field["t"], [_converter(field["t"])], _zero(field["t"]))
            for field in _recorded()["types"][type_name]
        ]

    def convert(value: Any) -> JsonObject:
        nonlocal fields
        if not isinstance(value, dict):
            raise _Mismatch(_words_for(value), go_name)
        if fields is None:
            fields = compiled()
        shaped: JsonObject = {}
        for name, omit, described, (converter,), zero in fields:
            raw = value.get(name)
            if raw is None:
                always = not omit or described[0] == "#" or described in ("time", "microtime")
                if always and omit != "zero":
                    shaped[name] = zero()
                continue
            try:
                made = converter(raw)
            except _Mismatch as mismatch:
                mismatch.struct = mismatch.struct or short
                mismatch.path.append(name)
                raise
            if omit and _is_empty(made, described, omit):
                continue
            if made == [] and not omit:
                made = None
            shaped[name] = made
        return shaped

    return convert


def _is_empty(made: Any, described: str, omit: str) -> bool:
    if described[0] == "*":
        return False
    if described[0] == "#":
        return omit == "zero" and not made
    if described in ("time", "microtime"):
        return omit == "zero" and made is None
    return made in ("", 0, False) or made == [] or made == {} or made is None


def _zero(described: str) -> Callable[[], Any]:
    if described[0] == "#":
        convert = _struct(described[1:])
        return lambda: convert({})
    if described == "string":
        return lambda: ""
    if described == "bool":
        return lambda: False
    if described in _INTEGERS or described.startswith("float"):
        return lambda: 0
    if described == "quantity":
        return lambda: "0"
    if described == "intorstring":
        return lambda: 0
    return lambda: None


def _converter(described: str) -> _Convert:
    head, rest = described[0], described[1:]
    if head == "*":
        return _converter(rest)
    if head == "[":
        return _list(described, _converter(rest), _zero(rest))
    if head == "{":
        return _map(described, _converter(rest), _zero(rest))
    if head == "#":
        return _late_struct(rest)
    if described in _INTEGERS:
        return _integer(described)
    return _SCALARS[described]


def _late_struct(type_name: str) -> _Convert:
    # Types refer to themselves (JSONSchemaProps): the struct is looked up when it is first met.
    return lambda value: _struct(type_name)(value)  # noqa: PLW0108


def _list(described: str, convert: _Convert, zero: Callable[[], Any]) -> _Convert:
    name = _go_name(described)

    def converted(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise _Mismatch(_words_for(value), name)
        return [zero() if item is None else convert(item) for item in value]

    return converted


def _map(described: str, convert: _Convert, zero: Callable[[], Any]) -> _Convert:
    name = _go_name(described)

    def converted(value: Any) -> JsonObject:
        if not isinstance(value, dict):
            raise _Mismatch(_words_for(value), name)
        return {key: zero() if item is None else convert(item) for key, item in value.items()}

    return converted


def _integer(name: str) -> _Convert:
    limit = 2 ** _INTEGERS[name]

    def converted(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _Mismatch(_words_for(value), name)
        if isinstance(value, float) and not value.is_integer():
            raise _Mismatch(f"number {value}", name)
        whole = int(value)
        if not -limit <= whole < limit:
            raise _Mismatch(f"number {whole}", name)
        return whole

    return converted


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise _Mismatch(_words_for(value), "string")
    return value


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Mismatch(_words_for(value), "bool")
    return value


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Mismatch(_words_for(value), "float64")
    return value


def _raw(value: Any) -> Any:
    return value


def _quantity(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _Mismatch(BAD_QUANTITY)
    try:
        return canonical_quantity(str(value).strip(), places=3)
    except ValueError as error:
        raise _Mismatch(str(error)) from None


def _int_or_string(value: Any) -> int | str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _Mismatch(_words_for(value), "int32" if isinstance(value, float) else "string")
    return value


def _bytes(value: Any) -> str:
    if not isinstance(value, str):
        raise _Mismatch(_words_for(value), "[]uint8")
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        bad = next((n for n, c in enumerate(value) if not re.match(r"[A-Za-z0-9+/]", c)), len(value))
        raise _Mismatch(f"illegal base64 data at input byte {bad}") from None
    return value


def _moment(value: Any, layout: str) -> datetime:
    if not isinstance(value, str):
        raise _Mismatch(_words_for(value), "string")
    try:
        if "T" not in value:
            raise ValueError(value)
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise _Mismatch(f'parsing time "{value}" as "{layout}": cannot parse "{value}" as "2006"') from None
    return moment.astimezone(UTC)


def _time(value: Any) -> str | None:
    if value == "":
        return None
    return _moment(value, "2006-01-02T15:04:05Z07:00").strftime("%Y-%m-%dT%H:%M:%SZ")


def _micro_time(value: Any) -> str | None:
    if value == "":
        return None
    moment = _moment(value, _MICRO)
    if not re.fullmatch(r".*\.[0-9]{6}(Z|[-+][0-9]{2}:[0-9]{2})", value):
        rest = re.sub(r"^[^T]*T[0-9:]*", "", value)
        raise _Mismatch(f'parsing time "{value}" as "{_MICRO}": cannot parse "{rest}" as ".000000"')
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


_SCALARS: dict[str, _Convert] = {
    "string": _string,
    "bool": _bool,
    "float64": _float,
    "float32": _float,
    "raw": _raw,
    "quantity": _quantity,
    "intorstring": _int_or_string,
    "bytes": _bytes,
    "time": _time,
    "microtime": _micro_time,
    "duration": _string,
}
