"""The embedded API server."""

from kubewright.server.context import ADMIN, ANONYMOUS, UserInfo
from kubewright.server.server import Server
from kubewright.server.status import StatusError
from kubewright.server.transport import InMemoryTransport

__all__ = ["ADMIN", "ANONYMOUS", "InMemoryTransport", "Server", "StatusError", "UserInfo"]
