"""One registry: where it is, how it is spoken to, and what its refusals mean."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

from kubewright import clock
from kubewright.errors import (
    CertificateError,
    ConnectionBroken,
    ConnectionFailed,
    ImageError,
    RegistryError,
    RequestTimeout,
    TransportError,
)
from kubewright.http import NetworkTransport, TlsConfig
from kubewright.image.credentials import Credentials, DockerConfig
from kubewright.image.reference import DOCKER_HUB
from kubewright.image.tokens import Challenge, Tokens
from kubewright.wire import Request, Response

_TRIES = 4
AGAIN = frozenset({429, 500, 502, 503, 504})
"""Answers that another try may change."""

_SLOWEST = 64 * 1024  # bytes a second: an upload slower than that is given up


@dataclass(frozen=True, slots=True)
class Place:
    """A path at a server, as a Location header names it."""

    server: str
    path: str
    query: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, url: str) -> Place:
        """Split an absolute URL."""
        parts = urlsplit(url)
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        return cls(f"{parts.scheme}://{parts.netloc}", parts.path or "/", query)

    def with_query(self, *pairs: tuple[str, str]) -> Place:
        """The same with more in its query."""
        return Place(self.server, self.path, (*self.query, *pairs))


class Registry:
    """Requests to a registry, with the credentials it asks for; to be closed."""

    def __init__(self, host: str, config: DockerConfig) -> None:
        self.host = host
        self._config = config
        self._credentials: Credentials | None = None
        self._transports: dict[str, NetworkTransport] = {}
        self._tokens = Tokens(self._plain)
        self._challenge: Challenge | None = None
        self._server = ""

    async def close(self) -> None:
        """Close all connections."""
        for transport in self._transports.values():
            await transport.close()

    async def place(self, path: str, *query: tuple[str, str]) -> Place:
        """A path at the registry; asks it first by which scheme it is to be spoken to."""
        if not self._server:
            self._server = await self._find()
        return Place(self._server, path, query)

    def follow(self, place: Place, response: Response) -> Place:
        """Where the response to a request to ``place`` sends us.

        Raises:
            RegistryError: it does not say where.
        """
        location = response.headers.get("location", "")
        if not location:
            raise RegistryError(f"{self.host} answered {response.status} without a Location", code=response.status)
        return Place.of(urljoin(place.server + place.path, location))

    async def send(
        self,
        method: str,
        place: Place,
        *,
        scope: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        stream: bool = False,
        tries: int = _TRIES,
    ) -> Response:
        """Send a request; log in where asked to, try again what may be tried again, follow redirects of reads.

        Args:
            method: GET, HEAD, POST, PATCH or PUT.
            place: where to.
            scope: what a token must allow: ``repository:NAME:pull,push``.
            headers: beyond the authorization.
            body: all of it.
            stream: the body of the answer is read as it comes.
            tries: how often, where the registry is overloaded or the connection breaks.

        Raises:
            TransportError: no answer came.
            RegistryError: the registry wants credentials, or refuses those it was shown.
        """
        request = Request(
            method,
            place.path,
            place.query,
            dict(headers or {}),
            body,
            timeout=60 + len(body) / _SLOWEST,
            stream=stream,
            idle_timeout=60 if stream else None,
        )
        for attempt in range(1, tries + 1):
            try:
                response = await self._authorized(place, request, scope)
            except (ConnectionBroken, RequestTimeout) as error:
                if attempt == tries:
                    raise _told(error, self.host) from error
                await clock.sleep(clock.jitter(0.2 * 2**attempt, 0.5))
                continue
            if response.status not in AGAIN or attempt == tries:
                break
            after = response.headers.get("retry-after", "")
            await response.close()
            await clock.sleep(min(float(after), 60.0) if after.isdecimal() else clock.jitter(0.2 * 2**attempt, 0.5))
        if method in ("GET", "HEAD") and response.status in (301, 302, 303, 307, 308):
            target = self.follow(place, response)
            await response.close()
            return await self.send(method, target, scope=scope, headers=headers, stream=stream, tries=tries)
        return response

    async def refusal(self, response: Response, doing: str) -> RegistryError:
        """The error that a response of failure stands for; ``doing`` says what was asked."""
        said = _errors(await response.read())
        hint = ""
        if response.status == 404:
            hint = "check the name; some registries want a repository to be made before anything is pushed to it"
        elif response.status in (401, 403):
            hint = f"what it was shown: {self._shown()}; it must allow this repository"
        elif response.status in AGAIN:
            hint = "the registry is overloaded or broken: try again later"
        words = f": {said}" if said else ""
        return RegistryError(
            f"{self.host} refused to {doing}: {response.status}{words}", code=response.status, hint=hint
        )

    async def _authorized(self, place: Place, request: Request, scope: str) -> Response:
        given = request.headers
        if place.server != self._server:
            return await self._plain(place.server, request)
        if self._challenge is not None:
            value = await self._tokens.authorization(self._challenge, scope, self._login())
            request.headers = {**given, "authorization": value} if value else given
        try:
            response = await self._plain(place.server, request)
            if response.status != 401:
                return response
            challenge = Challenge.parse(response.headers.get("www-authenticate", ""))
            if challenge is None:
                return response
            await response.close()
            self._challenge = challenge
            value = await self._tokens.authorization(challenge, scope, self._login(), anew=True)
            if not value:
                raise self._unknown()
            request.headers = {**given, "authorization": value}
            response = await self._plain(place.server, request)
            if response.status == 401:
                await response.close()
                raise self._unknown()
            return response
        finally:
            request.headers = given

    def _login(self) -> Credentials:
        if self._credentials is None:
            self._credentials = self._config.credentials(self.host)
        return self._credentials

    def _shown(self) -> str:
        login = self._login()
        return f"{login.user or 'a token'} from {login.source}" if login.source else "no credentials"

    def _unknown(self) -> RegistryError:
        login = self._login()
        if login.source:
            return RegistryError(
                f"{self.host} does not accept the credentials of {login.user or 'the token'} from {login.source}",
                code=401,
                hint=f"log in again: docker login {self.host}",
            )
        return RegistryError(
            f"{self.host} wants credentials, and {self._config.path} has none for it",
            code=401,
            hint=f"log in with `docker login {self.host}`, or have another tool write that file",
        )

    async def _plain(self, server: str, request: Request) -> Response:
        transport = self._transports.get(server)
        if transport is None:
            transport = NetworkTransport(
                server, tls=_tls(urlsplit(server).netloc), headers=(("user-agent", "kubewright"),)
            )
            self._transports[server] = transport
        try:
            return await transport.send(request)
        except (ConnectionBroken, RequestTimeout):
            raise
        except TransportError as error:
            raise _told(error, self.host) from error

    async def _find(self) -> str:
        """https, and on this machine itself http where there is no https."""
        host = "registry-1.docker.io" if self.host == DOCKER_HUB else self.host
        if _is_loopback(host):
            try:
                response = await self._plain(f"https://{host}", Request("GET", "/v2/", timeout=10))
            except CertificateError:
                raise
            except TransportError:
                return f"http://{host}"
            await response.close()
        return f"https://{host}"


def _errors(body: bytes) -> str:
    try:
        errors = json.loads(body)["errors"]
        words = [f"{each.get('code', '')}: {each.get('message', '')}".strip(": ") for each in errors]
    except (ValueError, KeyError, TypeError, AttributeError):
        return " ".join(body.decode(errors="replace").split())[:200]
    return "; ".join(words)


def _is_loopback(host: str) -> bool:
    name = re.sub(r":\d+$", "", host).strip("[]")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _tls(host: str) -> TlsConfig:
    """The system's authorities, or those that Docker and Podman are told of for this host (``certs.d``)."""
    folders = [
        Path.home() / ".docker" / "certs.d",
        Path.home() / ".config" / "containers" / "certs.d",
        Path("/etc/docker/certs.d"),
        Path("/etc/containers/certs.d"),
    ]
    if os.environ.get("DOCKER_CONFIG"):
        folders.insert(0, Path(os.environ["DOCKER_CONFIG"]) / "certs.d")
    for folder in folders:
        try:
            certificates = [path.read_bytes() for path in sorted((folder / host).glob("*.crt"))]
        except OSError as error:
            raise ImageError(f"{error.filename}: {error.strerror}", hint="it must be readable by you") from error
        if certificates:
            return TlsConfig(ca_pem=b"\n".join(certificates))
    return TlsConfig()


def _told(error: TransportError, host: str) -> TransportError:
    """The same error, with what to do about a registry (the transport's own words are of clusters)."""
    if isinstance(error, CertificateError):
        hint = (
            f"put the authority that signed it into ~/.docker/certs.d/{host}/ca.crt (or /etc/docker/certs.d/…),\n"
            "or name a file of authorities in SSL_CERT_FILE"
        )
    elif isinstance(error, ConnectionBroken):
        hint = "the registry or something on the way to it broke the connection: try again; what is there is kept"
    elif isinstance(error, ConnectionFailed):
        hint = (
            f"is the registry {host} up, and is its name and port right? plain http is spoken to this machine only"
        )
    else:
        hint = "the registry is slow or hangs: try again later; what is there already is not sent again"
    return type(error)(str(error), hint=hint)
