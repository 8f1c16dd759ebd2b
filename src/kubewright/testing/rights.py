"""Running the operator under test with the rights of its generated role, and telling which it lacks."""

from __future__ import annotations

import re

import msgspec

from kubewright.client import Client
from kubewright.errors import KubewrightError
from kubewright.manifests import role_bindings, roles, service_account
from kubewright.objects import JsonObject
from kubewright.runtime import Operator
from kubewright.server import InMemoryTransport, Server, service_account_user
from kubewright.wire import Request, Response

_CANNOT = re.compile(r'cannot (?P<verb>\S+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"')
_MANAGER = "test"


class MissingRights(KubewrightError, AssertionError):
    """The operator asked for what its generated role does not allow; the message says what to declare."""


class RightsTransport:
    """Carries requests as the operator's ServiceAccount, and remembers the refusals."""

    def __init__(self, server: Server, operator: Operator, namespace: str) -> None:
        self._transport = InMemoryTransport(server, service_account_user(namespace, operator.name))
        self._refusals: dict[str, str] = {}

    async def send(self, request: Request) -> Response:
        """Send ``request``."""
        response = await self._transport.send(request)
        if response.status == 403:
            self._remember(await response.read())
        return response

    async def close(self) -> None:
        """Send nothing more."""
        await self._transport.close()

    def _remember(self, body: bytes) -> None:
        message: str = msgspec.json.decode(body).get("message", "")
        found = _CANNOT.search(message)
        if found is not None:
            names = {"groups": found["group"], "resources": found["resource"], "verbs": found["verb"]}
            given = ", ".join(f'{key}=("{value}",)' for key, value in names.items())
            self._refusals[message] = f"Grant({given})"

    def check(self) -> None:
        """Fail if anything was refused.

        Raises:
            MissingRights: what, and what to declare.
        """
        if not self._refusals:
            return
        told = "\n  ".join(self._refusals)
        grants = ", ".join(dict.fromkeys(self._refusals.values()))
        raise MissingRights(
            f"the operator's generated role does not allow what it does:\n  {told}",
            hint=f"declare the kinds in owns or reads, or add to the controller: grants = ({grants},)",
        )


async def install_rights(client: Client, operator: Operator, namespace: str) -> None:
    """Create the operator's ServiceAccount, roles and bindings, as ``kubewright deploy`` does."""
    documents: list[JsonObject] = [
        service_account(operator),
        *roles(operator),
        *role_bindings(operator, namespace=namespace),
    ]
    for document in documents:
        if document["kind"] not in ("ClusterRole", "ClusterRoleBinding"):
            document["metadata"] = {"namespace": namespace, **document["metadata"]}
        await client.apply(document, field_manager=_MANAGER, force=True)
