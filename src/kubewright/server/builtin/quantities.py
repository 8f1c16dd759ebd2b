"""Quantities in the form the API server stores them: ``0.5`` as ``500m``, ``1024Mi`` as ``1Gi``."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal

_PATTERN = re.compile(r"([+-]?)([0-9]+\.?[0-9]*|\.[0-9]+)(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?[0-9]+|)")
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_NAMES = {power: name for name, power in _BINARY.items()}
_DECIMAL_NAMES = {exponent: name for name, exponent in _DECIMAL.items()}

BAD_QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def canonical_quantity(text: str, *, places: int = 9) -> str:
    """``text`` as the server writes it, rounded up to ``places`` decimal places.

    Raises:
        ValueError: ``text`` is not a quantity.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(BAD_QUANTITY)
    sign, digits, suffix = match.groups()
    value = Decimal(digits)
    binary = suffix in _BINARY
    exponential = suffix[:1] in ("e", "E") and len(suffix) > 1
    if binary:
        value *= Decimal(1024) ** _BINARY[suffix]
    else:
        value = value.scaleb(int(suffix[1:]) if exponential else _DECIMAL[suffix])
    value = (
        value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_CEILING) if value.as_tuple().exponent else value
    )
    if not value:
        return "0"
    minus = "-" if sign == "-" else ""
    if binary and value >= 1024:
        return minus + _binary(value)
    return minus + _decimal(value, exponential=exponential)


def _binary(value: Decimal) -> str:
    whole = int(value.to_integral_value(rounding=ROUND_CEILING))
    power = 0
    while whole % 1024 == 0 and power < 6:
        whole //= 1024
        power += 1
    return f"{whole}{_BINARY_NAMES.get(power, '')}"


def _decimal(value: Decimal, *, exponential: bool) -> str:
    exponent = -9
    whole = int(value.scaleb(9).to_integral_value(rounding=ROUND_CEILING))
    while whole % 1000 == 0 and exponent < 18:
        whole //= 1000
        exponent += 3
    if not exponential:
        return f"{whole}{_DECIMAL_NAMES[exponent]}"
    return f"{whole}e{exponent}" if exponent else f"{whole}"
