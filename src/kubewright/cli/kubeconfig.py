"""The kubeconfig of an embedded cluster, as a file of ours."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from kubewright.errors import UsageError

# Every entry in a kubeconfig of an embedded cluster is called so.
NAME = "kubewright"


def write_kubeconfig(path: Path, text: str) -> None:
    """Write it for this user alone, at once and whole; a kubeconfig that is not of an embedded cluster is kept.

    Raises:
        UsageError: another kubeconfig stands there, its cluster is running, or the file cannot be written.
    """
    if path.exists() and (server := _other_server(path, text)):
        raise UsageError(
            f"{path} belongs to an embedded cluster that is running, at {server}",
            hint="stop that one, or give this one a file of its own: --kubeconfig FILE",
        )
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


def remove_kubeconfig(path: Path, text: str) -> None:
    """Its cluster is gone. A file that says something else by now is another's."""
    with suppress(OSError, UnicodeDecodeError):
        if path.read_text(encoding="utf-8") == text:
            path.unlink()


def _other_server(path: Path, text: str) -> str:
    """The server of the embedded cluster that ``path`` is for, if it is not the one of ``text`` and answers."""
    try:
        server, own = (_server(words) for words in (path.read_text(encoding="utf-8"), text))
        address = urlsplit(server)
        if server == own or not _ours(path) or address.hostname is None or address.port is None:
            return ""
        socket.create_connection((address.hostname, address.port), timeout=0.5).close()
    except (OSError, ValueError, yaml.YAMLError, LookupError, TypeError):
        return ""
    return server


def _server(text: str) -> str:
    return str(yaml.safe_load(text)["clusters"][0]["cluster"]["server"])


def _ours(path: Path) -> bool:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        return not document or {entry["name"] for entry in document["clusters"]} == {NAME}
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
        return False
