"""The embedded API server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewright.server.authentication import service_account_user
from kubewright.server.context import ADMIN, ANONYMOUS, UserInfo
from kubewright.server.durable import DataFolder
from kubewright.server.server import Server
from kubewright.server.status import StatusError
from kubewright.server.transport import InMemoryTransport

if TYPE_CHECKING:
    from kubewright.server.listener import Listener, listen

__all__ = [
    "ADMIN",
    "ANONYMOUS",
    "DataFolder",
    "InMemoryTransport",
    "Listener",
    "Server",
    "StatusError",
    "UserInfo",
    "listen",
    "service_account_user",
]


def __getattr__(name: str) -> object:
    # Certificates and HTTP are loaded by those who listen.
    if name in ("Listener", "listen"):
        from kubewright.server import listener

        return getattr(listener, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
