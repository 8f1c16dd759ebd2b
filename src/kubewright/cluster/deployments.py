"""Deployments: ReplicaSets come and go as the strategy says, and conditions tell how far it is."""

from __future__ import annotations

from kubewright.cluster.deployment_status import status_of
from kubewright.cluster.replicasets import is_active
from kubewright.cluster.rollout import (
    DESIRED,
    HASH_LABEL,
    MAXIMUM,
    REVISION,
    copied_annotations,
    count,
    is_recreate,
    new_replicas,
    proportional,
    replicas_of,
    revision_of,
    surge,
    template_hash,
    template_json,
    unavailable,
)
from kubewright.cluster.writing import (
    MANAGER,
    controlled_by,
    controller_of,
    delete_quietly,
    record_event,
    write_status,
)
from kubewright.errors import AlreadyExists, NotFound
from kubewright.kinds import apps_v1 as apps
from kubewright.kinds import core_v1 as core
from kubewright.objects import LabelSelector, ObjectMeta, Selector, label_selector
from kubewright.runtime import Context, Controller, Reads, Result

_COMPONENT = "deployment-controller"
_ROUNDS = 20


class DeploymentController(Controller[apps.Deployment]):
    """The equivalent of kube-controller-manager's."""

    owns = (apps.ReplicaSet,)
    reads = (Reads(core.Pod),)

    async def reconcile(self, obj: apps.Deployment, ctx: Context, /) -> Result:
        """Take the rollout a step further, until there is something to wait for."""
        for _ in range(_ROUNDS):
            obj = ctx.seen.get(obj) or obj
            if not await self._step(obj, ctx):
                break
        obj = ctx.seen.get(obj) or obj
        new, old = _sets(obj, ctx)
        status, again = status_of(obj, new, old)
        await write_status(ctx.client, obj, status)
        if _is_complete(obj, status):
            await self._clean_up(obj, old, ctx)
        return Result(requeue_after=again)

    async def _step(self, obj: apps.Deployment, ctx: Context) -> bool:
        """One step; whether another may follow at once."""
        new, old = _sets(obj, ctx)
        if obj.spec.paused or _is_scaling(obj, [*old, *([new] if new else [])]):
            return await self._scale_all(obj, new, old, ctx)
        if is_recreate(obj.spec):
            return await self._recreate(obj, new, old, ctx)
        if new is None:
            await self._create(obj, old, ctx)
            return True
        if await self._label(obj, new, old, ctx):
            return True
        if await self._scale(obj, new, new_replicas(obj.spec, new, old), ctx):
            return True
        return await self._shrink(obj, new, old, ctx)

    async def _recreate(
        self, obj: apps.Deployment, new: apps.ReplicaSet | None, old: list[apps.ReplicaSet], ctx: Context
    ) -> bool:
        shrunk = [await self._scale(obj, rs, 0, ctx) for rs in old]
        if any(shrunk):
            return True
        selector = label_selector(obj.spec.selector) or Selector()
        former = {rs.metadata.uid for rs in old}
        for pod in ctx.seen.list(core.Pod, selector):
            owner = controlled_by(pod)
            if owner and owner.uid in former and (is_active(pod) or pod.metadata.deletion_timestamp is not None):
                return False
        if new is None:
            await self._create(obj, old, ctx)
            return True
        if await self._label(obj, new, old, ctx):
            return True
        return await self._scale(obj, new, replicas_of(obj.spec), ctx)

    async def _shrink(
        self, obj: apps.Deployment, new: apps.ReplicaSet, old: list[apps.ReplicaSet], ctx: Context
    ) -> bool:
        """Scale old ReplicaSets down as far as availability allows: those that are unhealthy first."""
        sizes = {rs.metadata.name: replicas_of(rs.spec) for rs in [*old, new]}
        minimum = replicas_of(obj.spec) - unavailable(obj.spec)
        missing = max(replicas_of(new.spec) - count(new, "available_replicas"), 0)
        spare = sum(sizes.values()) - minimum - missing
        if spare <= 0:
            return False
        changed = False
        by_age = sorted(old, key=_age)
        for rs in by_age:
            unhealthy = replicas_of(rs.spec) - count(rs, "available_replicas")
            if spare > 0 and unhealthy > 0 and count(rs, "observed_generation") >= (rs.metadata.generation or 0):
                step = min(spare, unhealthy)
                sizes[rs.metadata.name] -= step
                spare -= step
                changed |= await self._scale(obj, rs, sizes[rs.metadata.name], ctx)
        if changed:
            return True
        available = sum(count(rs, "available_replicas") for rs in [*old, new])
        allowed = available - minimum
        for rs in by_age:
            step = min(allowed, sizes[rs.metadata.name])
            if step > 0:
                allowed -= step
                changed |= await self._scale(obj, rs, sizes[rs.metadata.name] - step, ctx)
        return changed

    async def _scale_all(
        self, obj: apps.Deployment, new: apps.ReplicaSet | None, old: list[apps.ReplicaSet], ctx: Context
    ) -> bool:
        active = [rs for rs in [*old, *([new] if new else [])] if replicas_of(rs.spec) > 0]
        latest = new or max(old, key=revision_of, default=None)
        if len(active) <= 1:
            target = active[0] if active else latest
            return target is not None and await self._scale(obj, target, replicas_of(obj.spec), ctx)
        changed = False
        for rs in active:
            changed |= await self._scale(obj, rs, proportional(obj.spec, active)[rs.metadata.name or ""], ctx)
        return changed

    async def _create(self, obj: apps.Deployment, old: list[apps.ReplicaSet], ctx: Context) -> None:
        collisions = (obj.status.collision_count if obj.status else None) or 0
        made = _replica_set_of(obj, old, collisions)
        try:
            created = await ctx.client.create(made, field_manager=MANAGER)
        except AlreadyExists:
            found = await ctx.client.get(apps.ReplicaSet, made.metadata.name or "", made.metadata.namespace)
            owner = controlled_by(found)
            if owner and owner.uid == obj.metadata.uid and _same_template(found, obj):
                return
            patch = {"status": {"collisionCount": collisions + 1}}
            await ctx.client.patch(
                apps.Deployment.api_resource,
                obj.metadata.name or "",
                patch,
                "merge",
                obj.metadata.namespace,
                subresource="status",
                field_manager=MANAGER,
            )
            return
        await _annotate(obj, {REVISION: str(revision_of(created))}, ctx)
        if replicas_of(created.spec):
            await _tell_scaled(obj, created, 0, ctx)

    async def _label(
        self, obj: apps.Deployment, new: apps.ReplicaSet, old: list[apps.ReplicaSet], ctx: Context
    ) -> bool:
        """Keep the new ReplicaSet's annotations and both revisions right (a rollback makes an old one new)."""
        revision = str(max([revision_of(rs) for rs in old], default=0) + 1)
        wanted = copied_annotations(obj.metadata.annotations)
        live = new.metadata.annotations or {}
        if int(revision) > revision_of(new):
            wanted[REVISION] = revision
        changed = any(live.get(key) != value for key, value in wanted.items())
        if changed:
            await _annotate(new, wanted, ctx)
        current = wanted.get(REVISION, live.get(REVISION, "0"))
        if (obj.metadata.annotations or {}).get(REVISION) != current:
            await _annotate(obj, {REVISION: current}, ctx)
            return True
        return changed

    async def _scale(self, obj: apps.Deployment, rs: apps.ReplicaSet, size: int, ctx: Context) -> bool:
        before = replicas_of(rs.spec)
        annotations = rs.metadata.annotations or {}
        wanted = _limits(obj)
        if before == size and (not size or all(annotations.get(key) == wanted[key] for key in wanted)):
            return False
        patch = {"metadata": {"annotations": wanted}, "spec": {"replicas": size}}
        await ctx.client.patch(
            apps.ReplicaSet,
            rs.metadata.name or "",
            patch,
            "merge",
            rs.metadata.namespace,
            field_manager=MANAGER,
        )
        if before != size:
            rs.spec.replicas = size
            await _tell_scaled(obj, rs, before, ctx)
        return True

    async def _clean_up(self, obj: apps.Deployment, old: list[apps.ReplicaSet], ctx: Context) -> None:
        """Delete the oldest ReplicaSets beyond the history that is kept."""
        limit = obj.spec.revision_history_limit
        if limit is None:
            return
        done = [rs for rs in old if not replicas_of(rs.spec) and not count(rs, "replicas")]
        for rs in sorted(done, key=revision_of)[: max(len(done) - limit, 0)]:
            await delete_quietly(ctx.client, rs)


def _sets(obj: apps.Deployment, ctx: Context) -> tuple[apps.ReplicaSet | None, list[apps.ReplicaSet]]:
    """The ReplicaSet of the Deployment's template, and the others."""
    ours = [rs for rs in ctx.seen.owned(apps.ReplicaSet) if rs.metadata.deletion_timestamp is None]
    matching = sorted((rs for rs in ours if _same_template(rs, obj)), key=_age)
    new = matching[0] if matching else None
    return new, [rs for rs in ours if rs is not new]


def _age(rs: apps.ReplicaSet) -> tuple[object, str]:
    return (rs.metadata.creation_timestamp, rs.metadata.name or "")


def _same_template(rs: apps.ReplicaSet, obj: apps.Deployment) -> bool:
    return template_json(rs.spec.template) == template_json(obj.spec.template)


def _limits(obj: apps.Deployment) -> dict[str, str]:
    return {DESIRED: str(replicas_of(obj.spec)), MAXIMUM: str(replicas_of(obj.spec) + surge(obj.spec))}


def _is_scaling(obj: apps.Deployment, sets: list[apps.ReplicaSet]) -> bool:
    """The Deployment's size was changed since its ReplicaSets were last scaled."""
    wanted = str(replicas_of(obj.spec))
    return any(
        replicas_of(rs.spec) and (rs.metadata.annotations or {}).get(DESIRED, wanted) != wanted for rs in sets
    )


def _replica_set_of(obj: apps.Deployment, old: list[apps.ReplicaSet], collisions: int) -> apps.ReplicaSet:
    digest = template_hash(obj.spec.template, collisions)
    template = core.PodTemplateSpec(
        metadata=obj.spec.template.metadata or ObjectMeta(), spec=obj.spec.template.spec
    )
    assert template.metadata is not None  # noqa: S101 - just made
    labels = {**(template.metadata.labels or {}), HASH_LABEL: digest}
    template.metadata = ObjectMeta(labels=labels, annotations=template.metadata.annotations)
    selector = LabelSelector(
        match_labels={**(obj.spec.selector.match_labels or {}), HASH_LABEL: digest},
        match_expressions=obj.spec.selector.match_expressions,
    )
    revision = max((revision_of(rs) for rs in old), default=0) + 1
    return apps.ReplicaSet(
        metadata=ObjectMeta(
            name=f"{obj.metadata.name}-{digest}",
            namespace=obj.metadata.namespace,
            labels=labels,
            annotations={
                **copied_annotations(obj.metadata.annotations),
                **_limits(obj),
                REVISION: str(revision),
            },
            owner_references=[controller_of(obj)],
        ),
        spec=apps.ReplicaSetSpec(
            replicas=new_replicas(obj.spec, None, old),
            min_ready_seconds=obj.spec.min_ready_seconds,
            selector=selector,
            template=template,
        ),
    )


def _is_complete(obj: apps.Deployment, status: apps.DeploymentStatus) -> bool:
    wanted = replicas_of(obj.spec)
    return (
        (status.updated_replicas or 0) == wanted
        and (status.replicas or 0) == wanted
        and (status.available_replicas or 0) == wanted
    )


async def _annotate(obj: apps.Deployment | apps.ReplicaSet, annotations: dict[str, str], ctx: Context) -> None:
    # A Deployment's own revision is written beside its status, where annotations do not move the generation.
    subresource = "status" if isinstance(obj, apps.Deployment) else ""
    meta = obj.metadata
    if all((meta.annotations or {}).get(key) == value for key, value in annotations.items()):
        return
    try:
        await ctx.client.patch(
            type(obj).api_resource,
            meta.name or "",
            {"metadata": {"uid": meta.uid, "annotations": annotations}},
            "merge",
            meta.namespace,
            subresource=subresource,
            field_manager=MANAGER,
        )
    except NotFound:
        return


async def _tell_scaled(obj: apps.Deployment, rs: apps.ReplicaSet, before: int, ctx: Context) -> None:
    size = replicas_of(rs.spec)
    word = "up" if size > before else "down"
    message = f"Scaled {word} replica set {rs.metadata.name} from {before} to {size}"
    await record_event(ctx.client, obj, "ScalingReplicaSet", message, component=_COMPONENT)
