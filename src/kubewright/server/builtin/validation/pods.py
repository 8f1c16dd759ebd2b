"""What is refused in Pods and in the templates they are made from."""

from __future__ import annotations

from collections.abc import Iterable

from kubewright.objects import JsonObject
from kubewright.server.builtin.validation.common import label_name, labels, one_of, subdomain
from kubewright.server.builtin.validation.containers import containers
from kubewright.server.context import Context
from kubewright.server.fielderrors import FieldError, duplicate, forbidden, invalid, required

_RESTART = ("Always", "OnFailure", "Never")
_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_CHANGEABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def pod(obj: JsonObject, context: Context) -> list[FieldError]:
    """A Pod."""
    return pod_spec(obj["spec"], "spec")


def pod_update(obj: JsonObject, old: JsonObject, context: Context) -> list[FieldError]:
    """A changed Pod: little of its spec may change."""
    errors = []
    before, spec = old["spec"], obj["spec"]
    if len(spec.get("containers") or ()) != len(before.get("containers") or ()):
        return [forbidden("spec.containers", "pod updates may not add or remove containers")]
    if _fixed(spec) != _fixed(before):
        errors.append(forbidden("spec", _CHANGEABLE))
    return errors


def _fixed(spec: JsonObject) -> JsonObject:
    # The scheduling gates may go and node selectors may narrow while a Pod is gated; that is not looked at here.
    fixed = {
        name: value
        for name, value in spec.items()
        if name not in ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates")
    }
    for name in ("containers", "initContainers"):
        if name in fixed:
            fixed[name] = [{key: c[key] for key in c if key != "image"} for c in fixed[name]]
    return fixed


def pod_template(template: JsonObject, path: str) -> list[FieldError]:
    """A Pod template."""
    metadata = template.get("metadata") or {}
    errors = labels(metadata.get("labels"), f"{path}.labels")
    return errors + pod_spec(template.get("spec") or {}, f"{path}.spec")


def pod_spec(spec: JsonObject, path: str) -> list[FieldError]:
    """A Pod's spec."""
    volumes: set[str] = set()
    errors = _volumes(spec.get("volumes") or (), f"{path}.volumes", volumes)
    names: set[str] = set()
    found = spec.get("containers") or []
    errors += containers(found, volumes, f"{path}.containers", names)
    if not found:
        errors.append(required(f"{path}.containers"))
    errors += containers(spec.get("initContainers") or [], volumes, f"{path}.initContainers", names)
    errors += one_of(spec.get("restartPolicy"), f"{path}.restartPolicy", _RESTART)
    errors += one_of(spec.get("dnsPolicy"), f"{path}.dnsPolicy", _DNS)
    errors += labels(spec.get("nodeSelector"), f"{path}.nodeSelector")
    for name in ("serviceAccountName", "nodeName", "priorityClassName", "runtimeClassName"):
        if spec.get(name):
            errors += subdomain(spec[name], f"{path}.{name}")
    for name in ("hostname", "subdomain"):
        if spec.get(name):
            errors += label_name(spec[name], f"{path}.{name}")
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline < 2**31:
        errors.append(
            invalid(f"{path}.activeDeadlineSeconds", deadline, "must be between 1 and 2147483647, inclusive")
        )
    return errors + _tolerations(spec.get("tolerations") or (), f"{path}.tolerations")


def _volumes(volumes: Iterable[JsonObject], path: str, names: set[str]) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, volume in enumerate(volumes):
        here = f"{path}[{index}]"
        name = volume.get("name", "")
        sources = [key for key in volume if key != "name"]
        errors += [
            forbidden(f"{here}.{key}", "may not specify more than 1 volume type") for key in _in_order(sources)[1:]
        ]
        for key in _in_order(sources)[:1]:
            errors += _source(key, volume[key], here)
        if not name:
            errors.append(required(f"{here}.name"))
        elif problems := label_name(name, f"{here}.name"):
            errors += problems
        elif name in names:
            errors.append(duplicate(f"{here}.name", name))
        names.add(name)
    return errors


_ORDER = (
    "emptyDir",
    "hostPath",
    "gitRepo",
    "secret",
    "nfs",
    "persistentVolumeClaim",
    "configMap",
    "projected",
    "csi",
)


def _in_order(sources: list[str]) -> list[str]:
    return sorted(sources, key=lambda key: _ORDER.index(key) if key in _ORDER else len(_ORDER))


def _source(key: str, source: JsonObject, path: str) -> list[FieldError]:
    wanted = {
        "configMap": "name",
        "secret": "secretName",
        "persistentVolumeClaim": "claimName",
        "hostPath": "path",
    }.get(key)
    if wanted and not source.get(wanted):
        return [required(f"{path}.{key}.{wanted}")]
    return []


def _tolerations(tolerations: Iterable[JsonObject], path: str) -> list[FieldError]:
    errors = []
    for index, toleration in enumerate(tolerations):
        here = f"{path}[{index}]"
        operator = toleration.get("operator", "")
        if not toleration.get("key") and operator != "Exists":
            why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            errors.append(invalid(f"{here}.operator", operator, why))
        if operator in ("", "Equal", "Exists"):
            if operator == "Exists" and toleration.get("value"):
                errors.append(
                    invalid(f"{here}.operator", toleration, "value must be empty when `operator` is 'Exists'")
                )
        else:
            errors += one_of(operator, f"{here}.operator", ("Equal", "Exists"))
        if toleration.get("effect"):
            errors += one_of(toleration["effect"], f"{here}.effect", _EFFECTS)
    return errors
