"""Quantities: ``500m``, ``1Gi``, ``1e3``. The equivalent of apimachinery's ``resource.Quantity``."""

from __future__ import annotations

import re
from decimal import ROUND_UP, Context, Decimal
from typing import NamedTuple

from kubewright.errors import InvalidQuantity

_EXACT = Context(prec=200)
_NANO = Decimal(1).scaleb(-9)
_FORM = re.compile(r"(?P<sign>[+-]?)(?P<whole>[0-9]*)(?:\.(?P<part>[0-9]*))?(?P<suffix>[eEinumkKMGTP]*[-+]?[0-9]*)")
_EXPONENT = re.compile(r"[eE]([+-]?[0-9]+)")
_LARGEST_EXPONENT = 100_000
_MAX_BINARY = Decimal(2**63 - 1)

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIX = {exponent: suffix for suffix, exponent in _BINARY.items()}


class _Parts(NamedTuple):
    text: str
    sign: str
    whole: str
    part: str
    suffix: str
    exponent: int | None

    @property
    def binary(self) -> bool:
        return self.suffix in _BINARY


def _split(value: str | float) -> _Parts:
    text = str(value).strip()
    found = _FORM.fullmatch(text)
    if not found or not (found["whole"] or found["part"]):
        raise InvalidQuantity(
            f"{value!r}: quantities must match the regular expression "
            "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    suffix = found["suffix"]
    exponent = _DECIMAL.get(suffix)
    if exponent is None and suffix not in _BINARY:
        spelled = _EXPONENT.fullmatch(suffix)
        if not spelled:
            raise InvalidQuantity(f"{value!r}: unable to parse quantity's suffix")
        exponent = int(spelled.group(1))
        if abs(exponent) > _LARGEST_EXPONENT:
            raise InvalidQuantity(f"{value!r}: unable to parse quantity's suffix")
    return _Parts(text, found["sign"], found["whole"].lstrip("0"), found["part"] or "", suffix, exponent)


def _value(parts: _Parts) -> Decimal:
    number = Decimal(f"{parts.sign}{parts.whole or '0'}.{parts.part or '0'}")
    if parts.exponent is not None:
        number = number.scaleb(parts.exponent, _EXACT)
    else:
        number = _EXACT.multiply(number, Decimal(2 ** _BINARY[parts.suffix]))
        number = max(-_MAX_BINARY, min(_MAX_BINARY, number))
    # Never down to nothing.
    return number.quantize(_NANO, ROUND_UP, _EXACT) if int(number.as_tuple().exponent) < -9 else number


def parse_quantity(value: str | float) -> Decimal:
    """The exact value of a quantity, rounded away from zero to whole nanos as the API server does.

    Raises:
        InvalidQuantity: it is none.
    """
    return _value(_split(value)) + 0


def canonical_quantity(value: str | float) -> str:
    """The quantity as the API server writes it: ``0.5`` becomes ``500m``, ``1024Mi`` becomes ``1Gi``.

    Raises:
        InvalidQuantity: it is none.
    """
    parts = _split(value)
    number = _value(parts)
    if number == 0:
        return "0"
    if _kept_as_it_is(parts):
        return parts.text
    if parts.binary and abs(number) >= 1024 and number == number.to_integral_value():
        mantissa, exponent = int(number), 0
        while mantissa % 1024 == 0 and exponent < 60:
            mantissa, exponent = mantissa // 1024, exponent + 10
        return f"{mantissa}{_BINARY_SUFFIX.get(exponent, '')}"
    sign, digits, scale = number.normalize(_EXACT).as_tuple()
    mantissa, exponent = int("".join(map(str, digits))), int(scale)
    while exponent % 3:
        mantissa, exponent = mantissa * 10, exponent - 1
    if parts.suffix in _DECIMAL or parts.binary:
        suffix = _DECIMAL_SUFFIX.get(exponent, "")
    else:
        suffix = f"e{exponent}" if exponent else ""
    return f"{'-' if sign else ''}{mantissa}{suffix}"


def _kept_as_it_is(parts: _Parts) -> bool:
    # The API server keeps the text of what its fast path finds already canonical.
    digits = (parts.whole or "0") + parts.part
    if parts.binary:
        power = _BINARY[parts.suffix]
        room = 15 - len(parts.whole or "0") - int(power * 3 / 10) - 1
        return not parts.part and room >= 0 and int(digits) & 0x07 != 0
    scale = (parts.exponent or 0) - len(parts.part)
    if len(digits) > 18 or scale < -9:
        return False
    return scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0"
