"""What ``reconcile`` and ``finalize`` are handed besides the object."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

import msgspec

from kubewright.client import Client
from kubewright.objects import Condition, JsonObject, Model, Object, RawObject
from kubewright.runtime.children import Children, Memory
from kubewright.runtime.desired import Child, Keep
from kubewright.runtime.guarded import guarded_patch
from kubewright.runtime.origin import Origin
from kubewright.runtime.reason import Reason
from kubewright.runtime.seen import Seen
from kubewright.runtime.status import READY, ready_condition, status_patch, status_shape, with_conditions

P = ParamSpec("P")
R = TypeVar("R")


class Context:
    """One reconcile's tools.

    Attributes:
        seen: the caches; what is read here is watched, also by ``reconcile``.
        client: any other request; what it writes is seen by the caches at once.
        log: every line names the object and this reconcile.
        reasons: why this reconcile happens.
        reconcile_id: tells this reconcile's lines and requests from others'.
        field_manager: the name our fields are owned under: ``<operator>/<controller>``.
    """

    def __init__(
        self,
        *,
        kind: type[Object],
        raw: RawObject,
        seen: Seen,
        client: Client,
        log: logging.LoggerAdapter[logging.Logger],
        reasons: tuple[Reason, ...],
        reconcile_id: str,
        field_manager: str,
        children: Children,
        memory: Memory,
        origin: Origin,
    ) -> None:
        self.seen = seen
        self.client = client
        self.log = log
        self.reasons = reasons
        self.reconcile_id = reconcile_id
        self.field_manager = field_manager
        self.ready: bool | None = None
        self._kind = kind
        self._raw = raw
        self._children = children
        self._memory = memory
        self._origin = origin

    @property
    def outdated(self) -> bool:
        """Whether own writes changed what was read and not read again since; asking clears it.

        A reconcile that ends outdated is done again at once.
        """
        outdated = bool(self._origin.outdated)
        self._origin.outdated.clear()
        return outdated

    async def apply(self, children: Sequence[Object | Child | Keep]) -> None:
        """Make ``children`` exist as described: nothing is written where nothing differs.

        Raises:
            InvalidDesired: a child cannot be one.
            NotOurs: an object of a child's name exists and is not ours.
            ApiError: the server refuses a write.
        """
        await self._children.apply(children)

    async def prune(self, children: Sequence[Object | Child | Keep]) -> None:
        """Delete what the custom resource controls and is not among ``children``; see ``Controller.prunes``."""
        await self._children.prune(children)

    async def delete_beyond_references(self) -> list[str]:
        """Delete the children that owner references do not reach; which of them are there still.

        Done after ``finalize``; for a ``finalize`` that must go on when they are gone.
        """
        return await self._children.delete_beyond_references()

    async def set_status(
        self,
        status: Model | None = None,
        *,
        ready: bool | None = None,
        reason: str = "",
        message: str = "",
        conditions: Sequence[Condition] = (),
    ) -> None:
        """Write the status where it differs.

        Args:
            status: all of it, or None to leave all but conditions as they are.
            ready: what the ``Ready`` condition says, or None for none.
            reason: of that condition, in one CamelCase word.
            message: of that condition.
            conditions: further ones. Custom resources whose status has conditions get them; others do not.
        """
        self.ready = ready
        shape = status_shape(self._kind)
        if not shape.fields:
            return
        live: JsonObject | None = _status(self._raw.raw)
        base = dict(live or {}) if status is None else msgspec.to_builtins(status)
        given = list(conditions)
        if ready is not None and all(condition.type != READY for condition in given):
            given.append(ready_condition(ready, reason=reason, message=message))
        head = self._raw.metadata
        wanted = with_conditions(base, live or {}, shape, generation=head.generation, conditions=given)
        operations = status_patch(live, wanted, shape, head.uid)
        insisted = msgspec.json.encode([operations, live])
        if not operations or insisted == self._memory.settled_status:
            return
        self._raw = await guarded_patch(
            self.client, self._kind, self._raw.key, operations, manager=self.field_manager, subresource="status"
        )
        live = _status(self._raw.raw)
        operations = status_patch(live, wanted, shape, head.uid)
        self._memory.settled_status = msgspec.json.encode([operations, live]) if operations else b""

    async def run_blocking(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run blocking code in a thread, so that the loop goes on."""
        return await asyncio.to_thread(call, *args, **kwargs)


class _WithStatus(msgspec.Struct):
    status: JsonObject | None = None


_with_status = msgspec.json.Decoder(_WithStatus)


def _status(raw: bytes) -> JsonObject | None:
    return _with_status.decode(raw).status
