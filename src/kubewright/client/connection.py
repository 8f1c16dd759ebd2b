"""What all verbs share: a request made, sent, sent again, and its answer or its error."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import msgspec

from kubewright.client.retries import Retries, send
from kubewright.client.status import error_from_response, names_unknown_field
from kubewright.client.warnings import WarningLog
from kubewright.errors import UsageError
from kubewright.objects import ApiResource
from kubewright.wire import Request, Response, Transport

_JSON = "application/json"


class _Version(msgspec.Struct, rename="camel"):
    git_version: str


class Connection:
    """Requests over a transport; a failure answered by the server is raised."""

    transport: Transport
    namespace: str

    def __init__(
        self,
        transport: Transport,
        *,
        namespace: str = "default",
        user_agent: str = "kubewright",
        retries: Retries | None = None,
    ) -> None:
        """Nothing is sent yet.

        Args:
            transport: the network's, the embedded server's, or a wrapper of one.
            namespace: where a namespaced object is meant that does not say.
            user_agent: names the program to the server; its part before ``/`` is the default field manager.
            retries: which requests are sent again, and how often.
        """
        self.transport = transport
        self.namespace = namespace
        self._headers: Mapping[str, str] = {"accept": _JSON, "user-agent": user_agent}
        self._sending_headers: Mapping[str, str] = {**self._headers, "content-type": _JSON}
        self._retries = retries or Retries()
        self._warnings = WarningLog()
        self._server_version = ""

    async def raw(self, request: Request) -> Response:
        """Send ``request`` as it is, but for headers of ours that it lacks.

        The response must be read or closed.

        Raises:
            ApiError: the server answered 300 or above (but for 304).
            TransportError: no response came.
        """
        headers = self._sending_headers if request.body else self._headers
        request.headers = {**headers, **request.headers} if request.headers else headers
        response = await send(self.transport, request, self._retries)
        if warning := response.headers.get("warning"):
            self._warnings.take(warning)
        if response.status >= 300 and response.status != 304:
            body = await response.read()
            doing = f"{request.method} {request.path}"
            error = error_from_response(response.status, response.headers, body, doing=doing)
            if names_unknown_field(error):
                version = await self.server_version()
                error.hint = (
                    f"the server is {version} and does not know this field: leave it out, or upgrade the server"
                )
            raise error
        return response

    async def server_version(self) -> str:
        """The server's version as it says it itself: ``v1.37.0``."""
        if not self._server_version:
            response = await send(self.transport, Request("GET", "/version", headers=self._headers), self._retries)
            try:
                self._server_version = msgspec.json.decode(await response.read(), type=_Version).git_version
            except msgspec.DecodeError:
                return "of a version it does not tell"
        return self._server_version

    async def call(
        self,
        method: str,
        path: str,
        query: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
        *,
        content_type: str = "",
        accept: str = "",
        timeout: float | None = None,  # noqa: ASYNC109 - the transport's, for the head of the answer
    ) -> bytes:
        """Send one request and read its answer. Raises as :meth:`raw` does."""
        headers: dict[str, str] = {"content-type": content_type} if content_type else {}
        if accept:
            headers["accept"] = accept
        response = await self.raw(Request(method, path, query, headers, body, timeout))
        return await response.read()

    def _namespace(self, resource: ApiResource, namespace: str | None) -> str:
        if not resource.namespaced:
            return ""
        return self.namespace if namespace is None else namespace

    def _path(self, resource: ApiResource, name: str, namespace: str | None, subresource: str = "") -> str:
        if not name:
            raise UsageError(f"which of the {resource.plural}? a name is needed")
        return resource.path(self._namespace(resource, namespace), name, subresource)

    async def close(self) -> None:
        """Close the transport."""
        await self.transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
