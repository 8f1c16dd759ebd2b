"""The subresources that have verbs of their own: scale, log, eviction, binding, token."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime

import msgspec

from kubewright.client.connection import Connection
from kubewright.errors import DecodeError, UsageError
from kubewright.objects import ApiResource, Object
from kubewright.wire import Request

_PODS = ApiResource(group="", version="v1", kind="Pod", plural="pods")
_SERVICE_ACCOUNTS = ApiResource(group="", version="v1", kind="ServiceAccount", plural="serviceaccounts")


class Scale(msgspec.Struct, frozen=True):
    """How many replicas are wanted, and how many there are (autoscaling/v1 Scale)."""

    replicas: int
    status_replicas: int
    selector: str = ""


class Token(msgspec.Struct, frozen=True):
    """A token of a service account, and until when it holds."""

    token: str
    expires: datetime

    def __repr__(self) -> str:
        return f"Token(expires={self.expires.isoformat()})"


class _ScaleSpec(msgspec.Struct):
    replicas: int = 0


class _ScaleStatus(msgspec.Struct):
    replicas: int = 0
    selector: str = ""


class _Scale(msgspec.Struct):
    spec: _ScaleSpec = msgspec.field(default_factory=_ScaleSpec)
    status: _ScaleStatus = msgspec.field(default_factory=_ScaleStatus)


class _TokenStatus(msgspec.Struct, rename="camel"):
    token: str
    expiration_timestamp: datetime


class _TokenRequest(msgspec.Struct):
    status: _TokenStatus


class Subresources(Connection):
    """Verbs of subresources; ``namespace`` defaults to the client's everywhere."""

    async def get_scale(self, kind: type[Object] | ApiResource, name: str, namespace: str | None = None) -> Scale:
        """How many replicas an object has and should have."""
        resource = kind if isinstance(kind, ApiResource) else kind.api_resource
        return _scale(await self.call("GET", self._path(resource, name, namespace, "scale")))

    async def scale(
        self, kind: type[Object] | ApiResource, name: str, replicas: int, namespace: str | None = None
    ) -> Scale:
        """Ask for ``replicas``; answers what was stored."""
        resource = kind if isinstance(kind, ApiResource) else kind.api_resource
        body = msgspec.json.encode({"spec": {"replicas": replicas}})
        path = self._path(resource, name, namespace, "scale")
        return _scale(await self.call("PATCH", path, (), body, content_type="application/merge-patch+json"))

    async def evict(
        self, pod: str, namespace: str | None = None, *, uid: str = "", grace_period_seconds: int | None = None
    ) -> None:
        """Evict a Pod, as its disruption budgets allow.

        Raises:
            TooManyRequests: a PodDisruptionBudget does not allow it now.
        """
        namespace = self._namespace(_PODS, namespace)
        options: dict[str, object] = {}
        if grace_period_seconds is not None:
            options["gracePeriodSeconds"] = grace_period_seconds
        if uid:
            options["preconditions"] = {"uid": uid}
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace},
            "deleteOptions": options,
        }
        await self.call("POST", self._path(_PODS, pod, namespace, "eviction"), (), msgspec.json.encode(body))

    async def bind(self, pod: str, node: str, namespace: str | None = None) -> None:
        """Bind a Pod to a node, as a scheduler does."""
        namespace = self._namespace(_PODS, namespace)
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": pod, "namespace": namespace},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        await self.call("POST", self._path(_PODS, pod, namespace, "binding"), (), msgspec.json.encode(body))

    async def create_token(
        self,
        service_account: str,
        namespace: str | None = None,
        *,
        audiences: Sequence[str] = (),
        expiration_seconds: int | None = None,
    ) -> Token:
        """A token of a service account, by default for the API server itself and for as long as it gives."""
        spec: dict[str, object] = {"audiences": list(audiences)}
        if expiration_seconds is not None:
            spec["expirationSeconds"] = expiration_seconds
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        path = self._path(_SERVICE_ACCOUNTS, service_account, namespace, "token")
        answer = await self.call("POST", path, (), msgspec.json.encode(body))
        try:
            status = msgspec.json.decode(answer, type=_TokenRequest).status
        except msgspec.DecodeError as error:
            raise DecodeError(f"the server's answer is not a TokenRequest: {error}") from error
        return Token(status.token, status.expiration_timestamp)

    async def log(
        self,
        pod: str,
        namespace: str | None = None,
        *,
        container: str = "",
        previous: bool = False,
        timestamps: bool = False,
        tail_lines: int | None = None,
        since_seconds: int | None = None,
        limit_bytes: int | None = None,
    ) -> str:
        """The log of a Pod's container; what is not UTF-8 in it is replaced."""
        query = _log_query(container, previous, timestamps, tail_lines, since_seconds)
        if limit_bytes is not None:
            query += (("limitBytes", str(limit_bytes)),)
        return (await self.call("GET", self._path(_PODS, pod, namespace, "log"), query)).decode(errors="replace")

    async def follow_log(
        self,
        pod: str,
        namespace: str | None = None,
        *,
        container: str = "",
        timestamps: bool = False,
        tail_lines: int | None = None,
        since_seconds: int | None = None,
    ) -> AsyncGenerator[str]:
        """The lines of a container's log as they are written, until the container ends."""
        query = _log_query(container, False, timestamps, tail_lines, since_seconds)
        path = self._path(_PODS, pod, namespace, "log")
        response = await self.raw(Request("GET", path, (*query, ("follow", "true")), stream=True))
        begun: list[bytes] = []
        try:
            async for chunk in response.chunks():
                *whole, rest = chunk.split(b"\n")
                for line in whole:
                    begun.append(line)
                    yield b"".join(begun).decode(errors="replace")
                    begun.clear()
                if rest:
                    begun.append(rest)
        finally:
            await response.close()
        if begun:
            yield b"".join(begun).decode(errors="replace")


def _log_query(
    container: str, previous: bool, timestamps: bool, tail_lines: int | None, since_seconds: int | None
) -> tuple[tuple[str, str], ...]:
    if since_seconds is not None and since_seconds <= 0:
        raise UsageError("since_seconds must be 1 or more")
    values = (
        ("container", container),
        ("previous", "true" if previous else ""),
        ("timestamps", "true" if timestamps else ""),
        ("tailLines", "" if tail_lines is None else str(tail_lines)),
        ("sinceSeconds", "" if since_seconds is None else str(since_seconds)),
    )
    return tuple((name, value) for name, value in values if value)


def _scale(body: bytes) -> Scale:
    try:
        decoded = msgspec.json.decode(body, type=_Scale)
    except msgspec.DecodeError as error:
        raise DecodeError(f"the server's answer is not a Scale: {error}") from error
    return Scale(decoded.spec.replicas, decoded.status.replicas, decoded.status.selector)
