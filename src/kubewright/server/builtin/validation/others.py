"""What is refused in the kinds that make no Pods."""

from __future__ import annotations

import re

from kubewright.objects import JsonObject
from kubewright.server.builtin.validation.common import IMMUTABLE, at, immutable, label_selector, not_negative
from kubewright.server.context import Context
from kubewright.server.fielderrors import FieldError, forbidden, invalid, not_supported, required, too_long
from kubewright.server.gotext import GoStruct

_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_KEY_PROBLEM = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME', "
    " or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_DATA_LIMIT = 1024 * 1024
_RBAC = "rbac.authorization.k8s.io"
_CLAIM = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"


def config_map(obj: JsonObject, context: Context) -> list[FieldError]:
    """A ConfigMap."""
    size = sum(len(value.encode()) for value in (obj.get("data") or {}).values()) + _decoded(obj, "binaryData")
    # "[]" is how Go prints the path of the whole object.
    return _config_keys(obj) + ([too_long("[]", _DATA_LIMIT)] if size > _DATA_LIMIT else [])


def _config_keys(obj: JsonObject) -> list[FieldError]:
    return [
        invalid(f"{part}[{key}]", key, _KEY_PROBLEM)
        for part in ("data", "binaryData")
        for key in sorted(obj.get(part) or ())
        if not _KEY.fullmatch(key)
    ]


def _decoded(obj: JsonObject, part: str) -> int:
    """How many bytes the base64 of a part stands for."""
    return sum(len(value) // 4 * 3 - value.count("=") for value in (obj.get(part) or {}).values())


def immutable_data(obj: JsonObject, old: JsonObject, context: Context) -> list[FieldError]:
    """ConfigMaps and Secrets marked immutable stay as they are, and a Secret's type never changes."""
    errors: list[FieldError] = []
    if "type" in old:
        errors += immutable(obj, old, "type")
    if not old.get("immutable"):
        return errors
    if not obj.get("immutable"):
        errors.append(forbidden("immutable", "field is immutable when `immutable` is set"))
    errors += [
        forbidden(part, "field is immutable when `immutable` is set")
        for part in ("data", "binaryData")
        if obj.get(part) != old.get(part)
    ]
    return errors


_SECRET_KEYS = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}


def secret(obj: JsonObject, context: Context) -> list[FieldError]:
    """A Secret."""
    data = obj.get("data") or {}
    wanted = _SECRET_KEYS.get(obj.get("type", ""), ())
    errors = _config_keys(obj)
    if _decoded(obj, "data") > _DATA_LIMIT:
        errors.append(too_long("data", _DATA_LIMIT))
    return errors + [required(f"data[{key}]") for key in wanted if key not in data]


def role_binding(obj: JsonObject, context: Context) -> list[FieldError]:
    """A RoleBinding or ClusterRoleBinding."""
    role, errors = obj["roleRef"], []
    if role.get("apiGroup") != _RBAC:
        errors.append(not_supported("roleRef.apiGroup", role.get("apiGroup"), [_RBAC]))
    kinds = ["ClusterRole"] if obj["kind"] == "ClusterRoleBinding" else ["Role", "ClusterRole"]
    if role.get("kind") not in kinds:
        errors.append(not_supported("roleRef.kind", role.get("kind"), kinds))
    if not role.get("name"):
        errors.append(required("roleRef.name"))
    for index, subject in enumerate(obj.get("subjects") or ()):
        here = f"subjects[{index}]"
        if not subject.get("name"):
            errors.append(required(f"{here}.name"))
        if subject.get("kind") == "ServiceAccount":
            # A RoleBinding's own namespace stands in for it.
            if obj["kind"] == "ClusterRoleBinding" and not subject.get("namespace"):
                errors.append(required(f"{here}.namespace"))
        elif subject.get("kind") not in ("User", "Group"):
            errors.append(not_supported(f"{here}.kind", subject.get("kind"), ["ServiceAccount", "User", "Group"]))
    return errors


def role_stays(obj: JsonObject, old: JsonObject, context: Context) -> list[FieldError]:
    """What is bound may not change."""
    if obj["roleRef"] == old["roleRef"]:
        return []
    role = obj["roleRef"]
    shown = GoStruct(APIGroup=role.get("apiGroup"), Kind=role.get("kind"), Name=role.get("name"))
    return [invalid("roleRef", shown, IMMUTABLE)]


def role(obj: JsonObject, context: Context) -> list[FieldError]:
    """A Role or ClusterRole."""
    errors = []
    for index, rule in enumerate(obj.get("rules") or ()):
        here = f"rules[{index}]"
        if rule.get("nonResourceURLs"):
            if obj["kind"] == "Role":
                why = "namespaced rules cannot apply to non-resource URLs"
                errors.append(invalid(f"{here}.nonResourceURLs", rule["nonResourceURLs"], why))
            continue
        if not rule.get("apiGroups"):
            errors.append(required(f"{here}.apiGroups", "resource rules must supply at least one api group"))
        if not rule.get("resources"):
            errors.append(required(f"{here}.resources", "resource rules must supply at least one resource"))
    rules = enumerate(obj.get("rules") or ())
    return errors + [required(f"rules[{index}].verbs") for index, rule in rules if not rule.get("verbs")]


_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]


def claim(obj: JsonObject, context: Context) -> list[FieldError]:
    """A PersistentVolumeClaim."""
    spec, errors = obj["spec"], []
    modes = spec.get("accessModes") or []
    if not modes:
        errors.append(required("spec.accessModes", "at least 1 access mode is required"))
    errors += [not_supported("spec.accessModes", mode, _MODES) for mode in modes if mode not in _MODES]
    if not at(spec, "resources.requests.storage"):
        errors.append(required("spec.resources[storage]"))
    return errors


def claim_update(obj: JsonObject, old: JsonObject, context: Context) -> list[FieldError]:
    """A changed claim: only what it asks for may change, once it is bound."""
    free = ("resources", "volumeAttributesClassName") if "volumeName" in old["spec"] else ("volumeName",)
    now = {name: value for name, value in obj["spec"].items() if name not in free}
    was = {name: value for name, value in old["spec"].items() if name not in free}
    return [] if now == was else [forbidden("spec", _CLAIM)]


def disruption_budget(obj: JsonObject, context: Context) -> list[FieldError]:
    """A PodDisruptionBudget."""
    spec = obj["spec"]
    errors = []
    if "minAvailable" in spec and "maxUnavailable" in spec:
        why = "minAvailable and maxUnavailable cannot be both set"
        shown = GoStruct(
            MinAvailable=spec["minAvailable"],
            Selector=spec.get("selector"),
            MaxUnavailable=spec["maxUnavailable"],
            UnhealthyPodEvictionPolicy=spec.get("unhealthyPodEvictionPolicy"),
        )
        errors.append(invalid("spec", shown, why))
    if "selector" in spec:
        errors += label_selector(spec["selector"], "spec.selector")
    return errors


def autoscaler(obj: JsonObject, context: Context) -> list[FieldError]:
    """A HorizontalPodAutoscaler."""
    spec = obj["spec"]
    errors = []
    least, most = spec.get("minReplicas"), spec.get("maxReplicas", 0)
    if least is not None and least < 1:
        errors.append(invalid("spec.minReplicas", least, "must be greater than or equal to 1"))
    if least is not None and most < least:
        errors.append(invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`"))
    target = spec["scaleTargetRef"]
    errors += [required(f"spec.scaleTargetRef.{name}") for name in ("kind", "name") if not target.get(name)]
    version = target.get("apiVersion", "")
    if "/" not in version and not (version and target.get("kind") == "ReplicationController"):
        errors.append(invalid("spec.scaleTargetRef.apiVersion", version, "apiVersion must specify API group"))
    return errors + ([] if most else [required("spec.maxReplicas")])


def lease(obj: JsonObject, context: Context) -> list[FieldError]:
    """A Lease."""
    spec = obj["spec"]
    errors = [
        invalid(f"spec.{name}", spec[name], "must be greater than 0")
        for name in ("leaseDurationSeconds",)
        if name in spec and spec[name] <= 0
    ]
    return errors + not_negative(spec, "spec", "leaseTransitions")


def event(obj: JsonObject, context: Context) -> list[FieldError]:
    """An Event: it is in the namespace of what it is about."""
    about, namespace = obj.get("involvedObject") or {}, obj["metadata"].get("namespace")
    where = about.get("namespace", "")
    if where == namespace or (not where and namespace in ("default", "kube-system")):
        return []
    return [invalid("involvedObject.namespace", where, "does not match event.namespace")]


_PATH_TYPES = ["Exact", "ImplementationSpecific", "Prefix"]


def ingress(obj: JsonObject, context: Context) -> list[FieldError]:
    """An Ingress."""
    spec, errors = obj["spec"], []
    if not spec.get("rules") and "defaultBackend" not in spec:
        errors.append(invalid("spec", None, "either `defaultBackend` or `rules` must be specified"))
    for index, rule in enumerate(spec.get("rules") or ()):
        if "http" not in rule:
            continue
        here = f"spec.rules[{index}].http.paths"
        paths = rule["http"].get("paths") or []
        if not paths:
            errors.append(required(here))
        for number, entry in enumerate(paths):
            errors += _ingress_path(entry, f"{here}[{number}]")
    return errors


def _ingress_path(entry: JsonObject, here: str) -> list[FieldError]:
    kind, path = entry.get("pathType"), entry.get("path", "")
    if kind is None:
        return [required(f"{here}.pathType", "pathType must be specified")]
    if kind not in _PATH_TYPES:
        return [not_supported(f"{here}.pathType", kind, _PATH_TYPES)]
    if kind != "ImplementationSpecific" and not path.startswith("/"):
        return [invalid(f"{here}.path", path, "must be an absolute path")]
    return []
