"""Manifests: read from files, and made from an Operator value (CRDs, RBAC, Deployment)."""

from kubewright.manifests.deployment import REPLACE_IMAGE, deployment, service_account
from kubewright.manifests.documents import Document, load_manifests, parse_documents, read_documents
from kubewright.manifests.files import FileResult, Outcome, write
from kubewright.manifests.rbac import REPLACE_NAMESPACE, role_bindings, roles
from kubewright.manifests.render import crds, file_stem, render
from kubewright.manifests.sample import sample
from kubewright.manifests.yamltext import to_yaml

__all__ = [
    "REPLACE_IMAGE",
    "REPLACE_NAMESPACE",
    "Document",
    "FileResult",
    "Outcome",
    "crds",
    "deployment",
    "file_stem",
    "load_manifests",
    "parse_documents",
    "read_documents",
    "render",
    "role_bindings",
    "roles",
    "sample",
    "service_account",
    "to_yaml",
    "write",
]
