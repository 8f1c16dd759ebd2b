"""Request bodies: JSON and YAML as trees, with what strict decoding has to say about them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import yaml

from kubewright.objects import JsonObject
from kubewright.server import status
from kubewright.server.gojson import go_kind, syntax_error
from kubewright.server.gotext import quote
from kubewright.server.media import JSON, PROTOBUF, YAML, YamlLoader, decode
from kubewright.server.status import StatusError

MAX_BODY = 3 * 1024 * 1024
"""Bytes a body may have, as in apiserver."""

MAX_VALUES = 1_000_000
"""Values a YAML document may come to once its aliases are followed."""

_MAX_DEPTH = 500
"""Levels that a YAML document may have."""


def check_size(body: bytes) -> None:
    """Refuse a body that is too large.

    Raises:
        StatusError: 413.
    """
    if len(body) > MAX_BODY:
        raise status.request_entity_too_large(MAX_BODY)


def read_object(body: bytes, media_type: str, *, protobuf: bool = True) -> tuple[JsonObject, list[str]]:
    """The object in ``body``, and the keys it has twice, as strict decoding names them.

    ``protobuf`` says whether the resource takes it: custom resources do not.

    Raises:
        StatusError: 400, it is not an object; 413, it is too large; 415, the media type is not one we read.
    """
    check_size(body)
    if media_type == JSON:
        return read_json(body)
    if media_type == YAML:
        return read_yaml(body)
    if media_type == PROTOBUF and protobuf:
        from kubewright.server.protobuf import read_object as read_protobuf

        return read_protobuf(body), []
    raise status.unsupported_media_type((JSON, YAML, PROTOBUF) if protobuf else (JSON, YAML))


def read_json(body: bytes) -> tuple[JsonObject, list[str]]:
    """The JSON object in ``body`` and the duplicate keys in it."""
    try:
        tree = decode(body)
    except RecursionError:
        raise status.bad_request("the body is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        if body.lstrip()[:1] not in (b"{", b"[", b'"') and (loaded := _as_yaml(body)) is not None:
            return loaded, []
        raise status.bad_request(f"couldn't get version/kind; json parse error: {syntax_error(body)}") from None
    if not isinstance(tree, dict):
        head = '{ APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
        raise status.bad_request(
            "couldn't get version/kind; json parse error: json: cannot unmarshal "
            f"{go_kind(tree)} into Go value of type struct {head}"
        )
    return tree, _duplicates(body)


def read_apply_configuration(body: bytes) -> tuple[JsonObject, list[str]]:
    """The object in the body of an apply: YAML by name, JSON nearly always."""
    if body[:1] == b"{":
        try:
            return read_json(body)
        except StatusError:
            pass  # YAML's flow style, perhaps
    return read_yaml(body)


def _check_depth(body: bytes) -> None:
    # libyaml's composer recurses in C, where too deep a document ends the process.
    if sum(body.count(mark) for mark in (b"[", b"{", b"-", b":", b"?")) <= _MAX_DEPTH:
        return
    depth = 0
    for event in yaml.parse(body, Loader=YamlLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:
                raise status.bad_request("the body is nested too deeply")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _as_yaml(body: bytes) -> JsonObject | None:
    # apiserver recognises YAML even where the header says JSON.
    try:
        _check_depth(body)
        tree = yaml.load(body, Loader=YamlLoader)  # noqa: S506 - a safe loader
    except yaml.YAMLError:
        return None
    return _plain(tree, _Budget()) if isinstance(tree, dict) else None


def read_yaml(body: bytes) -> tuple[JsonObject, list[str]]:
    """The YAML object in ``body`` and the duplicate keys in it."""
    duplicates: list[str] = []
    try:
        _check_depth(body)
        node = yaml.compose(body, Loader=YamlLoader)
        if node is not None:
            _yaml_duplicates(node, duplicates, set())
        tree = yaml.load(body, Loader=YamlLoader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise status.bad_request(_yaml_error(error)) from None
    except RecursionError:
        raise status.bad_request("the body is nested too deeply") from None
    if not isinstance(tree, dict):
        raise status.bad_request("couldn't get version/kind; json parse error: the body is not an object")
    return _plain(tree, _Budget()), ["\n".join(["yaml: unmarshal errors:", *duplicates])] if duplicates else []


def _yaml_error(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"yaml: line {mark.line}: {problem}" if mark is not None and mark.line else f"yaml: {problem}"


class _Budget:
    """How many values a document may still have: aliases may stand for more than the body could hold."""

    def __init__(self) -> None:
        self.left = MAX_VALUES

    def spend(self, values: int) -> None:
        self.left -= values
        if self.left < 0:
            raise status.bad_request("yaml: document contains excessive aliasing")


def _plain(value: Any, budget: _Budget) -> Any:
    # YAML's own dates and non-string keys, as JSON has them.
    if isinstance(value, dict):
        budget.spend(len(value))
        return {key if isinstance(key, str) else _key(key): _plain(item, budget) for key, item in value.items()}
    if isinstance(value, list):
        budget.spend(len(value))
        return [_plain(item, budget) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    return value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else str(value)


def _key(key: object) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return "null" if key is None else str(key)


def _yaml_duplicates(node: yaml.Node, found: list[str], visited: set[int]) -> None:
    if id(node) in visited:
        return  # an alias: looked at where it was anchored
    visited.add(id(node))
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                found.append(f"  line {key.start_mark.line + 1}: key {quote(str(key.value))} already set in map")
            seen.add(key.value)
            _yaml_duplicates(value, found, visited)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _yaml_duplicates(item, found, visited)


class _Pairs(list[tuple[str, Any]]):
    """An object whose duplicate keys are still there."""


def _has_duplicates(body: bytes) -> bool:
    found = False

    def hook(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        if len(pairs) > 1 and len({key for key, _ in pairs}) != len(pairs):
            found = True

    json.loads(body, object_pairs_hook=hook)
    return found


def _duplicates(body: bytes) -> list[str]:
    if not _has_duplicates(body):
        return []
    found: list[str] = []

    def walk(value: Any, path: str) -> None:
        if isinstance(value, _Pairs):
            seen = set()
            for key, item in value:
                where = f"{path}.{key}" if path else key
                if key in seen:
                    found.append(f"duplicate field {quote(where)}")
                seen.add(key)
                walk(item, where)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                walk(item, f"{path}[{index}]")

    walk(json.loads(body, object_pairs_hook=_Pairs), "")
    return found
