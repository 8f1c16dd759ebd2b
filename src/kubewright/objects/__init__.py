"""Pure data: names, metadata, raw and typed objects, selectors, patches, schemas, CRDs, conditions."""

from msgspec import Meta

from kubewright.objects.base import Model, field
from kubewright.objects.crd import crd
from kubewright.objects.gvk import ApiResource, GroupVersionKind, ObjectKey, parse_api_version
from kubewright.objects.markers import (
    Atomic,
    EmbeddedResource,
    Format,
    IntOrString,
    ListMap,
    ListSet,
    Nullable,
    PreserveUnknown,
    Quantity,
    Rule,
)
from kubewright.objects.meta import (
    Condition,
    LabelSelector,
    LabelSelectorRequirement,
    ListMeta,
    ManagedFieldsEntry,
    ObjectMeta,
    OwnerReference,
)
from kubewright.objects.model import Object, Resource, Spec, Status, serves, to_dict, to_json
from kubewright.objects.raw import MetaHead, OwnerHead, RawObject
from kubewright.objects.resource import Column, ResourceOptions, Scale, guess_plural, options_of, resource, rules
from kubewright.objects.schema import schema_of

__all__ = [
    "ApiResource",
    "Atomic",
    "Column",
    "Condition",
    "EmbeddedResource",
    "Format",
    "GroupVersionKind",
    "IntOrString",
    "LabelSelector",
    "LabelSelectorRequirement",
    "ListMap",
    "ListMeta",
    "ListSet",
    "ManagedFieldsEntry",
    "Meta",
    "MetaHead",
    "Model",
    "Nullable",
    "Object",
    "ObjectKey",
    "ObjectMeta",
    "OwnerHead",
    "OwnerReference",
    "PreserveUnknown",
    "Quantity",
    "RawObject",
    "Resource",
    "ResourceOptions",
    "Rule",
    "Scale",
    "Spec",
    "Status",
    "crd",
    "field",
    "guess_plural",
    "options_of",
    "parse_api_version",
    "resource",
    "rules",
    "schema_of",
    "serves",
    "to_dict",
    "to_json",
]
