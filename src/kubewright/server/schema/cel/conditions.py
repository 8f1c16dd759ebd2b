"""Conditions on requests: expressions over plain JSON values without a schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubewright.server.schema.cel.environment import BadExpression, WrongResult, compiled, evaluate
from kubewright.server.schema.cel.macros import expand


def check_condition(expression: str, variables: Sequence[str]) -> None:
    """Compile a condition over the named variables.

    Raises:
        BadExpression: it does not compile, or is no condition.
    """
    try:
        compiled(expand(expression), tuple((name, "dyn") for name in variables), "bool")
    except WrongResult as wrong:
        raise BadExpression(f"must evaluate to bool but got {wrong.found}") from None


def evaluate_condition(expression: str, variables: Sequence[str], values: Mapping[str, Any]) -> bool:
    """Whether the condition holds.

    Raises:
        EvaluationFailed: it is neither true nor false.
    """
    program = compiled(expand(expression), tuple((name, "dyn") for name in variables), "bool")
    return bool(evaluate(program, dict(values)))
