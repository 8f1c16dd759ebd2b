"""Which objects a list or a watch is about: label and field selectors over stored entries."""

from __future__ import annotations

from dataclasses import dataclass

from kubewright.errors import InvalidSelector
from kubewright.objects import FieldSelector, Selector, parse_field_selector, parse_label_selector
from kubewright.server import status
from kubewright.server.registry import ResourceDefinition
from kubewright.server.store import Entry

_ALWAYS = frozenset({"metadata.name", "metadata.namespace"})


@dataclass(frozen=True, slots=True)
class Selection:
    """A key prefix, a label selector and a field selector."""

    prefix: str
    labels: Selector | None
    fields: FieldSelector | None

    @property
    def everything(self) -> bool:
        """Nothing but the prefix selects."""
        return self.labels is None and self.fields is None

    def matches(self, entry: Entry) -> bool:
        """Whether ``entry``, whose key has the prefix, is selected."""
        if self.labels is not None and not self.labels.matches(entry.labels):
            return False
        return self.fields is None or self.fields.matches(lambda name: _field(entry, name))


def _field(entry: Entry, name: str) -> str:
    if name == "metadata.name":
        return entry.name
    if name == "metadata.namespace":
        return entry.namespace
    return (entry.fields or {}).get(name, "")


def select(definition: ResourceDefinition, namespace: str, labels: str, fields: str) -> Selection:
    """The selection a request asks for.

    Raises:
        StatusError: 400, a selector cannot be read or names a field that the resource does not select by.
    """
    prefix = f"{namespace}/" if namespace and definition.resource.namespaced else ""
    try:
        label_selector = parse_label_selector(labels) if labels else None
        field_selector = parse_field_selector(fields) if fields else None
    except InvalidSelector as error:
        raise status.bad_request(str(error)) from None
    if field_selector is not None:
        known = _ALWAYS | set(definition.strategy.selectable_fields({}))
        for requirement in field_selector.requirements:
            if requirement.field not in known:
                raise status.bad_request(_unknown_field(definition, requirement.field))
    if label_selector is not None and not label_selector.requirements:
        label_selector = None
    if field_selector is not None and not field_selector.requirements:
        field_selector = None
    return Selection(prefix, label_selector, field_selector)


def _unknown_field(definition: ResourceDefinition, name: str) -> str:
    if definition.custom or definition.strategy.selectable_fields({}):
        return f"field label not supported: {name}"
    return f'"{name}" is not a known field selector: only "metadata.name", "metadata.namespace"'
