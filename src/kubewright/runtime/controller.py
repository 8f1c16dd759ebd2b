"""The user's side: a controller is a class that says what it owns, what it reads, and what should be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_origin

from kubewright.errors import UsageError
from kubewright.objects import Object
from kubewright.runtime.context import Context
from kubewright.runtime.desired import Desired
from kubewright.runtime.queue import Backoff
from kubewright.runtime.seen import Seen

ObjectT = TypeVar("ObjectT", bound=Object)

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Result:
    """How a reconcile ended well.

    Attributes:
        requeue_after: seconds until the next, though nothing changed; None for no such need.
    """

    requeue_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A permission that ``reconcile`` or ``finalize`` needs besides: one rule of the controller's role."""

    groups: Sequence[str] = ("",)
    resources: Sequence[str] = ()
    verbs: Sequence[str] = ()
    names: Sequence[str] = ()
    non_resource_urls: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Reads:
    """A kind that ``desired`` looks at without owning it, narrowed to what it needs.

    Attributes:
        kind: its class.
        names: of the only objects read: each is watched by itself, and RBAC is granted for these names.
        labels: a label selector that all objects read match, as kubectl's ``-l`` takes it or as a mapping.
        namespaces: where, if not in the operator's own namespaces.
        metadata_only: nothing but the objects' metadata is sent and kept: ``seen.metadata`` and
            ``seen.list_metadata`` answer, ``seen.get`` does not. RBAC cannot tell the difference.
    """

    kind: type[Object]
    names: Sequence[str] = ()
    labels: str | Mapping[str, str] = ""
    namespaces: Sequence[str] | None = None
    metadata_only: bool = False


@dataclass(frozen=True, slots=True)
class Owns:
    """A kind of the children, some of which are in other namespaces than their owner.

    Owner references do not reach there: such children are labelled with their owner's uid, watched by that label,
    and deleted by a finalizer. Cluster-scoped children of a namespaced owner are treated so without being asked.

    Attributes:
        kind: its class.
        namespaces: where children may be besides their owner's; ``(ALL_NAMESPACES,)`` for anywhere.
    """

    kind: type[Object]
    namespaces: Sequence[str] = ()


class Controller(Generic[ObjectT]):
    """Reconciles the custom resources of one kind: ``class AppServiceController(Controller[AppService])``.

    Give it :meth:`desired`, or, for systems outside the cluster, :meth:`reconcile`.

    Attributes:
        kind: the class of the custom resources; from the generic argument.
        name: of the controller, unique in the operator, never changed: field manager and finalizer are named
            by it. By default the kind in lower case.
        owns: kinds of the children, as classes or, for other namespaces, as :class:`Owns`.
        formerly_owns: kinds that earlier versions made children of: still pruned, never made.
        reads: kinds that are looked at besides, as :class:`Reads` or bare classes.
        prunes: kinds of ``owns`` that hold data (PersistentVolumeClaim, StatefulSet, custom resources) and are
            deleted all the same once ``desired`` leaves them out.
        grants: permissions that ``reconcile`` and ``finalize`` need besides.
        workers: how many custom resources are reconciled at a time.
        backoff: how long one that failed waits.
    """

    kind: ClassVar[type[Object]]
    name: ClassVar[str] = ""
    owns: ClassVar[Sequence[Owns | type[Object]]] = ()
    formerly_owns: ClassVar[Sequence[Owns | type[Object]]] = ()
    reads: ClassVar[Sequence[Reads | type[Object]]] = ()
    prunes: ClassVar[Sequence[type[Object]]] = ()
    grants: ClassVar[Sequence[Grant]] = ()
    workers: ClassVar[int] = 10
    backoff: ClassVar[Backoff] = Backoff()

    def __init_subclass__(cls, **config: Any) -> None:
        super().__init_subclass__(**config)
        for base in cls.__dict__.get("__orig_bases__", ()):
            origin = get_origin(base)
            if isinstance(origin, type) and issubclass(origin, Controller):
                (argument,) = get_args(base)
                if isinstance(argument, type) and issubclass(argument, Object):
                    cls.kind = argument
        kind = getattr(cls, "kind", None)
        if kind is not None and not cls.name:
            cls.name = kind.__name__.lower()
        if cls.name and not _NAME.fullmatch(cls.name):
            raise UsageError(f"{cls.__name__}.name is {cls.name!r}: lowercase letters, digits and dashes only")

    def desired(self, obj: ObjectT, seen: Seen, /) -> Desired[Any]:
        """What should be, given ``obj`` and what is seen. Synchronous and pure.

        Raises:
            Waiting: it cannot be said yet.
        """
        raise UsageError(f"{type(self).__name__} has neither desired nor reconcile")

    async def reconcile(self, obj: ObjectT, ctx: Context, /) -> Result:
        """Make the world as it should be; called whenever something that concerns ``obj`` changed.

        As it stands, it does so for :meth:`desired`. What desired had read and its own writes then changed is
        taken in at once, by computing it again.

        Raises:
            Retry: try again later.
            Permanent: trying again will not help.
        """
        for _ in range(ROUNDS):
            desired = self.desired(obj, ctx.seen)
            await ctx.apply(desired.children)
            if not ctx.outdated:
                break
        else:
            ctx.log.warning("its own writes still change what it reads after %d rounds", ROUNDS)
        await ctx.prune(desired.children)
        await ctx.set_status(
            desired.status, ready=desired.ready, message=desired.message, conditions=desired.conditions
        )
        return Result(requeue_after=desired.requeue_after)

    async def finalize(self, obj: ObjectT, ctx: Context, /) -> None:
        """Clean up before ``obj`` goes: what is outside the cluster. Called until it returns, and perhaps again.

        That a subclass has it puts a finalizer on every custom resource. The children are still there; those
        that owner references do not reach are deleted next.
        """

    async def terminate(self, obj: ObjectT, ctx: Context, /) -> Result:
        """What ``obj`` needs while it is being deleted, of a controller that put no finalizer on it.

        For those who bring its end about (kubelets, namespaces) or take part in it; others have nothing to do.
        """
        return Result()

    @classmethod
    def owned(cls) -> tuple[Owns, ...]:
        """What :attr:`owns` says, each as :class:`Owns`."""
        return tuple(kind if isinstance(kind, Owns) else Owns(kind) for kind in cls.owns)

    @classmethod
    def formerly_owned(cls) -> tuple[Owns, ...]:
        """What :attr:`formerly_owns` says, each as :class:`Owns`."""
        return tuple(kind if isinstance(kind, Owns) else Owns(kind) for kind in cls.formerly_owns)

    @classmethod
    def finalizes(cls) -> bool:
        """Whether a finalizer is needed: for a ``finalize``, or for children that owner references do not reach."""
        if cls.finalize is not Controller.finalize:
            return True
        return cls.kind.api_resource.namespaced and any(
            owns.namespaces or not owns.kind.api_resource.namespaced for owns in cls.owned() + cls.formerly_owned()
        )
