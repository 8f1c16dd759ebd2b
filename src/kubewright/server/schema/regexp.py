"""Go's regular expressions (RE2 syntax) by Python's ``re``.

What differs is rewritten (``$`` and ``\\z``, POSIX classes, ASCII classes) or refused as Go refuses it
(look-around, back-references, possessive quantifiers). What stays different: Python backtracks, so that a hostile
pattern takes long where RE2 does not, and Unicode classes (``\\pL``) are only those of :data:`_UNICODE`.
"""

from __future__ import annotations

import re
from functools import lru_cache

_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
}
_UNKNOWN_ESCAPES = frozenset("123456789ZuUNghijkqRXyYceEHJKMOTVIFGLmol")
_UNICODE = {"L": r"^\W\d_", "Lu": r"A-ZÀ-ÖØ-Þ", "Ll": r"a-zß-öø-ÿ", "N": r"\d", "Nd": r"\d"}


class BadPattern(ValueError):
    """A pattern that Go's ``regexp`` does not compile; the message is Go's."""


@lru_cache(maxsize=4096)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile ``pattern``.

    Raises:
        BadPattern: Go would not compile it (or it needs a Unicode class that is not here).
    """
    try:
        return re.compile(_translate(pattern), re.ASCII)
    except re.error as error:
        raise BadPattern(f"error parsing regexp: {error.msg}: `{pattern}`") from None


def _refuse(what: str, part: str) -> BadPattern:
    return BadPattern(f"error parsing regexp: {what}: `{part}`")


def _translate(pattern: str) -> str:
    out: list[str] = []
    position, size = 0, len(pattern)
    multiline = False
    while position < size:
        char = pattern[position]
        if char == "\\":
            piece, position = _escape(pattern, position, inside_class=False)
            out.append(piece)
        elif char == "[":
            piece, position = _char_class(pattern, position)
            out.append(piece)
        elif char == "$":
            out.append("$" if multiline else r"\Z")
            position += 1
        elif char == "(" and pattern.startswith("(?", position):
            piece, position = _group(pattern, position)
            multiline = multiline or (piece.startswith("(?") and "m" in piece.split("-")[0][2:])
            out.append(piece)
        elif char in "*+?}" and pattern[position + 1 : position + 2] == "+":
            raise _refuse("invalid nested repetition operator", pattern[position : position + 2])
        else:
            out.append(char)
            position += 1
    return _flags_first("".join(out))


def _flags_first(pattern: str) -> str:
    """Python takes global flags only at the start; Go takes them anywhere, for what follows."""
    flags = re.match(r"(?:\(\?[imsU]+\))+", pattern)
    rest = pattern[flags.end() :] if flags else pattern
    inline = re.search(r"(?<!\\)\(\?([ims]+)\)", rest)
    while inline:
        rest = f"{rest[: inline.start()]}(?{inline.group(1)}:{rest[inline.end() :]})"
        inline = re.search(r"(?<!\\)\(\?([ims]+)\)", rest)
    return (flags.group().replace("U", "") if flags else "") + rest


def _escape(pattern: str, position: int, *, inside_class: bool) -> tuple[str, int]:
    following = pattern[position + 1 : position + 2]
    if not following:
        raise _refuse("trailing backslash at end of expression", "")
    if following == "z" and not inside_class:
        return r"\Z", position + 2
    if following in "pP":
        name = pattern[position + 2 : position + 3]
        end = position + 3
        if name == "{":
            close = pattern.find("}", position)
            name, end = pattern[position + 3 : close], close + 1
        if name not in _UNICODE:
            raise _refuse("invalid character class range", pattern[position:end])
        body = _UNICODE[name]
        return (body.lstrip("^") if inside_class else f"[{body}]"), end
    if following == "Q" and not inside_class:
        close = pattern.find(r"\E", position)
        end = len(pattern) if close < 0 else close
        return re.escape(pattern[position + 2 : end]), end + (2 if close >= 0 else 0)
    if following in _UNKNOWN_ESCAPES:
        raise _refuse("invalid escape sequence", pattern[position : position + 2])
    if following == "x" and pattern[position + 2 : position + 3] == "{":
        close = pattern.find("}", position)
        return f"\\U{int(pattern[position + 3 : close], 16):08x}", close + 1
    return pattern[position : position + 2], position + 2


def _char_class(pattern: str, position: int) -> tuple[str, int]:
    start = position
    out = ["["]
    position += 1
    if pattern.startswith("^", position):
        out.append("^")
        position += 1
    first = True
    while position < len(pattern):
        char = pattern[position]
        if char == "]" and not first:
            return "".join([*out, "]"]), position + 1
        if pattern.startswith("[:", position):
            close = pattern.find(":]", position)
            if close > 0:
                name = pattern[position + 2 : close]
                if name not in _POSIX:
                    raise _refuse("invalid character class range", pattern[position : close + 2])
                out.append(_POSIX[name])
                position, first = close + 2, False
                continue
        if char == "\\":
            piece, position = _escape(pattern, position, inside_class=True)
            out.append(piece)
        else:
            out.append("\\" + char if char in "[&|~" else char)
            position += 1
        first = False
    raise _refuse("missing closing ]", pattern[start:])


def _group(pattern: str, position: int) -> tuple[str, int]:
    if pattern.startswith(("(?=", "(?!", "(?<=", "(?<!", "(?>", "(?#"), position):
        raise _refuse("invalid or unsupported Perl syntax", pattern[position : position + 3])
    if pattern.startswith("(?<", position):
        return "(?P<", position + 3
    if pattern.startswith("(?P<", position):
        return "(?P<", position + 4
    flags = re.compile(r"\(\?([imsU]*(?:-[imsU]+)?)([:)])").match(pattern, position)
    if flags is None:
        raise _refuse("invalid or unsupported Perl syntax", pattern[position : position + 3])
    return flags.group(), flags.end()
