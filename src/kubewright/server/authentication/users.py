"""The names and groups of users that Kubernetes itself makes: service accounts and nodes."""

from __future__ import annotations

from dataclasses import replace

from kubewright.server.context import UserInfo
from kubewright.server.names import dns_label_problems, dns_subdomain_problems

ALL_AUTHENTICATED = "system:authenticated"
ALL_UNAUTHENTICATED = "system:unauthenticated"
ANONYMOUS_NAME = "system:anonymous"
MASTERS = "system:masters"
NODES = "system:nodes"
_SERVICE_ACCOUNT = "system:serviceaccount:"
_NODE = "system:node:"


def service_account_name(namespace: str, name: str) -> str:
    """The user name of a service account."""
    return f"{_SERVICE_ACCOUNT}{namespace}:{name}"


def service_account_groups(namespace: str) -> tuple[str, ...]:
    """The groups of every service account of a namespace."""
    return ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")


def service_account_user(namespace: str, name: str) -> UserInfo:
    """The user that a service account is."""
    return authenticated(UserInfo(service_account_name(namespace, name), groups=service_account_groups(namespace)))


def split_service_account(user: str) -> tuple[str, str] | None:
    """Namespace and name of the service account that ``user`` is, or None."""
    if not user.startswith(_SERVICE_ACCOUNT):
        return None
    parts = user.removeprefix(_SERVICE_ACCOUNT).split(":")
    if len(parts) != 2:
        return None
    namespace, name = parts
    if dns_label_problems(namespace, prefix=False) or dns_subdomain_problems(name, prefix=False):
        return None
    return namespace, name


def node_of(user: str) -> str | None:
    """The name of the node that ``user`` is, or None."""
    if not user.startswith(_NODE):
        return None
    name = user.removeprefix(_NODE)
    return None if dns_subdomain_problems(name, prefix=False) else name


def authenticated(user: UserInfo) -> UserInfo:
    """``user`` with the group of all who are known."""
    if user.name == ANONYMOUS_NAME or ALL_AUTHENTICATED in user.groups or ALL_UNAUTHENTICATED in user.groups:
        return user
    return replace(user, groups=(*user.groups, ALL_AUTHENTICATED))


def user_info(user: UserInfo) -> dict[str, object]:
    """``user`` as authentication.k8s.io's UserInfo, without empty fields."""
    found: dict[str, object] = {"username": user.name}
    if user.uid:
        found["uid"] = user.uid
    if user.groups:
        found["groups"] = list(user.groups)
    if user.extra:
        found["extra"] = {key: list(values) for key, values in user.extra.items()}
    return found
