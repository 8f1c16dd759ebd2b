"""Literal arguments that cannot mean anything: patterns, durations and times, refused when the rule is compiled."""

from __future__ import annotations

import re
from datetime import datetime

from kubewright.server.schema.cel.environment import BadExpression
from kubewright.server.schema.cel.macros import LITERAL, blanked
from kubewright.server.schema.regexp import BadPattern, compile_pattern

_CALLS = re.compile(r"(?<![\w.])(duration|timestamp)\(\s*|\.(matches)\(\s*")
_DURATION = re.compile(r"[+-]?(?:0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)\Z")


def problem_at(source: str, column: int, words: str) -> str:
    """A compiler's message: the words, the line, and a mark under the column (counted from 1 over all lines)."""
    line_start = source.rfind("\n", 0, column - 1) + 1
    line = source.count("\n", 0, column - 1) + 1
    shown = source[line_start:].partition("\n")[0]
    offset = column - line_start
    return f"ERROR: <input>:{line}:{offset}: {words}\n | {shown}\n | {'.' * (offset - 1)}^"


def check_literals(source: str) -> None:
    """Look at the literals given to ``matches``, ``duration`` and ``timestamp``.

    Raises:
        BadExpression: one of them is not what it should be.
    """
    problems = []
    for call in _CALLS.finditer(blanked(source)):
        name = call.group(1) or call.group(2)
        start = call.end()
        literal = LITERAL.match(source, _first_quote(source, call.start(), start))
        if literal is None or not source[literal.end() :].lstrip().startswith(")"):
            continue
        text = literal.group()
        if text[0] in "'\"" and "\\" in text:
            continue
        if not _sound(name, text.lstrip("rR")[1:-1]):
            problems.append(problem_at(source, literal.start() + 1, f"invalid {name} argument"))
    if problems:
        raise BadExpression("compilation failed: " + "\n".join(problems))


def _first_quote(source: str, call: int, end: int) -> int:
    """Where the argument begins: blanking took the literal for spaces that the call's pattern swallowed."""
    opening = source.index("(", call)
    at = opening + 1
    while at < end and source[at] == " ":
        at += 1
    return at


def _sound(name: str, text: str) -> bool:
    if name == "matches":
        try:
            compile_pattern(text)
        except BadPattern:
            return False
        return True
    if name == "duration":
        return bool(_DURATION.match(text))
    try:
        return "T" in text and datetime.fromisoformat(text) is not None
    except ValueError:
        return False
