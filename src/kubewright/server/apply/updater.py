"""The rules of ownership: what an apply or an update does to the object and to everybody's fields."""

from __future__ import annotations

from typing import Any

from kubewright.server.apply import fieldset, typed
from kubewright.server.apply.atoms import Atom
from kubewright.server.apply.fieldset import FieldSet, Path
from kubewright.server.apply.managers import ManagerKey, Owned

Owners = dict[ManagerKey, Owned]


class Conflicts(Exception):
    """Fields that others own and an apply would change."""

    def __init__(self, conflicts: list[tuple[ManagerKey, Path]]) -> None:
        super().__init__(f"{len(conflicts)} conflicts")
        self.conflicts = conflicts


def after_update(
    atom: Atom,
    live: Any,
    new: Any,
    owners: Owners,
    manager: ManagerKey,
    api_version: str,
    excluded: FieldSet,
) -> tuple[Owners, FieldSet]:
    """Owners after ``new`` replaced ``live``, and what is ``manager``'s by it (empty for nothing).

    What changed belongs to who changed it, and to nobody else.
    """
    owners = _reconciled(atom, owners)
    comparison = typed.compare(atom, live, new).without(excluded)
    owners = _settle(comparison, owners, manager, force=True)
    mine = owners.get(manager)
    fields = {} if mine is None else mine.fields
    fields = fieldset.difference(fields, comparison.removed)
    fields = fieldset.union(fieldset.union(fields, comparison.modified), comparison.added)
    if excluded:
        fields = fieldset.recursive_difference(fields, excluded)
    owners.pop(manager, None)
    return owners, fields


def after_apply(
    atom: Atom,
    live: Any,
    config: Any,
    owners: Owners,
    manager: ManagerKey,
    api_version: str,
    excluded: FieldSet,
    *,
    force: bool,
) -> tuple[Any, Owners]:
    """The object and its owners after ``config`` was applied.

    Raises:
        Conflicts: others own what would change, and ``force`` is not set.
    """
    owners = _reconciled(atom, owners)
    merged = typed.merge(atom, live, config)
    last = owners.get(manager)
    fields = typed.field_set(atom, config)
    if excluded:
        fields = fieldset.recursive_difference(fields, excluded)
    owners[manager] = Owned(fields, api_version, applied=True)
    if last is not None and fieldset.difference(last.fields, fields):  # otherwise nothing was given up
        merged = _pruned(atom, merged, owners, last.fields)
    comparison = typed.compare(atom, live, merged).without(excluded)
    return merged, _settle(comparison, owners, manager, force=force)


def _reconciled(atom: Atom, owners: Owners) -> Owners:
    result = {}
    for key, owned in owners.items():
        fields = typed.reconciled(atom, owned.fields)
        result[key] = owned if fields is owned.fields else owned.but(fields)
    return result


def _settle(comparison: typed.Comparison, owners: Owners, manager: ManagerKey, *, force: bool) -> Owners:
    changed = fieldset.union(comparison.modified, comparison.added)
    conflicts: dict[ManagerKey, FieldSet] = {}
    if changed:
        for key, owned in owners.items():
            if key != manager and (both := fieldset.intersection(owned.fields, changed)):
                conflicts[key] = both
    if conflicts and not force:
        raise Conflicts([(key, path) for key in sorted(conflicts) for path in fieldset.paths(conflicts[key])])
    settled: Owners = {}
    for key, owned in owners.items():
        fields = owned.fields
        if key != manager:
            if key in conflicts:
                fields = fieldset.difference(fields, conflicts[key])
            if comparison.removed:
                fields = fieldset.difference(fields, comparison.removed)
        if fields:
            settled[key] = owned if fields is owned.fields else owned.but(fields)
    return settled


def _pruned(atom: Atom, merged: Any, owners: Owners, last: FieldSet) -> Any:
    """Remove what the manager applied last time, does not apply now, and nobody owns."""
    last_named = typed.with_named_fields(atom, last)
    pruned = typed.remove(atom, merged, last_named)
    merged_set = typed.field_set(atom, merged)
    merged_named = typed.with_named_fields(atom, merged_set)
    owned: FieldSet = {}
    for other in owners.values():
        owned = fieldset.union(owned, other.fields)
    kept = fieldset.union(_named_set(atom, pruned), typed.with_named_fields(atom, owned))
    pruned = typed.remove(atom, merged, fieldset.difference(merged_named, kept))
    dangling = fieldset.difference(merged_named, _named_set(atom, pruned))
    return typed.remove(atom, merged, fieldset.intersection(dangling, last_named))


def _named_set(atom: Atom, value: Any) -> FieldSet:
    return typed.with_named_fields(atom, typed.field_set(atom, value))
