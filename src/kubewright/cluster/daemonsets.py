"""DaemonSets: a Pod on each node that takes it; there is one."""

from __future__ import annotations

import zlib

import msgspec

from kubewright.cluster.nodes import NODE
from kubewright.cluster.replicasets import is_ready
from kubewright.cluster.writing import MANAGER, controller_of, delete_quietly, plain, record_event, write_status
from kubewright.kinds import apps_v1 as apps
from kubewright.kinds import core_v1 as core
from kubewright.objects import ObjectMeta
from kubewright.runtime import Context, Controller, Reads, Result

_COMPONENT = "daemonset-controller"
_REVISION = "controller-revision-hash"
_TOLERATED = ("not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "unschedulable")


class DaemonSetController(Controller[apps.DaemonSet]):
    """The equivalent of kube-controller-manager's for one node, without surge and ControllerRevisions."""

    owns = (core.Pod,)
    reads = (Reads(core.Node, names=(NODE,)),)

    async def reconcile(self, obj: apps.DaemonSet, ctx: Context, /) -> Result:
        """One Pod of the present template on the node, if its labels are those selected."""
        node = ctx.seen.get(core.Node, NODE)
        selected = (obj.spec.template.spec.node_selector if obj.spec.template.spec else None) or {}
        wanted = node is not None and selected.items() <= (node.metadata.labels or {}).items()
        revision = revision_of(obj)
        pods = ctx.seen.owned(core.Pod)
        if not wanted:
            for pod in pods:
                await self._delete(obj, pod, ctx)
        elif not pods:
            pod = await ctx.client.create(_pod_of(obj, revision), field_manager=MANAGER)
            message = f"Created pod: {pod.metadata.name}"
            await record_event(ctx.client, obj, "SuccessfulCreate", message, component=_COMPONENT)
        elif not obj.spec.update_strategy or obj.spec.update_strategy.type != "OnDelete":
            for pod in pods:
                outdated = (pod.metadata.labels or {}).get(_REVISION) != revision
                ended = pod.status is not None and pod.status.phase in ("Failed", "Succeeded")
                if (outdated or ended) and pod.metadata.deletion_timestamp is None:
                    await self._delete(obj, pod, ctx)
        await write_status(ctx.client, obj, _counted(obj, ctx.seen.owned(core.Pod), revision, wanted=wanted))
        return Result()

    async def _delete(self, obj: apps.DaemonSet, pod: core.Pod, ctx: Context) -> None:
        await delete_quietly(ctx.client, pod)
        message = f"Deleted pod: {pod.metadata.name}"
        await record_event(ctx.client, obj, "SuccessfulDelete", message, component=_COMPONENT)


def revision_of(obj: apps.DaemonSet) -> str:
    """The label value of the template's revision; not the algorithm of kube-controller-manager."""
    return f"{zlib.crc32(msgspec.json.encode(plain(obj.spec.template), order='deterministic')):08x}"


def _pod_of(obj: apps.DaemonSet, revision: str) -> core.Pod:
    template = obj.spec.template
    given = template.metadata or ObjectMeta()
    spec = msgspec.convert(plain(template.spec), core.PodSpec)
    tolerations = list(spec.tolerations or ())
    for name in _TOLERATED:
        effect = "NoExecute" if name in ("not-ready", "unreachable") else "NoSchedule"
        key = f"node.kubernetes.io/{name}"
        tolerations.append(core.Toleration(key=key, operator="Exists", effect=effect))
    spec.tolerations = tolerations
    meta = ObjectMeta(
        generate_name=f"{obj.metadata.name}-",
        namespace=obj.metadata.namespace,
        labels={**(given.labels or {}), _REVISION: revision},
        annotations=given.annotations,
        owner_references=[controller_of(obj)],
    )
    return core.Pod(metadata=meta, spec=spec)


def _counted(obj: apps.DaemonSet, pods: list[core.Pod], revision: str, *, wanted: bool) -> apps.DaemonSetStatus:
    alive = [pod for pod in pods if pod.metadata.deletion_timestamp is None]
    ready = sum(map(is_ready, alive))
    updated = sum((pod.metadata.labels or {}).get(_REVISION) == revision for pod in alive)
    return apps.DaemonSetStatus(
        current_number_scheduled=len(alive) if wanted else 0,
        number_misscheduled=0 if wanted else len(alive),
        desired_number_scheduled=int(wanted),
        number_ready=ready,
        observed_generation=obj.metadata.generation,
        updated_number_scheduled=updated or None,
        number_available=ready or None,
        number_unavailable=(int(wanted) - ready) or None,
    )
