"""Acting as another: the impersonation headers, and whether who sends them may (KEP-5284, and as it was before)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import unquote

from kubewright.server import status
from kubewright.server.authentication.users import (
    ALL_AUTHENTICATED,
    ALL_UNAUTHENTICATED,
    ANONYMOUS_NAME,
    MASTERS,
    NODES,
    node_of,
    service_account_groups,
    split_service_account,
)
from kubewright.server.authorization import Attributes, Authorizer, forbidden
from kubewright.server.context import UserInfo
from kubewright.server.gotext import quote
from kubewright.server.status import StatusError

IMPERSONATE = "impersonate-"
SEPARATOR = "\n"
"""Between the values of a header that was sent several times: no header value can hold it."""

_GROUP = "authentication.k8s.io"
_NODE_NAME = "authentication.kubernetes.io/node-name"
_EXTRA = "impersonate-extra-"
_REMEMBERED = 10_000


def wanted_user(headers: Mapping[str, str]) -> UserInfo | None:
    """Whom the headers ask to act as, or None.

    Raises:
        StatusError: 400, they name groups, but no user.
    """
    if not any(name.startswith(IMPERSONATE) for name in headers):
        return None
    groups = headers.get("impersonate-group")
    extra: dict[str, tuple[str, ...]] = {
        unquote(name.removeprefix(_EXTRA)): tuple(value.split(SEPARATOR))
        for name, value in headers.items()
        if name.startswith(_EXTRA)
    }
    wanted = UserInfo(
        headers.get("impersonate-user", ""),
        uid=headers.get("impersonate-uid", ""),
        groups=tuple(groups.split(SEPARATOR)) if groups is not None else (),
        extra=extra,
    )
    if wanted.name:
        return wanted
    if wanted.uid or wanted.groups or wanted.extra:
        raise status.bad_request(f"requested {_go_syntax(wanted)} without impersonating a user name")
    return None


class Impersonation:
    """Decides who may act as whom. The way that last worked for somebody is the first that is tried again."""

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer
        self._last: dict[str, str] = {}

    def user(self, request: Attributes, wanted: UserInfo) -> UserInfo:
        """The user to go on as.

        Args:
            request: what is asked for, by who really asks.
            wanted: whom they want to be.

        Raises:
            StatusError: 403, they may not.
        """
        requestor = request.user
        modes = _modes(requestor, wanted)
        last = self._last.get(requestor.name)
        modes.sort(key=lambda mode: mode != last)
        refusal: StatusError | None = None
        for mode in modes:
            try:
                if mode:
                    self._authorizer.check(replace(request, verb=f"impersonate-on:{mode}:{request.verb}"))
                user = _Check(self._authorizer, requestor, mode).user(wanted)
            except StatusError as error:
                refusal = refusal or error
                continue
            if len(self._last) >= _REMEMBERED:
                self._last.clear()
            self._last[requestor.name] = mode
            return user
        assert refusal is not None  # noqa: S101 - there is always a way to try
        raise refusal


def _modes(requestor: UserInfo, wanted: UserInfo) -> list[str]:
    """The ways that are tried, the narrowest first; empty stands for plain impersonation."""
    node = node_of(wanted.name)
    account = split_service_account(wanted.name)
    name_only = not (wanted.uid or wanted.groups or wanted.extra)
    modes = []
    if node is not None and name_only:
        own = requestor.extra.get(_NODE_NAME) == (node,) and split_service_account(requestor.name)
        modes += ["associated-node"] if own else []
        modes.append("arbitrary-node")
    if account is not None and name_only:
        modes.append("serviceaccount")
    if node is None and account is None:
        modes.append("user-info")
    return [*modes, ""]


class _Check:
    """One way of impersonating: every part of the wanted user needs a permission of its own."""

    def __init__(self, authorizer: Authorizer, requestor: UserInfo, mode: str) -> None:
        self._authorizer = authorizer
        self._requestor = requestor
        self._mode = mode
        self._verb = f"impersonate:{mode}" if mode else "impersonate"
        self._user_group = _GROUP if mode else ""

    def user(self, wanted: UserInfo) -> UserInfo:
        groups = self._name(wanted)
        if wanted.uid:
            self._allow(_GROUP, "uids", wanted.uid)
        self._groups(wanted.groups)
        for key, values in wanted.extra.items():
            if self._mode and "" in values:
                raise self._refused("userextras", "impersonating the empty string value in extra is not allowed")
            for value in values:
                self._allow(_GROUP, "userextras", value, subresource=key)
        if wanted.name == ANONYMOUS_NAME:
            if ALL_UNAUTHENTICATED not in groups:
                groups = (*groups, ALL_UNAUTHENTICATED)
        elif ALL_UNAUTHENTICATED not in groups and ALL_AUTHENTICATED not in groups:
            groups = (*groups, ALL_AUTHENTICATED)
        return replace(wanted, groups=groups)

    def _name(self, wanted: UserInfo) -> tuple[str, ...]:
        node, account = node_of(wanted.name), split_service_account(wanted.name)
        if node is not None and self._mode:
            self._allow(self._user_group, "nodes", "*" if self._mode == "associated-node" else node)
            return (NODES,)
        if account is None:
            self._allow(self._user_group, "users", wanted.name)
            return wanted.groups
        namespace, name = account
        self._allow(self._user_group, "serviceaccounts", name, namespace=namespace)
        return wanted.groups or service_account_groups(namespace)

    def _groups(self, groups: tuple[str, ...]) -> None:
        if self._mode and "" in groups:
            raise self._refused("groups", "impersonating the empty string group is not allowed")
        if self._mode and MASTERS in groups:
            raise self._refused("groups", "impersonating the system:masters group is not allowed", MASTERS)
        for group in groups:
            self._allow(self._user_group, "groups", group)

    def _allow(self, group: str, resource: str, name: str, *, namespace: str = "", subresource: str = "") -> None:
        self._authorizer.check(
            Attributes(
                self._requestor,
                self._verb,
                group=group,
                version="v1",
                resource=resource,
                subresource=subresource,
                namespace=namespace,
                name=name,
            )
        )

    def _refused(self, resource: str, why: str, name: str = "") -> StatusError:
        group = self._user_group if resource == "groups" else _GROUP
        asked = Attributes(self._requestor, self._verb, group=group, version="v1", resource=resource, name=name)
        return forbidden(asked, why)


def _go_syntax(user: UserInfo) -> str:
    """As Go prints the value (``%#v``)."""
    groups = "[]string(nil)" if not user.groups else f"[]string{{{', '.join(map(quote, user.groups))}}}"
    extra = "map[string][]string(nil)"
    if user.extra:
        pairs = (f"{quote(k)}:[]string{{{', '.join(map(quote, v))}}}" for k, v in sorted(user.extra.items()))
        extra = f"map[string][]string{{{', '.join(pairs)}}}"
    return f"&user.DefaultInfo{{Name:{quote(user.name)}, UID:{quote(user.uid)}, Groups:{groups}, Extra:{extra}}}"
