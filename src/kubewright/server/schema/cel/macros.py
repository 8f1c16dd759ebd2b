"""Macros that the library lacks, said in terms of those it has.

Two-variable comprehensions, ``sortBy``, ``first``, ``last`` and the ``format`` library become ordinary macros
around a few functions of ours (``__pairs``, ``__by_first``…), by rewriting the call's text; its receiver stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable

LITERAL = re.compile(r"""[rRbB]{0,2}(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
_NAME = re.compile(r"\s*[A-Za-z_]\w*\s*\Z")
_CALL = re.compile(
    r"\.(all|exists|existsOne|exists_one|transformList|transformMap|transformMapEntry|sortBy|first|last)\s*\("
)
_FORMAT = re.compile(r"\bformat\.(?:named\((?P<named>[^()]*)\)\.value\(\)|(?P<name>\w+)\(\))\.validate\(")

_Rewriter = Callable[[str, list[str]], str | None]


def blanked(text: str) -> str:
    """The text with every string literal blanked out: positions stay."""
    return LITERAL.sub(lambda found: " " * len(found.group()), text)


def expand(text: str) -> str:
    """``text`` without the macros the library does not know."""
    position = 0
    while True:
        bare = blanked(text)
        found = _CALL.search(bare, position)
        if found is None:
            break
        end = _closing(bare, found.end() - 1)
        if end < 0:
            break
        replaced = _rewritten(found.group(1), _arguments(text, bare, found.end(), end))
        if replaced is not None:
            text = text[: found.start()] + replaced + text[end + 1 :]
        position = found.start() + 1
    return _formats(text)


def _formats(text: str) -> str:
    while True:
        bare = blanked(text)
        found = _FORMAT.search(bare)
        if found is None:
            return text
        end = _closing(bare, found.end() - 1)
        if end < 0:
            return text
        named = text[found.start("named") : found.end("named")] if found.group("named") is not None else ""
        name = named or f'"{found.group("name")}"'
        argument = text[found.end() : end]
        text = f"{text[: found.start()]}__format({name}, {argument})[?0]{text[end + 1 :]}"


def _closing(bare: str, opening: int) -> int:
    depth = 0
    for at in range(opening, len(bare)):
        if bare[at] in "([{":
            depth += 1
        elif bare[at] in ")]}":
            depth -= 1
            if depth == 0:
                return at
    return -1


def _arguments(text: str, bare: str, start: int, end: int) -> list[str]:
    found: list[str] = []
    depth, begin = 0, start
    for at in range(start, end):
        if bare[at] in "([{":
            depth += 1
        elif bare[at] in ")]}":
            depth -= 1
        elif bare[at] == "," and depth == 0:
            found.append(text[begin:at])
            begin = at + 1
    last = text[begin:end]
    return [*found, last] if found or last.strip() else []


def _bound(arguments: list[str], body: str) -> str:
    key, value = arguments[0].strip(), arguments[1].strip()
    return f"cel.bind({key}, __p[0], cel.bind({value}, __p[1], {body}))"


def _rewritten(name: str, arguments: list[str]) -> str | None:
    if name == "first" and not arguments:
        return "[?0]"
    if name == "last" and not arguments:
        return ".__last()[?0]"
    if name == "sortBy" and len(arguments) == 2 and _NAME.match(arguments[0]):
        return f".map({arguments[0]}, [dyn({arguments[1]}), dyn({arguments[0]})]).__by_first()"
    two = len(arguments) >= 3 and bool(_NAME.match(arguments[0]) and _NAME.match(arguments[1]))
    if not two:
        return None
    if name in ("all", "exists", "exists_one", "existsOne") and len(arguments) == 3:
        plain = "exists_one" if name == "existsOne" else name
        return f".__pairs().{plain}(__p, {_bound(arguments, arguments[2])})"
    if name not in ("transformList", "transformMap", "transformMapEntry") or len(arguments) > 4:
        return None
    condition = f"{_bound(arguments, arguments[2])}, " if len(arguments) == 4 else ""
    body = _bound(arguments, arguments[-1])
    if name == "transformList":
        return f".__pairs().map(__p, {condition}{body})"
    if name == "transformMap":
        return f".__pairs().map(__p, {condition}[__p[0], dyn({body})]).__from_pairs()"
    return f".__pairs().map(__p, {condition}dyn({body})).__merged()"
