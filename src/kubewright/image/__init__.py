"""Container images of operators, without a daemon: locked wheels in layers, OCI formats, the registry protocol."""

from kubewright.image.assemble import Built
from kubewright.image.blobs import BlobStore, cache_folder
from kubewright.image.build import Source, building
from kubewright.image.credentials import DockerConfig
from kubewright.image.oci import Platform
from kubewright.image.output import write_archive, write_layout
from kubewright.image.progress import Progress
from kubewright.image.push import Push
from kubewright.image.reference import Reference
from kubewright.image.registry import Registry

__all__ = [
    "BlobStore",
    "Built",
    "DockerConfig",
    "Platform",
    "Progress",
    "Push",
    "Reference",
    "Registry",
    "Source",
    "building",
    "cache_folder",
    "write_archive",
    "write_layout",
]
