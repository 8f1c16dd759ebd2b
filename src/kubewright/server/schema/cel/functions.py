"""Kubernetes' own CEL functions: lists, sets, regex, URLs, addresses, quantities, versions.

The binding has no opaque types, so a quantity, URL, address or version is a map whose ``#`` says which it is; its
other entries are what makes two of them equal.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any
from urllib.parse import quote as percent_encoded
from urllib.parse import urlsplit

from kubewright.errors import KubewrightError
from kubewright.objects import parse_quantity, same_json
from kubewright.server.gotext import quote
from kubewright.server.schema.cel.formats import format_problems
from kubewright.server.schema.regexp import compile_pattern

Opaque = dict[str, Any]

_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z.-]+))?\Z"
)
_INT64 = range(-(2**63), 2**63)


def _equal(a: Any, b: Any) -> bool:
    number = (int, float)
    if isinstance(a, number) and isinstance(b, number) and not isinstance(a, bool) and not isinstance(b, bool):
        return a == b
    return same_json(a, b)


def is_sorted(items: list[Any]) -> bool:
    """No item is less than the one before."""
    return all(not b < a for a, b in pairwise(items))


def smallest(items: list[Any]) -> Any:
    """The least item."""
    if not items:
        raise ValueError("min called on empty list")
    return min(items)


def largest(items: list[Any]) -> Any:
    """The greatest item."""
    if not items:
        raise ValueError("max called on empty list")
    return max(items)


def index_of(items: list[Any], wanted: Any) -> int:
    """Where an equal item first stands, or -1."""
    return next((at for at, item in enumerate(items) if _equal(item, wanted)), -1)


def last_index_of(items: list[Any], wanted: Any) -> int:
    """Where an equal item last stands, or -1."""
    return next((at for at in range(len(items) - 1, -1, -1) if _equal(items[at], wanted)), -1)


def distinct(items: list[Any]) -> list[Any]:
    """The items, each once."""
    kept: list[Any] = []
    for item in items:
        if index_of(kept, item) < 0:
            kept.append(item)
    return kept


def flatten(items: list[Any], depth: int = 1) -> list[Any]:
    """Lists in the list opened, ``depth`` levels down."""
    flat: list[Any] = []
    for item in items:
        if isinstance(item, list) and depth > 0:
            flat.extend(flatten(item, depth - 1))
        else:
            flat.append(item)
    return flat


def contains_all(items: list[Any], wanted: list[Any]) -> bool:
    """Every wanted item is there."""
    return all(index_of(items, each) >= 0 for each in wanted)


def intersects(items: list[Any], others: list[Any]) -> bool:
    """Any item is in both."""
    return any(index_of(items, each) >= 0 for each in others)


def find(text: str, pattern: str) -> str:
    """The first match, or nothing."""
    found = compile_pattern(pattern).search(text)
    return found.group() if found else ""


def find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    """Every match, at most ``limit``."""
    found = [match.group() for match in compile_pattern(pattern).finditer(text)]
    return found if limit < 0 else found[:limit]


def url(text: str) -> Opaque:
    """An absolute URL, or an absolute path."""
    parts = urlsplit(text)
    if not (text.startswith("/") or (parts.scheme and "://" in text)) or " " in parts.netloc:
        words = f"parse {quote(text)}: invalid URI for request"
        raise ValueError(f"URL parse error during conversion from string: {words}")
    parts.port  # noqa: B018 - reading it checks it
    host = parts.netloc.rpartition("@")[2]
    return {
        "#": "url",
        "scheme": parts.scheme,
        "host": host,
        "hostname": (parts.hostname or "") if host else "",
        "port": "" if parts.port is None else str(parts.port),
        "path": percent_encoded(parts.path, safe="/%:@!$&'()*+,;=-._~"),
        "query": parts.query,
    }


def url_query(value: Opaque) -> dict[str, list[str]]:
    """The query's keys with their values."""
    found: dict[str, list[str]] = {}
    for pair in filter(None, value["query"].split("&")):
        key, _, text = pair.partition("=")
        found.setdefault(key, []).append(text)
    return found


def ip(text: str) -> Opaque:
    """An address without a zone."""
    if "%" in text:
        raise ValueError(f"IP Address {quote(text)} with zone value is not allowed")
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        words = f"ParseAddr({quote(text)}): unable to parse IP"
        raise ValueError(f"IP Address {quote(text)} parse error during conversion from string: {words}") from None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        raise ValueError(f"IPv4-mapped IPv6 address {quote(text)} is not allowed")
    return {"#": "ip", "ip": str(address)}


def _address(value: Opaque) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(value["ip"])


def is_global_unicast(value: Opaque) -> bool:
    """Go's ``IsGlobalUnicast``: private addresses are global too."""
    address = _address(value)
    broadcast = str(address) == "255.255.255.255"
    return not (
        address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local or broadcast
    )


def is_link_local_multicast(value: Opaque) -> bool:
    """224.0.0.0/24 or ff02::/16."""
    address = _address(value)
    link_local = ipaddress.ip_network("224.0.0.0/24") if address.version == 4 else ipaddress.ip_network("ff02::/16")
    return address in link_local


def cidr(text: str) -> Opaque:
    """A network by address and prefix."""
    if "%" in text or "/" not in text or not text.rpartition("/")[2].isdecimal():
        raise ValueError(f"network address parse error during conversion from string: {text!r}")
    interface = ipaddress.ip_interface(text)
    return {"#": "cidr", "ip": str(interface.ip), "bits": interface.network.prefixlen}


def _network(value: Opaque) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(f"{value['ip']}/{value['bits']}", strict=False)


def cidr_contains_ip(value: Opaque, other: Any) -> bool:
    """The address is in the network."""
    address = _address(other if isinstance(other, dict) else ip(other))
    return address in _network(value)


def cidr_contains_cidr(value: Opaque, other: Any) -> bool:
    """All of the other network is in this one."""
    outer, inner = _network(value), _network(other if isinstance(other, dict) else cidr(other))
    if outer.version != inner.version:
        return False
    return inner.network_address in outer and inner.prefixlen >= outer.prefixlen


def cidr_masked(value: Opaque) -> Opaque:
    """The network's own address."""
    return {**value, "ip": str(_network(value).network_address)}


def _quantity_of(number: Decimal) -> Opaque:
    return {"#": "quantity", "value": format(number.normalize(), "f")}


def quantity(text: str) -> Opaque:
    """A quantity, by its value."""
    return _quantity_of(parse_quantity(text))


def _number(value: Any) -> Decimal:
    return Decimal(value["value"]) if isinstance(value, dict) else Decimal(value)


def is_integer(value: Opaque) -> bool:
    """The value is a whole number of 64 bits."""
    number = _number(value)
    return number == number.to_integral_value() and int(number) in _INT64


def as_integer(value: Opaque) -> int:
    """The value as a whole number."""
    if not is_integer(value):
        raise ValueError("cannot convert value to integer")
    return int(_number(value))


def semver(text: str, normalize: bool = False) -> Opaque:
    """A semantic version; ``normalize`` forgives a ``v``, leading zeros and missing parts."""
    if normalize:
        text = text.removeprefix("v")
        core, mark, rest = re.match(r"([0-9.]*)([-+]?)(.*)\Z", text).groups()  # type: ignore[union-attr]
        numbers = [number.lstrip("0") or "0" for number in core.split(".")]
        text = ".".join([*numbers, "0", "0"][: max(3, len(numbers))]) + mark + rest
    found = _SEMVER.match(text)
    if not found:
        raise ValueError(f"invalid semantic version {text!r}")
    major, minor, patch, pre, _ = found.groups()
    return {"#": "semver", "major": int(major), "minor": int(minor), "patch": int(patch), "pre": pre or ""}


def _version_key(value: Opaque) -> tuple[Any, ...]:
    pre = [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in value["pre"].split(".") if part]
    return (value["major"], value["minor"], value["patch"], not pre, pre)


def compare_to(a: Opaque, b: Opaque) -> int:
    """Quantities or versions, by value."""
    if a.get("#") != b.get("#") or a.get("#") not in ("quantity", "semver"):
        raise TypeError("no such overload")
    left: Any = _number(a) if a["#"] == "quantity" else _version_key(a)
    right: Any = _number(b) if b["#"] == "quantity" else _version_key(b)
    return int(left > right) - int(left < right)


def _parses(parse: Callable[[str], Any]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except (ValueError, KubewrightError):
            return False
        return True

    return check


def _ip_or_ip_of(value: Opaque) -> Opaque:
    return {"#": "ip", "ip": value["ip"]}


def pairs(items: list[Any] | dict[str, Any]) -> list[list[Any]]:
    """Positions or keys, with their values."""
    return [list(pair) for pair in (items.items() if isinstance(items, dict) else enumerate(items))]


def by_first(items: list[list[Any]]) -> list[Any]:
    """The seconds, sorted by the firsts."""
    return [value for _, value in sorted(items, key=lambda pair: pair[0])]


def merged(items: list[dict[str, Any]]) -> dict[str, Any]:
    """One map of all."""
    result: dict[str, Any] = {}
    for item in items:
        result.update(item)
    return result


def declarations() -> list[tuple[str, bool, list[str], str, Callable[..., Any]]]:
    """Every function: name, whether it is called on its first argument, types, what it does.

    Types are CEL's words; ``opaque`` is one of ours.
    """
    member, free = True, False
    return [
        ("__pairs", member, ["list"], "lists", pairs),
        ("__pairs", member, ["opaque"], "lists", pairs),
        ("__by_first", member, ["lists"], "list", by_first),
        ("__from_pairs", member, ["lists"], "opaque", dict),
        ("__merged", member, ["list"], "opaque", merged),
        ("__last", member, ["list"], "list", lambda items: items[-1:]),
        ("__format", free, ["string", "string"], "listed", format_problems),
        ("isSorted", member, ["list"], "bool", is_sorted),
        ("sum", member, ["list"], "dyn", sum),
        ("min", member, ["list"], "dyn", smallest),
        ("max", member, ["list"], "dyn", largest),
        ("indexOf", member, ["list", "dyn"], "int", index_of),
        ("lastIndexOf", member, ["list", "dyn"], "int", last_index_of),
        ("distinct", member, ["list"], "list", distinct),
        ("flatten", member, ["list"], "list", flatten),
        ("flatten", member, ["list", "int"], "list", flatten),
        ("reverse", member, ["list"], "list", lambda items: items[::-1]),
        ("slice", member, ["list", "int", "int"], "list", lambda items, start, end: items[start:end]),
        ("sort", member, ["list"], "list", sorted),
        ("lists.range", free, ["int"], "list", lambda count: list(range(count))),
        ("sets.contains", free, ["list", "list"], "bool", contains_all),
        ("sets.intersects", free, ["list", "list"], "bool", intersects),
        (
            "sets.equivalent",
            free,
            ["list", "list"],
            "bool",
            lambda a, b: contains_all(a, b) and contains_all(b, a),
        ),
        ("find", member, ["string", "string"], "string", find),
        ("findAll", member, ["string", "string"], "strings", find_all),
        ("findAll", member, ["string", "string", "int"], "strings", find_all),
        ("url", free, ["string"], "opaque", url),
        ("isURL", free, ["string"], "bool", _parses(url)),
        ("getScheme", member, ["opaque"], "string", lambda value: value["scheme"]),
        ("getHost", member, ["opaque"], "string", lambda value: value["host"]),
        ("getHostname", member, ["opaque"], "string", lambda value: value["hostname"]),
        ("getPort", member, ["opaque"], "string", lambda value: value["port"]),
        ("getEscapedPath", member, ["opaque"], "string", lambda value: value["path"]),
        ("getQuery", member, ["opaque"], "opaque", url_query),
        ("ip", free, ["string"], "opaque", ip),
        ("isIP", free, ["string"], "bool", _parses(ip)),
        ("ip.isCanonical", free, ["string"], "bool", lambda text: ip(text)["ip"] == text),
        ("family", member, ["opaque"], "int", lambda value: _address(value).version),
        ("isUnspecified", member, ["opaque"], "bool", lambda value: _address(value).is_unspecified),
        ("isLoopback", member, ["opaque"], "bool", lambda value: _address(value).is_loopback),
        ("isLinkLocalMulticast", member, ["opaque"], "bool", is_link_local_multicast),
        ("isLinkLocalUnicast", member, ["opaque"], "bool", lambda value: _address(value).is_link_local),
        ("isGlobalUnicast", member, ["opaque"], "bool", is_global_unicast),
        ("cidr", free, ["string"], "opaque", cidr),
        ("isCIDR", free, ["string"], "bool", _parses(cidr)),
        ("containsIP", member, ["opaque", "dyn"], "bool", cidr_contains_ip),
        ("containsCIDR", member, ["opaque", "dyn"], "bool", cidr_contains_cidr),
        ("ip", member, ["opaque"], "opaque", _ip_or_ip_of),
        ("masked", member, ["opaque"], "opaque", cidr_masked),
        ("prefixLength", member, ["opaque"], "int", lambda value: value["bits"]),
        ("quantity", free, ["string"], "opaque", quantity),
        ("isQuantity", free, ["string"], "bool", _parses(quantity)),
        ("isInteger", member, ["opaque"], "bool", is_integer),
        ("asInteger", member, ["opaque"], "int", as_integer),
        ("asApproximateFloat", member, ["opaque"], "double", lambda value: float(_number(value))),
        ("add", member, ["opaque", "dyn"], "opaque", lambda a, b: _quantity_of(_number(a) + _number(b))),
        ("sub", member, ["opaque", "dyn"], "opaque", lambda a, b: _quantity_of(_number(a) - _number(b))),
        ("isGreaterThan", member, ["opaque", "opaque"], "bool", lambda a, b: compare_to(a, b) > 0),
        ("isLessThan", member, ["opaque", "opaque"], "bool", lambda a, b: compare_to(a, b) < 0),
        ("compareTo", member, ["opaque", "opaque"], "int", compare_to),
        ("semver", free, ["string"], "opaque", semver),
        ("semver", free, ["string", "bool"], "opaque", semver),
        ("isSemver", free, ["string"], "bool", _parses(semver)),
        (
            "isSemver",
            free,
            ["string", "bool"],
            "bool",
            lambda text, normalize: _parses(lambda value: semver(value, normalize))(text),
        ),
        ("major", member, ["opaque"], "int", lambda value: value["major"]),
        ("minor", member, ["opaque"], "int", lambda value: value["minor"]),
        ("patch", member, ["opaque"], "int", lambda value: value["patch"]),
    ]
