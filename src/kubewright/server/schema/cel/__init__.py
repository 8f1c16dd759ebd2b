"""CEL rules of custom resources."""

from kubewright.server.schema.cel.rules import rule_errors

__all__ = ["rule_errors"]
