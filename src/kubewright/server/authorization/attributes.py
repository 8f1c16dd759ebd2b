"""What is decided on: a user, a verb and what it is done to."""

from __future__ import annotations

from dataclasses import dataclass

from kubewright.server import status
from kubewright.server.context import UserInfo
from kubewright.server.gotext import quote
from kubewright.server.status import StatusError


@dataclass(frozen=True, slots=True)
class Attributes:
    """A request, as authorisation sees it (authorizer.Attributes).

    Attributes:
        user: who asks.
        verb: get, list, watch, …; of a path: the method in small letters.
        group: the API group.
        version: of the group; ``*`` where it does not matter.
        resource: the plural; empty for a path.
        subresource: of the resource.
        namespace: empty for the cluster scope.
        name: of the object; empty for all.
        path: what is asked for if it is no resource.
    """

    user: UserInfo
    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def resource_path(self) -> str:
        """Resource and subresource, as rules name them."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def forbidden(attributes: Attributes, reason: str = "") -> StatusError:
    """403, in apiserver's words."""
    why = _described(attributes).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if reason:
        why = f"{why}: {reason}"
    return status.forbidden(attributes.group, attributes.resource, attributes.name, why)


def _described(asked: Attributes) -> str:
    head = f"User {quote(asked.user.name)} cannot {asked.verb}"
    if asked.path:
        return f"{head} path {quote(asked.path)}"
    where = f"in the namespace {quote(asked.namespace)}" if asked.namespace else "at the cluster scope"
    return f"{head} resource {quote(asked.resource_path)} in API group {quote(asked.group)} {where}"
