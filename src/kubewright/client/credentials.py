"""Who we are to the server, sent along with every request."""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from kubewright import clock
from kubewright.errors import KubeconfigError
from kubewright.http import TlsConfig
from kubewright.wire import Request, Response, Transport

_REREAD = 60.0
"""Seconds until a token file is read again; service account tokens are renewed long before they expire."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What says who we are: an ``authorization`` header, a client certificate, or both."""

    authorization: str = ""
    client_cert_pem: bytes = b""
    client_key_pem: bytes = b""

    def __repr__(self) -> str:
        return "Identity(…)"


class Credentials(ABC):
    """Gives the identity in force; may take time to, and may forget it."""

    @abstractmethod
    async def identity(self) -> Identity:
        """The identity in force now.

        Raises:
            KubeconfigError: there is none to be had.
        """

    def refused(self, identity: Identity) -> bool:
        """The server answered 401 to ``identity``. True if asking again may give another."""
        return False


class StaticCredentials(Credentials):
    """The same all the time."""

    def __init__(self, authorization: str) -> None:
        self._identity = Identity(authorization)

    async def identity(self) -> Identity:
        """The one given."""
        return self._identity


def bearer(token: str) -> StaticCredentials:
    """A bearer token."""
    return StaticCredentials(f"Bearer {token}")


def basic(username: str, password: str) -> StaticCredentials:
    """A name and a password, as proxies before an API server take them."""
    encoded = base64.b64encode(f"{username}:{password}".encode()).decode()
    return StaticCredentials(f"Basic {encoded}")


class TokenFile(Credentials):
    """A bearer token in a file that somebody else renews."""

    def __init__(self, path: Path, *, token: str = "") -> None:
        """``token`` holds as long as the file cannot be read."""
        self._path = path
        self._identity = Identity(f"Bearer {token}") if token else None
        self._read_at: float | None = None

    async def identity(self) -> Identity:
        """The token that stood in the file a minute ago or later."""
        now = clock.monotonic()
        if self._identity is None or self._read_at is None or now - self._read_at >= _REREAD:
            self._identity = self._read()
            self._read_at = now
        return self._identity

    def refused(self, identity: Identity) -> bool:
        """Read the file again at once: True if it holds another token now."""
        self._identity = self._read()
        return self._identity != identity

    def _read(self) -> Identity:
        try:
            token = self._path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            if self._identity is not None:
                return self._identity
            raise KubeconfigError(
                f"the token file {self._path} cannot be read: {getattr(error, 'strerror', None) or error}",
                hint="check tokenFile of the user in the kubeconfig",
            ) from error
        if not token:
            if self._identity is not None:
                return self._identity
            raise KubeconfigError(f"the token file {self._path} is empty", hint="check who renews it")
        return Identity(f"Bearer {token}")


class AuthenticatedTransport:
    """Sends an identity along with each request; after a 401, once more with a new one, if there is one."""

    def __init__(self, network: Callable[[TlsConfig], Transport], tls: TlsConfig, credentials: Credentials) -> None:
        """Wrap what ``network`` makes, which is asked again when the client certificate changes."""
        self._network = network
        self._tls = tls
        self._credentials = credentials
        self._transport = network(tls)
        self._outdated: list[Transport] = []

    async def send(self, request: Request) -> Response:
        """Send ``request`` with an identity."""
        identity = await self._credentials.identity()
        response = await self._send(request, identity)
        if response.status == 401 and self._credentials.refused(identity):
            await response.read()
            response = await self._send(request, await self._credentials.identity())
        return response

    async def close(self) -> None:
        """Close all connections."""
        for transport in [*self._outdated, self._transport]:
            await transport.close()

    async def _send(self, request: Request, identity: Identity) -> Response:
        self._present(identity)
        if identity.authorization and "authorization" not in request.headers:
            request = replace(request, headers={**request.headers, "authorization": identity.authorization})
        return await self._transport.send(request)

    def _present(self, identity: Identity) -> None:
        """Use the identity's client certificate for connections from now on."""
        pair = (identity.client_cert_pem, identity.client_key_pem)
        if not identity.client_cert_pem or pair == (self._tls.client_cert_pem, self._tls.client_key_pem):
            return
        self._tls = replace(self._tls, client_cert_pem=pair[0], client_key_pem=pair[1])
        # Watches still run on the old one's connections; they end on their own.
        self._outdated.append(self._transport)
        self._transport = self._network(self._tls)
