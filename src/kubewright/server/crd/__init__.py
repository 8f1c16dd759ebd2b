"""CustomResourceDefinitions, and the custom resources they bring."""

from kubewright.server.crd.definition import crd_definition

__all__ = ["crd_definition"]
