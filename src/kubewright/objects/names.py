"""What Kubernetes accepts as names and labels; each check returns its complaints in apimachinery's words."""

from __future__ import annotations

import re

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_DNS_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED})?"

_label = re.compile(_LABEL)
_subdomain = re.compile(_SUBDOMAIN)
_dns_1035 = re.compile(_DNS_1035)
_qualified = re.compile(_QUALIFIED)
_label_value = re.compile(_LABEL_VALUE)

_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character"
)
_LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    "and must start and end with an alphanumeric character"
)
_DNS_1035_RULE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
    "start with an alphabetic character, and end with an alphanumeric character"
)
_ENDS = "and must start and end with an alphanumeric character"
_QUALIFIED_RULE = f"must consist of alphanumeric characters, '-', '_' or '.', {_ENDS}"
_LABEL_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character"
)


def _shaped(rule: str, pattern: str, *examples: str) -> str:
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{rule} (e.g. {shown}regex used for validation is '{pattern}')"


def _too_long(limit: int) -> str:
    return f"must be no more than {limit} bytes"


def dns_subdomain_errors(value: str) -> list[str]:
    """What is wrong with ``value`` as most objects' name (RFC 1123 subdomain)."""
    errors = [_too_long(253)] if len(value.encode()) > 253 else []
    if not _subdomain.fullmatch(value):
        errors.append(_shaped(_SUBDOMAIN_RULE, _SUBDOMAIN, "example.com"))
    return errors


def dns_label_errors(value: str) -> list[str]:
    """What is wrong with ``value`` as a namespace's name or a port's (RFC 1123 label)."""
    errors = [_too_long(63)] if len(value.encode()) > 63 else []
    if not _label.fullmatch(value):
        dotted = _subdomain.fullmatch(value)
        errors.append("must not contain dots" if dotted else _shaped(_LABEL_RULE, _LABEL, "my-name", "123-abc"))
    return errors


def dns_1035_label_errors(value: str) -> list[str]:
    """What is wrong with ``value`` as a resource's name or a Service's (RFC 1035 label)."""
    errors = [_too_long(63)] if len(value.encode()) > 63 else []
    if not _dns_1035.fullmatch(value):
        errors.append(_shaped(_DNS_1035_RULE, _DNS_1035, "my-name", "abc-123"))
    return errors


def label_key_errors(value: str) -> list[str]:
    """What is wrong with ``value`` as the key of a label, an annotation or a finalizer."""
    errors: list[str] = []
    parts = value.split("/")
    if len(parts) > 2:
        shaped = _shaped(f"a valid label key {_QUALIFIED_RULE}", _QUALIFIED, "MyName", "my.name", "123-abc")
        return [f"{shaped} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    name = parts[-1]
    if len(parts) == 2:
        prefix = parts[0]
        if not prefix:
            errors.append("prefix part must be non-empty")
        else:
            errors.extend(f"prefix part {error}" for error in dns_subdomain_errors(prefix))
    if not name:
        errors.append("name part must be non-empty")
    elif len(name.encode()) > 63:
        errors.append(f"name part {_too_long(63)}")
    if not _qualified.fullmatch(name):
        errors.append(f"name part {_shaped(_QUALIFIED_RULE, _QUALIFIED, 'MyName', 'my.name', '123-abc')}")
    return errors


def label_value_errors(value: str) -> list[str]:
    """What is wrong with ``value`` as the value of a label."""
    errors = [_too_long(63)] if len(value.encode()) > 63 else []
    if not _label_value.fullmatch(value):
        errors.append(_shaped(_LABEL_VALUE_RULE, _LABEL_VALUE, "MyValue", "my_value", "12345"))
    return errors
