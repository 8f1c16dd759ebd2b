"""Which names the API takes: DNS labels and subdomains, label keys and values, path segments."""

from __future__ import annotations

import re

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_label = re.compile(_LABEL)
_label_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_subdomain = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_qualified = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_label_value = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")

_SUBDOMAIN_MESSAGE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_MESSAGE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_LABEL_1035_MESSAGE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
    "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_QUALIFIED_MESSAGE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_LABEL_VALUE_MESSAGE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
    "validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def _too_long(limit: int, unit: str = "characters") -> str:
    return f"must be no more than {limit} {unit}"


def _masked(name: str, *, prefix: bool) -> str:
    # A prefix may end in a dash: what is generated after it makes the name whole.
    return name[:-2] + "a" if prefix and name.endswith("-") and len(name) > 1 else name


def dns_subdomain_problems(name: str, *, prefix: bool = False) -> list[str]:
    """What keeps ``name`` from being an RFC 1123 subdomain."""
    problems = [_too_long(253)] if len(name) > 253 else []
    if not _subdomain.fullmatch(_masked(name, prefix=prefix)):
        problems.append(_SUBDOMAIN_MESSAGE)
    return problems


def dns_label_problems(name: str, *, prefix: bool = False) -> list[str]:
    """What keeps ``name`` from being an RFC 1123 label."""
    problems = [_too_long(63)] if len(name) > 63 else []
    masked = _masked(name, prefix=prefix)
    if not _label.fullmatch(masked):
        problems.append("must not contain dots" if _subdomain.fullmatch(masked) else _LABEL_MESSAGE)
    return problems


def dns_1035_label_problems(name: str, *, prefix: bool = False) -> list[str]:
    """What keeps ``name`` from being an RFC 1035 label (Services)."""
    problems = [_too_long(63)] if len(name) > 63 else []
    if not _label_1035.fullmatch(_masked(name, prefix=prefix)):
        problems.append(_LABEL_1035_MESSAGE)
    return problems


def path_segment_problems(name: str, *, prefix: bool = False) -> list[str]:
    """What keeps ``name`` from standing in a path (RBAC objects take any other name)."""
    if not prefix and name in (".", ".."):
        return [f"may not be '{name}'"]
    return [f"may not contain '{illegal}'" for illegal in "/%" if illegal in name]


def qualified_name_problems(name: str) -> list[str]:
    """What keeps ``name`` from being the key of a label or an annotation."""
    prefix, slash, part = name.rpartition("/")
    if "/" in prefix:
        prefixed = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {_QUALIFIED_MESSAGE} {prefixed}"]
    problems = []
    if slash:
        if not prefix:
            problems.append("prefix part must be non-empty")
        else:
            problems.extend(f"prefix part {problem}" for problem in dns_subdomain_problems(prefix))
    if not part:
        problems.append("name part must be non-empty")
    elif len(part) > 63:
        problems.append("name part " + _too_long(63, "bytes"))
    if not _qualified.fullmatch(part):
        problems.append("name part " + _QUALIFIED_MESSAGE)
    return problems


def label_value_problems(value: str) -> list[str]:
    """What keeps ``value`` from being the value of a label."""
    problems = [_too_long(63, "bytes")] if len(value) > 63 else []
    if not _label_value.fullmatch(value):
        problems.append(_LABEL_VALUE_MESSAGE)
    return problems
