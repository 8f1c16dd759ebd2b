"""Whether a webhook is called for a request, and for which version of its resource."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kubewright.objects import ApiResource, JsonObject, Selector
from kubewright.server import status
from kubewright.server.admission import Attributes
from kubewright.server.admission_webhooks.conditions import ConditionsFailed, conditions_hold
from kubewright.server.admission_webhooks.hooks import Hook
from kubewright.server.admission_webhooks.review import request_of
from kubewright.server.registry import ResourceDefinition
from kubewright.server.resources import ServedResources

_SAME = {("", "events"): ("events.k8s.io", "events"), ("events.k8s.io", "events"): ("", "events")}
"""Resources of two groups that are one."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """A webhook to call, with the objects in the version it knows.

    Attributes:
        hook: the webhook.
        resource: the resource in that version.
        definition: of the request's own version.
        request: the ``request`` of the AdmissionReview, without its uid.
    """

    hook: Hook
    resource: ApiResource
    definition: ResourceDefinition
    request: JsonObject


def invocation(hook: Hook, attributes: Attributes, served: ServedResources) -> Invocation | None:
    """How ``hook`` is to be called for a request, or None if it is not.

    Raises:
        StatusError: it cannot be told: the namespace is not there, or a match condition fails.
    """
    if not _matches_namespace(hook, attributes) or not _matches_object(hook, attributes):
        return None
    resource = _matching_resource(hook, attributes, served)
    if resource is None:
        return None
    own, subresource = attributes.resource, attributes.context.subresource
    definition = served.find(own.group, own.version, own.plural)
    if definition is None:
        raise status.path_not_found()
    if subresource and subresource not in definition.subresources:
        # What is posted there is of another kind, and not an object of the store.
        raise status.not_implemented(f"admission webhooks for {own.group_resource}/{subresource}")
    request = request_of(attributes, resource, definition)
    conditions = hook.spec.get("matchConditions") or ()
    try:
        if conditions and not conditions_hold(conditions, request):
            return None
    except ConditionsFailed as failed:
        if hook.ignores_failures:
            return None
        raise status.forbidden(own.group, own.plural, attributes.context.name, str(failed)) from None
    return Invocation(hook, resource, definition, request)


def _matches_namespace(hook: Hook, attributes: Attributes) -> bool:
    context, resource = attributes.context, attributes.resource
    is_namespace = resource.plural == "namespaces" and not resource.group
    if not context.namespace and not is_namespace:
        return True
    if _is_empty(hook.namespaces):
        return True
    if is_namespace:
        found = attributes.object if attributes.object is not None else attributes.old_object
    else:
        found = context.lookups.get("", "namespaces", "", context.namespace)
        if found is None:
            raise status.not_found("", "namespaces", context.namespace)
    return _selects(hook.namespaces, found)


def _matches_object(hook: Hook, attributes: Attributes) -> bool:
    if _is_empty(hook.objects):
        return True
    return _selects(hook.objects, attributes.object) or _selects(hook.objects, attributes.old_object)


def _is_empty(selector: Selector | None) -> bool:
    return selector is None or not selector.requirements


def _selects(selector: Selector | None, obj: JsonObject | None) -> bool:
    return obj is not None and selector is not None and selector.matches(obj["metadata"].get("labels") or {})


def _matching_resource(hook: Hook, attributes: Attributes, served: ServedResources) -> ApiResource | None:
    own = attributes.resource
    if any(_applies(rule, attributes, own) for rule in hook.rules):
        return own
    if hook.spec["matchPolicy"] != "Equivalent":
        return None
    equivalents = list(_equivalents(own, served))
    for rule in hook.rules:
        for resource in equivalents:
            if _applies(rule, attributes, resource):
                return resource
    return None


def _equivalents(own: ApiResource, served: ServedResources) -> Iterator[ApiResource]:
    names = [(own.group, own.plural)]
    if names[0] in _SAME:
        names.append(_SAME[names[0]])
    for definition in served:
        resource = definition.resource
        same = (resource.group, resource.version) == (own.group, own.version)
        if not same and (resource.group, resource.plural) in names:
            yield resource


def _applies(rule: JsonObject, attributes: Attributes, resource: ApiResource) -> bool:
    scope = rule.get("scope") or "*"
    if scope != "*" and (scope == "Namespaced") != resource.namespaced:
        return False
    return (
        _has(rule["operations"], attributes.operation)
        and _has(rule["apiGroups"], resource.group)
        and _has(rule["apiVersions"], resource.version)
        and any(_names(word, resource.plural, attributes.context.subresource) for word in rule["resources"])
    )


def _has(words: Iterable[str], wanted: str) -> bool:
    return any(word in ("*", wanted) for word in words)


def _names(word: str, plural: str, subresource: str) -> bool:
    resource, _, sub = word.partition("/")
    return resource in ("*", plural) and sub in ("*", subresource)
