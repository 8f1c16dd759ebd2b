"""Who owns what: ``metadata.managedFields`` decoded, and written back in the server's order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from kubewright.objects import JsonObject
from kubewright.server.apply import fieldset
from kubewright.server.apply.fieldset import FieldSet
from kubewright.server.gotext import quote

MAX_UPDATE_MANAGERS = 10
"""More managers that update than this are merged, oldest first, into ``ancient-changes``."""


class ManagerKey(NamedTuple):
    """What tells entries of managedFields apart. An applier keeps its entry when it changes the version."""

    manager: str
    operation: str
    api_version: str
    subresource: str

    def __str__(self) -> str:
        words = quote(self.manager)
        if self.subresource:
            words += f" with subresource {quote(self.subresource)}"
        if self.operation == "Update":
            words += f" using {self.api_version}"
        return words


@dataclass(frozen=True, slots=True)
class Owned:
    """What one manager owns, in terms of one version of the API."""

    fields: FieldSet
    api_version: str
    applied: bool

    def but(self, fields: FieldSet) -> Owned:
        """The same manager owning other fields."""
        return replace(self, fields=fields)


@dataclass(slots=True)
class Managed:
    """All managers of an object, and when each last changed what it owns (RFC 3339, or None)."""

    owners: dict[ManagerKey, Owned] = field(default_factory=dict)
    times: dict[ManagerKey, str | None] = field(default_factory=dict)


class BadManagedFields(ValueError):
    """managedFields that cannot be read."""


def update_key(manager: str, api_version: str, subresource: str) -> ManagerKey:
    """The key of a manager that creates, updates or patches."""
    return ManagerKey(manager or "unknown", "Update", api_version, subresource)


def apply_key(manager: str, subresource: str) -> ManagerKey:
    """The key of a manager that applies."""
    return ManagerKey(manager or "unknown", "Apply", "", subresource)


def decode(entries: Sequence[JsonObject] | None) -> Managed:
    """Read managedFields.

    Raises:
        BadManagedFields: an entry is not valid; the message is the server's.
    """
    managed = Managed()
    for index, entry in enumerate(entries or ()):
        operation = entry.get("operation", "")
        if operation not in ("Apply", "Update"):
            raise BadManagedFields("operation must be `Apply` or `Update`")
        if not entry.get("apiVersion"):
            raise BadManagedFields("apiVersion must not be empty")
        fields_type = entry.get("fieldsType", "")
        if not fields_type:
            raise BadManagedFields(f"missing fieldsType in managed fields entry {index}")
        if fields_type != "FieldsV1":
            raise BadManagedFields(f"invalid fieldsType {quote(fields_type)} in managed fields entry {index}")
        try:
            fields = fieldset.from_fields_v1(entry.get("fieldsV1") or {})
        except fieldset.BadFields as bad:
            raise BadManagedFields(f"error decoding set: {bad}") from bad
        applied = operation == "Apply"
        key = ManagerKey(
            entry.get("manager", ""),
            operation,
            "" if applied else entry["apiVersion"],
            entry.get("subresource", ""),
        )
        managed.owners[key] = Owned(fields, entry["apiVersion"], applied)
        managed.times[key] = entry.get("time")
    return managed


def encode(managed: Managed) -> list[JsonObject] | None:
    """Write managedFields: appliers first, then by time, manager, version and subresource; None for none."""
    if not managed.owners:
        return None
    entries = [_entry(key, owned, managed.times.get(key)) for key, owned in managed.owners.items()]
    entries.sort(key=_order)
    return entries


def _order(entry: JsonObject) -> tuple[Any, ...]:
    return (
        entry["operation"],
        entry.get("time") or "",
        entry.get("manager", ""),
        entry["apiVersion"],
        entry.get("subresource", ""),
    )


def _entry(key: ManagerKey, owned: Owned, time: str | None) -> JsonObject:
    entry: JsonObject = {}
    if key.manager:
        entry["manager"] = key.manager
    entry["operation"] = "Apply" if owned.applied else key.operation
    entry["apiVersion"] = owned.api_version
    if time is not None:
        entry["time"] = time
    entry["fieldsType"] = "FieldsV1"
    entry["fieldsV1"] = fieldset.to_fields_v1(owned.fields)
    if key.subresource:
        entry["subresource"] = key.subresource
    return entry


def is_reset(entries: Any) -> bool:
    """Whether managedFields as sent ask for all ownership to be forgotten: an empty list, or one empty entry."""
    return isinstance(entries, list) and (not entries or entries == [{}])


def cap_update_managers(managed: Managed) -> None:
    """Merge the oldest managers that update into ``ancient-changes``, one for each version of the API."""
    updaters = [key for key, owned in managed.owners.items() if not owned.applied]
    if len(updaters) <= MAX_UPDATE_MANAGERS:
        return
    updaters.sort(key=lambda key: (managed.times.get(key) or "", key))
    left = len(updaters)
    first_of: dict[str, ManagerKey] = {}
    for key in updaters:
        if left <= MAX_UPDATE_MANAGERS:
            return
        owned = managed.owners[key]
        first = first_of.get(owned.api_version)
        if first is None:
            first_of[owned.api_version] = key
            continue
        bucket = ManagerKey("ancient-changes", "Update", owned.api_version, "")
        if bucket not in managed.owners:
            managed.owners[bucket] = managed.owners.pop(first)
        both = fieldset.union(owned.fields, managed.owners[bucket].fields)
        managed.owners[bucket] = owned.but(both)
        if key != bucket:
            del managed.owners[key]
        managed.times[bucket] = managed.times.get(key)
        left -= 1
