"""From whoever sent a request to the user it is carried out as: impersonation, then authorisation."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote

from kubewright.errors import InvalidSelector
from kubewright.objects import selectors
from kubewright.server.authentication.impersonation import Impersonation, wanted_user
from kubewright.server.authorization import Attributes, Authorizer
from kubewright.server.authorization.authorizer import MASTERS
from kubewright.server.context import UserInfo
from kubewright.server.options import Query, text
from kubewright.server.routing import RequestInfo
from kubewright.wire import Request


class Access:
    """Who may do what, request by request."""

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer
        self._impersonation = Impersonation(authorizer)

    def user(self, request: Request, info: RequestInfo | None, query: Query, user: UserInfo) -> UserInfo:
        """The user to carry ``request`` out as.

        Raises:
            StatusError: 403, it is not allowed; 400, the impersonation headers make no sense.
        """
        wanted = wanted_user(request.headers)
        if wanted is None and MASTERS in user.groups:
            return user
        asked = _attributes(request, info, query, user)
        if wanted is not None:
            user = self._impersonation.user(asked, wanted)
            asked = replace(asked, user=user)
        self._authorizer.check(asked)
        return user


def _attributes(request: Request, info: RequestInfo | None, query: Query, user: UserInfo) -> Attributes:
    if info is None:
        return Attributes(user, request.method.lower(), path=unquote(request.path))
    return Attributes(
        user,
        info.verb,
        group=info.group,
        version=info.version,
        resource=info.resource,
        subresource=info.subresource,
        namespace=info.namespace,
        name=info.name or _selected_name(info, query),
    )


def _selected_name(info: RequestInfo, query: Query) -> str:
    """The one name that a list or watch is narrowed to, so that rules with resourceNames apply."""
    if info.verb not in ("list", "watch"):
        return ""
    given = text(query, "fieldSelector")
    if "metadata.name" not in given:
        return ""
    try:
        selector = selectors.parse_field_selector(given)
    except InvalidSelector:
        return ""
    name = selector.exact("metadata.name")
    return "" if not name or name in (".", "..") or "/" in name or "%" in name else name
