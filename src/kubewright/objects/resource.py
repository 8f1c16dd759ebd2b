"""Declares a custom resource: ``@resource`` says which group and version serve a class, and how."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from kubewright.errors import SchemaError
from kubewright.objects.annotations import model_fields, read
from kubewright.objects.gvk import ApiResource
from kubewright.objects.markers import Rule
from kubewright.objects.model import Object, Resource, serves

ResourceT = TypeVar("ResourceT", bound=Object)
ModelT = TypeVar("ModelT", bound=type)

VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of ``kubectl get``: ``Column("Image", ".spec.image")``.

    Attributes:
        name: its heading.
        json_path: where the value is in the object, beginning with a dot.
        type: integer, number, string, boolean or date.
        description: what a person reads in the API.
        priority: above 0, only ``-o wide`` shows it.
        format: an OpenAPI format, for instance ``int32``.
    """

    name: str
    json_path: str
    type: Literal["integer", "number", "string", "boolean", "date"] = "string"
    description: str = ""
    priority: int = 0
    format: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """Where the scale subresource reads and writes: ``Scale(".spec.size", ".status.replicas")``."""

    spec_replicas_path: str
    status_replicas_path: str
    label_selector_path: str = ""


@dataclass(frozen=True, slots=True)
class ResourceOptions:
    """What :func:`resource` was given beyond the names, as the class carries it."""

    columns: tuple[Column, ...] = ()
    rules: tuple[Rule, ...] = ()
    storage: bool = True
    served: bool = True
    hub: bool = False
    scale: Scale | None = None
    selectable_fields: tuple[str, ...] = ()
    deprecation_warning: str | None = None


def guess_plural(kind: str) -> str:
    """The resource Kubernetes would guess for ``kind``: lowercased, with -s, -es or -ies."""
    singular = kind.lower()
    if singular.endswith("endpoints"):
        return singular
    if singular.endswith("s"):
        return singular + "es"
    if singular.endswith("y"):
        return singular[:-1] + "ies"
    return singular + "s"


def resource(
    *,
    group: str,
    version: str,
    kind: str | None = None,
    plural: str | None = None,
    singular: str | None = None,
    scope: Literal["Namespaced", "Cluster"] = "Namespaced",
    short_names: Sequence[str] = (),
    categories: Sequence[str] = (),
    columns: Sequence[Column] = (),
    rules: Mapping[str, str] | Sequence[Rule] = (),
    storage: bool = True,
    served: bool = True,
    hub: bool = False,
    scale: Scale | None = None,
    selectable_fields: Sequence[str] = (),
    deprecation_warning: str | None = None,
) -> Callable[[type[ResourceT]], type[ResourceT]]:
    """Declare the decorated class to be a custom resource.

    ``kind`` is the class's name and ``plural`` Kubernetes' own guess unless given. The status subresource is there
    if the class has a status type. ``rules`` are CEL rules on the whole object: ``{expression: message}``, or
    :class:`Rule` for all options. ``hub`` marks the version that is stored and that controllers see, where a kind
    has several. ``deprecation_warning`` (empty for Kubernetes' own words) marks a version as deprecated.

    Raises:
        SchemaError: a name no API server would accept, or a class that is not a ``Resource``.
    """

    def declare(cls: type[ResourceT]) -> type[ResourceT]:
        named = kind or cls.__name__
        for name, given in (("short_names", short_names), ("categories", categories), ("columns", columns)):
            if isinstance(given, str):
                raise SchemaError(f"{cls.__name__}: {name} is a text, not a list", hint=f"write {name}=[…]")
        described = ApiResource(
            group=group,
            version=version,
            kind=named,
            plural=plural or guess_plural(named),
            namespaced=scope == "Namespaced",
            singular=singular or named.lower(),
            short_names=tuple(short_names),
            categories=tuple(categories),
            verbs=VERBS,
            subresources=_subresources(cls, scale),
        )
        _check_names(cls, described)
        cls.resource_options = ResourceOptions(  # type: ignore[attr-defined]
            columns=tuple(columns),
            rules=as_rules(rules),
            storage=storage or hub,
            served=served,
            hub=hub,
            scale=scale,
            selectable_fields=tuple(selectable_fields),
            deprecation_warning=deprecation_warning,
        )
        return serves(cls, described)

    return declare


def rules(given: Mapping[str, str] | Sequence[Rule]) -> Callable[[ModelT], ModelT]:
    """Put CEL rules on a type, wherever it is used: ``@rules({"self.min <= self.max": "min is above max"})``."""

    def declare(cls: ModelT) -> ModelT:
        cls.schema_rules = as_rules(given)  # type: ignore[attr-defined]
        return cls

    return declare


def as_rules(given: Mapping[str, str] | Sequence[Rule]) -> tuple[Rule, ...]:
    """Both ways to write rules as the long one."""
    if isinstance(given, Mapping):
        return tuple(Rule(expression, message) for expression, message in given.items())
    return tuple(given)


def options_of(cls: type[Object]) -> ResourceOptions:
    """What ``@resource`` was given for ``cls``.

    Raises:
        SchemaError: ``cls`` is not declared with ``@resource``.
    """
    options = cls.__dict__.get("resource_options")
    if not isinstance(options, ResourceOptions):
        raise SchemaError(
            f"{cls.__name__} is not declared as a custom resource",
            hint=f'put @resource(group="…", version="…") above class {cls.__name__}',
        )
    return options


def has_status(cls: type) -> bool:
    """Whether a resource class has a status type: ``Resource[Spec, None]`` has none."""
    status = model_fields(cls).get("status")
    return status is not None and read(status.annotation).base is not type(None)


def _subresources(cls: type, scale: Scale | None) -> tuple[str, ...]:
    if not issubclass(cls, Resource):
        raise SchemaError(
            f"@resource is for classes of custom resources, which {cls.__name__} is not",
            hint=f"derive it: class {cls.__name__}(Resource[{cls.__name__}Spec, {cls.__name__}Status])",
        )
    return (*(("status",) if has_status(cls) else ()), *(("scale",) if scale else ()))


_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DNS_LABEL = re.compile(_LABEL)
_DNS_1035_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})+")


def _check_names(cls: type, described: ApiResource) -> None:
    def check(what: str, value: str, pattern: re.Pattern[str], wanted: str) -> None:
        if len(value) > 63 + 190 * (pattern is _DOMAIN) or not pattern.fullmatch(value):
            raise SchemaError(f"{cls.__name__}: {what} {value!r} is not {wanted}")

    check("group", described.group, _DOMAIN, "a lowercase domain name with a dot, for instance app.example.com")
    check("version", described.version, _DNS_1035_LABEL, "a version, for instance v1 or v1alpha1")
    check("kind", described.kind.lower(), _DNS_1035_LABEL, "a CamelCase name of at most 63 letters and digits")
    check("plural", described.plural, _DNS_1035_LABEL, "a lowercase name")
    check("singular", described.singular, _DNS_1035_LABEL, "a lowercase name")
    for name in (*described.short_names, *described.categories):
        check("short name or category", name, _DNS_1035_LABEL, "a lowercase name")
