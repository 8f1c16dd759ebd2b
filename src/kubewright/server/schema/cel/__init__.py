"""CEL rules of custom resources."""

from kubewright.server.schema.cel.definitions import rule_definition_errors
from kubewright.server.schema.cel.rules import rule_errors

__all__ = ["rule_definition_errors", "rule_errors"]
