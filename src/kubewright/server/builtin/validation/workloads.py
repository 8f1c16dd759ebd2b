"""What is refused in the kinds that make Pods."""

from __future__ import annotations

from kubewright.objects import JsonObject, selectors
from kubewright.server.builtin.validation.common import (
    at_most_whole,
    immutable,
    int_or_percent,
    label_name,
    label_selector,
    not_negative,
    one_of,
)
from kubewright.server.builtin.validation.pods import pod_template
from kubewright.server.context import Context
from kubewright.server.fielderrors import FieldError, forbidden, invalid, not_supported, required
from kubewright.server.gotext import GoStruct


def _selector(spec: JsonObject, kind: str) -> list[FieldError]:
    selector = spec.get("selector")
    if selector is None:
        return [required("spec.selector")]
    errors = label_selector(selector, "spec.selector")
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        errors.append(invalid("spec.selector", selector, f"empty selector is invalid for {kind}"))
    return errors


def _template(spec: JsonObject, kind: str, invalid_selector: str = "invalid label selector") -> list[FieldError]:
    template, selector = spec["template"], spec.get("selector")
    metadata = template.get("metadata") or {}
    errors: list[FieldError] = []
    if selector is not None and label_selector(selector, ""):
        return [invalid("spec.selector", selector, invalid_selector)]
    empty = selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions")
    found = selectors.label_selector(selector)
    if not empty and (found is None or not found.matches(metadata.get("labels"))):
        why = "`selector` does not match template `labels`"
        errors.append(invalid("spec.template.metadata.labels", metadata.get("labels"), why))
    errors += pod_template(template, "spec.template")
    return errors + _always_running(template, kind)


def _always_running(template: JsonObject, kind: str) -> list[FieldError]:
    errors = []
    pod = template.get("spec") or {}
    if pod.get("restartPolicy") != "Always":
        errors.append(not_supported("spec.template.spec.restartPolicy", pod.get("restartPolicy"), ["Always"]))
    if "activeDeadlineSeconds" in pod:
        why = f"activeDeadlineSeconds in {kind} is not Supported"
        errors.append(forbidden("spec.template.spec.activeDeadlineSeconds", why))
    return errors


def deployment(obj: JsonObject, context: Context) -> list[FieldError]:
    """A Deployment."""
    spec = obj["spec"]
    errors = not_negative(spec, "spec", "replicas")
    errors += _selector(spec, "deployment")
    errors += _template(spec, "ReplicaSet")
    errors += _strategy(spec["strategy"])
    errors += not_negative(spec, "spec", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
        errors.append(invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
    return errors


def _strategy(strategy: JsonObject) -> list[FieldError]:
    kind, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    path = "spec.strategy.rollingUpdate"
    if kind == "Recreate":
        why = "may not be specified when strategy `type` is 'Recreate'"
        return [forbidden(path, why)] if rolling is not None else []
    if kind != "RollingUpdate" or rolling is None:
        shown = GoStruct(Type=kind, RollingUpdate=rolling)
        return [not_supported("spec.strategy", shown, ["Recreate", "RollingUpdate"])]
    unavailable, surge = rolling["maxUnavailable"], rolling["maxSurge"]
    errors = int_or_percent(unavailable, f"{path}.maxUnavailable") + int_or_percent(surge, f"{path}.maxSurge")
    if unavailable in (0, "0%") and surge in (0, "0%"):
        errors.append(invalid(f"{path}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0"))
    return errors + at_most_whole(unavailable, f"{path}.maxUnavailable")


def selector_stays(obj: JsonObject, old: JsonObject, context: Context) -> list[FieldError]:
    """The selector may not change."""
    return immutable(obj, old, "spec.selector")


def replica_set(obj: JsonObject, context: Context) -> list[FieldError]:
    """A ReplicaSet."""
    spec = obj["spec"]
    errors = not_negative(spec, "spec", "replicas", "minReadySeconds")
    # The server says "deployment" of ReplicaSets too.
    return errors + _selector(spec, "deployment") + _template(spec, "ReplicaSet")


def stateful_set(obj: JsonObject, context: Context) -> list[FieldError]:
    """A StatefulSet."""
    spec = obj["spec"]
    errors = []
    if spec["podManagementPolicy"] not in ("OrderedReady", "Parallel"):
        why = "must be 'OrderedReady' or 'Parallel'"
        errors.append(invalid("spec.podManagementPolicy", spec["podManagementPolicy"], why))
    errors += not_negative(spec, "spec", "replicas", "minReadySeconds")
    if spec.get("serviceName"):
        errors += label_name(spec["serviceName"], "spec.serviceName")
    errors += _selector(spec, "statefulset")
    claims = [template["metadata"].get("name", "") for template in spec.get("volumeClaimTemplates") or ()]
    return errors + _template(_with_claims(spec, claims), "StatefulSet", "")


def _with_claims(spec: JsonObject, claims: list[str]) -> JsonObject:
    if not claims:
        return spec
    template = spec["template"]
    volumes = [v for v in template["spec"].get("volumes") or () if v.get("name") not in claims]
    volumes += [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in claims]
    return {**spec, "template": {**template, "spec": {**template["spec"], "volumes": volumes}}}


def stateful_set_update(obj: JsonObject, old: JsonObject, context: Context) -> list[FieldError]:
    """A changed StatefulSet: little of its spec may change."""
    fixed = ("selector", "volumeClaimTemplates", "serviceName", "podManagementPolicy")
    return [error for name in fixed for error in immutable(obj, old, f"spec.{name}")]


def daemon_set(obj: JsonObject, context: Context) -> list[FieldError]:
    """A DaemonSet."""
    spec = obj["spec"]
    errors = _selector(spec, "daemonset") + _template(spec, "DaemonSet")
    errors += not_negative(spec, "spec", "minReadySeconds", "revisionHistoryLimit")
    kinds = ["RollingUpdate", "OnDelete"]
    strategy = spec["updateStrategy"]
    if strategy.get("type") not in kinds:
        shown = GoStruct(Type=strategy.get("type"), RollingUpdate=strategy.get("rollingUpdate"))
        errors.append(not_supported("spec.updateStrategy", shown, kinds))
    return errors


_JOB_COUNTS = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished")


def job(obj: JsonObject, context: Context) -> list[FieldError]:
    """A Job."""
    spec = obj["spec"]
    errors = not_negative(spec, "spec", *_JOB_COUNTS)
    if spec.get("selector") is None:
        errors.append(required("spec.selector"))
    else:
        errors += label_selector(spec["selector"], "spec.selector")
    return errors + _job_template(spec["template"], "spec.template")


def _job_template(template: JsonObject, path: str) -> list[FieldError]:
    errors = pod_template(template, path)
    policy = (template.get("spec") or {}).get("restartPolicy")
    if policy == "Always":
        errors.append(required(f"{path}.spec.restartPolicy", 'valid values: "OnFailure", "Never"'))
    return errors


def job_update(obj: JsonObject, old: JsonObject, context: Context) -> list[FieldError]:
    """A changed Job: what it runs stays, unless it is suspended and never ran."""
    errors = []
    if obj["spec"].get("completionMode") != "Indexed":
        errors += immutable(obj, old, "spec.completions")
    errors += immutable(obj, old, "spec.selector")
    suspended = old["spec"].get("suspend") and "startTime" not in old["status"]
    if not suspended:
        errors += immutable(obj, old, "spec.template")
    return errors + immutable(obj, old, "spec.completionMode")


def cron_job(obj: JsonObject, context: Context) -> list[FieldError]:
    """A CronJob."""
    spec = obj["spec"]
    errors = []
    if not spec.get("schedule"):
        errors.append(required("spec.schedule"))
    elif not spec["schedule"].startswith("@") and len(fields := spec["schedule"].split()) != 5:
        why = f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]"
        errors.append(invalid("spec.schedule", spec["schedule"], why))
    policies = ("Allow", "Forbid", "Replace")
    errors += one_of(spec.get("concurrencyPolicy"), "spec.concurrencyPolicy", policies)
    counts = ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")
    errors += not_negative(spec, "spec", *counts)
    return errors + _job_template(spec["jobTemplate"]["spec"]["template"], "spec.jobTemplate.spec.template")
