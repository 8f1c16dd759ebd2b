"""CEL rules of custom resources, and conditions on requests."""

from kubewright.server.schema.cel.conditions import check_condition, evaluate_condition
from kubewright.server.schema.cel.definitions import rule_definition_errors
from kubewright.server.schema.cel.environment import BadExpression, EvaluationFailed
from kubewright.server.schema.cel.rules import rule_errors

__all__ = [
    "BadExpression",
    "EvaluationFailed",
    "check_condition",
    "evaluate_condition",
    "rule_definition_errors",
    "rule_errors",
]
