"""Pure data: names, metadata, raw and typed objects, selectors, patches, schemas, CRDs, conditions."""

from kubewright.objects.base import Model, field
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

__all__ = [
    "ApiResource",
    "Atomic",
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
    "Rule",
    "Spec",
    "Status",
    "field",
    "parse_api_version",
    "serves",
    "to_dict",
    "to_json",
]
