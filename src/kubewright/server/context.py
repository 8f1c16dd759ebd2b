"""What is known about a request while it is carried out: who asks, how, and where to look things up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from kubewright.objects import JsonObject


@dataclass(frozen=True, slots=True)
class UserInfo:
    """Who asks (authentication.k8s.io UserInfo)."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


ADMIN = UserInfo("admin", groups=("system:masters", "system:authenticated"))
"""Who a request in memory is made by, unless the transport says otherwise."""

ANONYMOUS = UserInfo("system:anonymous", groups=("system:unauthenticated",))


class Lookups(Protocol):
    """Where strategies look other objects up. What comes back is decoded anew: changing it changes nothing."""

    def get(self, group: str, plural: str, namespace: str, name: str) -> JsonObject | None:
        """The object, in the version it is stored in, or None."""
        ...

    def list(self, group: str, plural: str, namespace: str = "") -> Iterable[JsonObject]:
        """The objects of a namespace, or of all."""
        ...


@dataclass(slots=True)
class Context:
    """One request, as strategies and admission see it.

    Attributes:
        verb: create, update, patch, delete, …
        group: the resource's API group.
        version: the version asked for.
        resource: the plural.
        namespace: empty for the cluster scope.
        name: empty for collections and for generated names until one is drawn.
        subresource: ``status``, ``scale``, … or empty.
        lookups: other objects.
        user: who asks.
        dry_run: nothing will be stored; allocate nothing.
        field_manager: who is recorded as the owner of the fields written.
        options: the request's own options, as admission sees them, without kind.
        warnings: texts for ``Warning`` headers; append to it.
        now: the time of the request as objects carry it, whole seconds.
    """

    verb: str
    group: str
    version: str
    resource: str
    lookups: Lookups
    now: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    user: UserInfo = ADMIN
    dry_run: bool = False
    field_manager: str = ""
    options: JsonObject = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
