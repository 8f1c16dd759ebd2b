"""Values as Go prints them: what error messages of the API server are made of."""

from __future__ import annotations

import re
from typing import Any

QUOTE_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}
_JSON_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
_JSON_SPECIAL = re.compile('["\\\\\x00-\x1f<>&\u2028\u2029]')


def quote(text: str) -> str:
    """``strconv.Quote``, or ``%q``."""
    return '"' + "".join(map(_quoted, text)) + '"'


def _quoted(char: str) -> str:
    if char in QUOTE_ESCAPES:
        return QUOTE_ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class GoStruct(dict[str, Any]):
    """A value that Go marshals from a struct without JSON tags: its fields in order, not sorted."""


def json_text(value: Any) -> str:
    """``json.Marshal``: keys sorted, no spaces, ``<``, ``>`` and ``&`` escaped."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return '"' + _JSON_SPECIAL.sub(_json_escape, value) + '"'
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _json_float(value)
    if isinstance(value, dict):
        keys = value if isinstance(value, GoStruct) else sorted(value)
        return "{" + ",".join(f"{json_text(key)}:{json_text(value[key])}" for key in keys) + "}"
    return "[" + ",".join(map(json_text, value)) + "]"


def _json_escape(match: re.Match[str]) -> str:
    char = match.group()
    return _JSON_ESCAPES.get(char) or f"\\u{ord(char):04x}"


def _digits(value: float) -> tuple[str, str, int]:
    """Sign, shortest digits, and the decimal exponent of the first of them."""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    shift = int(exponent or 0) + len(whole) - 1 - (len(whole + fraction) - len((whole + fraction).lstrip("0")))
    return ("-" if value < 0 else "", digits.rstrip("0") or "0", shift if digits else 0)


def _plain(sign: str, digits: str, exponent: int) -> str:
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    if len(digits) <= exponent + 1:
        return sign + digits + "0" * (exponent + 1 - len(digits))
    return f"{sign}{digits[: exponent + 1]}.{digits[exponent + 1 :]}"


def _scientific(sign: str, digits: str, exponent: int, width: int) -> str:
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'-' if exponent < 0 else '+'}{abs(exponent):0{width}d}"


def _json_float(value: float) -> str:
    sign, digits, exponent = _digits(value)
    if value != 0 and (abs(value) < 1e-6 or abs(value) >= 1e21):
        return _scientific(sign, digits, exponent, 1 if exponent < 0 else 2)
    return _plain(sign, digits, exponent)


def float_text(value: float) -> str:
    """``%v`` of a float64."""
    sign, digits, exponent = _digits(value)
    if value != 0 and (exponent < -4 or exponent >= 21):
        return _scientific(sign, digits, exponent, 2)
    return _plain(sign, digits, exponent)


class Verbatim(str):
    """Text that :func:`display` shows as it is: the JSON of a Go struct, whose keys keep their order."""

    __slots__ = ()


def display(value: Any) -> str:
    """A bad value as ``field.Error`` shows it."""
    if isinstance(value, Verbatim):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, str):
        return quote(value)
    return json_text(value)
