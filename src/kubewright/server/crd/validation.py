"""What must hold of a CustomResourceDefinition before it is stored."""

from __future__ import annotations

import json
from typing import Any

from kubewright.objects import JsonObject
from kubewright.server import fielderrors
from kubewright.server.crd.structural import schema_errors
from kubewright.server.fielderrors import FieldError
from kubewright.server.gotext import Verbatim
from kubewright.server.names import dns_1035_label_problems, dns_subdomain_problems

_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
_MIXED_CASE = "may have mixed case, but should otherwise match: "


def validate_crd(crd: JsonObject) -> list[FieldError]:
    """What is wrong with a new definition."""
    errors = _name_errors(crd) + _spec_errors(crd["spec"])
    if not crd["status"].get("storedVersions"):
        detail = "must have at least one stored version"
        errors.append(fielderrors.invalid("status.storedVersions", None, detail))
    spec = crd["spec"]
    if spec.get("preserveUnknownFields"):
        detail = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
        detail += "spec.versions[*].schema instead"
        errors.append(fielderrors.invalid("spec.preserveUnknownFields", True, detail))
    return errors


def validate_crd_update(crd: JsonObject, old: JsonObject) -> list[FieldError]:
    """What is wrong with a changed definition."""
    errors = _spec_errors(crd["spec"])
    established = any(
        condition["type"] == "Established" and condition["status"] == "True"
        for condition in (old["status"].get("conditions") or [])
    )
    fixed = [("group",), ("names", "plural")]
    if established:
        fixed = [("scope",), ("names", "kind"), *fixed]
    for path in fixed:
        now, before = crd["spec"], old["spec"]
        for key in path:
            now, before = now.get(key), before.get(key)
        if now != before:
            errors.append(fielderrors.invalid(".".join(("spec", *path)), now, "field is immutable"))
    names = {version["name"] for version in crd["spec"].get("versions") or []}
    stored = crd["status"].get("storedVersions") or []
    for index, version in enumerate(stored):
        if version not in names:
            # As Kubernetes words it, brackets and all.
            detail = f"missing from spec.versions; {version} was previously a storage version, and must remain in "
            detail += "spec.versions until a storage migration ensures no data remains persisted in "
            detail += f"{version} and removes {version} from status.storedVersions"
            errors.append(fielderrors.invalid(f"status.storedVersions[{index}]", version, detail))
    return errors


def _name_errors(crd: JsonObject) -> list[FieldError]:
    name, spec = crd["metadata"].get("name", ""), crd["spec"]
    problems = dns_subdomain_problems(name) if name else []
    if name != f"{spec.get('names', {}).get('plural', '')}.{spec.get('group', '')}":
        problems.append('must be spec.names.plural+"."+spec.group')
    return [fielderrors.invalid("metadata.name", name, problem) for problem in problems]


def _spec_errors(spec: JsonObject) -> list[FieldError]:
    errors: list[FieldError] = []
    group = spec.get("group") or ""
    if not group:
        errors.append(fielderrors.required("spec.group"))
    elif problems := dns_subdomain_problems(group):
        errors.append(fielderrors.invalid("spec.group", group, ",".join(problems)))
    elif "." not in group:
        errors.append(fielderrors.invalid("spec.group", group, "should be a domain with at least one dot"))
    scope = spec.get("scope")
    if not scope:
        errors.append(fielderrors.required("spec.scope"))
    elif scope not in ("Cluster", "Namespaced"):
        errors.append(fielderrors.not_supported("spec.scope", scope, ["Cluster", "Namespaced"]))
    versions: list[JsonObject] = spec.get("versions") or []
    for index, version in enumerate(versions):
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            errors.append(fielderrors.required(f"spec.versions[{index}].schema.openAPIV3Schema"))
    shared = {word: _shared(versions, word) for word in _PER_VERSION}
    for index, version in enumerate(versions):
        name = version.get("name") or ""
        path = f"spec.versions[{index}]"
        if problems := dns_1035_label_problems(name):
            errors.append(fielderrors.invalid(f"{path}.name", name, ",".join(problems)))
        apart = {word: version.get(word) for word in _PER_VERSION if shared[word] is None}
        errors += _part_errors(apart, version, path, f"{path}.schema")
    names = [version.get("name") for version in versions]
    if len(set(names)) != len(names):
        errors.append(
            fielderrors.invalid("spec.versions", _as_go(versions, shared), "must contain unique version names")
        )
    if sum(1 for version in versions if version.get("storage")) != 1:
        detail = "must have exactly one version marked as storage version"
        errors.append(fielderrors.invalid("spec.versions", _as_go(versions, shared), detail))
    if versions and (problems := dns_1035_label_problems(versions[0].get("name") or "")):
        errors.append(fielderrors.invalid("spec.version", versions[0].get("name") or "", ",".join(problems)))
    errors += _names_errors(spec.get("names") or {})
    return errors + _part_errors(shared, versions[0] if versions else {}, "spec", "spec.validation")


_PER_VERSION = ("schema", "subresources", "additionalPrinterColumns")


def _shared(versions: list[JsonObject], word: str) -> Any:
    """What all versions say alike: Kubernetes checks that once, in the place where v1beta1 had it."""
    first = versions[0].get(word) if versions else None
    return first if all(version.get(word) == first for version in versions) else None


def _as_go(versions: list[JsonObject], shared: JsonObject) -> Verbatim:
    shown = [
        {
            "Name": version.get("name", ""),
            "Served": bool(version.get("served")),
            "Storage": bool(version.get("storage")),
            "Deprecated": bool(version.get("deprecated")),
            "DeprecationWarning": version.get("deprecationWarning"),
            "Schema": None if shared["schema"] is not None else version.get("schema"),
            "Subresources": None if shared["subresources"] is not None else version.get("subresources"),
            "AdditionalPrinterColumns": None
            if shared["additionalPrinterColumns"] is not None
            else version.get("additionalPrinterColumns"),
            "SelectableFields": version.get("selectableFields"),
        }
        for version in versions
    ]
    return Verbatim(json.dumps(shown, separators=(",", ":")))


def _part_errors(parts: JsonObject, version: JsonObject, path: str, schema_path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    schema = (parts.get("schema") or {}).get("openAPIV3Schema")
    if schema:
        has_status = "status" in (version.get("subresources") or {})
        errors += schema_errors(schema, f"{schema_path}.openAPIV3Schema", status=has_status)
    scale = (parts.get("subresources") or {}).get("scale")
    if scale is not None:
        errors += _scale_errors(scale, f"{path}.subresources.scale")
    for index, column in enumerate(parts.get("additionalPrinterColumns") or []):
        errors += _column_errors(column, f"{path}.additionalPrinterColumns[{index}]")
    return errors


def _scale_errors(scale: JsonObject, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for key, roots in (("specReplicasPath", (".spec.",)), ("statusReplicasPath", (".status.",))):
        value = scale.get(key) or ""
        if not value:
            errors.append(fielderrors.required(f"{path}.{key}"))
        elif found := _path_errors(value, f"{path}.{key}"):
            errors += found
        elif not value.startswith(roots):
            detail = f"should be a json path under {roots[0].rstrip('.')}"
            errors.append(fielderrors.invalid(f"{path}.{key}", value, detail))
    if selector := scale.get("labelSelectorPath"):
        where = f"{path}.labelSelectorPath"
        if found := _path_errors(selector, where):
            errors += found
        elif not selector.startswith((".spec.", ".status.")):
            detail = "should be a json path under either .spec or .status"
            errors.append(fielderrors.invalid(where, selector, detail))
    return errors


def _column_errors(column: JsonObject, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if not column.get("name"):
        errors.append(fielderrors.required(f"{path}.name"))
    kind = column.get("type")
    allowed = f"must be one of {','.join(_COLUMN_TYPES)}"
    if not kind:
        errors.append(fielderrors.required(f"{path}.type", allowed))
    elif kind not in _COLUMN_TYPES:
        errors.append(fielderrors.invalid(f"{path}.type", kind, allowed))
    shape = column.get("format")
    if shape and shape not in _COLUMN_FORMATS:
        detail = f"must be one of {','.join(_COLUMN_FORMATS)}"
        errors.append(fielderrors.invalid(f"{path}.format", shape, detail))
    json_path = column.get("jsonPath")
    if not json_path:
        errors.append(fielderrors.required(f"{path}.JSONPath"))
    else:
        errors += _path_errors(json_path, f"{path}.JSONPath")
    return errors


def _path_errors(value: str, path: str) -> list[FieldError]:
    if value.startswith("."):
        return []
    return [fielderrors.invalid(path, value, "must be a simple json path starting with .")]


def _names_errors(names: JsonObject) -> list[FieldError]:
    errors = [
        fielderrors.required(f"spec.names.{key}")
        for key in ("plural", "singular", "kind", "listKind")
        if not names.get(key)
    ]
    for key in ("plural", "singular"):
        value = names.get(key) or ""
        if problems := dns_1035_label_problems(value) if value else []:
            errors += [fielderrors.invalid(f"spec.names.{key}", value, ",".join(problems))]
    for key in ("kind", "listKind"):
        value = names.get(key) or ""
        if problems := dns_1035_label_problems(value.lower()) if value else []:
            errors += [fielderrors.invalid(f"spec.names.{key}", value, _MIXED_CASE + ",".join(problems))]
    for key in ("shortNames", "categories"):
        for index, value in enumerate(names.get(key) or []):
            if problems := dns_1035_label_problems(value):
                errors.append(fielderrors.invalid(f"spec.names.{key}[{index}]", value, ",".join(problems)))
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        detail = "kind and listKind may not be the same"
        errors.append(fielderrors.invalid("spec.names.listKind", names["listKind"], detail))
    return errors
