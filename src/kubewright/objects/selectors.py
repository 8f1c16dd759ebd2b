"""Label and field selectors, read and matched as the API server does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from kubewright.errors import InvalidSelector
from kubewright.objects.meta import LabelSelector
from kubewright.objects.names import label_key_errors, label_value_errors

IN: Final = "in"
NOT_IN: Final = "notin"
EXISTS: Final = "exists"
DOES_NOT_EXIST: Final = "!"
_SYMBOLS = ("!=", "==", "=", "!", ">", "<", "(", ")", ",")
_BINARY = {"in": IN, "notin": NOT_IN, "=": "=", "==": "==", "!=": "!=", ">": "gt", "<": "lt"}
_EXPECTED = "in, notin, =, ==, !=, gt, lt"
_TOKEN = re.compile(r"[ \t\r\n]*(?:([=!(),><]+)|([^=!(),>< \t\r\n]+))")
_OPERATORS = {"In": IN, "NotIn": NOT_IN, "Exists": EXISTS, "DoesNotExist": DOES_NOT_EXIST}


class Requirement(NamedTuple):
    """One requirement on one label.

    Attributes:
        operator: ``=``, ``==``, ``!=``, ``in``, ``notin``, ``exists``, ``!``, ``gt`` or ``lt``.
        values: sorted, each once.
    """

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels satisfy it; a missing label satisfies ``!=``, ``notin`` and ``!``."""
        value = labels.get(self.key)
        if self.operator in ("=", "==", IN):
            return value is not None and value in self.values
        if self.operator in ("!=", NOT_IN):
            return value is None or value not in self.values
        if self.operator == EXISTS:
            return value is not None
        if self.operator == DOES_NOT_EXIST:
            return value is None
        ours, theirs = _integer(value), _integer(self.values[0])
        if ours is None or theirs is None:
            return False
        return ours > theirs if self.operator == "gt" else ours < theirs

    def __str__(self) -> str:
        if self.operator == EXISTS:
            return self.key
        if self.operator == DOES_NOT_EXIST:
            return f"!{self.key}"
        if self.operator in (IN, NOT_IN):
            return f"{self.key} {self.operator} ({','.join(self.values)})"
        return f"{self.key}{ {'gt': '>', 'lt': '<'}.get(self.operator, self.operator) }{self.values[0]}"


class Selector(NamedTuple):
    """A label selector: all requirements must hold; none selects everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        """Whether it selects an object with these labels."""
        return all(requirement.matches(labels or {}) for requirement in self.requirements)

    def exact(self, key: str) -> str | None:
        """The only value of ``key`` it can select, where there is one: what an index may be asked."""
        for requirement in self.requirements:
            if requirement.key == key and requirement.operator in ("=", "==", IN) and len(requirement.values) == 1:
                return requirement.values[0]
        return None

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


def parse_label_selector(text: str) -> Selector:
    """Read ``app=web,tier in (a,b),!legacy``; the empty text selects everything.

    Raises:
        InvalidSelector: it cannot be read; the message is the API server's.
    """
    return Selector(tuple(sorted(_Parser(text).parse(), key=lambda requirement: requirement.key)))


def label_selector(selector: LabelSelector | Mapping[str, object] | None) -> Selector | None:
    """A ``LabelSelector``, typed or as JSON, as a selector; None, which selects nothing, stays None.

    Raises:
        InvalidSelector: an operator, key or value is not allowed.
    """
    if selector is None:
        return None
    if isinstance(selector, LabelSelector):
        pairs: object = selector.match_labels or {}
        expressions: Iterable[object] = [
            {"key": given.key, "operator": given.operator, "values": given.values or []}
            for given in selector.match_expressions or ()
        ]
    else:
        pairs = selector.get("matchLabels") or {}
        listed = selector.get("matchExpressions") or []
        expressions = listed if isinstance(listed, list) else []
    made = [_requirement(key, "=", [value]) for key, value in pairs.items()] if isinstance(pairs, Mapping) else []
    for expression in expressions:
        if not isinstance(expression, Mapping):
            raise InvalidSelector(f"{expression!r} is not a label selector requirement")
        operator = _OPERATORS.get(str(expression.get("operator")))
        if operator is None:
            raise InvalidSelector(f'"{expression.get("operator")}" is not a valid label selector operator')
        made.append(_requirement(str(expression.get("key", "")), operator, expression.get("values") or []))
    return Selector(tuple(sorted(made, key=lambda requirement: requirement.key)))


def _integer(text: str | None) -> int | None:
    if text is None or not re.fullmatch(r"[+-]?[0-9]+", text):
        return None
    value = int(text)
    return value if -(2**63) <= value < 2**63 else None


def _go_quoted(values: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"


def _check_key(key: str) -> None:
    if errors := label_key_errors(key):
        raise InvalidSelector(f'<nil>: Invalid value: "{key}": {"; ".join(errors)}')


def _requirement(key: str, operator: str, values: Iterable[str]) -> Requirement:
    kept = tuple(sorted(set(values)))
    _check_key(key)
    if operator in (IN, NOT_IN) and not kept:
        raise InvalidSelector("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty")
    if operator in (EXISTS, DOES_NOT_EXIST) and kept:
        raise InvalidSelector(
            f"values: Invalid value: {_go_quoted(kept)}: values set must be empty for exists and does not exist"
        )
    for index, value in enumerate(kept):
        if operator in ("gt", "lt") and _integer(value) is None:
            raise InvalidSelector(
                f'values[{index}]: Invalid value: "{value}": '
                "for 'Gt', 'Lt' operators, the value must be an integer"
            )
        if errors := label_value_errors(value):
            raise InvalidSelector(f'values[{index}][{key}]: Invalid value: "{value}": {"; ".join(errors)}')
    return Requirement(key, operator, kept)


class _Token(NamedTuple):
    kind: str  # "word", "" at the end, or the symbol itself
    text: str


def _tokens(text: str) -> list[_Token]:
    made: list[_Token] = []
    position = 0
    while found := _TOKEN.match(text, position):
        position = found.end()
        symbols, word = found.groups()
        if word:
            made.append(_Token("word", word))
        while symbols:
            symbol = next(known for known in _SYMBOLS if symbols.startswith(known))
            made.append(_Token(symbol, symbol))
            symbols = symbols[len(symbol) :]
    made.append(_Token("", ""))
    return made


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._position = 0

    def _peek(self) -> _Token:
        return self._tokens[self._position]

    def _take(self) -> _Token:
        token = self._tokens[self._position]
        self._position = min(self._position + 1, len(self._tokens) - 1)
        return token

    def parse(self) -> list[Requirement]:
        made: list[Requirement] = []
        if (first := self._peek()).kind not in ("word", "!", ""):
            raise InvalidSelector(f"found '{first.text}', expected: !, identifier, or 'end of string'")
        while self._peek().kind:
            try:
                made.append(self._one())
            except InvalidSelector as error:
                raise InvalidSelector(f"unable to parse requirement: {error}") from None
            after = self._take()
            if not after.kind:
                break
            if after.kind != ",":
                raise InvalidSelector(f"found '{after.text}', expected: ',' or 'end of string'")
            if (following := self._peek()).kind not in ("word", "!"):
                raise InvalidSelector(f"found '{following.text}', expected: identifier after ','")
        return made

    def _one(self) -> Requirement:
        token = self._take()
        absent = token.kind == "!"
        if absent:
            token = self._take()
        if token.kind != "word":
            raise InvalidSelector(f"found '{token.text}', expected: identifier")
        _check_key(token.text)
        if absent:
            return _requirement(token.text, DOES_NOT_EXIST, ())
        if self._peek().kind in ("", ","):
            return _requirement(token.text, EXISTS, ())
        said = self._take()
        operator = _BINARY.get(said.text)
        if operator is None:
            raise InvalidSelector(f"found '{said.text}', expected: {_EXPECTED}")
        values = self._listed() if operator in (IN, NOT_IN) else {self._single()}
        return _requirement(token.text, operator, values)

    def _single(self) -> str:
        if self._peek().kind in ("", ","):
            return ""
        token = self._take()
        if token.kind != "word":
            raise InvalidSelector(f"found '{token.text}', expected: identifier")
        return token.text

    def _listed(self) -> set[str]:
        token = self._take()
        if token.kind != "(":
            raise InvalidSelector(f"found '{token.text}' expected: '('")
        if (token := self._peek()).kind not in ("word", ",", ")"):
            raise InvalidSelector(f"found '{token.text}', expected: ',', ')' or identifier")
        values: set[str] = set()
        expecting = True  # an empty place before, between or after commas is the empty value
        while True:
            token = self._take()
            if token.kind == "word" and expecting:
                values.add(token.text)
                expecting = False
            elif token.kind in (",", ")"):
                if expecting:
                    values.add("")
                if token.kind == ")":
                    return values
                expecting = True
            elif expecting:
                raise InvalidSelector(f"found '{token.text}', expected: ',', or identifier")
            else:
                raise InvalidSelector(f"found '{token.text}', expected: ',' or ')'")


class FieldRequirement(NamedTuple):
    """One requirement on one field: it equals ``value``, or it does not."""

    field: str
    equal: bool
    value: str

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")
        return f"{self.field}{'=' if self.equal else '!='}{escaped}"


class FieldSelector(NamedTuple):
    """A field selector: all requirements must hold; none selects everything."""

    requirements: tuple[FieldRequirement, ...] = ()

    def matches(self, value_of: Callable[[str], str]) -> bool:
        """Whether it selects an object whose fields ``value_of`` tells; an absent field is the empty string."""
        return all((value_of(one.field) == one.value) == one.equal for one in self.requirements)

    def exact(self, field: str) -> str | None:
        """The only value of ``field`` it can select, where there is one."""
        return next((one.value for one in self.requirements if one.field == field and one.equal), None)

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


def parse_field_selector(text: str) -> FieldSelector:
    r"""Read ``metadata.name=web,status.phase!=Running``; ``\,``, ``\=`` and ``\\`` stand for themselves.

    Raises:
        InvalidSelector: it cannot be read; the message is the API server's.
    """
    made = []
    for term in sorted(re.findall(r"(?:\\.|[^,\\]|\\$)+", text, re.DOTALL)):
        found = re.match(r"(.*?)(!=|==|=)(.*)", term, re.DOTALL)
        if not found:
            raise InvalidSelector(f"invalid selector: '{text}'; can't understand '{term}'")
        made.append(FieldRequirement(found.group(1), found.group(2) != "!=", _unescaped(found.group(3))))
    return FieldSelector(tuple(made))


def _unescaped(value: str) -> str:
    def plain(found: re.Match[str]) -> str:
        token = found.group()
        if token in ("\\\\", "\\,", "\\="):
            return token[1:]
        if token.startswith("\\"):
            raise InvalidSelector(f"invalid field selector: invalid escape sequence: {token}")
        raise InvalidSelector(f"invalid field selector: unescaped character in value: {ord(token)}")

    return re.sub(r"\\.?|[,=]", plain, value, flags=re.DOTALL)
