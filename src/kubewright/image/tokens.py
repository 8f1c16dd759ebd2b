"""What a registry's 401 asks for: user and password, or a token from the service it names."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from kubewright.errors import RegistryError
from kubewright.image.credentials import Credentials
from kubewright.wire import Request, Response

Send = Callable[[str, Request], Awaitable[Response]]

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_CLIENT = "kubewright"


@dataclass(frozen=True, slots=True)
class Challenge:
    """A ``WWW-Authenticate`` header; ``realm`` is the URL of the token service, empty for Basic."""

    realm: str = ""
    service: str = ""

    @classmethod
    def parse(cls, header: str) -> Challenge | None:
        """Read it; None where it asks for something that is not known here."""
        scheme, _, rest = header.strip().partition(" ")
        if scheme.lower() == "basic":
            return cls()
        parameters = dict(_PARAMETER.findall(rest))
        if scheme.lower() != "bearer" or "realm" not in parameters:
            return None
        return cls(parameters["realm"], parameters.get("service", ""))


class Tokens:
    """The tokens fetched so far, by what they allow."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._fetched: dict[tuple[str, str], str] = {}

    async def authorization(
        self, challenge: Challenge, scope: str, credentials: Credentials, *, anew: bool = False
    ) -> str:
        """The value of an Authorization header that answers ``challenge``, or empty where there is none.

        Args:
            challenge: what was asked for.
            scope: what is to be allowed; several are separated by spaces.
            credentials: who asks.
            anew: what was fetched before is no good any more.

        Raises:
            RegistryError: the token service refuses.
        """
        if not challenge.realm:
            return credentials.basic
        key = (challenge.realm, scope)
        if anew or key not in self._fetched:
            self._fetched[key] = await self._fetch(challenge, scope, credentials)
        return f"Bearer {self._fetched[key]}"

    async def _fetch(self, challenge: Challenge, scope: str, credentials: Credentials) -> str:
        parts = urlsplit(challenge.realm)
        server = f"{parts.scheme}://{parts.netloc}"
        query = [*parse_qsl(parts.query), ("service", challenge.service)]
        scopes = scope.split(" ")
        if credentials.identity_token:
            form = [
                ("grant_type", "refresh_token"),
                ("refresh_token", credentials.identity_token),
                ("client_id", _CLIENT),
                ("service", challenge.service),
                ("scope", scope),
            ]
            request = Request(
                "POST",
                parts.path,
                tuple(parse_qsl(parts.query)),
                {"content-type": "application/x-www-form-urlencoded"},
                urlencode(form).encode(),
            )
        else:
            headers = {"authorization": credentials.basic} if credentials.basic else {}
            query += [("scope", each) for each in scopes] + [("client_id", _CLIENT)]
            request = Request("GET", parts.path, tuple(query), headers)
        response = await self._send(server, request)
        body = await response.read()
        if response.status != 200:
            raise RegistryError(
                f"the token service {server} refused {credentials.user or 'an anonymous login'}: {response.status}",
                code=response.status,
                hint=f"check the credentials from {credentials.source}" if credentials.source else "docker login",
            )
        try:
            answer = json.loads(body)
            token = answer.get("token") or answer["access_token"]
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise RegistryError(f"the token service {server} answered without a token", code=200) from error
        return str(token)
