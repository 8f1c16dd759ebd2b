"""Custom resources: the resource definitions that a CustomResourceDefinition stands for."""

from __future__ import annotations

from collections.abc import Callable

from kubewright.objects import ApiResource, JsonObject
from kubewright.server.context import Context
from kubewright.server.crd import columns as printing
from kubewright.server.crd.jsonpath import find
from kubewright.server.registry import Cell, ResourceDefinition, Scale, StatusStrategy, Strategy
from kubewright.server.schema import Schema, from_crd


class CustomStrategy(Strategy):
    """What custom resources do beyond their schema: generation, printing, selectable fields."""

    strategic_merge = False
    allow_unconditional_update = False

    def __init__(self, version: JsonObject, api_version: str, after_delete: Callable[[], None]) -> None:
        self._columns = printing.printer_columns(version)
        self._selectable: list[str] = [field["jsonPath"] for field in version.get("selectableFields") or []]
        self._has_status = "status" in (version.get("subresources") or {})
        self._after_delete = after_delete
        deprecation = version.get("deprecationWarning") or f"{api_version} is deprecated"
        self.deprecation = deprecation if version.get("deprecated") else ""

    def prepare_for_create(self, obj: JsonObject, context: Context) -> None:
        """The generation starts at 1."""
        obj["metadata"]["generation"] = 1

    def prepare_for_update(self, obj: JsonObject, old: JsonObject, context: Context) -> None:
        """The generation advances with every change but of metadata, and of status if it is a subresource."""
        apart = {"metadata", "status"} if self._has_status else {"metadata"}
        before = {key: value for key, value in old.items() if key not in apart}
        after = {key: value for key, value in obj.items() if key not in apart}
        if before != after:
            obj["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    def after_delete(self, obj: JsonObject, context: Context) -> None:
        """A definition that is being deleted may be waiting for this object to go."""
        self._after_delete()

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        """As the version declares them."""
        return {path.lstrip("."): _text(find(path, obj)) for path in self._selectable}

    def rows(self, obj: JsonObject) -> list[Cell]:
        """As the printer columns say."""
        return printing.cells(self._columns, obj)


class CustomStatusStrategy(StatusStrategy):
    """The ``status`` subresource of a custom resource."""

    strategic_merge = False
    allow_unconditional_update = False


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def definitions_of(crd: JsonObject, after_delete: Callable[[], None]) -> list[ResourceDefinition]:
    """A definition for every served version of ``crd``.

    Args:
        crd: the CustomResourceDefinition, valid and with its names accepted.
        after_delete: called after an instance is gone.
    """
    stored = next(version["name"] for version in crd["spec"]["versions"] if version["storage"])
    return [
        _definition(crd, version, stored, after_delete) for version in crd["spec"]["versions"] if version["served"]
    ]


def _definition(
    crd: JsonObject, version: JsonObject, stored: str, after_delete: Callable[[], None]
) -> ResourceDefinition:
    spec = crd["spec"]
    names = crd["status"]["acceptedNames"]
    subresources: JsonObject = version.get("subresources") or {}
    scale = subresources.get("scale")
    resource = ApiResource(
        group=spec["group"],
        version=version["name"],
        kind=names["kind"],
        plural=names["plural"],
        namespaced=spec["scope"] == "Namespaced",
        singular=names.get("singular", ""),
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=tuple(sorted(subresources)),
    )
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    strategy = CustomStrategy(version, f"{resource.api_version} {resource.kind}", after_delete)
    return ResourceDefinition(
        resource=resource,
        schema=_schema(schema),
        strategy=strategy,
        columns=printing.table_columns(printing.printer_columns(version)),
        subresources={"status": CustomStatusStrategy()} if "status" in subresources else {},
        scale=None
        if scale is None
        else Scale(scale["specReplicasPath"], scale["statusReplicasPath"], scale.get("labelSelectorPath") or ""),
        storage_version=stored,
        list_kind=names.get("listKind", ""),
        custom=True,
        deprecation=strategy.deprecation,
    )


def _schema(schema: JsonObject | None) -> Callable[[], Schema]:
    return lambda: from_crd(schema)
