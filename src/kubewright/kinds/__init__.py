"""Typed built-in kinds of Kubernetes 1.37, one module a group version, each imported only when asked for."""
