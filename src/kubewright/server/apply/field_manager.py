"""Server-side apply and the tracking of updates, as the API server's field manager does them (KEP-555)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from kubewright.objects import JsonObject, copy_json, parse_api_version, same_json
from kubewright.server.apply import fieldset, managers, typed, updater
from kubewright.server.apply.atoms import DEDUCED, Atom, atom_of
from kubewright.server.apply.checks import problems
from kubewright.server.apply.fieldset import FieldSet, Path
from kubewright.server.apply.managers import Managed, ManagerKey, Owned
from kubewright.server.gotext import json_text
from kubewright.server.schema import Schema, whole_object

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_NEVER_OWNED = fieldset.of(
    ("f:apiVersion",),
    ("f:kind",),
    ("f:metadata",),
    *(
        ("f:metadata", f"f:{name}")
        for name in (
            "name",
            "namespace",
            "creationTimestamp",
            "selfLink",
            "uid",
            "clusterName",
            "generation",
            "managedFields",
            "resourceVersion",
        )
    ),
)


class ApplyError(Exception):
    """An apply that cannot be done. ``code`` is the HTTP status: 400 or 500."""

    def __init__(self, message: str, *, code: int = 500) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class ApplyConflict(Exception):
    """An apply that would change what others own.

    Attributes:
        message: the server's words, naming every field.
        causes: ``Status.details.causes``.
    """

    def __init__(self, conflicts: Sequence[tuple[ManagerKey, Path]]) -> None:
        self.message = _conflict_message(conflicts)
        self.causes: list[JsonObject] = [
            {
                "reason": "FieldManagerConflict",
                "message": f"conflict with {manager}",
                "field": fieldset.path_text(path),
            }
            for manager, path in conflicts
        ]
        super().__init__(self.message)


def apply(
    live: JsonObject | None,
    config: JsonObject,
    *,
    schema: Schema | None,
    manager: str,
    force: bool,
    subresource: str = "",
    api_version: str,
    now: datetime,
    reset_fields: Iterable[Path] = (),
    empty: JsonObject | None = None,
) -> JsonObject:
    """Apply ``config`` to ``live`` (None: there is no object yet); neither is changed.

    ``schema`` is the kind's, or None if it has none. ``reset_fields`` are the paths that this way of writing
    ignores (``("status",)`` where status is a subresource). Defaults are for the caller to fill in afterwards.

    Raises:
        ApplyConflict: others own what would change, and ``force`` is not set.
        ApplyError: the configuration does not fit the schema, or says managedFields.
    """
    atom = _atom(schema)
    kind = config.get("kind", "")
    if config.get("apiVersion") != api_version:
        group, version = parse_api_version(str(config.get("apiVersion", "")))
        raise ApplyError(f"invalid object type: {_gvk_text(group, version, kind)}", code=400)
    if (config.get("metadata") or {}).get("managedFields") is not None:
        raise ApplyError("metadata.managedFields must be nil", code=400)
    creates = live is None
    if live is None:
        live = empty or {"apiVersion": api_version, "kind": kind}
    try:
        managed = managers.decode((live.get("metadata") or {}).get("managedFields"))
    except managers.BadManagedFields as bad:
        raise ApplyError(f"failed to decode managed fields: {bad}") from bad
    bare = _without_managed_fields(live)
    stamp = _stamp(now)
    excluded = _excluded(reset_fields)
    if not (managed.owners or creates):
        nothing = {"apiVersion": api_version, "kind": kind}
        _track(atom, nothing, bare, managed, "before-first-apply", subresource, api_version, stamp, excluded)
    found = problems(atom, config)
    if found:
        raise ApplyError(f"failed to create typed patch object ({_name_text(config)}): {_all(found)}")
    key = managers.apply_key(manager, subresource)
    merged = _apply(
        atom, bare, config, managed, key, api_version, excluded, force=force, as_kubectl=manager == "kubectl"
    )
    if same_json(merged, bare):
        result = dict(bare)
    else:
        managed.times[key] = stamp
        result = merged
    if manager == "kubectl":
        _refresh_last_applied(result, config)
    _write_managed_fields(result, managed)
    return result


def track_update(
    live: JsonObject | None,
    new: JsonObject,
    *,
    schema: Schema | None,
    manager: str,
    subresource: str = "",
    api_version: str,
    now: datetime,
    reset_fields: Iterable[Path] = (),
    empty: JsonObject | None = None,
) -> None:
    """Set ``new``'s managedFields, in place, for a create (``live`` is None), update or patch by ``manager``."""
    atom = _atom(schema)
    sent = (new.get("metadata") or {}).get("managedFields")
    before = None if live is None else (live.get("metadata") or {}).get("managedFields")
    managed = _live_or_new(before, sent, from_live=subresource != "")
    if isinstance(new.get("metadata"), dict):
        new["metadata"].pop("managedFields", None)
    if not managed.owners and live is not None:
        return
    old = (
        empty or {"apiVersion": api_version, "kind": new.get("kind", "")}
        if live is None
        else _without_managed_fields(live)
    )
    try:
        _track(atom, old, new, managed, manager, subresource, api_version, _stamp(now), _excluded(reset_fields))
    except typed.ListItemProblem:
        if before is not None:
            new.setdefault("metadata", {})["managedFields"] = copy_json(before)
        return
    _write_managed_fields(new, managed)


def keep_times(old: JsonObject, new: JsonObject) -> None:
    """Give ``new`` the managedFields of ``old`` back, in place, if only their times differ.

    A write that changes nothing else then changes nothing at all.
    """
    before = old.get("metadata", {}).get("managedFields")
    after = new.get("metadata", {}).get("managedFields")
    if before is None or after is None or len(before) != len(after):
        return
    if not same_json([_timeless(entry) for entry in before], [_timeless(entry) for entry in after]):
        return
    if same_json(_without_managed_fields(old), _without_managed_fields(new)):
        new["metadata"]["managedFields"] = before


def _atom(schema: Schema | None) -> Atom:
    return DEDUCED if schema is None else atom_of(whole_object(schema))


def _timeless(entry: JsonObject) -> JsonObject:
    return {key: value for key, value in entry.items() if key != "time"}


def _apply(
    atom: Atom,
    live: JsonObject,
    config: JsonObject,
    managed: Managed,
    key: ManagerKey,
    api_version: str,
    excluded: FieldSet,
    *,
    force: bool,
    as_kubectl: bool,
) -> JsonObject:
    owners = dict(managed.owners)
    try:
        merged, after = updater.after_apply(atom, live, config, owners, key, api_version, excluded, force=force)
    except updater.Conflicts as found:
        allowed = _last_applied_fields(atom, live, api_version) if as_kubectl else {}
        left = [(who, path) for who, path in found.conflicts if not _has(allowed, path)]
        if left:
            raise ApplyConflict(left) from None
        merged, after = updater.after_apply(
            atom, live, config, dict(managed.owners), key, api_version, excluded, force=True
        )
    except typed.ListItemProblem as problem:
        raise ApplyError(f"failed to merge config: {problem}") from problem
    _strip(after, key)
    managed.owners = after
    return merged if isinstance(merged, dict) else {}


def _track(
    atom: Atom,
    old: JsonObject,
    new: JsonObject,
    managed: Managed,
    manager: str,
    subresource: str,
    api_version: str,
    stamp: str,
    excluded: FieldSet,
) -> None:
    """What changed is ``manager``'s now, beside what it had.

    The change is compared as a stranger's, so that the manager's own entry loses what it no longer has.
    """
    current = ManagerKey("current-operation", "", "", "")
    owners, fields = updater.after_update(atom, old, new, managed.owners, current, api_version, excluded)
    fields = fieldset.difference(fields, _NEVER_OWNED)
    managed.owners = owners
    if fields:
        key = managers.update_key(manager, api_version, subresource)
        before = owners.get(key)
        if before is not None:
            fields = fieldset.union(fields, before.fields)
        owners[key] = Owned(fields, api_version, applied=False)
        managed.times[key] = stamp
    managers.cap_update_managers(managed)


def _strip(owners: dict[ManagerKey, Owned], key: ManagerKey) -> None:
    owned = owners.get(key)
    if owned is None:
        return
    fields = fieldset.difference(owned.fields, _NEVER_OWNED)
    if fields:
        owners[key] = owned.but(fields)
    else:
        del owners[key]


def _live_or_new(live: object, sent: object, *, from_live: bool) -> Managed:
    """The managed fields to go on from: those sent, unless they are none or not valid."""
    if not from_live:
        if managers.is_reset(sent):
            return Managed()
        try:
            managed = managers.decode(sent)  # type: ignore[arg-type]
            if managed.owners:
                return managed
        except managers.BadManagedFields:
            pass
    try:
        return managers.decode(live)  # type: ignore[arg-type]
    except managers.BadManagedFields:
        return Managed()


def _without_managed_fields(obj: JsonObject) -> JsonObject:
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return obj
    return {**obj, "metadata": {key: value for key, value in metadata.items() if key != "managedFields"}}


def _write_managed_fields(obj: JsonObject, managed: Managed) -> None:
    entries = managers.encode(managed)
    metadata = dict(obj.get("metadata") or {})
    metadata.pop("managedFields", None)
    if entries is not None:
        metadata["managedFields"] = entries
    obj["metadata"] = metadata


def _excluded(reset_fields: Iterable[Path]) -> FieldSet:
    return fieldset.of(*(tuple(f"f:{name}" for name in path) for path in reset_fields))


def _stamp(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def _has(fields: FieldSet, path: Path) -> bool:
    node = fields
    for element in path:
        node = node.get(element, {})
    return fieldset.MEMBER in node


def _last_applied_fields(atom: Atom, live: JsonObject, api_version: str) -> FieldSet:
    """What kubectl's annotation says was applied client-side and still stands: kubectl may take that over."""
    text = ((live.get("metadata") or {}).get("annotations") or {}).get(LAST_APPLIED)
    if not text:
        return {}
    try:
        last = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(last, dict) or last.get("apiVersion") != api_version or problems(atom, last):
        return {}
    fields = typed.field_set(atom, last)
    differing = typed.compare(atom, last, live)
    for part in (differing.modified, differing.added, differing.removed):
        fields = fieldset.difference(fields, part)
    return fields


def _refresh_last_applied(obj: JsonObject, config: JsonObject) -> None:
    metadata = dict(obj.get("metadata") or {})
    annotations = metadata.get("annotations") or {}
    if not annotations.get(LAST_APPLIED):
        return
    said = copy_json(config)
    (said.get("metadata", {}).get("annotations") or {}).pop(LAST_APPLIED, None)
    metadata["annotations"] = {**annotations, LAST_APPLIED: json_text(said) + "\n"}
    obj["metadata"] = metadata


def _gvk_text(group: str, version: str, kind: object) -> str:
    return f"{group}/{version}, Kind={kind}"


def _name_text(config: JsonObject) -> str:
    metadata = config.get("metadata") or {}
    group, version = parse_api_version(str(config.get("apiVersion", "")))
    gvk = _gvk_text(group, version, config.get("kind"))
    return f"{metadata.get('namespace', '')}/{metadata.get('name', '')}; {gvk}"


def _all(found: Sequence[str]) -> str:
    return found[0] if len(found) == 1 else "\n".join(["errors:", *(f"  {each}" for each in found)])


def _conflict_message(conflicts: Sequence[tuple[ManagerKey, Path]]) -> str:
    if len(conflicts) == 1:
        manager, path = conflicts[0]
        return f"Apply failed with 1 conflict: conflict with {manager}: {fieldset.path_text(path)}"
    lines = []
    for manager in sorted({manager for manager, _ in conflicts}):
        lines.append(f"conflicts with {manager}:")
        lines.extend(f"- {fieldset.path_text(path)}" for who, path in conflicts if who == manager)
    return f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)
