"""The kubeconfig of an embedded cluster, as a file of ours."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import yaml

from kubewright.errors import UsageError

# Every entry in a kubeconfig of an embedded cluster is called so.
NAME = "kubewright"


def write_kubeconfig(path: Path, text: str) -> None:
    """Write it for this user alone, at once and whole; a kubeconfig that is not of an embedded cluster is kept.

    Raises:
        UsageError: another kubeconfig stands there, or the file cannot be written.
    """
    if path.exists() and not _ours(path):
        raise UsageError(
            f"{path} is there already and is not a kubeconfig of an embedded cluster; it was left as it is",
            hint="give another file, and use it with: kubectl --kubeconfig FILE",
        )
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(mode=0o600)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise UsageError(
            f"cannot write the kubeconfig {path}: {error.strerror}", hint="give another file"
        ) from error


def remove_kubeconfig(path: Path) -> None:
    """Its cluster is gone."""
    path.unlink(missing_ok=True)


def _ours(path: Path) -> bool:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        return not document or {entry["name"] for entry in document["clusters"]} == {NAME}
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
        return False
