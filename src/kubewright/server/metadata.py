"""``metadata`` as the server sees it: what clients may not set, what it must look like, what may not change."""

from __future__ import annotations

import json
from typing import Any, Protocol

from kubewright.objects import JsonObject
from kubewright.server import fielderrors, status
from kubewright.server.fielderrors import FieldError
from kubewright.server.gojson import go_kind
from kubewright.server.gotext import Verbatim
from kubewright.server.names import dns_label_problems, label_value_problems, qualified_name_problems

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
_STANDARD_FINALIZERS = frozenset({"kubernetes", ORPHAN, FOREGROUND})
_ANNOTATIONS_LIMIT = 256 * 1024
_SYSTEM = ("creationTimestamp", "uid", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink")
_STRINGS = ("name", "generateName", "namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp")


class NameProblems(Protocol):
    """What is wrong with a name or the prefix of one."""

    def __call__(self, name: str, *, prefix: bool) -> list[str]:
        """The problems, worded."""
        ...


_ORDER = (
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
)


def ordered(metadata: JsonObject) -> JsonObject:
    """The fields in the order Go writes them."""
    return {key: metadata[key] for key in _ORDER if key in metadata}


def type_problem(metadata: JsonObject) -> str:
    """What Go says of the first field that is not of its type, or nothing."""
    for key in _STRINGS:
        if not isinstance(metadata.get(key), str | None):
            return _mismatch(metadata[key], key, "string")
    for key in ("labels", "annotations"):
        pairs = metadata.get(key)
        if not isinstance(pairs, dict | None):
            return _mismatch(pairs, key, "map[string]string")
        for value in (pairs or {}).values():
            if not isinstance(value, str | None):
                return _mismatch(value, key, "string")
    for key, kind in (("finalizers", "[]string"), ("ownerReferences", "[]v1.OwnerReference")):
        if not isinstance(metadata.get(key), list | None):
            return _mismatch(metadata[key], key, kind)
    for name in metadata.get("finalizers") or []:
        if not isinstance(name, str):
            return _mismatch(name, "finalizers", "string")
    return ""


def _mismatch(value: Any, field: str, kind: str) -> str:
    return f"json: cannot unmarshal {go_kind(value)} into Go struct field ObjectMeta.{field} of type {kind}"


def tidy(metadata: JsonObject) -> None:
    """Drop what is empty: Kubernetes does not send empty metadata fields."""
    empty = [key for key, value in metadata.items() if value in (None, "", {}, [])]
    for key in empty:
        del metadata[key]


def wipe_system_fields(metadata: JsonObject) -> None:
    """Drop what only the server sets."""
    for key in _SYSTEM:
        metadata.pop(key, None)


def match_namespace(metadata: JsonObject, namespace: str) -> None:
    """Put the request's namespace into the object.

    Raises:
        StatusError: 400, the object names another.
    """
    given = metadata.get("namespace") or ""
    if given == namespace:
        return
    if not namespace:
        metadata.pop("namespace", None)
    elif not given:
        metadata["namespace"] = namespace
    else:
        why = "the namespace of the provided object does not match the namespace sent on the request"
        raise status.bad_request(why)


def validate(
    metadata: JsonObject, *, namespaced: bool, name_problems: NameProblems, custom: bool = False
) -> list[FieldError]:
    """What is wrong with the metadata of an object about to be created.

    Args:
        metadata: of the object.
        namespaced: whether it must have a namespace.
        name_problems: what is wrong with a name.
        custom: a custom resource, whose finalizers need not be qualified.
    """
    errors: list[FieldError] = []
    if prefix := metadata.get("generateName"):
        errors += [
            fielderrors.invalid("metadata.generateName", prefix, why) for why in name_problems(prefix, prefix=True)
        ]
    name = metadata.get("name")
    if not name:
        errors.append(fielderrors.required("metadata.name", "name or generateName is required"))
    else:
        errors += [fielderrors.invalid("metadata.name", name, why) for why in name_problems(name, prefix=False)]
    namespace = metadata.get("namespace")
    if namespaced and not namespace:
        errors.append(fielderrors.required("metadata.namespace"))
    elif namespaced:
        errors += [
            fielderrors.invalid("metadata.namespace", namespace, why) for why in dns_label_problems(str(namespace))
        ]
    elif namespace:
        errors.append(fielderrors.forbidden("metadata.namespace", "not allowed on this type"))
    errors += validate_labels(metadata.get("labels") or {}, "metadata.labels")
    errors += _validate_annotations(metadata.get("annotations") or {})
    errors += _validate_owners(metadata.get("ownerReferences") or [])
    errors += _validate_finalizers(metadata.get("finalizers") or [])
    errors += _validate_managed_fields(metadata.get("managedFields") or [])
    if not custom:
        errors += _unqualified_finalizers(metadata.get("finalizers") or [])
    return errors


def _unqualified_finalizers(finalizers: list[str]) -> list[FieldError]:
    detail = "name is neither a standard finalizer name nor is it fully qualified"
    return [
        fielderrors.invalid(f"metadata.finalizers[{index}]", name, detail)
        for index, name in enumerate(finalizers)
        if "/" not in name and name not in _STANDARD_FINALIZERS
    ]


def validate_update(metadata: JsonObject, old: JsonObject) -> list[FieldError]:
    """What is wrong with changed metadata."""
    errors: list[FieldError] = []
    if "deletionTimestamp" in old:
        new = sorted(set(metadata.get("finalizers") or []) - set(old.get("finalizers") or []))
        if new:
            shown = "[]string{" + ", ".join(f'"{name}"' for name in new) + "}"
            detail = f"no new finalizers can be added if the object is being deleted, found new finalizers {shown}"
            errors.append(fielderrors.forbidden("metadata.finalizers", detail))
    if not metadata.get("resourceVersion"):
        errors.append(fielderrors.invalid("metadata.resourceVersion", "", "must be specified for an update"))
    for key in ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"):
        if metadata.get(key) != old.get(key):
            value = metadata.get(key)
            shown_value: Any = "" if value is None and key in _STRINGS else value
            errors.append(fielderrors.invalid(f"metadata.{key}", shown_value, "field is immutable"))
    errors += validate_labels(metadata.get("labels") or {}, "metadata.labels")
    errors += _validate_annotations(metadata.get("annotations") or {})
    errors += _validate_owners(metadata.get("ownerReferences") or [])
    errors += _validate_managed_fields(metadata.get("managedFields") or [])
    return errors


def validate_labels(labels: JsonObject, path: str) -> list[FieldError]:
    """What is wrong with labels, wherever they stand."""
    errors = []
    for key, value in labels.items():
        errors += [fielderrors.invalid(path, key, why) for why in qualified_name_problems(key)]
        errors += [fielderrors.invalid(path, value, why) for why in label_value_problems(value)]
    return errors


def _validate_annotations(annotations: JsonObject) -> list[FieldError]:
    path = "metadata.annotations"
    errors = [
        fielderrors.invalid(path, key, why) for key in annotations for why in qualified_name_problems(key.lower())
    ]
    if sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items()) > _ANNOTATIONS_LIMIT:
        errors.append(fielderrors.too_long(path, _ANNOTATIONS_LIMIT))
    return errors


def _validate_owners(owners: list[JsonObject]) -> list[FieldError]:
    path = "metadata.ownerReferences"
    errors = []
    controller = ""
    for index, owner in enumerate(owners):
        errors += [
            fielderrors.required(f"{path}[{index}].{key}", "must not be empty")
            for key in ("apiVersion", "kind", "name", "uid")
            if not owner.get(key)
        ]
        if owner.get("apiVersion", "").count("/") > 1:
            detail = "must be <group>/<version> or <version>"
            errors.append(fielderrors.invalid(f"{path}[{index}].apiVersion", owner["apiVersion"], detail))
        if (owner.get("apiVersion"), owner.get("kind")) == ("v1", "Event"):
            detail = "/v1, Kind=Event is disallowed from being an owner"
            errors.append(fielderrors.invalid(f"{path}[{index}]", owner, detail))
        if owner.get("controller"):
            this = f"{owner.get('kind')}/{owner.get('name')}"
            if controller:
                detail = (
                    'Only one reference can have Controller set to true. Found "true" in references for '
                    f"{controller} and {this}"
                )
                errors.append(
                    fielderrors.invalid(path, Verbatim(json.dumps(owners, separators=(",", ":"))), detail)
                )
            else:
                controller = this
    return errors


def _validate_finalizers(finalizers: list[str]) -> list[FieldError]:
    path = "metadata.finalizers"
    errors = [fielderrors.invalid(path, name, why) for name in finalizers for why in qualified_name_problems(name)]
    if ORPHAN in finalizers and FOREGROUND in finalizers:
        detail = f"finalizer {ORPHAN} and {FOREGROUND} cannot be both set"
        errors.append(fielderrors.invalid(path, finalizers, detail))
    return errors


def _validate_managed_fields(entries: list[JsonObject]) -> list[FieldError]:
    path = "metadata.managedFields"
    errors = []
    for index, entry in enumerate(entries):
        operation = entry.get("operation")
        if not operation:
            errors.append(fielderrors.required(f"{path}[{index}].operation", "must not be empty"))
        elif operation not in ("Apply", "Update"):
            errors.append(fielderrors.not_supported(f"{path}[{index}].operation", operation, ["Apply", "Update"]))
        if (fields_type := entry.get("fieldsType")) and fields_type != "FieldsV1":
            errors.append(fielderrors.invalid(f"{path}[{index}].fieldsType", fields_type, "must be `FieldsV1`"))
        if len(entry.get("manager") or "") > 128:
            errors.append(fielderrors.too_long(f"{path}[{index}].manager", 128))
    return errors
