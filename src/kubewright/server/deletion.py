"""What a delete does: at once, gracefully, or not before the finalizers are gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from kubewright.objects import JsonObject
from kubewright.server import status
from kubewright.server.context import Context
from kubewright.server.lifecycle import check_delete
from kubewright.server.media import encode
from kubewright.server.metadata import FOREGROUND, ORPHAN
from kubewright.server.options import DeleteOptions
from kubewright.server.registry import Strategy
from kubewright.server.resource_store import ResourceStore
from kubewright.server.store import Entry


@dataclass(frozen=True, slots=True)
class Deleted:
    """The outcome: what to answer, and whether the object is gone."""

    body: bytes
    gone: bool


async def delete(resources: ResourceStore, name: str, options: DeleteOptions, context: Context) -> Deleted:
    """Delete an object.

    Raises:
        StatusError: 404; 409, a precondition does not hold; or admission refuses.
    """
    entry = resources.get(context.namespace, name)
    _check_preconditions(resources, entry, name, options)
    check_delete(resources.resource, name)
    await resources.admit_delete(entry, context)
    entry = resources.get(context.namespace, name)
    strategy = resources.definition.strategy
    obj = resources.decode(entry)
    if strategy.delete_waits(obj, context):
        return await _begin_waiting(resources, obj, entry, options, context)
    graceful = _begin_grace(obj, strategy, options, context)
    if graceful is None:
        return _finished(resources, obj, gone=False)
    finalizers = _finalizers(obj, strategy, options)
    meta = obj["metadata"]
    changed = finalizers != (meta.get("finalizers") or [])
    if finalizers:
        meta["finalizers"] = finalizers
    else:
        meta.pop("finalizers", None)
    if finalizers and not graceful:
        changed |= _mark_deleting(meta, context)
    if finalizers or (graceful and meta["deletionGracePeriodSeconds"] > 0):
        if not context.dry_run and (changed or graceful):
            entry = resources.replace_unchecked(obj)
            return Deleted(resources.raw(entry), gone=False)
        return Deleted(encode(obj), gone=False)
    if not context.dry_run:
        obj = resources.remove(entry, context, obj if graceful else None)
    return _finished(resources, obj, gone=True)


def _check_preconditions(resources: ResourceStore, entry: Entry, name: str, options: DeleteOptions) -> None:
    kind, group = resources.resource.kind, resources.resource.group
    if options.uid is not None:
        uid = resources.decode(entry)["metadata"]["uid"]
        if uid != options.uid:
            why = (
                f"the UID in the precondition ({options.uid}) does not match the UID in record ({uid}). "
                "The object might have been deleted and then recreated"
            )
            raise status.conflict(group, kind, name, why)
    if options.resource_version is not None and options.resource_version != str(entry.revision):
        why = (
            f"the ResourceVersion in the precondition ({options.resource_version}) does not match the "
            f"ResourceVersion in record ({entry.revision}). The object might have been modified"
        )
        raise status.conflict(group, kind, name, why)


async def _begin_waiting(
    resources: ResourceStore, obj: JsonObject, entry: Entry, options: DeleteOptions, context: Context
) -> Deleted:
    meta = obj["metadata"]
    if "deletionTimestamp" in meta:
        return Deleted(resources.raw(entry), gone=False)
    meta["deletionTimestamp"] = context.now
    finalizers = _finalizers(obj, resources.definition.strategy, options)
    if finalizers:
        meta["finalizers"] = finalizers
    resources.definition.strategy.mark_deleting(obj, context)
    if context.dry_run:
        return Deleted(encode(obj), gone=False)
    marked = resources.replace_unchecked(obj)
    await resources.definition.strategy.after_mark_deleting(obj, context)
    return Deleted(resources.raw(marked), gone=False)


def _begin_grace(obj: JsonObject, strategy: Strategy, options: DeleteOptions, context: Context) -> bool | None:
    """Whether the object ends gracefully; None: it already does, and there is nothing to do."""
    meta = obj["metadata"]
    seconds = strategy.grace_period_seconds(obj, options.grace_period_seconds)
    if seconds is None:
        return False
    if "deletionTimestamp" in meta:
        pending = meta.get("deletionGracePeriodSeconds")
        if pending is None:
            return False
        asked = options.grace_period_seconds
        if asked is None or asked >= pending:
            return None
        meta["deletionTimestamp"] = _later(meta["deletionTimestamp"], asked - pending)
        meta["deletionGracePeriodSeconds"] = asked
        return True
    meta["deletionTimestamp"] = _later(context.now, seconds)
    meta["deletionGracePeriodSeconds"] = seconds
    if meta.get("generation"):
        meta["generation"] += 1
    return True


def _later(timestamp: str, seconds: int) -> str:
    then = datetime.fromisoformat(timestamp) + timedelta(seconds=seconds)
    return then.isoformat().replace("+00:00", "Z")


def _mark_deleting(meta: JsonObject, context: Context) -> bool:
    changed = "deletionTimestamp" not in meta or meta.get("deletionGracePeriodSeconds") != 0
    if "deletionTimestamp" not in meta:
        meta["deletionTimestamp"] = context.now
        if meta.get("generation"):
            meta["generation"] += 1
    meta["deletionGracePeriodSeconds"] = 0
    return changed


def _finalizers(obj: JsonObject, strategy: Strategy, options: DeleteOptions) -> list[str]:
    there: list[str] = obj["metadata"].get("finalizers") or []
    if not strategy.collects_garbage:
        return there
    wanted = [name for name in there if name not in (ORPHAN, FOREGROUND)]
    if _orphans(there, strategy, options):
        wanted.append(ORPHAN)
    if _foreground(there, options):
        wanted.append(FOREGROUND)
    return there if set(wanted) == set(there) else wanted


def _orphans(there: list[str], strategy: Strategy, options: DeleteOptions) -> bool:
    if options.orphan_dependents is not None:
        return options.orphan_dependents
    if options.propagation_policy:
        return options.propagation_policy == "Orphan"
    for name in there:
        if name in (ORPHAN, FOREGROUND):
            return name == ORPHAN
    return strategy.orphans_dependents_by_default


def _foreground(there: list[str], options: DeleteOptions) -> bool:
    if options.orphan_dependents is not None:
        return False
    if options.propagation_policy:
        return options.propagation_policy == "Foreground"
    for name in there:
        if name in (ORPHAN, FOREGROUND):
            return name == FOREGROUND
    return False


def _finished(resources: ResourceStore, obj: JsonObject, *, gone: bool) -> Deleted:
    if resources.definition.strategy.returns_deleted_object:
        return Deleted(encode(obj), gone=gone)
    meta = obj["metadata"]
    resource = resources.resource
    answer = status.success(group=resource.group, kind=resource.plural, name=meta["name"], uid=meta["uid"])
    return Deleted(encode(answer), gone=gone)
