"""The simple JSON paths of printer columns and selectable fields, as kubectl's JSONPath reads them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, TypeAlias

Step: TypeAlias = Callable[[Any], Iterator[Any]]

_TOKEN = re.compile(
    r"""\.\.(?P<deep>(?:\\.|[^.\[\]])+)
      | \.(?P<name>\*|(?:\\.|[^.\[\]])+)
      | \['(?P<quoted>[^']*)'\]
      | \[\?\((?P<filter>.+?)\)\]
      | \[(?P<index>-?[0-9]+)\]
      | \[(?P<slice>-?[0-9]*:-?[0-9]*)\]
      | \[(?P<all>\*)\]""",
    re.VERBOSE,
)
_FILTER = re.compile(r"\s*@(?P<path>[^=!<>\s]*)\s*(?:(?P<op>==|!=|<=|>=|<|>)\s*(?P<value>.+?))?\s*")


class BadPath(ValueError):
    """A path that cannot be read."""


@lru_cache(maxsize=1024)
def compile_path(path: str) -> tuple[Step, ...]:
    """The steps of a path such as ``.status.conditions[?(@.type=="Ready")].status``.

    Raises:
        BadPath: it cannot be read.
    """
    text = path.strip()
    if text.startswith("{") and text.endswith("}"):
        text = text[1:-1]
    if text in ("", "."):
        return ()
    if not text.startswith((".", "[")):
        text = f".{text}"
    steps: list[Step] = []
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise BadPath(f"{path}: cannot be read from {text[position:]!r} on")
        position = found.end()
        steps.append(_step(found))
    return tuple(steps)


def find(path: str, obj: Any) -> Any:
    """The first value at ``path``, or None.

    Raises:
        BadPath: the path cannot be read.
    """
    return next(_walk(compile_path(path), obj), None)


def _walk(steps: tuple[Step, ...], value: Any) -> Iterator[Any]:
    if not steps:
        yield value
        return
    for inner in steps[0](value):
        yield from _walk(steps[1:], inner)


def _step(found: re.Match[str]) -> Step:
    groups = found.groupdict()
    if groups["deep"] is not None:
        return _deep(_unescaped(groups["deep"]))
    if groups["all"] is not None or groups["name"] == "*":
        return _every
    if groups["name"] is not None:
        return _key(_unescaped(groups["name"]))
    if groups["quoted"] is not None:
        return _key(groups["quoted"])
    if groups["index"] is not None:
        return _index(int(groups["index"]))
    if groups["slice"] is not None:
        start, _, end = groups["slice"].partition(":")
        return _slice(int(start) if start else None, int(end) if end else None)
    return _filter(groups["filter"])


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _key(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]

    return step


def _index(index: int) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list) and -len(value) <= index < len(value):
            yield value[index]

    return step


def _slice(start: int | None, end: int | None) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, list):
            yield from value[start:end]

    return step


def _every(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        yield from value
    elif isinstance(value, dict):
        yield from value.values()


def _deep(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict):
            if name in value:
                yield value[name]
            for inner in value.values():
                yield from step(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from step(inner)

    return step


def _filter(expression: str) -> Step:
    found = _FILTER.fullmatch(expression)
    if found is None:
        raise BadPath(f"{expression}: the filter cannot be read")
    steps = compile_path(found["path"])
    operator, wanted = found["op"], _literal(found["value"])

    def step(value: Any) -> Iterator[Any]:
        if not isinstance(value, list):
            return
        for item in value:
            there = next(_walk(steps, item), None)
            if (there is not None) if operator is None else _compare(there, operator, wanted):
                yield item

    return step


def _literal(text: str | None) -> Any:
    if text is None:
        return None
    if text[:1] in "\"'" and text[-1:] == text[:1]:
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def _compare(value: Any, operator: str, wanted: Any) -> bool:
    if operator == "==":
        return bool(value == wanted)
    if operator == "!=":
        return value is not None and bool(value != wanted)
    comparable = (int, float) if isinstance(wanted, int | float) else str
    if not isinstance(value, comparable) or isinstance(value, bool):
        return False
    outcomes = {"<": value < wanted, "<=": value <= wanted, ">": value > wanted, ">=": value >= wanted}
    return bool(outcomes[operator])
