"""Match conditions: CEL expressions over the request, all of which must hold for a webhook to be called."""

from __future__ import annotations

from collections.abc import Sequence

from kubewright.objects import JsonObject
from kubewright.server.schema.cel import BadExpression, EvaluationFailed, check_condition, evaluate_condition

VARIABLES = ("object", "oldObject", "request")

__all__ = ["VARIABLES", "BadExpression", "ConditionsFailed", "check_condition", "conditions_hold"]


class ConditionsFailed(Exception):
    """A condition could not be evaluated, and none was false."""


def conditions_hold(conditions: Sequence[JsonObject], request: JsonObject) -> bool:
    """Whether all ``conditions`` are true of an admission request.

    Raises:
        ConditionsFailed: one is neither true nor false, and no other is false.
    """
    values = {"object": request["object"], "oldObject": request["oldObject"], "request": request}
    failures = []
    for condition in conditions:
        expression = condition["expression"]
        try:
            if not evaluate_condition(expression, VARIABLES, values):
                return False
        except EvaluationFailed as failed:
            failures.append(f"expression '{expression}' resulted in error: {failed}")
    if failures:
        raise ConditionsFailed(failures[0] if len(failures) == 1 else f"[{', '.join(failures)}]")
    return True
