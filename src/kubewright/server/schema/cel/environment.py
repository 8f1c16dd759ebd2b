"""The CEL library, loaded when the first rule is met, with Kubernetes' functions registered."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import product
from typing import Any

from kubewright.errors import MissingExtra
from kubewright.server.schema.cel import functions, strings
from kubewright.server.schema.model import Schema


class BadExpression(ValueError):
    """An expression that does not compile; the message shows where."""


class WrongResult(BadExpression):
    """An expression that compiles, but gives a value of another type: ``found``."""

    def __init__(self, message: str, found: str) -> None:
        super().__init__(message)
        self.found = found


class EvaluationFailed(ValueError):
    """An expression that could not be evaluated; the message is Go's where it is known."""


@cache
def _library() -> Any:
    try:
        from cel_expr_python import cel  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtra("CEL rules need the CEL library, which is not installed") from error
    return cel


@cache
def _types() -> dict[str, Any]:
    kinds = _library().Type
    return {
        "bool": kinds.BOOL,
        "int": kinds.INT,
        "double": kinds.DOUBLE,
        "string": kinds.STRING,
        "bytes": kinds.BYTES,
        "timestamp": kinds.TIMESTAMP,
        "duration": kinds.DURATION,
        "dyn": kinds.DYN,
        "list": kinds.List(kinds.DYN),
        "lists": kinds.List(kinds.List(kinds.DYN)),
        "listed": kinds.List(kinds.List(kinds.STRING)),
        "strings": kinds.List(kinds.STRING),
        "opaque": kinds.Map(kinds.STRING, kinds.DYN),
    }


@cache
def _extensions() -> list[Any]:
    _library()
    from cel_expr_python.ext import ext_bindings, ext_optional  # type: ignore[import-untyped]

    return [ext_optional.ExtOptional(), ext_bindings.ExtBindings()]


_ANY = ("bool", "int", "double", "string", "bytes", "list", "opaque")
"""The library calls no function through an argument declared ``dyn``: such ones are declared for each type."""


@cache
def _functions() -> list[Any]:
    cel, types = _library(), _types()
    overloads: dict[str, list[Any]] = {}
    for name, member, declared, result, what in [*functions.declarations(), *strings.declarations()]:
        for arguments in product(*(_ANY if argument == "dyn" else (argument,) for argument in declared)):
            overload = cel.Overload(
                id=f"k8s_{name.replace('.', '_')}_{'_'.join(arguments)}",
                return_type=types[result],
                parameters=[types[argument] for argument in arguments],
                is_member=member,
                impl=what,
            )
            overloads.setdefault(name, []).append(overload)
    return [cel.FunctionDecl(name, declared) for name, declared in overloads.items()]


def type_word(schema: Schema) -> str:
    """The CEL type of a node."""
    if schema.int_or_string:
        return "dyn"
    if schema.type == "array":
        return f"list({type_word(schema.items) if schema.items else 'dyn'})"
    if schema.type == "object":
        if schema.additional_properties is not None:
            return f"map(string, {type_word(schema.additional_properties)})"
        return "map(string, dyn)"
    if schema.type == "string":
        special = {"byte": "bytes", "date": "timestamp", "date-time": "timestamp", "datetime": "timestamp"}
        return "duration" if schema.format == "duration" else special.get(schema.format, "string")
    return {"integer": "int", "number": "double", "boolean": "bool"}.get(schema.type, "dyn")


def _type(word: str) -> Any:
    kinds = _library().Type
    if word.startswith("list("):
        return kinds.List(_type(word[5:-1]))
    if word.startswith("map(string, "):
        return kinds.Map(kinds.STRING, _type(word[12:-1]))
    return _types()[word]


@lru_cache(maxsize=512)
def _environment(variables: tuple[tuple[str, str], ...]) -> Any:
    return _library().NewEnv(
        variables={name: _type(word) for name, word in variables},
        functions=_functions(),
        extensions=_extensions(),
    )


@lru_cache(maxsize=4096)
def compiled(expression: str, variables: tuple[tuple[str, str], ...], result: str) -> Any:
    """The program of an expression, checked against its variables' types.

    Raises:
        BadExpression: it does not compile, or does not give a ``result`` (``bool`` or ``string``).
    """
    try:
        program = _environment(variables).compile(expression)
    except RuntimeError as error:
        raise BadExpression(f"compilation failed: {_compile_message(str(error))}") from None
    found = str(program.return_type()).lower()
    if found not in (result, "dyn"):
        what = {
            "bool": "cel expression must evaluate to a bool",
            "string": "messageExpression must evaluate to a string",
        }
        raise WrongResult(what[result], found)
    return program


def _compile_message(text: str) -> str:
    text = re.sub(r"^INVALID_ARGUMENT: ", "", text)
    text = re.sub(r" \[INVALID_ARGUMENT\]$", "", text)
    return text.replace("__oldSf", "oldSelf").replace("__sf", "self").replace("null_type", "null")


def evaluate(program: Any, data: dict[str, Any]) -> Any:
    """Run a program.

    Raises:
        EvaluationFailed: with Go's words for the common failures.
    """
    value = program.eval(data=data)
    if str(value.type()) == "ERROR":
        raise EvaluationFailed(_failure(str(value.value())))
    return value.value()


_FAILURES = (
    (re.compile(r'Key not found in map : "?(.*?)"?$'), r"no such key: \1"),
    (re.compile(r'No value with name "(?:[\w.]*\.)?(\w+)" found in Activation'), r"no such key: \1"),
    (re.compile(r"Index error: index=(-?\d+) size=\d+"), r"index out of bounds: \1"),
    (re.compile(r"No matching overloads found : .*"), "no such overload"),
    (re.compile(r"divide by zero"), "division by zero"),
    (re.compile(r"modulus by zero"), "modulus by zero"),
    (re.compile(r".*[Oo]verflow.*"), "integer overflow"),
)


def _failure(text: str) -> str:
    text = re.sub(r"^[A-Z_]+: ", "", text)
    text = re.sub(r" \[[A-Z_]+\]$", "", text)
    for pattern, words in _FAILURES:
        found = pattern.search(text)
        if found:
            return found.expand(words)
    return text
