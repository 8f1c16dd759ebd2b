"""Validation against the OpenAPI part of a schema, in the order and words of the API server's validator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kubewright.server import fielderrors
from kubewright.server.fielderrors import FieldError
from kubewright.server.gotext import float_text, json_text, quote
from kubewright.server.schema.correlation import Correlated
from kubewright.server.schema.formats import check_of
from kubewright.server.schema.model import Schema
from kubewright.server.schema.regexp import BadPattern, compile_pattern

_INT64 = range(-(2**63), 2**63)
_INT32 = range(-(2**31), 2**31)
_FLOAT32_MAX = 3.4028234663852886e38


class _Result:
    """Errors, and how much was checked: ``anyOf`` reports the alternative that came furthest."""

    __slots__ = ("errors", "matched", "seen")

    def __init__(self) -> None:
        self.errors: list[FieldError] = []
        self.matched = 0
        self.seen: set[tuple[str, str]] = set()

    def add(self, error: FieldError) -> None:
        key = (error.path, error.detail or error.type.reason)
        if key not in self.seen:
            self.seen.add(key)
            self.errors.append(error)

    def merge(self, other: _Result) -> None:
        for error in other.errors:
            self.add(error)
        self.matched += other.matched


def validate_openapi(schema: Schema, value: Any, correlated: Correlated | None, prefix: str) -> list[FieldError]:
    """What is wrong with ``value``; with ``correlated``, only where something changed.

    ``prefix`` stands before every path but is not part of the messages: the server validates a status so.
    """
    return _Validator(prefix).check(schema, value, "", correlated).errors


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "array" if isinstance(value, list) else "object"


class _Validator:
    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def check(self, schema: Schema, value: Any, path: str, correlated: Correlated | None) -> _Result:
        result = self._check(schema, value, path, correlated)
        if result.errors and correlated is not None and correlated.unchanged:
            result.errors = []
            result.seen.clear()
        return result

    def _path(self, path: str) -> str:
        path = path.removeprefix(".")
        if self._prefix and path:
            return f"{self._prefix}.{path}"
        return self._prefix or path

    def _invalid(self, result: _Result, path: str, value: Any, words: str) -> None:
        shown = "" if value is None else value
        result.add(fielderrors.invalid(self._path(path), shown, f"{path} in body {words}"))

    def _composite(self, result: _Result, words: str) -> None:
        """Errors that name no field: the path is in their words."""
        result.add(fielderrors.invalid(self._prefix, "", words))

    def _check(self, schema: Schema, value: Any, path: str, correlated: Correlated | None) -> _Result:
        result = _Result()
        self._type(schema, value, path, result)
        if value is None:
            self._enum(schema, value, path, result)
            return result
        result.matched += 2
        node = schema.node
        if "anyOf" in node or "oneOf" in node or "allOf" in node or "not" in node:
            self._combinations(schema, value, path, correlated, result)
        result.matched += 2
        if isinstance(value, str):
            self._string(schema, value, path, result)
            result.matched += 1
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            self._number(schema, value, path, result)
            result.matched += 2
        elif isinstance(value, list):
            self._list(schema, value, path, correlated, result)
            result.matched += 2
        self._enum(schema, value, path, result)
        result.matched += 1
        if isinstance(value, dict):
            self._object(schema, value, path, correlated, result)
            result.matched += 1
        return result

    def _type(self, schema: Schema, value: Any, path: str, result: _Result) -> None:
        types = ("integer", "string") if schema.int_or_string else (schema.type,) if schema.type else ()
        if value is None:
            if types and not schema.nullable:
                self._type_invalid(result, path, ",".join(types), "null")
            else:
                result.matched += 1
            return
        if not types:
            result.matched += 1
            return
        actual = _json_type(value)
        fits = (
            actual in types
            or (actual == "integer" and "number" in types)
            or (actual == "number" and "integer" in types and float(value).is_integer())
        )
        if fits:
            result.matched += 1
            return
        if isinstance(value, (str, list)) and schema.format and types == ("string",):
            result.matched += 1
            return
        wanted = ",".join(types)
        if not isinstance(value, (str, list)) and self._numeric_format(schema):
            wanted = schema.format
            actual = {"integer": "int64", "number": "float64"}.get(actual, "")
        self._type_invalid(result, path, wanted, actual)

    @staticmethod
    def _numeric_format(schema: Schema) -> str:
        known = {"integer": ("int32", "int64"), "number": ("float", "double")}.get(schema.type, ())
        if schema.format in known:
            return schema.format
        return schema.format if schema.type in ("", "string") and check_of(schema.format) else ""

    def _type_invalid(self, result: _Result, path: str, wanted: str, actual: str) -> None:
        words = f"{path} in body must be of type {wanted}: {quote(actual)}"
        result.add(fielderrors.type_invalid(self._path(path), actual, words))

    def _combinations(
        self, schema: Schema, value: Any, path: str, correlated: Correlated | None, result: _Result
    ) -> None:
        if alternatives := schema.subschemas("anyOf"):
            best: _Result | None = None
            for alternative in alternatives:
                found = self._check(alternative, value, path, correlated)
                if not found.errors:
                    best = found
                    break
                if best is None or found.matched > best.matched:
                    best = found
            if best is not None and best.errors:
                self._composite(result, f"{quote(path)} must validate at least one schema (anyOf)")
            if best is not None:
                result.merge(best)
        if alternatives := schema.subschemas("oneOf"):
            self._one_of(alternatives, value, path, correlated, result)
        if parts := schema.subschemas("allOf"):
            valid = 0
            for part in parts:
                found = self._check(part, value, path, correlated)
                valid += not found.errors
                result.merge(found)
            if valid != len(parts):
                more = "" if valid else ". None validated"
                self._composite(result, f"{quote(path)} must validate all the schemas (allOf){more}")
        refused = schema.refused
        if refused is not None and not self._check(refused, value, path, correlated).errors:
            self._composite(result, f"{quote(path)} must not validate the schema (not)")

    def _one_of(
        self,
        alternatives: Sequence[Schema],
        value: Any,
        path: str,
        correlated: Correlated | None,
        result: _Result,
    ) -> None:
        best: _Result | None = None
        first: _Result | None = None
        valid = 0
        for alternative in alternatives:
            found = self._check(alternative, value, path, correlated)
            if not found.errors:
                valid += 1
                best = None
                first = first or found
            elif not valid and (best is None or found.matched > best.matched):
                best = found
        if valid == 1 and first is not None:
            result.merge(first)
            return
        more = f"Found {valid} valid alternatives" if valid else "Found none valid"
        self._composite(result, f"{quote(path)} must validate one and only one schema (oneOf). {more}")
        if best is not None:
            result.merge(best)

    def _string(self, schema: Schema, value: str, path: str, result: _Result) -> None:
        node = schema.node
        longest, shortest, pattern = node.get("maxLength"), node.get("minLength"), node.get("pattern")
        if longest is not None and len(value) > longest:
            result.add(fielderrors.too_long(self._path(path), int(longest)))
        elif shortest is not None and len(value) < shortest:
            self._invalid(result, path, value, f"should be at least {int(shortest)} chars long")
        elif pattern:
            self._pattern(pattern, value, path, result)
        if schema.format and schema.type in ("", "string"):
            check = check_of(schema.format)
            if check is not None:
                if check(value):
                    result.matched += 1
                else:
                    words = f"{path} in body must be of type {schema.format}: {quote(value)}"
                    result.add(fielderrors.type_invalid(self._path(path), value, words))

    def _pattern(self, pattern: str, value: str, path: str, result: _Result) -> None:
        try:
            found = compile_pattern(pattern).search(value)
        except BadPattern as bad:
            self._invalid(result, path, value, f"should match '{pattern}, but pattern is invalid: {bad}'")
            return
        if found is None:
            self._invalid(result, path, value, f"should match '{pattern}'")

    def _number(self, schema: Schema, value: float, path: str, result: _Result) -> None:
        node = schema.node
        integer = isinstance(value, int)
        kind = "" if schema.int_or_string else schema.type
        form = schema.format if kind in ("integer", "number") and self._numeric_format(schema) else ""
        if not _in_range(value, kind, form):
            with_format = f"with format {form}" if form else "(default format)"
            self._composite(result, f"Checked value must be of type {kind} {with_format} in {path}")
        show: Callable[[float], str] = (lambda n: str(int(n))) if integer else (lambda n: float_text(float(n)))
        factor = node.get("multipleOf")
        if factor is not None:
            factor = int(factor) if integer else factor
            if factor <= 0:
                words = f"factor MultipleOf declared for {path} must be positive: {show(factor)}"
                result.add(fielderrors.invalid(self._path(path), factor, words))
            elif not _is_multiple(value, factor):
                self._invalid(result, path, value, f"should be a multiple of {show(factor)}")
        most, least = node.get("maximum"), node.get("minimum")
        if least is not None:
            least, exclusive = (int(least) if integer else least), node.get("exclusiveMinimum", False)
            if value <= least if exclusive else value < least:
                words = "greater than" if exclusive else "greater than or equal to"
                self._invalid(result, path, value, f"should be {words} {show(least)}")
        if most is not None:
            most, exclusive = (int(most) if integer else most), node.get("exclusiveMaximum", False)
            if value >= most if exclusive else value > most:
                words = "less than" if exclusive else "less than or equal to"
                self._invalid(result, path, value, f"should be {words} {show(most)}")

    def _list(
        self, schema: Schema, value: list[Any], path: str, correlated: Correlated | None, result: _Result
    ) -> None:
        items = schema.items
        if items is not None:
            for index, item in enumerate(value):
                before = None if correlated is None else correlated.index(index)
                result.merge(self.check(items, item, f"{path}[{index}]", before))
        fewest, most = schema.node.get("minItems"), schema.node.get("maxItems")
        if fewest is not None and len(value) < fewest:
            self._invalid(result, path, len(value), f"should have at least {int(fewest)} items")
        if most is not None and len(value) > most:
            result.add(fielderrors.too_many(self._path(path), len(value), int(most)))

    def _enum(self, schema: Schema, value: Any, path: str, result: _Result) -> None:
        allowed = schema.enum
        if not allowed or any(_same_enum(value, option) for option in allowed):
            return
        texts = [option if isinstance(option, str) else json_text(option) for option in allowed]
        result.add(fielderrors.not_supported(self._path(path), value, texts))

    def _object(
        self, schema: Schema, value: dict[str, Any], path: str, correlated: Correlated | None, result: _Result
    ) -> None:
        fewest, most = schema.node.get("minProperties"), schema.node.get("maxProperties")
        if fewest is not None and len(value) < fewest:
            self._invalid(result, path, len(value), f"should have at least {int(fewest)} properties")
        if most is not None and len(value) > most:
            result.add(fielderrors.too_many(self._path(path), len(value), int(most)))
        properties, additional = schema.properties, schema.additional_properties
        if additional is not None:
            for key, inner in value.items():
                if key not in properties:
                    before = None if correlated is None else correlated.key(key)
                    result.merge(self.check(additional, inner, f"{path}.{key}", before))
        elif schema.node.get("additionalProperties") is False:
            for key in value:
                if key not in properties:
                    result.add(
                        fielderrors.invalid(self._path(path), key, f"{path}.{key} in body is a forbidden property")
                    )
        for name, prop in properties.items():
            if name in value:
                before = None if correlated is None else correlated.key(name)
                if path == "" and name in ("apiVersion", "kind"):
                    before = None
                result.merge(self.check(prop, value[name], f"{path}.{name}" if path else name, before))
        for name in schema.required:
            if name not in value:
                result.add(fielderrors.required(self._path(f"{path}.{name}")))


def _in_range(value: float, kind: str, form: str) -> bool:
    if kind == "integer":
        return float(value).is_integer() and int(value) in (_INT32 if form == "int32" else _INT64)
    return form != "float" or abs(value) <= _FLOAT32_MAX


def _is_multiple(value: float, factor: float) -> bool:
    if isinstance(value, int):
        return value % int(factor) == 0
    quotient = value / factor if factor >= 1 else 1 / factor * value
    return abs(quotient - round(quotient)) < 1e-9 * max(1.0, abs(quotient))


def _same_enum(value: Any, option: Any) -> bool:
    if option is None or value is None:
        return False
    numbers = (int, float)
    if isinstance(value, bool) or isinstance(option, bool):
        return value is option
    if isinstance(value, numbers) and isinstance(option, numbers):
        return int(value) == option if isinstance(option, int) else float(value) == option
    return type(value) is type(option) and bool(value == option)
