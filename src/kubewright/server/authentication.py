"""Who asks: bearer tokens and client certificates of requests that come over the network."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from kubewright.server import status
from kubewright.server.context import UserInfo

_AUTHENTICATED = "system:authenticated"
PUBLIC_PATHS = frozenset({"/healthz", "/livez", "/readyz", "/version"})
"""What anyone may read, as with Kubernetes' own defaults."""


class Authenticator:
    """Knows users by their tokens, and by client certificates that TLS has already verified."""

    def __init__(self, tokens: Mapping[str, UserInfo]) -> None:
        self._tokens = dict(tokens)

    def authenticate(self, authorization: str, certificate: Mapping[str, object] | None) -> UserInfo:
        """The user.

        Args:
            authorization: the ``Authorization`` header.
            certificate: as ``ssl`` gives a verified peer's, or None.

        Raises:
            StatusError: 401, no credentials, or wrong ones.
        """
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer":
            for known, user in self._tokens.items():
                if hmac.compare_digest(known.encode(), token.strip().encode()):
                    return user
            raise status.unauthorized()
        if certificate:
            return _user_of(certificate)
        raise status.unauthorized()


def _user_of(certificate: Mapping[str, object]) -> UserInfo:
    names: dict[str, list[str]] = {}
    subject = certificate.get("subject")
    for part in subject if isinstance(subject, tuple) else ():
        for key, value in part:
            names.setdefault(key, []).append(value)
    name = (names.get("commonName") or [""])[0]
    if not name:
        raise status.unauthorized()
    return UserInfo(name, groups=(*names.get("organizationName", ()), _AUTHENTICATED))
