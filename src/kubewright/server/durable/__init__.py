"""What the server keeps in a folder: a log of changes, snapshots of them, and its keys."""

from kubewright.server.durable.folder import DataFolder

__all__ = ["DataFolder"]
