"""Nobody gives what they do not have: the check on roles and bindings as they are written."""

from __future__ import annotations

from collections.abc import Sequence

from kubewright.objects import JsonObject
from kubewright.server import admission, status
from kubewright.server.authorization.attributes import Attributes
from kubewright.server.authorization.authorizer import GROUP, MASTERS, Authorizer
from kubewright.server.authorization.rules import Rule, missing, quoted
from kubewright.server.context import Context
from kubewright.server.gotext import quote

_ROLES = ("roles", "clusterroles")
_BINDINGS = ("rolebindings", "clusterrolebindings")
_FULL_AUTHORITY = (Rule(("*",), ("*",), ("*",)), Rule(("*",), urls=("*",)))
_COLLECTED = ("ownerReferences", "finalizers", "managedFields", "resourceVersion")


class EscalationCheck(admission.Plugin):
    """Refuses roles and bindings that grant more than their writer has, who may not ``escalate`` or ``bind``."""

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    async def admit(self, attributes: admission.Attributes) -> None:
        """Refuse what would escalate."""
        resource, obj, context = attributes.resource, attributes.object, attributes.context
        if resource.group != GROUP or obj is None or MASTERS in context.user.groups:
            return
        old = attributes.old_object
        if old is not None and _lasting(old) == _lasting(obj):
            return  # only what the garbage collector needs has changed
        if resource.plural in _ROLES:
            self._check_role(resource.plural, obj, old, context)
        elif resource.plural in _BINDINGS:
            self._check_binding(resource.plural, obj, context)

    def _check_role(self, plural: str, role: JsonObject, old: JsonObject | None, context: Context) -> None:
        name = "" if context.verb == "create" else context.name
        if self._may("escalate", plural, name, context):
            return
        self._confirm(plural, role, tuple(map(Rule.read, role.get("rules") or ())), context)
        aggregates = _aggregates(role) or (old is not None and _aggregates(old))
        if aggregates and missing(self._held(context)[0], _FULL_AUTHORITY):
            why = "must have cluster-admin privileges to use the aggregationRule"
            raise status.forbidden(GROUP, plural, role["metadata"].get("name", ""), why)

    def _check_binding(self, plural: str, binding: JsonObject, context: Context) -> None:
        role = binding.get("roleRef") or {}
        kind, name = role.get("kind", ""), role.get("name", "")
        if kind in ("Role", "ClusterRole") and self._may("bind", f"{kind.lower()}s", name, context):
            return
        rules = self._authorizer.rules_of(kind, name, context.namespace)
        if rules is None:
            raise status.not_found(GROUP, plural, name)  # apiserver's words: it names the binding's resource
        self._confirm(plural, binding, rules, context)

    def _may(self, verb: str, plural: str, name: str, context: Context) -> bool:
        asked = Attributes(
            context.user,
            verb,
            group=GROUP,
            version="*",
            resource=plural,
            namespace=context.namespace,
            name=name,
        )
        return self._authorizer.decide(asked).allowed

    def _held(self, context: Context) -> tuple[list[Rule], tuple[str, ...]]:
        found = self._authorizer.grants(context.user, context.namespace)
        return [grant.rule for grant in found.grants], found.errors

    def _confirm(self, plural: str, obj: JsonObject, wanted: Sequence[Rule], context: Context) -> None:
        held, errors = self._held(context)
        lacking = missing(held, wanted)
        if not lacking:
            return
        user = context.user
        lines = "\n".join(sorted({str(rule) for rule in lacking}))
        why = (
            f"user {quote(user.name)} (groups={quoted(user.groups)}) is attempting to grant RBAC permissions not "
            f"currently held:\n{lines}"
        )
        if errors:
            why += f"; resolution errors: [{_aggregate(errors)}]"
        raise status.forbidden(GROUP, plural, obj["metadata"].get("name", ""), why)


def _aggregates(role: JsonObject) -> bool:
    return bool((role.get("aggregationRule") or {}).get("clusterRoleSelectors"))


def _lasting(obj: JsonObject) -> JsonObject:
    meta = {key: value for key, value in obj["metadata"].items() if key not in _COLLECTED}
    return {**obj, "metadata": meta}


def _aggregate(errors: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(errors))
    return distinct[0] if len(distinct) == 1 else f"[{', '.join(distinct)}]"
