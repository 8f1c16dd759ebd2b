"""One controller at work: from changes to the queue, from there to ``reconcile``; and what becomes of errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kubewright import clock
from kubewright.cache import Cache, Change
from kubewright.client import Client
from kubewright.errors import (
    ApiError,
    Conflict,
    KubewrightError,
    NotFound,
    NotLeading,
    Permanent,
    Retry,
    TransportError,
    Waiting,
)
from kubewright.objects import Object, ObjectKey, RawObject, decode, prepare_decoding
from kubewright.runtime import origin
from kubewright.runtime.children import Children, Memory
from kubewright.runtime.configuration import OwnerOf
from kubewright.runtime.context import Context
from kubewright.runtime.controller import Controller, Result
from kubewright.runtime.dependencies import Dependencies, Dependency
from kubewright.runtime.failures import is_namespace_going, told
from kubewright.runtime.finalizers import add_finalizer, finalizer_name, remove_finalizer
from kubewright.runtime.guarded import guarded_patch
from kubewright.runtime.logs import ObjectLog
from kubewright.runtime.origin import Origin
from kubewright.runtime.queue import LOW_PRIORITY, Item, Queue
from kubewright.runtime.reason import Reason
from kubewright.runtime.record import Observer, Outcome, ReconcileRecord
from kubewright.runtime.seen import Seen
from kubewright.runtime.sources import Sources, owner_keys
from kubewright.runtime.stalls import timed

STALL_SECONDS = 0.1
_EVENTS = {"ADDED": "added", "MODIFIED": "modified", "DELETED": "deleted"}


@dataclass(slots=True)
class _Ending:
    """How one reconcile ended."""

    outcome: Outcome
    message: str = ""
    error: Exception | None = None
    again: float | None = None
    ready: bool | None = None


@dataclass(slots=True)
class _Run:
    """One reconcile under way."""

    origin: Origin
    log: ObjectLog
    read: set[Dependency] = field(default_factory=set)


class Reconciler:
    """One controller at work.

    The equivalent of controller-runtime's ``Controller``: sources, handlers, queue and workers.
    """

    def __init__(
        self,
        controller: Controller[Any],
        *,
        operator: str,
        client: Client,
        cache: Cache,
        namespaces: tuple[str, ...],
        observe: Observer,
        may_work: asyncio.Event | None = None,
    ) -> None:
        self.controller = controller
        self.queue = Queue(backoff=controller.backoff)
        self._client = client
        self._observe = observe
        self._may_work = may_work
        self._manager = f"{operator}/{controller.name}"
        self._finalizer = finalizer_name(operator, controller.name)
        self._log = logging.getLogger(f"kubewright.{operator}.{controller.name}")
        self._sources = Sources(controller, cache, namespaces)
        self._dependencies = Dependencies()
        self._memory: dict[ObjectKey, tuple[str, Memory]] = {}
        self._raised: dict[ObjectKey, str] = {}
        self._prunes = frozenset(kind.api_resource.group_resource for kind in controller.prunes)
        self._workers: list[asyncio.Task[None]] = []
        self._starting: asyncio.Task[None] | None = None
        self._handlers = [
            (informer, partial(self._changed, kind)) for informer, kind in self._sources.informers().items()
        ]

    @property
    def name(self) -> str:
        """The controller's."""
        return self.controller.name

    @property
    def workers(self) -> int:
        """How many objects are reconciled at once, at most."""
        return self.controller.workers

    @property
    def active(self) -> int:
        """How many are being reconciled."""
        return self.queue.running

    @property
    def waiting(self) -> int:
        """How many could be reconciled now, had it more workers."""
        return len(self.queue)

    @property
    def ready(self) -> bool:
        """Whether the caches are filled and the workers run."""
        return bool(self._workers)

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        return self.ready and self.queue.idle

    def start(self) -> None:
        """Take in what is there; begin to work once all of it is."""
        for informer, handler in self._handlers:
            informer.add_handler(handler)
        self._starting = asyncio.create_task(self._start(), name=f"start {self._manager}")

    def prepare(self) -> None:
        """Make now what reading needs, so that the first reconcile takes no longer than the others."""
        for kind in self._sources.informers().values():
            prepare_decoding(kind)

    async def _start(self) -> None:
        for informer, _ in self._handlers:
            await informer.synced.wait()
        if self._may_work is not None:
            await self._may_work.wait()
        self._workers = [
            asyncio.create_task(self._work(), name=f"{self._manager} worker {number}")
            for number in range(self.controller.workers)
        ]

    def failed(self) -> BaseException | None:
        """What ended a worker: a defect, since errors of reconciles are caught."""
        for task in self._workers:
            if task.done() and not task.cancelled() and (error := task.exception()):
                return error
        return None

    async def stop(self, deadline: float) -> None:
        """Take up nothing more; give what is under way ``deadline`` seconds to end, then cancel it."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        self.queue.shut_down()
        for informer, handler in self._handlers:
            informer.remove_handler(handler)
        self._handlers = []
        if self._workers:
            _, late = await asyncio.wait(self._workers, timeout=deadline)
            for task in late:
                if deadline:
                    self._log.warning("%s did not end within %.0f s and is cancelled", task.get_name(), deadline)
                task.cancel()
            await asyncio.gather(*self._workers, return_exceptions=True)

    def _changed(self, kind: type[Object], change: Change) -> None:
        """Put in the queue whom ``change`` concerns; not the one whose own write it is."""
        resource = kind.api_resource
        controlled = self.controller.kind.api_resource
        key = change.object.key
        concerned = set()
        if resource.group_resource == controlled.group_resource:
            concerned.add(key)
        if self._sources.owns(kind):
            owners = owner_keys(change, resource.group_resource, self.controller.kind)
            concerned |= {owner for owner in owners if self._sources.primary.covers(owner.namespace)}
        readers = self._dependencies.readers(resource.group_resource, change)
        event = "exists" if change.initial else _EVENTS[change.type]
        reason = Reason(event, resource.kind, key)
        writer = change.origin if isinstance(change.origin, Origin) else None
        for request in concerned | readers:
            if writer is not None and writer.controller == self.controller.name and writer.key == request:
                writer.outdated |= self._dependencies.concerned(request, resource.group_resource, change)
            else:
                self.queue.add(request, reason, priority=LOW_PRIORITY if change.initial else 0)

    async def _work(self) -> None:
        while (item := await self.queue.get()) is not None:
            try:
                await self._process(item)
            finally:
                self.queue.done(item.key)

    async def _process(self, item: Item) -> None:
        began = clock.monotonic()
        reconcile_id = clock.current().bytes(4).hex()
        kind = self.controller.kind
        log = ObjectLog(
            self._log,
            controller=self.controller.name,
            kind=kind.kind,
            key=str(item.key),
            reconcile_id=reconcile_id,
        )
        run = _Run(Origin(self.controller.name, item.key), log)
        raw = self._sources.live(kind, item.key)
        if raw is None:
            self._forget(item.key)
            ending = _Ending("gone")
        else:
            token = origin.current.set(run.origin)
            try:
                ending = await self._attempt(item, raw, run, reconcile_id)
            finally:
                origin.current.reset(token)
            self._dependencies.record(item.key, run.read)
        self._schedule(item, ending)
        if ending.outcome == "done" and run.origin.outdated:
            self.queue.add(item.key, Reason("outdated"))
        record = ReconcileRecord(
            controller=self.controller.name,
            kind=kind.kind,
            key=item.key,
            reconcile_id=reconcile_id,
            reasons=item.reasons,
            writes=tuple(run.origin.writes),
            outcome=ending.outcome,
            ready=ending.ready,
            message=ending.message,
            error=ending.error,
            seconds=clock.monotonic() - began,
            again=ending.again,
        )
        log.debug(
            "%s after %.1f ms, because of %s; %d writes",
            record.outcome,
            record.seconds * 1000,
            ", ".join(map(str, item.reasons)),
            len(record.writes),
        )
        self._observe(record)

    def _schedule(self, item: Item, ending: _Ending) -> None:
        key = item.key
        if ending.outcome == "error" or (ending.outcome == "retry" and ending.again is None):
            ending.again = self.queue.retry(key, Reason("retry"), priority=item.priority)
            return
        self.queue.forget(key)
        self._raised.pop(key, None)
        if ending.again is not None:
            self.queue.add(key, Reason("retry" if ending.outcome == "retry" else "requeue"), after=ending.again)

    def _forget(self, key: ObjectKey) -> None:
        self._dependencies.forget(key)
        self._memory.pop(key, None)
        self._raised.pop(key, None)
        self.queue.forget(key)

    async def _attempt(self, item: Item, raw: RawObject, run: _Run, reconcile_id: str) -> _Ending:
        """Reconcile, and turn every exception into an ending."""
        ctx = self._context(item, raw, run, reconcile_id)
        try:
            ending = await self._reconcile(raw, ctx, run.log)
            ending.ready = ctx.ready
            return ending
        except NotLeading:
            raise  # ends the operator, which may not even say so in a status
        except Waiting as error:
            ending = _Ending("waiting", error.reason, ready=False)
            reason = "Waiting"
        except Permanent as error:
            run.log.error("failed for good: %s", error)  # noqa: TRY400 - expected, not a defect
            ending, reason = _Ending("permanent", str(error), error, ready=False), "Failed"
        except Retry as error:
            return _Ending("retry", error.reason, again=error.after)
        except Conflict as error:
            if raw.metadata.deletion_timestamp is None:
                run.log.info("conflict, trying again: %s", error)
            return _Ending("error", str(error), error)
        except (ApiError, TransportError) as error:
            if is_namespace_going(error):
                run.log.info("%s", error)
                return _Ending("error", str(error), error)
            run.log.warning("%s", told(error))
            ending, reason = _Ending("error", str(error), error, ready=False), type(error).__name__
        except KubewrightError as error:
            run.log.error("%s", told(error))  # noqa: TRY400 - it says what to do
            ending, reason = _Ending("error", str(error), error, ready=False), type(error).__name__
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
            if self._raised.get(item.key) == message:
                run.log.error("reconcile raised again: %s", message)  # noqa: TRY400 - its traceback was told
            else:
                run.log.exception("reconcile raised %s", type(error).__name__)
            self._raised[item.key] = message
            ending = _Ending("error", message, error, ready=False)
            reason = "ReconcileError"
        await self._tell(ctx, raw, run, reason, ending.message)
        return ending

    async def _tell(self, ctx: Context, raw: RawObject, run: _Run, reason: str, message: str) -> None:
        """Say in the status what went wrong, as far as that can be done."""
        if raw.metadata.deletion_timestamp is not None:
            return
        try:
            await ctx.set_status(ready=False, reason=reason, message=message)
        except (ApiError, TransportError) as error:
            run.log.debug("the status could not be written: %s", error)

    async def _reconcile(self, raw: RawObject, ctx: Context, log: ObjectLog) -> _Ending:
        controller, head = self.controller, raw.metadata
        ours = self._finalizer in head.finalizers
        if head.deletion_timestamp is not None:
            if ours:
                if controller.finalizes():
                    await self._timed(controller.finalize(decode(raw, controller.kind), ctx), log)
                    if left := await ctx.delete_beyond_references():
                        return _Ending("waiting", f"{', '.join(left)} must be gone first")
                await self._patch_finalizers(raw, remove_finalizer)
                return _Ending("finalized")
            ended: Result | None = await controller.terminate(decode(raw, controller.kind), ctx)
            return _Ending("finalized", again=ended.requeue_after if ended else None)
        if controller.finalizes() != ours:
            raw = await self._patch_finalizers(raw, remove_finalizer if ours else add_finalizer)
        result: Result | None = await self._timed(controller.reconcile(decode(raw, controller.kind), ctx), log)
        return _Ending("done", again=result.requeue_after if result else None)

    async def _timed(self, coroutine: Any, log: ObjectLog) -> Any:
        def stalled(seconds: float) -> None:
            log.warning(
                "held up the loop for %.2f s: nothing else ran meanwhile; move blocking work to ctx.run_blocking",
                seconds,
            )

        return await timed(coroutine, stalled, STALL_SECONDS)

    async def _patch_finalizers(self, raw: RawObject, change: Callable[..., Any]) -> RawObject:
        operations = change(raw.metadata, self._finalizer)
        try:
            return await guarded_patch(
                self._client, self.controller.kind, raw.key, operations, manager=self._manager
            )
        except NotFound:
            return raw

    def _context(self, item: Item, raw: RawObject, run: _Run, reconcile_id: str) -> Context:
        uid = raw.metadata.uid

        def read(dependency: Dependency) -> None:
            run.origin.outdated.discard(dependency)
            if dependency not in run.read:
                run.read.add(dependency)
                self._dependencies.add(item.key, dependency)

        known_uid, memory = self._memory.get(item.key, ("", None))
        if memory is None or known_uid != uid:
            memory = Memory()
            self._memory[item.key] = (uid, memory)
        kind = self.controller.kind
        children = Children(
            self._client,
            self._sources,
            OwnerOf(kind, raw.metadata),
            manager=self._manager,
            prunes=self._prunes,
            memory=memory,
            watch=read,
        )
        return Context(
            kind=kind,
            raw=raw,
            seen=Seen(self._sources, namespace=raw.metadata.namespace, uid=uid, read=read),
            client=self._client,
            log=run.log,
            reasons=item.reasons,
            reconcile_id=reconcile_id,
            field_manager=self._manager,
            children=children,
            memory=memory,
            origin=run.origin,
        )
