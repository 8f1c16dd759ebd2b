"""One resource's objects, with all that a read or a write means for them: apiserver's generic registry store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from kubewright import clock
from kubewright.objects import JsonObject
from kubewright.server import fielderrors, metadata, status, writepath
from kubewright.server.admission import Admission, Attributes
from kubewright.server.apply import keep_times
from kubewright.server.context import Context
from kubewright.server.media import decode, encode
from kubewright.server.registry import ResourceDefinition, Strategy
from kubewright.server.store import Entry, Store, Table

_SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_GENERATED_BASE = 58
_GENERATE_RETRIES = 8

Change = Callable[[JsonObject | None], JsonObject]


@dataclass(frozen=True, slots=True)
class Written:
    """The outcome of a write: the object's JSON in the version asked for."""

    raw: bytes
    created: bool = False


class ResourceStore:
    """The objects of one resource, seen in one version."""

    def __init__(self, definition: ResourceDefinition, store: Store, admission: Admission) -> None:
        self.definition = definition
        self.resource = definition.resource
        self._store = store
        self._admission = admission
        self._storage_version = definition.storage_version or self.resource.version
        group = self.resource.group
        self._stored_api_version = f"{group}/{self._storage_version}" if group else self._storage_version
        self._head = b'{"apiVersion":"%s","kind":"%s",' % (
            self._stored_api_version.encode(),
            self.resource.kind.encode(),
        )

    def beside(self, definition: ResourceDefinition) -> ResourceStore:
        """The objects of another resource of the same server."""
        return ResourceStore(definition, self._store, self._admission)

    @cached_property
    def table(self) -> Table:
        """Where the objects are."""
        return self._store.table(self.resource.group_resource)

    @property
    def current_revision(self) -> int:
        """The store's newest."""
        return self._store.revision

    @property
    def converts(self) -> bool:
        """The objects are stored in another version than this one."""
        return self._storage_version != self.resource.version

    @property
    def head_length(self) -> int:
        """How many bytes apiVersion and kind take at the beginning of a stored object."""
        return len(self._head)

    def key(self, namespace: str, name: str) -> str:
        """Where the store keeps an object."""
        return f"{namespace}/{name}" if self.resource.namespaced else name

    def raw(self, entry: Entry) -> bytes:
        """The object's JSON in this version."""
        return encode(self.decode(entry)) if self.converts else entry.raw

    def decode(self, entry: Entry) -> JsonObject:
        """The object in this version, decoded anew."""
        obj: JsonObject = decode(entry.raw)
        return self.definition.convert(obj, self.resource.api_version) if self.converts else obj

    def get(self, namespace: str, name: str) -> Entry:
        """The object as it is stored.

        Raises:
            StatusError: 404.
        """
        entry = self.table.objects.get(self.key(namespace, name))
        if entry is None:
            raise status.not_found(self.resource.group, self.resource.plural, name)
        return entry

    # -- writing ------------------------------------------------------------------------------------------------

    async def create(self, obj: JsonObject, context: Context) -> Written:
        """Store a new object. ``obj`` is cleaned, and becomes the object stored.

        Raises:
            StatusError: it is there already, is refused, or is not valid.
        """
        meta = obj["metadata"]
        metadata.wipe_system_fields(meta)
        metadata.match_namespace(meta, context.namespace if self.resource.namespaced else "")
        self._reset(self.definition.strategy, obj, None, context)
        writepath.track_update(self.definition, None, obj, context)
        return await self.create_tracked(obj, context)

    async def create_tracked(self, obj: JsonObject, context: Context) -> Written:
        """As :meth:`create`, of an object whose managed fields are already right."""
        strategy = self.definition.strategy
        self._reset(strategy, obj, None, context)
        metadata.wipe_system_fields(obj["metadata"])
        attributes = Attributes("CREATE", self.resource, context, obj)
        await self._admission.admit(attributes)
        self._reset(strategy, obj, None, context)
        meta = obj["metadata"]
        generated = bool(meta.get("generateName")) and not meta.get("name")
        metadata.wipe_system_fields(meta)
        meta["uid"] = clock.uuid4()
        meta["creationTimestamp"] = context.now
        for attempt in range(_GENERATE_RETRIES if generated else 1):
            if generated:
                meta["name"] = meta["generateName"][:_GENERATED_BASE] + clock.token(5, _SUFFIX_ALPHABET)
            if not self._exists(context, meta) or attempt == _GENERATE_RETRIES - 1:
                break
        name = context.name = meta.get("name") or ""
        strategy.prepare_for_create(obj, context)
        self._refuse(name, self._creation_errors(obj, context))
        await self._admission.validate(attributes)
        context.warnings += strategy.warnings(obj, None)
        if self._exists(context, meta):
            raise self._taken(name, context, generated=generated)
        if meta.get("resourceVersion"):
            raise status.failure(500, "", "resourceVersion should not be set on objects to be created")
        if context.dry_run:
            return Written(encode(obj), created=True)
        strategy.begin_create(obj, context)
        entry = self._put(obj)
        strategy.after_create(obj, context)
        return Written(self.raw(entry), created=True)

    def _exists(self, context: Context, meta: JsonObject) -> bool:
        return self.key(context.namespace, meta.get("name") or "") in self.table.objects

    def _taken(self, name: str, context: Context, *, generated: bool) -> status.StatusError:
        if generated:
            return status.generate_name_conflict(self.resource.group, self.resource.plural, name)
        error = status.already_exists(self.resource.group, self.resource.plural, name)
        there = decode(self.table.objects[self.key(context.namespace, name)].raw)
        if "deletionTimestamp" in there["metadata"]:
            error.message = f"object is being deleted: {error.message}"
        return error

    def _storage_key(self, key: str) -> str:
        group = f"{self.resource.group}/" if self.definition.custom else ""
        return f"/registry/{group}{self.resource.plural}/{key}"

    def _creation_errors(self, obj: JsonObject, context: Context) -> list[fielderrors.FieldError]:
        strategy = self.definition.strategy
        namespaced = self.resource.namespaced
        errors = metadata.validate(
            obj["metadata"],
            namespaced=namespaced,
            name_problems=strategy.name_problems,
            custom=self.definition.custom,
        )
        errors += writepath.validate(self.definition, obj, None, context)
        errors += strategy.validate(obj, context)
        return errors

    async def update(
        self,
        name: str,
        change: Change,
        context: Context,
        *,
        strategy: Strategy | None = None,
        tracked: bool = False,
        create: bool = False,
        uid: str | None = None,
    ) -> Written:
        """Replace an object by what ``change`` makes of it; run again if it changed while admission was asked.

        Args:
            name: of the object.
            change: given the object decoded anew (None: it is not there), returns the new one.
            context: the request.
            strategy: the subresource's, if it is not the resource's own.
            tracked: ``change`` has already set the managed fields (an apply).
            create: an object that is not there is created.
            uid: a precondition.

        Raises:
            StatusError: it is not there, is refused, is not valid, or is not in the version that was sent.
        """
        strategy = strategy or self.definition.strategy
        key = self.key(context.namespace, name)
        while True:
            entry = self.table.objects.get(key)
            if uid and (entry is None or decode(entry.raw)["metadata"]["uid"] != uid):
                if entry is None and not create:
                    raise status.not_found(self.resource.group, self.resource.plural, name)
                there = decode(entry.raw)["metadata"]["uid"] if entry else ""
                why = (
                    f"StorageError: invalid object, Code: 4, Key: {self._storage_key(key)}, ResourceVersion: 0, "
                    f"AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, "
                    f"UID in object meta: {there}"
                )
                raise status.conflict(self.resource.group, self.resource.plural, name, why)
            if entry is None:
                if not (create or strategy.allow_create_on_update):
                    raise status.not_found(self.resource.group, self.resource.plural, name)
                obj = change(None)
                obj["metadata"].pop("resourceVersion", None)
                return await (self.create_tracked if tracked else self.create)(obj, context)
            written = await self._replace(entry, change, context, strategy, tracked=tracked)
            if written is not None:
                return written

    async def _replace(
        self, entry: Entry, change: Change, context: Context, strategy: Strategy, *, tracked: bool
    ) -> Written | None:
        old = self.decode(entry)
        obj = change(self.decode(entry))
        name = old["metadata"]["name"]
        metadata.match_namespace(obj["metadata"], context.namespace if self.resource.namespaced else "")
        self._reset(strategy, obj, old, context)
        if not tracked:
            writepath.track_update(self.definition, old, obj, context)
        attributes = Attributes("UPDATE", self.resource, context, obj, old)
        await self._admission.admit(attributes)
        self._reset(strategy, obj, old, context)
        meta: JsonObject = obj["metadata"]
        self._check_version(meta, entry, name, strategy)
        self._keep_system_fields(meta, old["metadata"])
        strategy.prepare_for_update(obj, old, context)
        meta = obj["metadata"]
        self._refuse(name, self._update_errors(obj, old, context, strategy))
        await self._admission.validate(attributes)
        context.warnings += strategy.warnings(obj, old)
        if self.table.objects.get(entry.key) is not entry:
            return None
        if self._is_finalized(obj, old, context, strategy):
            last = encode(obj)
            if not context.dry_run:
                self._remove(entry, obj, context)
            return Written(last)
        keep_times(old, obj)
        if obj == old:
            return Written(self.raw(entry))
        if context.dry_run:
            return Written(encode(obj))
        strategy.begin_update(obj, old, context)
        stored = self._put(obj)
        strategy.after_update(obj, old, context)
        return Written(self.raw(stored))

    def _check_version(self, meta: JsonObject, entry: Entry, name: str, strategy: Strategy) -> None:
        sent = meta.get("resourceVersion")
        group, plural = self.resource.group, self.resource.plural
        if sent in (None, "", "0"):
            if not strategy.allow_unconditional_update:
                error = fielderrors.invalid("metadata.resourceVersion", 0, "must be specified for an update")
                raise status.invalid(group, plural, name, [error])
            meta["resourceVersion"] = str(entry.revision)
        elif not sent.isdecimal():
            raise status.failure(500, "", f'strconv.ParseUint: parsing "{sent}": invalid syntax')
        elif int(sent) != entry.revision:
            raise status.modified_meanwhile(group, plural, name)

    @staticmethod
    def _keep_system_fields(meta: JsonObject, old: JsonObject) -> None:
        if "generation" in old:
            meta["generation"] = old["generation"]
        else:
            meta.pop("generation", None)
        meta.setdefault("uid", old["uid"])
        meta["creationTimestamp"] = old["creationTimestamp"]
        if "deletionTimestamp" in old:
            meta["deletionTimestamp"] = old["deletionTimestamp"]
            if "deletionGracePeriodSeconds" in old:
                meta.setdefault("deletionGracePeriodSeconds", old["deletionGracePeriodSeconds"])
        else:
            # Only a delete sets these.
            meta.pop("deletionTimestamp", None)
            meta.pop("deletionGracePeriodSeconds", None)
        meta.pop("selfLink", None)

    def _update_errors(
        self, obj: JsonObject, old: JsonObject, context: Context, strategy: Strategy
    ) -> list[fielderrors.FieldError]:
        errors = metadata.validate_update(obj["metadata"], old["metadata"])
        errors += writepath.validate(self.definition, obj, old, context)
        errors += strategy.validate_update(obj, old, context)
        return errors

    def _reset(self, strategy: Strategy, obj: JsonObject, old: JsonObject | None, context: Context) -> None:
        if not context.subresource and "status" in self.definition.subresources:
            if old is not None and "status" in old:
                obj["status"] = old["status"]
            else:
                obj.pop("status", None)
        strategy.reset(obj, old)

    def _refuse(self, name: str, errors: list[fielderrors.FieldError]) -> None:
        if errors:
            raise status.invalid(self.resource.group, self.resource.kind, name, errors)

    def _is_finalized(self, obj: JsonObject, old: JsonObject, context: Context, strategy: Strategy) -> bool:
        if obj["metadata"].get("finalizers") or "deletionTimestamp" not in old["metadata"]:
            return False
        if old["metadata"].get("deletionGracePeriodSeconds"):
            return False
        return not self.definition.strategy.delete_waits(obj, context)

    # -- storing ------------------------------------------------------------------------------------------------

    def _put(self, obj: JsonObject) -> Entry:
        revision = self._store.next_revision()
        entry = self._entry(obj, revision)
        self.table.put(entry)
        return entry

    def _entry(self, obj: JsonObject, revision: int) -> Entry:
        meta = obj["metadata"]
        meta["resourceVersion"] = str(revision)
        stored = self.definition.convert(obj, self._stored_api_version) if self.converts else obj
        tree = {key: value for key, value in stored.items() if key not in ("apiVersion", "kind")}
        tree["metadata"] = metadata.ordered(stored["metadata"])
        return Entry(
            self.key(meta.get("namespace", ""), meta["name"]),
            self._head + encode(tree)[1:],
            revision,
            meta.get("labels"),
            self.definition.strategy.selectable_fields(stored) or None,
        )

    def _remove(self, entry: Entry, obj: JsonObject, context: Context) -> None:
        revision = self._store.next_revision()
        self.table.remove(self._entry(obj, revision))
        self.definition.strategy.after_delete(obj, context)

    # -- used by deletion ---------------------------------------------------------------------------------------

    def replace_unchecked(self, obj: JsonObject) -> Entry:
        """Store ``obj`` as it is: what deletion marks on an object is no update."""
        return self._put(obj)

    def remove_as(self, obj: JsonObject) -> None:
        """Remove ``obj``, which is how it was last."""
        self.table.remove(self._entry(obj, self._store.next_revision()))

    def remove(self, entry: Entry, context: Context, last: JsonObject | None = None) -> JsonObject:
        """Remove the object; as it was last, or as ``last`` has it."""
        obj = last or self.decode(entry)
        self._remove(entry, obj, context)
        return obj

    async def admit_posted(self, body: JsonObject | None, context: Context) -> None:
        """Ask admission whether ``body`` may be posted to a subresource that keeps nothing."""
        attributes = Attributes("CREATE", self.resource, context, {"metadata": {}, **(body or {})})
        await self._admission.admit(attributes)
        await self._admission.validate(attributes)

    async def admit_delete(self, entry: Entry, context: Context) -> None:
        """Ask admission whether the object may be deleted."""
        if self._admission.plugins:
            attributes = Attributes("DELETE", self.resource, context, None, self.decode(entry))
            await self._admission.admit(attributes)
            await self._admission.validate(attributes)
