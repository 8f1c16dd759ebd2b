"""The user that a request's credentials stand for."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubewright.server import status
from kubewright.server.authentication.users import authenticated
from kubewright.server.context import ANONYMOUS, Lookups, UserInfo

if TYPE_CHECKING:
    from kubewright.server.authentication.service_accounts import ServiceAccountTokens

API_AUDIENCES = ("https://kubernetes.default.svc",)
"""Whom a token for this server is meant for."""

_UNKNOWN = "invalid bearer token"


class TokenRefused(Exception):
    """A token that is not good, or not for this audience; the text says why."""


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Whom a token stands for, and those of the audiences asked about that it is good for."""

    user: UserInfo
    audiences: tuple[str, ...]


class Authenticator:
    """Knows users by static tokens and by the tokens of service accounts."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups
        self._static: dict[str, UserInfo] = {}
        self._service_accounts: ServiceAccountTokens | None = None
        self.signing_key: bytes | None = None
        """PEM, for the tokens of service accounts; made when first needed unless given before."""

    @property
    def service_accounts(self) -> ServiceAccountTokens:
        """Who signs and verifies the tokens of service accounts; its key is made when first needed."""
        if self._service_accounts is None:
            from kubewright.server.authentication.service_accounts import ServiceAccountTokens

            self._service_accounts = ServiceAccountTokens(self._lookups, self.signing_key)
        return self._service_accounts

    def add_token(self, token: str, user: UserInfo) -> None:
        """Let ``token`` stand for ``user``."""
        self._static[token] = authenticated(user)

    def remove_token(self, token: str) -> None:
        """Let ``token`` stand for nobody."""
        self._static.pop(token, None)

    def authenticate(self, authorization: str) -> UserInfo:
        """Whom an ``Authorization`` header stands for: without a bearer token nobody in particular.

        Raises:
            StatusError: 401, the token is not good.
        """
        scheme, _, rest = authorization.strip().partition(" ")
        token = rest.partition(" ")[0]
        if scheme.lower() != "bearer" or not token:
            return ANONYMOUS
        try:
            return self.review(token, API_AUDIENCES).user
        except TokenRefused:
            raise status.unauthorized() from None

    def review(self, token: str, audiences: Sequence[str]) -> Authenticated:
        """Whom ``token`` stands for before one of ``audiences``.

        Raises:
            TokenRefused: it stands for nobody.
        """
        found = None
        for known, user in self._static.items():
            if hmac.compare_digest(known.encode(), token.encode()):
                found = user
        if found is not None:
            return Authenticated(found, tuple(name for name in API_AUDIENCES if name in audiences))
        if token.count(".") != 2:
            raise TokenRefused(_UNKNOWN)
        try:
            verified = self.service_accounts.verify(token, audiences)
        except TokenRefused as refused:
            # As apiserver tells it: first what the other ways of knowing tokens said.
            raise TokenRefused(f"[{_UNKNOWN}, {refused}]") from None
        if verified is None:
            raise TokenRefused(_UNKNOWN)
        return verified
