"""Write the typed built-in kinds, ``src/kubewright/kinds``, from the recorded OpenAPI documents.

    python scripts/generate_kinds.py [FOLDER]

FOLDER is ``src/kubewright/kinds`` unless given. Generating twice writes the same bytes.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kind_words import WIDTH, camel, docstring, snake

SOURCE = Path(__file__).resolve().parents[1] / "src" / "kubewright"
DATA = SOURCE / "server" / "data"
KINDS = SOURCE / "kinds"

META = "io.k8s.apimachinery.pkg.apis.meta.v1."
EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."

# Schemas with a Python type of their own, and what that type needs to be imported.
SPECIAL = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": ("Quantity", "Quantity"),
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": ("IntOrString", "IntOrString"),
    "io.k8s.apimachinery.pkg.runtime.RawExtension": ("JsonObject", "JsonObject"),
    META + "Time": ("datetime", "datetime"),
    META + "MicroTime": ("MicroTime", "MicroTime"),
    META + "FieldsV1": ("JsonObject", "JsonObject"),
    EXTENSIONS + "JSON": ("JsonValue", "JsonValue"),
    EXTENSIONS + "JSONSchemaPropsOrArray": ("JSONSchemaProps | list[JSONSchemaProps]", ""),
    EXTENSIONS + "JSONSchemaPropsOrBool": ("JSONSchemaProps | bool", ""),
    EXTENSIONS + "JSONSchemaPropsOrStringArray": ("JSONSchemaProps | list[str]", ""),
}
# Required by the schema, and null in what real servers answer.
NULL_ALL_THE_SAME = {
    ("io.k8s.api.authorization.v1.SubjectRulesReviewStatus", "nonResourceRules"),
    ("io.k8s.api.authorization.v1.SubjectRulesReviewStatus", "resourceRules"),
    ("io.k8s.api.events.v1.Event", "eventTime"),
    ("io.k8s.api.storage.v1.CSINodeSpec", "drivers"),
}
GROUPS = {  # the short name of a group, and the version it stands for
    "admissionregistration": "admissionregistration_v1",
    "apiextensions": "apiextensions_v1",
    "apiregistration": "apiregistration_v1",
    "apps": "apps_v1",
    "authentication": "authentication_v1",
    "authorization": "authorization_v1",
    "autoscaling": "autoscaling_v2",
    "batch": "batch_v1",
    "certificates": "certificates_v1",
    "coordination": "coordination_v1",
    "core": "core_v1",
    "discovery": "discovery_v1",
    "events": "events_v1",
    "flowcontrol": "flowcontrol_v1",
    "networking": "networking_v1",
    "node": "node_v1",
    "policy": "policy_v1",
    "rbac": "rbac_v1",
    "resource": "resource_v1",
    "scheduling": "scheduling_v1",
    "storage": "storage_v1",
    "storagemigration": "storagemigration_v1",
}


@dataclass
class Document:
    """One recorded group version."""

    group: str
    version: str
    schemas: dict[str, Any]

    @property
    def module(self) -> str:
        return f"{self.group.partition('.')[0] or 'core'}_{self.version}"


def read(path: Path) -> Any:
    return json.loads(gzip.decompress(path.read_bytes()))


def recorded() -> list[Document]:
    documents = []
    for path in sorted((DATA / "openapi").glob("*.json.gz")):
        group, _, version = path.name.removesuffix(".json.gz").partition("__")
        schemas = read(path)["components"]["schemas"]
        documents.append(Document("" if group == "core" else group, version, schemas))
    return documents


def module_of(name: str) -> str:
    """``io.k8s.api.rbac.v1.Role`` stands in ``rbac_v1``."""
    *_, group, version, _ = name.split(".")
    return f"{group}_{version}"


def class_of(name: str) -> str:
    return name.rpartition(".")[2]


def refs(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(target := schema.get("$ref"), str):
            yield target.rpartition("/")[2]
        for value in schema.values():
            yield from refs(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from refs(value)


class Module:
    """One generated module: what it says and what it imports."""

    def __init__(self, name: str, schemas: dict[str, Any]) -> None:
        self.name = name
        self.schemas = schemas
        self.imports: dict[str, set[str]] = {}

    def use(self, origin: str, name: str) -> str:
        self.imports.setdefault(origin, set()).add(name)
        return name

    def type_of(self, schema: Any) -> str:
        """The annotation for a value of ``schema``, without its being optional."""
        target = schema.get("$ref") or next((part["$ref"] for part in schema.get("allOf", ())), "")
        if target:
            return self.reference(target.rpartition("/")[2], schema)
        match schema.get("type"):
            case "string":
                return "bytes" if schema.get("format") == "byte" else "str"
            case "boolean":
                return "bool"
            case "number":
                return "float"
            case "integer":
                width = {"int32": "Int32", "int64": "Int64"}.get(schema.get("format", ""))
                return self.use("kubewright.objects", width) if width else "int"
            case "array":
                return self.annotated(f"list[{self.type_of(schema['items'])}]", self.list_marker(schema))
            case "object" if "additionalProperties" in schema:
                marker = "Atomic()" if schema.get("x-kubernetes-map-type") == "atomic" else ""
                return self.annotated(f"dict[str, {self.type_of(schema['additionalProperties'])}]", marker)
            case "object":
                return self.use("kubewright.objects", "JsonObject")
        raise AssertionError(schema)

    def list_marker(self, schema: Any) -> str:
        match schema.get("x-kubernetes-list-type", "atomic"):
            case "map":
                keys = ", ".join(f'"{key}"' for key in schema["x-kubernetes-list-map-keys"])
                return f"ListMap({keys})"
            case "set":
                return "ListSet()"
            case "atomic":
                return "Atomic()"
        raise AssertionError(schema)

    def annotated(self, type_: str, marker: str) -> str:
        if not marker:
            return type_
        self.use("kubewright.objects", marker.partition("(")[0])
        self.use("typing", "Annotated")
        return f"Annotated[{type_}, {marker}]"

    def reference(self, name: str, schema: Any) -> str:
        if name in SPECIAL:
            python, needed = SPECIAL[name]
            if needed:
                self.use("datetime" if needed == "datetime" else "kubewright.objects", needed)
            return python
        if name.startswith(META):
            python = self.use("kubewright.objects", class_of(name))
        elif module_of(name) == self.name:
            python = class_of(name)
        else:
            python = self.use(f"kubewright.kinds.{module_of(name)}", class_of(name))
        atomic = self.schemas[name].get("x-kubernetes-map-type", schema.get("x-kubernetes-map-type")) == "atomic"
        return self.annotated(python, "Atomic()" if atomic else "")

    def field(self, owner: str, wire: str, schema: Any, *, required: bool) -> list[str]:
        name = snake(wire)
        type_ = self.type_of(schema)
        named = camel(name) != wire
        if named:
            self.use("kubewright.objects", "field")
        if required and (owner, wire) not in NULL_ALL_THE_SAME:
            declared = f"    {name}: {type_}" + (f' = field(name="{wire}")' if named else "")
        else:
            default = f'field(name="{wire}", default=None)' if named else "None"
            declared = f"    {name}: {type_} | None = {default}"
        description = schema.get("description", "")
        return [declared, *(docstring(description, "    ", 320) if description else ())]

    def class_(self, name: str, resource: str) -> list[str]:
        schema = self.schemas[name]
        base = self.use("kubewright.objects", "Object" if resource else "Model")
        lines = [f"class {class_of(name)}({base}):", *docstring(schema["description"], "    ", 600)]
        required = set(schema.get("required", ()))
        skipped = {"apiVersion", "kind", "metadata"} if resource else set()
        properties = {wire: value for wire, value in schema.get("properties", {}).items() if wire not in skipped}
        names = [snake(wire) for wire in properties]
        assert len(names) == len(set(names)), (name, names)
        if properties:
            lines.append("")
        for wire in sorted(properties, key=lambda wire: (wire not in required, wire)):
            lines += self.field(name, wire, properties[wire], required=wire in required)
        if resource:
            self.use("kubewright.objects", "ApiResource")
            self.use("kubewright.objects", "serves")
            times = [quoted(path) for path in self.paths(name, {META + "MicroTime"})]
            nested = [
                f'({quoted(path)}, "v1", "PersistentVolumeClaim")'
                for path in self.paths(name, {"io.k8s.api.core.v1.PersistentVolumeClaim"})
            ]
            extra = f", micro_times=({', '.join(times)},)" if times else ""
            extra += f", nested_kinds=({', '.join(nested)},)" if nested else ""
            lines += ["", "", f"serves({class_of(name)}, {resource}{extra})"]
        return lines

    def paths(self, name: str, sought: set[str], inside: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        """Where values of the ``sought`` schemas stand in ``name``, in wire names."""
        for wire, schema in sorted(self.schemas[name].get("properties", {}).items()):
            for target in refs(schema):
                if target in sought:
                    yield (wire,)
                elif not target.startswith(META) and target not in (*inside, name):
                    for path in self.paths(target, sought, (*inside, name)):
                        assert "items" not in schema, (name, wire)
                        yield (wire, *path)

    def text(self, names: list[str], resources: dict[str, str], about: str) -> str:
        body: list[str] = []
        for name in names:
            body += ["", "", *self.class_(name, resources.get(name, ""))]
        classes = [class_of(name) for name in names]
        for origin, imported in self.imports.items():
            assert not imported & set(classes), (self.name, origin, imported & set(classes))
        lines = [f'"""{about}', "", "Generated by scripts/generate_kinds.py; edit that.", '"""', ""]
        lines += ["from __future__ import annotations", ""]
        for origins in (["datetime", "typing"], sorted(set(self.imports) - {"datetime", "typing"})):
            block = [line for origin in origins if origin in self.imports for line in self.import_(origin)]
            lines += [*block, ""] if block else []
        lines += ["__all__ = [", *(f'    "{name}",' for name in sorted(classes)), "]"]
        return "\n".join([*lines, *body]) + "\n"

    def import_(self, origin: str) -> list[str]:
        names = sorted(self.imports[origin], key=lambda name: (not name[0].isupper(), name))
        line = f"from {origin} import {', '.join(names)}"
        if len(line) <= WIDTH:
            return [line]
        return [f"from {origin} import (", *(f"    {name}," for name in names), ")"]


def api_resources(discovery: Any) -> dict[tuple[str, str, str], str]:
    """The source of an ``ApiResource`` by group, version and kind."""
    resources = {}
    for group in discovery["items"]:
        name = group["metadata"].get("name", "")
        for version in group["versions"]:
            for found in version["resources"]:
                kind = found["responseKind"]["kind"]
                resources[name, version["version"], kind] = api_resource(name, version["version"], kind, found)
    return resources


def api_resource(group: str, version: str, kind: str, found: dict[str, Any]) -> str:
    values: dict[str, Any] = {
        "group": group,
        "version": version,
        "kind": kind,
        "plural": found.get("resource", ""),
        "singular": found.get("singularResource", ""),
        "short_names": tuple(found.get("shortNames", ())),
        "categories": tuple(found.get("categories", ())),
        "verbs": tuple(found.get("verbs", ())),
        "subresources": tuple(part["subresource"] for part in found.get("subresources", ())),
    }
    lines = [f"    {key}={quoted(value)}," for key, value in values.items() if value or key in {"group", "plural"}]
    if found.get("scope", "Namespaced") != "Namespaced":
        lines.insert(4, "    namespaced=False,")
    return "\n".join(["ApiResource(", *lines, ")"])


def quoted(value: str | tuple[str, ...]) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return "(" + ", ".join(f'"{item}"' for item in value) + ("," if len(value) == 1 else "") + ")"


def is_object(schema: dict[str, Any]) -> bool:
    """Whether the schema is that of a kind with metadata of its own (not of a list)."""
    metadata = list(refs(schema.get("properties", {}).get("metadata", {})))
    return "x-kubernetes-group-version-kind" in schema and metadata == [META + "ObjectMeta"]


def is_list(name: str, schema: dict[str, Any]) -> bool:
    return name.endswith("List") and META + "ListMeta" in refs(schema.get("properties", {}).get("metadata", {}))


def needed(schemas: dict[str, Any], starts: list[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [target for target in refs(schemas[name]) if not target.startswith(META)]
    return found - set(SPECIAL)


def generate(folder: Path) -> None:
    documents = recorded()
    served = api_resources(read(DATA / "discovery.json.gz"))
    # Kinds of subresources stand in the documents of other groups: autoscaling's Scale in that of apps.
    schemas = {name: schema for document in documents for name, schema in document.schemas.items()}
    group_versions = {document.module: (document.group, document.version) for document in documents}
    resources: dict[str, str] = {}
    starts: list[str] = []
    for name, schema in schemas.items():
        if module_of(name) not in group_versions or name.startswith("io.k8s.apimachinery") or is_list(name, schema):
            continue
        starts.append(name)
        if is_object(schema):
            key = (*group_versions[module_of(name)], class_of(name))
            resources[name] = served.get(key) or api_resource(*key, {})
    modules: dict[str, list[str]] = {}
    for name in sorted(needed(schemas, starts), key=class_of):
        modules.setdefault(module_of(name), []).append(name)
    for module, names in modules.items():
        about = "Parts, of an API that is not GA, of which GA kinds are made."
        if module in group_versions:
            about = "/".join(group_versions[module]).strip("/") + ": the kinds of Kubernetes 1.37."
        (folder / f"{module}.py").write_text(Module(module, schemas).text(names, resources, about))
    (folder / "__init__.py").write_text(face(set(group_versions)))


def face(modules: set[str]) -> str:
    assert set(GROUPS.values()) <= modules, set(GROUPS.values()) - modules
    return "\n".join(
        [
            '"""Typed built-in kinds: every GA group of Kubernetes 1.37, each loaded when it is first used.',
            "",
            "::",
            "",
            "    from kubewright.kinds import apps, core           # the version an API server prefers",
            "    from kubewright.kinds import autoscaling_v1       # one version in particular",
            "",
            "Generated by scripts/generate_kinds.py; edit that.",
            '"""',
            "",
            "from __future__ import annotations",
            "",
            "from importlib import import_module",
            "from types import ModuleType",
            "from typing import TYPE_CHECKING",
            "",
            "if TYPE_CHECKING:",
            *(f"    from kubewright.kinds import {module}" for module in sorted(modules)),
            *(f"    from kubewright.kinds import {module} as {name}" for name, module in GROUPS.items()),
            "",
            "__all__ = [",
            *(f'    "{name}",' for name in sorted([*GROUPS, *modules])),
            "]",
            "",
            "_PREFERRED = {",
            *(f'    "{name}": "{module}",' for name, module in GROUPS.items()),
            "}",
            "",
            "",
            "def __getattr__(name: str) -> ModuleType:",
            "    if name not in __all__:",
            '        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")',
            '    module = import_module(f"{__name__}.{_PREFERRED.get(name, name)}")',
            "    globals()[name] = module",
            "    return module",
            "",
            "",
            "def __dir__() -> list[str]:",
            "    return __all__",
            "",
        ]
    )


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) == 2 else KINDS)
