"""Role-based access control over the roles and bindings in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from kubewright.objects import JsonObject
from kubewright.server.authorization.attributes import Attributes, forbidden
from kubewright.server.authorization.rules import Rule
from kubewright.server.context import UserInfo
from kubewright.server.gotext import quote
from kubewright.server.media import decode
from kubewright.server.store import Entry, Store, Table

GROUP = "rbac.authorization.k8s.io"
MASTERS = "system:masters"
_REMEMBERED = 4096

ParsedT = TypeVar("ParsedT")


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it is allowed, and why or why not as far as there is something to say."""

    allowed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """A rule that applies to a user, and the binding it comes by."""

    rule: Rule
    source: str


@dataclass(frozen=True, slots=True)
class Grants:
    """What applies to a user in a namespace, and what could not be found out."""

    grants: tuple[Grant, ...]
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Binding:
    kind: str
    name: str
    namespace: str
    role_kind: str
    role: str
    subjects: tuple[JsonObject, ...]


class Authorizer:
    """Decides by the roles and bindings as they are at the moment.

    What applies to a user is found once and kept until a role or binding changes.
    """

    def __init__(self, store: Store) -> None:
        self._roles = _Kept(store, "roles", _rules)
        self._cluster_roles = _Kept(store, "clusterroles", _rules)
        self._bindings = _Kept(store, "rolebindings", _binding)
        self._cluster_bindings = _Kept(store, "clusterrolebindings", _binding)
        self._kept = (self._roles, self._cluster_roles, self._bindings, self._cluster_bindings)
        self._grants: dict[tuple[str, tuple[str, ...], str], Grants] = {}

    def decide(self, asked: Attributes) -> Decision:
        """Whether ``asked`` is allowed."""
        if MASTERS in asked.user.groups:
            return Decision(allowed=True)
        found = self.grants(asked.user, asked.namespace)
        for grant in found.grants:
            if grant.rule.allows(asked):
                return Decision(allowed=True, reason=f"RBAC: allowed by {grant.source}")
        if not found.errors:
            return Decision(allowed=False)
        errors = list(dict.fromkeys(found.errors))
        shown = errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"
        return Decision(allowed=False, reason=f"rbac: RBAC: {shown}")

    def check(self, asked: Attributes) -> None:
        """Refuse what is not allowed.

        Raises:
            StatusError: 403.
        """
        decision = self.decide(asked)
        if not decision.allowed:
            raise forbidden(asked, decision.reason)

    def grants(self, user: UserInfo, namespace: str) -> Grants:
        """All that applies to ``user`` in ``namespace``."""
        changed = [kept.refresh() for kept in self._kept]
        if any(changed) or len(self._grants) > _REMEMBERED:
            self._grants.clear()
        key = (user.name, user.groups, namespace)
        found = self._grants.get(key)
        if found is None:
            found = self._grants[key] = self._resolve(user, namespace)
        return found

    def rules_of(self, role_kind: str, name: str, namespace: str) -> tuple[Rule, ...] | None:
        """The rules of a role, or None if it is not there."""
        for kept in self._kept:
            kept.refresh()
        if role_kind == "Role":
            return self._roles.of.get(f"{namespace}/{name}")
        return self._cluster_roles.of.get(name)

    def _resolve(self, user: UserInfo, namespace: str) -> Grants:
        grants: list[Grant] = []
        errors: list[str] = []
        for binding in self._applicable(namespace):
            subject = _subject_of(binding, user)
            if subject is None:
                continue
            rules = self.rules_of(binding.role_kind, binding.role, binding.namespace)
            if rules is None:
                errors.append(f"{binding.role_kind.lower()}.{GROUP} {quote(binding.role)} not found")
                continue
            source = _described(binding, subject)
            grants += [Grant(rule, source) for rule in rules]
        return Grants(tuple(grants), tuple(errors))

    def _applicable(self, namespace: str) -> Iterator[_Binding]:
        yield from self._cluster_bindings.of.values()
        if namespace:
            prefix = f"{namespace}/"
            yield from (binding for key, binding in self._bindings.of.items() if key.startswith(prefix))


class _Kept(Generic[ParsedT]):
    """The objects of one kind, read once each."""

    def __init__(self, store: Store, plural: str, read: Callable[[JsonObject], ParsedT]) -> None:
        self._table: Table = store.table(f"{plural}.{GROUP}")
        self._read = read
        self._end = -1
        self._entries: dict[str, Entry] = {}
        self.of: dict[str, ParsedT] = {}

    def refresh(self) -> bool:
        """Read what has changed; whether anything has."""
        if self._table.end == self._end:
            return False
        self._end = self._table.end
        entries, before = {}, self.of
        self.of = {}
        for entry in self._table.scan():
            entries[entry.key] = entry
            same = self._entries.get(entry.key) is entry
            self.of[entry.key] = before[entry.key] if same else self._read(decode(entry.raw))
        self._entries = entries
        return True


def _rules(role: JsonObject) -> tuple[Rule, ...]:
    return tuple(map(Rule.read, role.get("rules") or ()))


def _binding(obj: JsonObject) -> _Binding:
    meta, role = obj["metadata"], obj["roleRef"]
    return _Binding(
        obj["kind"],
        meta["name"],
        meta.get("namespace", ""),
        role["kind"],
        role["name"],
        tuple(obj.get("subjects") or ()),
    )


def _subject_of(binding: _Binding, user: UserInfo) -> JsonObject | None:
    for subject in binding.subjects:
        kind, name = subject.get("kind"), subject.get("name", "")
        if kind == "User":
            applies = user.name == name
        elif kind == "Group":
            applies = name in user.groups
        else:
            namespace = subject.get("namespace") or binding.namespace
            applies = bool(namespace) and user.name == f"system:serviceaccount:{namespace}:{name}"
        if applies:
            return subject
    return None


def _described(binding: _Binding, subject: JsonObject) -> str:
    name = f"{binding.name}/{binding.namespace}" if binding.namespace else binding.name
    who = subject["name"]
    if subject["kind"] == "ServiceAccount":
        who = f"{who}/{subject.get('namespace') or binding.namespace}"
    return (
        f"{binding.kind} {quote(name)} of {binding.role_kind} {quote(binding.role)} "
        f"to {subject['kind']} {quote(who)}"
    )
