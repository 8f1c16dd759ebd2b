"""Makes a CustomResourceDefinition from the classes of a kind, one for each version."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kubewright.errors import SchemaError
from kubewright.objects.jsontree import JsonObject
from kubewright.objects.model import Object
from kubewright.objects.resource import ResourceOptions, has_status, options_of
from kubewright.objects.schema import schema_of
from kubewright.objects.schema_checks import validations

_VERSION = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")
_SIMPLE_PATH = re.compile(r"\.[A-Za-z_][\w-]*")


def crd(*classes: type[Object]) -> JsonObject:
    """The CustomResourceDefinition of a kind; ``classes`` are its versions, one of them stored.

    With ``columns`` given, ``kubectl get`` shows the age too, as it does where none are.

    Raises:
        SchemaError: the classes are not versions of one kind, not exactly one is stored, a path leads nowhere, or
            a type says what no schema can.
    """
    if not classes:
        raise SchemaError("crd() needs at least one class", hint="crd(AppService)")
    stored = stored_version(classes)
    names = stored.api_resource
    for cls in classes:
        _check_same_kind(stored, cls)
    spoken: JsonObject = {
        "kind": names.kind,
        "listKind": f"{names.kind}List",
        "plural": names.plural,
        "singular": names.singular,
    }
    if names.short_names:
        spoken["shortNames"] = list(names.short_names)
    if names.categories:
        spoken["categories"] = list(names.categories)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": names.group_resource},
        "spec": {
            "group": names.group,
            "names": spoken,
            "scope": "Namespaced" if names.namespaced else "Cluster",
            "versions": [
                _version(cls, options_of(cls), storage=cls is stored)
                for cls in sorted(classes, key=lambda cls: version_order(cls.api_resource.version))
            ],
        },
    }


def version_order(version: str) -> tuple[int, int, int, str]:
    """Sorts versions as Kubernetes does: v2, v1, v1beta2, v1beta1, v1alpha1, then others by name."""
    found = _VERSION.fullmatch(version)
    if not found:
        return (3, 0, 0, version)
    stage = {None: 0, "beta": 1, "alpha": 2}[found.group(2)]
    return (stage, -int(found.group(1)), -int(found.group(3) or 0), "")


def stored_version(classes: Sequence[type[Object]]) -> type[Object]:
    """The class of the version that is stored: the hub, or the only one with ``storage``.

    Raises:
        SchemaError: it is not exactly one.
    """
    hubs = [cls for cls in classes if options_of(cls).hub]
    stored = hubs or [cls for cls in classes if options_of(cls).storage]
    if len(stored) != 1:
        named = ", ".join(cls.__name__ for cls in classes)
        raise SchemaError(
            f"{named}: exactly one version is stored, not {len(stored)}",
            hint="give one of them hub=True",
        )
    return stored[0]


def _check_same_kind(stored: type[Object], cls: type[Object]) -> None:
    ours, theirs = stored.api_resource, cls.api_resource
    for what in ("group", "kind", "plural", "namespaced"):
        if getattr(ours, what) != getattr(theirs, what):
            raise SchemaError(
                f"{cls.__name__} and {stored.__name__} are not versions of one kind: {what} is "
                f"{getattr(theirs, what)!r} and {getattr(ours, what)!r}",
                hint="give both the same group, kind, plural and scope",
            )
    if cls is not stored and ours.version == theirs.version:
        raise SchemaError(f"{cls.__name__} and {stored.__name__} are both version {ours.version}")


def _version(cls: type[Object], options: ResourceOptions, *, storage: bool) -> JsonObject:
    schema = schema_of(cls)
    if options.rules:
        schema["x-kubernetes-validations"] = [
            *schema.get("x-kubernetes-validations", ()),
            *validations(options.rules),
        ]
    made: JsonObject = {"name": cls.api_resource.version, "served": options.served, "storage": storage}
    if options.deprecation_warning is not None:
        made["deprecated"] = True
        if options.deprecation_warning:
            made["deprecationWarning"] = options.deprecation_warning
    made["schema"] = {"openAPIV3Schema": schema}
    if columns := _columns(cls, options, schema):
        made["additionalPrinterColumns"] = columns
    subresources: JsonObject = {}
    if has_status(cls):
        subresources["status"] = {}
    if options.scale is not None:
        scale = options.scale
        subresources["scale"] = {
            "specReplicasPath": _checked(cls, "scale", scale.spec_replicas_path, schema, under=(".spec.",)),
            "statusReplicasPath": _checked(cls, "scale", scale.status_replicas_path, schema, under=(".status.",)),
        }
        if scale.label_selector_path:
            subresources["scale"]["labelSelectorPath"] = _checked(
                cls, "scale", scale.label_selector_path, schema, under=(".spec.", ".status.")
            )
    if subresources:
        made["subresources"] = subresources
    if options.selectable_fields:
        made["selectableFields"] = [
            {"jsonPath": _checked(cls, "selectable field", path, schema, under=(".spec.", ".status."))}
            for path in options.selectable_fields
        ]
    return made


def _columns(cls: type[Object], options: ResourceOptions, schema: JsonObject) -> list[JsonObject]:
    made: list[JsonObject] = []
    for column in options.columns:
        path = _checked(cls, f"column {column.name!r}", column.json_path, schema, under=(".",))
        one: JsonObject = {"name": column.name, "type": column.type, "jsonPath": path}
        if column.description:
            one["description"] = column.description
        if column.format:
            one["format"] = column.format
        if column.priority:
            one["priority"] = column.priority
        made.append(one)
    if made and not any(column.name == "Age" for column in options.columns):
        made.append({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"})
    return made


def _checked(cls: type[Object], what: str, path: str, schema: JsonObject, *, under: Sequence[str]) -> str:
    """``path``, if it leads to a field of the schema as far as it can be followed."""
    if not path.startswith(tuple(under)):
        raise SchemaError(f"{cls.__name__}: {what}: the path {path!r} does not begin with {' or '.join(under)}")
    here, position = schema, 0
    while found := _SIMPLE_PATH.match(path, position):
        name, position = found.group()[1:], found.end()
        if here is schema and name == "metadata":
            return path
        properties = here.get("properties")
        if properties is None:
            return path
        if name not in properties:
            raise SchemaError(
                f"{cls.__name__}: {what}: the path {path!r} leads to no field: there is no {name!r}",
                hint=f"names are those on the wire; here are {', '.join(sorted(properties))}",
            )
        here = properties[name]
    return path
