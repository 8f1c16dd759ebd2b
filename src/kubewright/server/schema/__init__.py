"""Schemas of resources: from a CustomResourceDefinition or from OpenAPI; pruning, defaults, validation."""

from kubewright.server.schema.correlation import Correlated
from kubewright.server.schema.defaulting import apply_defaults
from kubewright.server.schema.model import Definitions, Schema, from_crd, from_openapi
from kubewright.server.schema.object_meta import OBJECT_META, whole_object
from kubewright.server.schema.pruning import prune
from kubewright.server.schema.regexp import BadPattern, compile_pattern
from kubewright.server.schema.validation import rule_definition_errors, validate

__all__ = [
    "OBJECT_META",
    "BadPattern",
    "Correlated",
    "Definitions",
    "Schema",
    "apply_defaults",
    "compile_pattern",
    "from_crd",
    "from_openapi",
    "prune",
    "rule_definition_errors",
    "validate",
    "whole_object",
]
