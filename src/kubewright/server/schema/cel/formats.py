"""The named formats of CEL's ``format`` library, and what is wrong with a string that is not of one."""

from __future__ import annotations

import re
from collections.abc import Callable

from kubewright.server.schema.formats import check_of

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z")
_LABEL_WORDS = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
_SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?\Z")
_LABEL_1035_WORDS = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used "
    "for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_NAME_PART = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\Z")
_LABEL_VALUE_WORDS = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
    "regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_NAME_WORDS = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


def _shaped(pattern: re.Pattern[str], words: str, longest: int) -> Callable[[str], list[str]]:
    def problems(text: str) -> list[str]:
        found = [f"must be no more than {longest} bytes"] if len(text) > longest else []
        return found if pattern.match(text) else [*found, words]

    return problems


def _label_value(text: str) -> list[str]:
    return [] if not text else _shaped(_NAME_PART, _LABEL_VALUE_WORDS, 63)(text)


def _qualified_name(text: str) -> list[str]:
    prefix, slash, name = text.rpartition("/")
    found = (
        [f"prefix part {words}" for words in _shaped(_SUBDOMAIN, _SUBDOMAIN_WORDS, 253)(prefix)] if slash else []
    )
    return found + _shaped(_NAME_PART, _NAME_WORDS, 63)(name)


def _by_schema_format(name: str, words: str) -> Callable[[str], list[str]]:
    def problems(text: str) -> list[str]:
        check = check_of(name)
        return [] if check is None or check(text) else [words]

    return problems


def _prefixed(problems: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    """A prefix may end in a hyphen: something follows it."""
    return lambda text: problems(text[:-1] + "a" if text.endswith("-") else text)


_LABEL_CHECK = _shaped(_LABEL, _LABEL_WORDS, 63)
_SUBDOMAIN_CHECK = _shaped(_SUBDOMAIN, _SUBDOMAIN_WORDS, 253)
_LABEL_1035_CHECK = _shaped(_LABEL_1035, _LABEL_1035_WORDS, 63)

FORMATS: dict[str, Callable[[str], list[str]]] = {
    "dns1123Label": _LABEL_CHECK,
    "dns1123Subdomain": _SUBDOMAIN_CHECK,
    "dns1035Label": _LABEL_1035_CHECK,
    "dns1123LabelPrefix": _prefixed(_LABEL_CHECK),
    "dns1123SubdomainPrefix": _prefixed(_SUBDOMAIN_CHECK),
    "dns1035LabelPrefix": _prefixed(_LABEL_1035_CHECK),
    "qualifiedName": _qualified_name,
    "labelValue": _label_value,
    "uri": _by_schema_format("uri", "invalid URI format"),
    "uuid": _by_schema_format("uuid", "does not match the UUID format"),
    "byte": _by_schema_format("byte", "invalid base64"),
    "date": _by_schema_format("date", "invalid date"),
    "datetime": _by_schema_format("datetime", "invalid datetime"),
}
"""What is wrong with a string, by the format's name."""


def format_problems(name: str, text: str) -> list[list[str]]:
    """Nothing for a string of the format, otherwise the list of what is wrong: what an optional holds."""
    check = FORMATS.get(name)
    if check is None:
        raise ValueError(f"no such format: {name}")
    found = check(text)
    return [found] if found else []
