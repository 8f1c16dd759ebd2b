"""Kubernetes' own kinds as the API server serves them: defaults, validation, allocation, printing."""

from kubewright.server.builtin.catalog import builtin_resources

__all__ = ["builtin_resources"]
