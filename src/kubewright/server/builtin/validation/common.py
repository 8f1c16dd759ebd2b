"""Checks that many kinds share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from kubewright.objects import JsonObject
from kubewright.server.fielderrors import FieldError, forbidden, invalid, not_supported, required
from kubewright.server.names import (
    dns_label_problems,
    dns_subdomain_problems,
    label_value_problems,
    qualified_name_problems,
)

IMMUTABLE = "field is immutable"
_NO_VALUES = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
NOT_NEGATIVE = "must be greater than or equal to 0"
_PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
    "regex used for validation is '[0-9]+%')"
)


def immutable(obj: JsonObject, old: JsonObject, path: str) -> list[FieldError]:
    """The field at ``path`` is as it was."""
    new, before = at(obj, path), at(old, path)
    return [] if new == before else [invalid(path, new, IMMUTABLE)]


def at(obj: JsonObject, path: str) -> Any:
    """The value at a dotted path, or None."""
    value: Any = obj
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def not_negative(obj: JsonObject, path: str, *names: str) -> list[FieldError]:
    """Integers that may not be below zero."""
    return [
        invalid(f"{path}.{name}", obj[name], NOT_NEGATIVE)
        for name in names
        if isinstance(obj.get(name), int) and obj[name] < 0
    ]


def one_of(value: Any, path: str, supported: Sequence[str]) -> list[FieldError]:
    """One of the values supported."""
    return [] if value in supported else [not_supported(path, value, supported)]


def port_number(value: int, path: str) -> list[FieldError]:
    """A port."""
    return [] if 1 <= value <= 65535 else [invalid(path, value, "must be between 1 and 65535, inclusive")]


def port_name_problems(name: str) -> list[str]:
    """What keeps ``name`` from naming a port (RFC 6335)."""
    problems = []
    if len(name) > 15:
        problems.append("must be no more than 15 characters")
    if not re.fullmatch(r"[-a-z0-9]+", name):
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search(r"[a-z]", name):
        problems.append("must contain at least one letter (a-z)")
    if "--" in name:
        problems.append("must not contain consecutive hyphens")
    if name.startswith("-") or name.endswith("-"):
        problems.append("must not begin or end with a hyphen")
    return problems


def port_number_or_name(value: int | str, path: str) -> list[FieldError]:
    """A port, or the name of one."""
    if isinstance(value, int):
        return port_number(value, path)
    return [invalid(path, value, problem) for problem in port_name_problems(value)]


def label_name(value: str, path: str) -> list[FieldError]:
    """A DNS label."""
    return [invalid(path, value, problem) for problem in dns_label_problems(value)]


def subdomain(value: str, path: str) -> list[FieldError]:
    """A DNS subdomain."""
    return [invalid(path, value, problem) for problem in dns_subdomain_problems(value)]


def labels(pairs: JsonObject | None, path: str) -> list[FieldError]:
    """Labels, or a selector made of them."""
    errors = []
    for key, value in sorted((pairs or {}).items()):
        errors += [invalid(path, key, problem) for problem in qualified_name_problems(key)]
        errors += [invalid(path, value, problem) for problem in label_value_problems(value)]
    return errors


def label_selector(selector: JsonObject, path: str) -> list[FieldError]:
    """A LabelSelector."""
    errors = labels(selector.get("matchLabels"), f"{path}.matchLabels")
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        here = f"{path}.matchExpressions[{index}]"
        operator, values = expression.get("operator", ""), expression.get("values")
        if operator in ("In", "NotIn"):
            if not values:
                errors.append(required(f"{here}.values", "must be specified when `operator` is 'In' or 'NotIn'"))
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                errors.append(forbidden(f"{here}.values", _NO_VALUES))
        else:
            errors.append(invalid(f"{here}.operator", operator, "not a valid selector operator"))
        key = expression.get("key", "")
        errors += [invalid(f"{here}.key", key, problem) for problem in qualified_name_problems(key)]
    return errors


def int_or_percent(value: int | str, path: str) -> list[FieldError]:
    """A number that is not negative, or a percentage."""
    if isinstance(value, int):
        return [] if value >= 0 else [invalid(path, value, NOT_NEGATIVE)]
    return [] if re.fullmatch(r"[0-9]+%", value) else [invalid(path, value, _PERCENT)]


def percent_of(value: int | str) -> int | None:
    """The number before the percent sign, or None."""
    return int(value[:-1]) if isinstance(value, str) and re.fullmatch(r"[0-9]+%", value) else None


def at_most_whole(value: int | str, path: str) -> list[FieldError]:
    """No more than 100%."""
    percent = percent_of(value)
    return [] if percent is None or percent <= 100 else [invalid(path, value, "must not be greater than 100%")]
