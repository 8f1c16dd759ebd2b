"""Strategies of kinds that do more than shape, defaults, status and generation."""

from __future__ import annotations

import base64

from kubewright import clock
from kubewright.objects import JsonObject
from kubewright.server.builtin.quantities import canonical_quantity
from kubewright.server.builtin.strategy import BuiltinStatusStrategy, BuiltinStrategy
from kubewright.server.context import Context
from kubewright.server.status import forbidden

_NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path


class PodStrategy(BuiltinStrategy):
    """Pods: a service account and its token, tolerations and priority, as the usual admission plugins give them."""

    def prepare_for_create(self, obj: JsonObject, context: Context) -> None:
        """Start pending."""
        obj.pop("status", None)
        _service_account(obj, context)
        _tolerations(obj["spec"])
        _priority(obj, context)
        self.default(obj)
        obj["status"] = {"phase": "Pending", "qosClass": quality_of_service(obj["spec"])}
        if obj["spec"].get("schedulingGates"):
            obj["status"]["conditions"] = [{**_GATED, "lastTransitionTime": context.now}]
        obj["metadata"]["generation"] = 1

    def warnings(self, obj: JsonObject, old: JsonObject | None) -> list[str]:
        """Image pull secrets without a name do nothing."""
        return [
            f'spec.imagePullSecrets[{index}].name: invalid empty name ""'
            for index, secret in enumerate(obj["spec"].get("imagePullSecrets") or ())
            if not secret.get("name")
        ]

    def grace_period_seconds(self, obj: JsonObject, asked: int | None) -> int | None:
        """What was asked for or the pod's own; none for a pod that runs nowhere or has ended."""
        if not obj["spec"].get("nodeName") or (obj.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            return 0
        seconds = asked if asked is not None else obj["spec"].get("terminationGracePeriodSeconds", 30)
        return 1 if seconds < 0 else int(seconds)


_GATED: JsonObject = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
    "lastProbeTime": None,
}


def quality_of_service(spec: JsonObject) -> str:
    """Guaranteed, Burstable or BestEffort."""
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    asked = [_computed(c.get("resources") or {}) for c in containers]
    if not any(requests or limits for requests, limits in asked):
        return "BestEffort"
    full = all({"cpu", "memory"} <= limits.keys() and requests == limits for requests, limits in asked)
    return "Guaranteed" if full else "Burstable"


def _computed(resources: JsonObject) -> tuple[dict[str, str], dict[str, str]]:
    def of(part: str) -> dict[str, str]:
        values = resources.get(part) or {}
        return {
            name: values[name] for name in ("cpu", "memory") if canonical_quantity(values.get(name, "0")) != "0"
        }

    return of("requests"), of("limits")


def _service_account(obj: JsonObject, context: Context) -> None:
    spec = obj["spec"]
    if (obj["metadata"].get("annotations") or {}).get("kubernetes.io/config.mirror"):
        return
    name = spec.setdefault("serviceAccountName", "default")
    spec["serviceAccount"] = name
    account = context.lookups.get("", "serviceaccounts", context.namespace, name)
    if account is None:
        why = f'error looking up service account {context.namespace}/{name}: serviceaccount "{name}" not found'
        raise forbidden("", "pods", obj["metadata"].get("name", ""), why)
    if account.get("imagePullSecrets") and not spec.get("imagePullSecrets"):
        spec["imagePullSecrets"] = account["imagePullSecrets"]
    wants = spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken", True))
    if wants:
        _mount_token(spec)


_SYSTEM_PRIORITIES = {"system-cluster-critical": 2000000000, "system-node-critical": 2000001000}


def _priority(obj: JsonObject, context: Context) -> None:
    spec = obj["spec"]
    name = spec.get("priorityClassName")
    value, policy = 0, "PreemptLowerPriority"
    if name in _SYSTEM_PRIORITIES:
        value = _SYSTEM_PRIORITIES[name]
    elif name:
        found = context.lookups.get("scheduling.k8s.io", "priorityclasses", "", name)
        if found is None:
            why = f"no PriorityClass with name {name} was found"
            raise forbidden("", "pods", obj["metadata"].get("name", ""), why)
        value, policy = found.get("value", 0), found.get("preemptionPolicy", policy)
    else:
        for found in context.lookups.list("scheduling.k8s.io", "priorityclasses"):
            if found.get("globalDefault"):
                spec["priorityClassName"] = found["metadata"]["name"]
                value, policy = found.get("value", 0), found.get("preemptionPolicy", policy)
    spec.setdefault("priority", value)
    spec.setdefault("preemptionPolicy", policy)


def _mount_token(spec: JsonObject) -> None:
    volumes = spec.setdefault("volumes", [])
    name = next((v["name"] for v in volumes if v["name"].startswith("kube-api-access-")), "")
    bare = [
        container
        for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
        if not any(m.get("mountPath") == _TOKEN_PATH for m in container.get("volumeMounts") or ())
    ]
    if bare and not name:
        name = "kube-api-access-" + clock.token(5, _NAME_ALPHABET)
        volumes.append({"name": name, "projected": {"defaultMode": 420, "sources": _token_sources()}})
    for container in bare:
        mount = {"name": name, "readOnly": True, "mountPath": _TOKEN_PATH}
        container.setdefault("volumeMounts", []).append(mount)


def _token_sources() -> list[JsonObject]:
    field = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    return [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": field}]}},
    ]


def _tolerations(spec: JsonObject) -> None:
    tolerations = spec.setdefault("tolerations", [])
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(t.get("key", key) == key and t.get("effect", "NoExecute") == "NoExecute" for t in tolerations):
            tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})


class JobStrategy(BuiltinStrategy):
    """Jobs: a selector of their own uid, unless the user manages it."""

    def prepare_for_create(self, obj: JsonObject, context: Context) -> None:
        """Generate selector and labels."""
        super().prepare_for_create(obj, context)
        spec, uid, name = obj["spec"], obj["metadata"]["uid"], obj["metadata"].get("name", "")
        if spec.get("manualSelector"):
            return
        labels = spec["template"].setdefault("metadata", {}).setdefault("labels", {})
        if obj["metadata"].get("labels", labels) == labels:
            obj["metadata"]["labels"] = labels  # defaulted from the template, and one map in Go
        for key, value in (("controller-uid", uid), ("job-name", name)):
            labels.setdefault(f"batch.kubernetes.io/{key}", value)
            labels.setdefault(key, value)
        selector = spec.setdefault("selector", {})
        selector.setdefault("matchLabels", {}).setdefault("batch.kubernetes.io/controller-uid", uid)


class DaemonSetStrategy(BuiltinStrategy):
    """DaemonSets carry the generation of their template in an annotation."""

    def default(self, obj: JsonObject) -> None:
        """There is such an annotation from the first."""
        super().default(obj)
        annotations = obj["metadata"].setdefault("annotations", {})
        annotations.setdefault("deprecated.daemonset.template.generation", "0")

    def prepare_for_create(self, obj: JsonObject, context: Context) -> None:
        """Start at one."""
        super().prepare_for_create(obj, context)
        obj["metadata"].setdefault("annotations", {})["deprecated.daemonset.template.generation"] = "1"

    def prepare_for_update(self, obj: JsonObject, old: JsonObject, context: Context) -> None:
        """Count changes of the template."""
        super().prepare_for_update(obj, old, context)
        key = "deprecated.daemonset.template.generation"
        before = int((old["metadata"].get("annotations") or {}).get(key, "0"))
        changed = obj["spec"].get("template") != old["spec"].get("template")
        obj["metadata"].setdefault("annotations", {})[key] = str(before + changed)


class NamespaceStrategy(BuiltinStrategy):
    """Namespaces are held by a finalizer of their own in ``spec`` until they are empty."""

    def prepare_for_create(self, obj: JsonObject, context: Context) -> None:
        """Active, and held."""
        super().prepare_for_create(obj, context)
        finalizers = [name for name in obj["spec"].get("finalizers") or () if name != "kubernetes"]
        obj["spec"]["finalizers"] = [*finalizers, "kubernetes"]
        obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"]["name"]

    def prepare_for_update(self, obj: JsonObject, old: JsonObject, context: Context) -> None:
        """The finalizers of ``spec`` change through ``finalize`` alone."""
        super().prepare_for_update(obj, old, context)
        obj["spec"] = old["spec"]

    def delete_waits(self, obj: JsonObject, context: Context) -> bool:
        """Until what is in the namespace is gone."""
        return bool(obj["spec"].get("finalizers"))

    def mark_deleting(self, obj: JsonObject, context: Context) -> None:
        """Terminating from now on."""
        obj["status"]["phase"] = "Terminating"


class NamespaceFinalizeStrategy(BuiltinStatusStrategy):
    """``finalize``: the finalizers of ``spec``, and nothing else."""

    def reset(self, obj: JsonObject, old: JsonObject | None) -> None:
        """Keep status and metadata."""
        if old is None:
            return
        metadata = {**old["metadata"]}
        for name in ("managedFields", "resourceVersion"):
            if name in obj["metadata"]:
                metadata[name] = obj["metadata"][name]
        obj["metadata"] = metadata
        obj["status"] = old["status"]


class SecretStrategy(BuiltinStrategy):
    """Secrets: ``stringData`` is folded into ``data`` and not kept."""

    def default(self, obj: JsonObject) -> None:
        """Encode ``stringData``."""
        super().default(obj)
        text = obj.pop("stringData", None)
        if text:
            data = obj.setdefault("data", {})
            data.update({key: base64.b64encode(value.encode()).decode() for key, value in text.items()})


_BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


class VolumeStrategy(BuiltinStrategy):
    """Volumes and claims are protected from removal while they are used."""

    finalizer = ""

    def prepare_for_create(self, obj: JsonObject, context: Context) -> None:
        """Protect."""
        super().prepare_for_create(obj, context)
        finalizers = obj["metadata"].setdefault("finalizers", [])
        if self.finalizer not in finalizers:
            finalizers.append(self.finalizer)


class ClaimStrategy(VolumeStrategy):
    """PersistentVolumeClaims."""

    finalizer = "kubernetes.io/pvc-protection"

    def prepare_for_create(self, obj: JsonObject, context: Context) -> None:
        """Of the default class, if no class is named and there is one."""
        super().prepare_for_create(obj, context)
        annotations = obj["metadata"].get("annotations") or {}
        if "storageClassName" in obj["spec"] or _BETA_CLASS in annotations:
            return
        classes = [
            found
            for found in context.lookups.list("storage.k8s.io", "storageclasses")
            if (found["metadata"].get("annotations") or {}).get(_DEFAULT_CLASS) == "true"
        ]
        if classes:
            by_name = sorted(classes, key=lambda found: str(found["metadata"]["name"]))
            newest = max(by_name, key=lambda found: str(found["metadata"]["creationTimestamp"]))
            obj["spec"]["storageClassName"] = newest["metadata"]["name"]


class PersistentVolumeStrategy(VolumeStrategy):
    """PersistentVolumes."""

    finalizer = "kubernetes.io/pv-protection"

    def prepare_for_create(self, obj: JsonObject, context: Context) -> None:
        """Pending since now."""
        super().prepare_for_create(obj, context)
        obj["status"]["lastPhaseTransitionTime"] = context.now
