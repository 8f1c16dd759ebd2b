"""String formats of custom resources' schemas, as the API server checks them."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from datetime import date
from urllib.parse import urlsplit

_UUID = r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?%s[0-9a-f]{3}-?%s[0-9a-f]{3}-?[0-9a-f]{12}\Z"
_HOSTNAME = re.compile(
    r"([a-zA-Z0-9]((-?[a-zA-Z0-9]{0,62})?)|([a-zA-Z0-9](([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)(\.)){1,}([a-zA-Z]){2,63})\Z"
)
_EMAIL = re.compile(r"(?:.*<)?[^\s@<>\"(),:;\[\]\\]+(?<!\.)@[^\s@<>\"(),:;\[\]\\]+>?\Z")
_MAC = re.compile(
    r"(?i)(?:[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4,18}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2,9}[0-9a-f]{4})\Z"
)
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])?\Z"
)
_GO_DURATION = re.compile(r"[+-]?(?:0|(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)\Z")
_SCALA_DURATION = re.compile(
    r"((\d+)\s*(nanoseconds?|nanos?|ns|microseconds?|micros?|us|µs|milliseconds?|millis?|ms|seconds?|secs?|s"
    r"|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|wks?|w)\s*)+\Z"
)
_DNS_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_BYTE = r"(?:0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])"
_PATTERNS = {
    "uuid": _UUID % ("[0-9a-f]", "[0-9a-f]"),
    "uuid3": _UUID % ("3", "[0-9a-f]"),
    "uuid4": _UUID % ("4", "[89ab]"),
    "uuid5": _UUID % ("5", "[89ab]"),
    "hexcolor": r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})\Z",
    "rgbcolor": rf"rgb\(\s*({_BYTE}\s*,\s*){{2}}{_BYTE}\s*\)\Z",
    "ssn": r"\d{3}[- ]?\d{2}[- ]?\d{4}\Z",
    "bsonobjectid": r"[0-9a-fA-F]{24}\Z",
}


def _is_uri(text: str) -> bool:
    if not text or any(ord(char) < 0x20 or ord(char) == 0x7F for char in text) or " " in text:
        return False
    if text.startswith("/"):
        return True
    try:
        return bool(urlsplit(text).scheme) and ":" in text
    except ValueError:
        return False


def _is_hostname(text: str) -> bool:
    return len(text) <= 255 and bool(_HOSTNAME.match(text)) and all(len(part) <= 63 for part in text.split("."))


def _sloppy(text: str) -> str:
    """Leading zeros in an IPv4 address do not count."""
    return re.sub(r"(?<![0-9a-fA-F:])0+(?=[0-9])", "", text) if "." in text and ":" not in text else text


def _is_ipv4(text: str) -> bool:
    if "." not in text:
        return False
    try:
        ipaddress.ip_address(_sloppy(text))
    except ValueError:
        return False
    return True


def _is_ipv6(text: str) -> bool:
    if ":" not in text or "%" in text:
        return False
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _is_cidr(text: str) -> bool:
    address, slash, bits = text.partition("/")
    if not slash or not bits.isdecimal() or "%" in address:
        return False
    try:
        ipaddress.ip_interface(f"{_sloppy(address)}/{bits}")
    except ValueError:
        return False
    return True


def _is_base64(text: str) -> bool:
    if not text:
        return False
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _is_date(text: str) -> bool:
    try:
        return len(text) == 10 and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _is_datetime(text: str) -> bool:
    return len(text) >= 4 and bool(_DATE_TIME.match(text)) and _is_date(text[:10])


def _is_duration(text: str) -> bool:
    return bool(_GO_DURATION.match(text) or _SCALA_DURATION.match(text.strip().lower()))


def _luhn(digits: str) -> bool:
    total = 0
    for position, char in enumerate(reversed(digits)):
        number = int(char) * (1 + position % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def _is_creditcard(text: str) -> bool:
    digits = re.sub(r"[^0-9]+", "", text)
    known = (
        r"(4[0-9]{12}([0-9]{3})?|5[1-5][0-9]{14}|6(011|5[0-9]{2})[0-9]{12}|3[47][0-9]{13}"
        r"|3(0[0-5]|[68][0-9])[0-9]{11}|(2131|1800|35[0-9]{3})[0-9]{11})\Z"
    )
    return bool(re.match(known, digits)) and _luhn(digits)


def _is_isbn10(text: str) -> bool:
    digits = re.sub(r"[\s-]+", "", text)
    if not re.match(r"[0-9]{9}[0-9Xx]\Z", digits):
        return False
    numbers = [10 if char in "Xx" else int(char) for char in digits]
    return sum((10 - i) * n for i, n in enumerate(numbers)) % 11 == 0


def _is_isbn13(text: str) -> bool:
    digits = re.sub(r"[\s-]+", "", text)
    if not re.match(r"[0-9]{13}\Z", digits):
        return False
    return sum(int(char) * (3 if i % 2 else 1) for i, char in enumerate(digits)) % 10 == 0


def _is_email(text: str) -> bool:
    return bool(_EMAIL.match(text)) and ".." not in text


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.match(text) is not None


CHECKS: dict[str, Callable[[str], bool]] = {
    **{name: _matches(pattern) for name, pattern in _PATTERNS.items()},
    "uri": _is_uri,
    "email": _is_email,
    "hostname": _is_hostname,
    "ipv4": _is_ipv4,
    "ipv6": _is_ipv6,
    "cidr": _is_cidr,
    "mac": lambda text: bool(_MAC.match(text)),
    "isbn": lambda text: _is_isbn10(text) or _is_isbn13(text),
    "isbn10": _is_isbn10,
    "isbn13": _is_isbn13,
    "creditcard": _is_creditcard,
    "byte": _is_base64,
    "password": lambda text: True,
    "date": _is_date,
    "datetime": _is_datetime,
    "duration": _is_duration,
    "k8sshortname": lambda text: len(text) <= 63 and bool(re.match(_DNS_LABEL + r"\Z", text)),
    "k8slongname": lambda text: len(text) <= 253 and bool(re.match(rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*\Z", text)),
}
"""Whether a string is of a format, by the format's name without hyphens. Other formats are not checked."""


def check_of(name: str) -> Callable[[str], bool] | None:
    """The check of a format, or None if strings of that format are not checked."""
    return CHECKS.get(name.replace("-", ""))
