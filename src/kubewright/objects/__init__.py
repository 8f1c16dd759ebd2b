"""Pure data: names, metadata, raw and typed objects, selectors, patches, schemas, CRDs, conditions."""

from msgspec import Meta

from kubewright.objects.base import Model, field
from kubewright.objects.compare import subset_differences
from kubewright.objects.conditions import find_condition, is_true, set_condition
from kubewright.objects.crd import crd, stored_version
from kubewright.objects.decode import decode, prepare_decoding
from kubewright.objects.gvk import ApiResource, GroupVersionKind, ObjectKey, parse_api_version
from kubewright.objects.jsontree import JsonObject, JsonValue
from kubewright.objects.markers import (
    Atomic,
    EmbeddedResource,
    Format,
    Int32,
    Int64,
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
    DeleteOptions,
    FieldSelectorRequirement,
    GroupResource,
    LabelSelector,
    LabelSelectorRequirement,
    ListMeta,
    ManagedFieldsEntry,
    MicroTime,
    ObjectMeta,
    OwnerReference,
    Preconditions,
)
from kubewright.objects.model import Object, Resource, Spec, Status, serves, to_dict, to_json
from kubewright.objects.names import (
    dns_1035_label_errors,
    dns_label_errors,
    dns_subdomain_errors,
    label_key_errors,
    label_value_errors,
)
from kubewright.objects.patches import copy_json, create_merge_patch, json_patch, merge_patch, same_json
from kubewright.objects.quantity import canonical_quantity, parse_quantity
from kubewright.objects.raw import MetaHead, OwnerHead, RawObject
from kubewright.objects.resource import Column, ResourceOptions, Scale, guess_plural, options_of, resource, rules
from kubewright.objects.schema import schema_of
from kubewright.objects.selectors import (
    FieldRequirement,
    FieldSelector,
    Requirement,
    Selector,
    label_selector,
    parse_field_selector,
    parse_label_selector,
)

__all__ = [
    "ApiResource",
    "Atomic",
    "Column",
    "Condition",
    "DeleteOptions",
    "EmbeddedResource",
    "FieldRequirement",
    "FieldSelector",
    "FieldSelectorRequirement",
    "Format",
    "GroupResource",
    "GroupVersionKind",
    "Int32",
    "Int64",
    "IntOrString",
    "JsonObject",
    "JsonValue",
    "LabelSelector",
    "LabelSelectorRequirement",
    "ListMap",
    "ListMeta",
    "ListSet",
    "ManagedFieldsEntry",
    "Meta",
    "MetaHead",
    "MicroTime",
    "Model",
    "Nullable",
    "Object",
    "ObjectKey",
    "ObjectMeta",
    "OwnerHead",
    "OwnerReference",
    "Preconditions",
    "PreserveUnknown",
    "Quantity",
    "RawObject",
    "Requirement",
    "Resource",
    "ResourceOptions",
    "Rule",
    "Scale",
    "Selector",
    "Spec",
    "Status",
    "canonical_quantity",
    "copy_json",
    "crd",
    "create_merge_patch",
    "decode",
    "dns_1035_label_errors",
    "dns_label_errors",
    "dns_subdomain_errors",
    "field",
    "find_condition",
    "guess_plural",
    "is_true",
    "json_patch",
    "label_key_errors",
    "label_selector",
    "label_value_errors",
    "merge_patch",
    "options_of",
    "parse_api_version",
    "parse_field_selector",
    "parse_label_selector",
    "parse_quantity",
    "prepare_decoding",
    "resource",
    "rules",
    "same_json",
    "schema_of",
    "serves",
    "set_condition",
    "stored_version",
    "subset_differences",
    "to_dict",
    "to_json",
]
