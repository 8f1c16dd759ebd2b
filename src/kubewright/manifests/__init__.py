"""Manifests: read from files, and made from an Operator value (CRDs, RBAC, Deployment)."""

from kubewright.manifests.documents import Document, load_manifests, parse_documents, read_documents
from kubewright.manifests.yamltext import to_yaml

__all__ = ["Document", "load_manifests", "parse_documents", "read_documents", "to_yaml"]
