"""JSON patch (RFC 6902) and JSON merge patch (RFC 7386), with the habits of Kubernetes' API server.

The server's library is laxer than the RFC in places (``replace`` adds a key that is not there, an index may
be negative); what it accepts is accepted here, and what it refuses is refused in its words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kubewright.errors import PatchError

MAX_OPERATIONS = 10_000
"""The most operations an API server takes in one JSON patch."""

_MISSING = "missing value"
_INDEX = re.compile(r"[+-]?[0-9]+\Z")


class _KeyProblem(Exception):
    """A key or index that a container does not take."""


def copy_json(value: Any) -> Any:
    """A deep copy of a JSON tree."""
    if isinstance(value, dict):
        return {k: copy_json(v) if isinstance(v, (dict, list)) else v for k, v in value.items()}
    if isinstance(value, list):
        return [copy_json(v) if isinstance(v, (dict, list)) else v for v in value]
    return value


def same_json(a: Any, b: Any) -> bool:
    """Whether two JSON trees are the same: ``1``, ``1.0`` and ``true`` are three values."""
    if isinstance(a, dict):
        return isinstance(b, dict) and len(a) == len(b) and all(k in b and same_json(v, b[k]) for k, v in a.items())
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same_json, a, b))
    return type(a) is type(b) and bool(a == b)


def json_patch(doc: Any, ops: Sequence[Mapping[str, Any]]) -> Any:
    """Apply a JSON patch; ``doc`` stays as it is.

    Raises:
        PatchError: an operation cannot be applied (422), or there are too many (413).
    """
    if len(ops) > MAX_OPERATIONS:
        raise PatchError(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(ops)}", code=413
        )
    root = copy_json(doc)
    for op in ops:
        kind = op.get("op")
        handler = _OPERATIONS.get(kind) if isinstance(kind, str) else None
        if handler is None:
            raise PatchError(f"Unexpected kind: {kind if isinstance(kind, str) else 'unknown'}")
        root = handler(root, op)
    return root


def merge_patch(doc: Any, patch: Any) -> Any:
    """Apply a JSON merge patch; ``doc`` stays as it is. A null deletes a key."""
    if not isinstance(patch, dict):
        return _without_nulls(patch)
    if not isinstance(doc, dict):
        return _without_nulls(patch)
    merged = dict(doc)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
            continue
        current = merged.get(key)
        if isinstance(current, dict):
            merged[key] = merge_patch(current, value) if isinstance(value, dict) else copy_json(value)
        else:
            merged[key] = _without_nulls(value)
    return merged


def create_merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The smallest merge patch that makes ``new`` of ``old``; empty when they are the same.

    A null inside ``new`` cannot be said in a merge patch: it becomes an absent key.
    """
    patch: dict[str, Any] = {}
    for key, value in new.items():
        if key not in old:
            patch[key] = copy_json(value)
        elif isinstance(value, dict) and isinstance(old[key], dict):
            if inner := create_merge_patch(old[key], value):
                patch[key] = inner
        elif not same_json(old[key], value):
            patch[key] = copy_json(value)
    patch.update((key, None) for key in old if key not in new)
    return patch


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_nulls(v) for v in value]
    return value


def _find(root: Any, path: str) -> tuple[Any, str] | None:
    """The container that holds what ``path`` names, and the key in it."""
    parts = path.split("/")
    if len(parts) < 2:
        return None
    container = root
    for part in parts[1:-1]:
        try:
            container = _get(container, _unescape(part))
        except _KeyProblem:
            return None
        if not isinstance(container, (dict, list)):
            return None
    return container, _unescape(parts[-1])


def _unescape(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~") if "~" in part else part


def _index(key: str) -> int:
    if not _INDEX.match(key):
        raise _KeyProblem(f'strconv.Atoi: parsing "{key}": invalid syntax')
    return int(key)


def _bounded(key: str, size: int) -> int:
    index = _index(key)
    if index >= size or index < -size:
        raise _KeyProblem(f"Unable to access invalid index: {index}: invalid index referenced")
    return index + size if index < 0 else index


def _get(container: Any, key: str) -> Any:
    if isinstance(container, dict):
        return container.get(key)
    return container[_bounded(key, len(container))]


def _add(container: Any, key: str, value: Any) -> None:
    if isinstance(container, dict):
        container[key] = value
    elif key == "-":
        container.append(value)
    else:
        try:
            _index(key)
        except _KeyProblem as problem:
            raise _KeyProblem(f"value was not a proper array index: '{key}': {problem}") from None
        container.insert(_bounded(key, len(container) + 1), value)


def _delete(container: Any, key: str) -> None:
    if isinstance(container, list):
        del container[_bounded(key, len(container))]
    elif key in container:
        del container[key]
    else:
        raise _KeyProblem(f"Unable to remove nonexistent key: {key}: {_MISSING}")


def _pointer(op: Mapping[str, Any], field: str, problem: str, missing: str) -> str:
    pointer = op.get(field)
    if not isinstance(pointer, str):
        raise PatchError(f"{problem}: {missing}")
    return pointer


def _op_add(root: Any, op: Mapping[str, Any]) -> Any:
    path = _pointer(op, "path", "add operation failed to decode path", _MISSING)
    found = _find(root, path)
    if found is None:
        raise PatchError(f'add operation does not apply: doc is missing path: "{path}": {_MISSING}')
    try:
        _add(*found, copy_json(op.get("value")))
    except _KeyProblem as problem:
        raise PatchError(f"error in add for path: '{path}': {problem}") from None
    return root


def _op_remove(root: Any, op: Mapping[str, Any]) -> Any:
    path = _pointer(op, "path", "remove operation failed to decode path", _MISSING)
    found = _find(root, path)
    if found is None:
        raise PatchError(f'remove operation does not apply: doc is missing path: "{path}": {_MISSING}')
    try:
        _delete(*found)
    except _KeyProblem as problem:
        raise PatchError(f"error in remove for path: '{path}': {problem}") from None
    return root


def _op_replace(root: Any, op: Mapping[str, Any]) -> Any:
    path = _pointer(
        op, "path", "replace operation failed to decode path", f"operation missing path field: {_MISSING}"
    )
    value = copy_json(op.get("value"))
    if path == "":
        if not isinstance(value, (dict, list)):
            raise PatchError("replace operation value must be object or array: %!w(<nil>)")
        return value
    found = _find(root, path)
    if found is None:
        raise PatchError(f"replace operation does not apply: doc is missing path: {path}: {_MISSING}")
    container, key = found
    if isinstance(container, dict):
        container[key] = value
        return root
    try:
        container[_bounded(key, len(container))] = value
    except _KeyProblem:
        raise PatchError(f"replace operation does not apply: doc is missing key: {path}: {_MISSING}") from None
    return root


def _op_move(root: Any, op: Mapping[str, Any]) -> Any:
    source = _pointer(
        op, "from", "move operation failed to decode from", f"operation, missing from field: {_MISSING}"
    )
    found = _find(root, source)
    if found is None:
        raise PatchError(f"move operation does not apply: doc is missing from path: {source}: {_MISSING}")
    try:
        value = _get(*found)
        _delete(*found)
    except _KeyProblem as problem:
        raise PatchError(f"error in move for path: '{found[1]}': {problem}") from None
    path = _pointer(op, "path", "move operation failed to decode path", f"operation missing path field: {_MISSING}")
    found = _find(root, path)
    if found is None:
        raise PatchError(f"move operation does not apply: doc is missing destination path: {path}: {_MISSING}")
    try:
        _add(*found, value)
    except _KeyProblem as problem:
        raise PatchError(f"error in move for path: '{path}': {problem}") from None
    return root


def _op_copy(root: Any, op: Mapping[str, Any]) -> Any:
    source = _pointer(
        op, "from", "copy operation failed to decode from", f"operation, missing from field: {_MISSING}"
    )
    found = _find(root, source)
    if found is None:
        raise PatchError(f"copy operation does not apply: doc is missing from path: {source}: {_MISSING}")
    try:
        value = _get(*found)
    except _KeyProblem as problem:
        raise PatchError(f"error in copy for from: '{source}': {problem}") from None
    path = _pointer(op, "path", "copy operation failed to decode path", _MISSING)
    found = _find(root, path)
    if found is None:
        raise PatchError(f"copy operation does not apply: doc is missing destination path: {path}: {_MISSING}")
    try:
        _add(*found, copy_json(value))
    except _KeyProblem as problem:
        raise PatchError(f"error while adding value during copy: {problem}") from None
    return root


def _op_test(root: Any, op: Mapping[str, Any]) -> Any:
    path = _pointer(op, "path", "test operation failed to decode path", f"operation missing path field: {_MISSING}")
    if path == "":
        actual = root
    else:
        found = _find(root, path)
        if found is None:
            raise PatchError(f"test operation does not apply: is missing path: {path}: {_MISSING}")
        try:
            actual = _get(*found)
        except _KeyProblem as problem:
            raise PatchError(f"error in test for path: '{path}': {problem}") from None
    if not same_json(actual, op.get("value")):
        raise PatchError(f"testing value {path} failed: test failed")
    return root


_OPERATIONS = {
    "add": _op_add,
    "remove": _op_remove,
    "replace": _op_replace,
    "move": _op_move,
    "copy": _op_copy,
    "test": _op_test,
}
