import enum
import types
import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, NewType

import msgspec
import pytest

from kubewright.errors import SchemaError
from kubewright.kinds import apps_v1 as apps
from kubewright.kinds import core_v1 as core
from kubewright.objects import (
    Atomic,
    EmbeddedResource,
    Format,
    IntOrString,
    JsonObject,
    ListMap,
    ListSet,
    Meta,
    Model,
    Nullable,
    ObjectMeta,
    PreserveUnknown,
    Quantity,
    Resource,
    Rule,
    Spec,
    field,
    rules,
    schema_of,
)


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Mixed(enum.Enum):
    A = "a"
    B = 1


class Port(Spec):
    """Where it listens."""

    port: int
    name: str = "http"


class Node(Spec):
    left: "Node | None" = None


class Tree(Spec):
    children: "list[Annotated[Tree, PreserveUnknown()]]" = []


class Tagged(Spec, tag="a"):
    a: int = 1


Name = NewType("Name", str)
LENGTHS = Meta(min_length=1, max_length=3)


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (bool, {"type": "boolean"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (str, {"type": "string"}),
        (bytes, {"type": "string", "format": "byte"}),
        (datetime, {"type": "string", "format": "date-time"}),
        (date, {"type": "string", "format": "date"}),
        (Name, {"type": "string"}),
        (Any, {"x-kubernetes-preserve-unknown-fields": True}),
        (msgspec.Raw, {"x-kubernetes-preserve-unknown-fields": True}),
        (JsonObject, {"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
        (dict, {"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (list[str], {"type": "array", "items": {"type": "string"}}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal["a"] | None, {"type": "string", "enum": ["a"]}),
        (Literal[1, 2], {"type": "integer", "enum": [1, 2]}),
        (Colour, {"type": "string", "enum": ["red", "blue"]}),
        (Level, {"type": "integer", "enum": [1, 2]}),
        (int | None, {"type": "integer"}),
        (int | float, {"type": "number"}),
        (Annotated[int | None, Nullable()], {"type": "integer", "nullable": True}),
        (Annotated[int, Meta(ge=0, le=50)], {"type": "integer", "minimum": 0, "maximum": 50}),
        (
            Annotated[float, Meta(gt=0, lt=1.5)],
            {
                "type": "number",
                "minimum": 0,
                "exclusiveMinimum": True,
                "maximum": 1.5,
                "exclusiveMaximum": True,
            },
        ),
        (Annotated[int, Meta(multiple_of=5)], {"type": "integer", "multipleOf": 5}),
        (Annotated[str, LENGTHS], {"type": "string", "minLength": 1, "maxLength": 3}),
        (
            Annotated[list[str], LENGTHS],
            {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3},
        ),
        (
            Annotated[dict[str, str], LENGTHS] | None,
            {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1, "maxProperties": 3},
        ),
        (
            Annotated[str, Meta(pattern="^a+$", description="d", title="t", examples=["a"])],
            {"type": "string", "pattern": "^a+$", "description": "d", "title": "t", "example": "a"},
        ),
        (Annotated[str, Format("ipv4")], {"type": "string", "format": "ipv4"}),
        (Annotated[int, Format("int32")], {"type": "integer", "format": "int32"}),
        (
            Annotated[list[str], ListSet()],
            {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        ),
        (
            Annotated[list[int], Atomic()],
            {"type": "array", "items": {"type": "integer"}, "x-kubernetes-list-type": "atomic"},
        ),
        (
            Annotated[dict[str, str], Atomic()],
            {"type": "object", "additionalProperties": {"type": "string"}, "x-kubernetes-map-type": "atomic"},
        ),
        (
            IntOrString,
            {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True},
        ),
        (
            int | Annotated[str, Meta(pattern="^[0-9]+%$")] | None,
            {
                "anyOf": [{"type": "integer"}, {"type": "string"}],
                "x-kubernetes-int-or-string": True,
                "pattern": "^[0-9]+%$",
            },
        ),
        (
            Annotated[JsonObject, EmbeddedResource()],
            {
                "type": "object",
                "x-kubernetes-embedded-resource": True,
                "x-kubernetes-preserve-unknown-fields": True,
            },
        ),
        (
            Annotated[str, Rule("self != 'x'", "not x", reason="FieldValueForbidden", optional_old_self=True)],
            {
                "type": "string",
                "x-kubernetes-validations": [
                    {
                        "rule": "self != 'x'",
                        "message": "not x",
                        "reason": "FieldValueForbidden",
                        "optionalOldSelf": True,
                    }
                ],
            },
        ),
        (
            Annotated[list[Port], ListMap("port")],
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "description": "Where it listens.",
                    "properties": {"port": {"type": "integer"}, "name": {"type": "string", "default": "http"}},
                    "required": ["port"],
                },
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["port"],
            },
        ),
        (
            Annotated[list[Tree], Atomic()],
            {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "children": {
                            "type": "array",
                            "items": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                            "default": [],
                        }
                    },
                },
                "x-kubernetes-list-type": "atomic",
            },
        ),
        (
            ObjectMeta,
            {
                "type": "object",
                "properties": {
                    "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
                    "finalizers": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                    "generateName": {"type": "string"},
                    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                    "name": {"type": "string"},
                    "namespace": {"type": "string"},
                },
            },
        ),
    ],
)
def test_what_a_type_says(annotation: Any, schema: JsonObject) -> None:
    assert schema_of(annotation) == schema


def test_quantities_have_the_pattern_go_projects_give_them() -> None:
    schema = schema_of(Quantity)
    assert schema["x-kubernetes-int-or-string"] is True
    assert schema["pattern"].startswith(r"^(\+|-)?(([0-9]+")


def test_defaults() -> None:
    class Inner(Spec):
        size: int = 0
        name: str | None = None

    class Outer(Spec):
        zero: int = 0
        off: bool = False
        empty: str = ""
        colour: Colour = Colour.BLUE
        absent: int | None = None
        none_of: list[str] = []
        some: list[str] = ["a"]
        mapped: dict[str, int] = {"a": 1}
        inner: Inner = Inner(size=2)
        made: Inner = field(default_factory=Inner)
        named: str = field(name="otherName", default="x")
        at: datetime = datetime.fromisoformat("2026-01-01T00:00:00+00:00")

    schema = schema_of(Outer)
    assert "required" not in schema
    assert {name: said["default"] for name, said in schema["properties"].items() if "default" in said} == {
        "zero": 0,
        "off": False,
        "empty": "",
        "colour": "blue",
        "noneOf": [],
        "some": ["a"],
        "mapped": {"a": 1},
        "inner": {"size": 2},
        "made": {"size": 0},
        "otherName": "x",
        "at": "2026-01-01T00:00:00Z",
    }


def test_descriptions_come_from_docstrings() -> None:
    class Documented(Spec):
        """What it is.

        More of it.

        Attributes:
            first: the first,
                on two lines.
            second: not this, ``Meta`` is nearer.
        """

        first: int = 1
        second: Annotated[int, Meta(description="nearer")] = 2
        third: int = 3
        """The third,

        from below.
        """
        port: Port | None = None

    schema = schema_of(Documented)
    assert schema["description"] == "What it is.\n\nMore of it."
    said = {name: field.get("description") for name, field in schema["properties"].items()}
    assert said == {
        "first": "the first, on two lines.",
        "second": "nearer",
        "third": "The third,\n\nfrom below.",
        "port": "Where it listens.",
    }


def test_rules_stand_on_the_type_wherever_it_is_used() -> None:
    @rules({"self.low <= self.high": "low is above high"})
    class Range(Spec):
        low: int = 0
        high: int = 1

    class Outer(Spec):
        range: Annotated[Range, Rule("self == oldSelf", field_path=".low", message_expression="'no'")] | None = None

    assert schema_of(Outer)["properties"]["range"]["x-kubernetes-validations"] == [
        {"rule": "self.low <= self.high", "message": "low is above high"},
        {"rule": "self == oldSelf", "messageExpression": "'no'", "fieldPath": ".low"},
    ]


def test_builtin_types_are_said_without_their_descriptions() -> None:
    schema = schema_of(core.PodTemplateSpec)
    assert "description" not in str(schema)
    assert schema["properties"]["metadata"]["properties"].keys() >= {"labels", "annotations"}
    ports = schema["properties"]["spec"]["properties"]["containers"]["items"]["properties"]["ports"]
    assert ports["x-kubernetes-list-map-keys"] == ["containerPort", "protocol"]
    assert ports["items"]["properties"]["protocol"]["default"] == "TCP"


def test_keys_of_builtin_list_maps_are_required_or_have_defaults() -> None:
    conditions = schema_of(apps.DeploymentStatus)["properties"]["conditions"]
    assert "type" in conditions["items"]["required"]
    secrets = schema_of(core.PodSpec)["properties"]["imagePullSecrets"]["items"]
    assert "name" in secrets.get("required", ()) or "default" in secrets["properties"]["name"]


def spec_with(annotation: Any, **more: Any) -> type[Spec]:
    return type(Spec)("Bad", (Spec,), {"__annotations__": {"size": annotation}, "__module__": __name__, **more})


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (int | Port, "Bad.size: a CRD schema cannot say Union[int, test_schema.Port]"),
        (Port | Tree, "a CRD schema cannot say Union["),
        (set[str], r"a CRD schema cannot say set[str]"),
        (frozenset[str], "a CRD schema cannot say frozenset[str]"),
        (tuple[int, str], "a CRD schema cannot say tuple[int, str]"),
        (timedelta, "a CRD schema cannot say timedelta"),
        (time, "a CRD schema cannot say time"),
        (Decimal, "a CRD schema cannot say Decimal"),
        (None, "a field that is always None has no schema"),
        (dict[int, str], "the keys of a map are strings, not int"),
        (dict[Annotated[str, LENGTHS], str], "a CRD schema cannot constrain the keys of a map"),
        (list[int | None], "Bad.size[]: an item or a map's value cannot be None"),
        (dict[str, set[int]], "Bad.size[*]: a CRD schema cannot say set[int]"),
        (Node, "Bad.size.left: Node contains itself"),
        (Tagged, "Tagged is a tagged or array-like struct"),
        (Mixed, "the values of Mixed are not all strings or all integers"),
        (Literal["a", 1], "are not all strings or all integers"),
        (int | None, "a field that may be None needs a default"),
        (Annotated[list[Port], ListMap()], "ListMap needs the names of its keys"),
        (Annotated[list[Port], ListMap("size")], "ListMap key 'size' is not a field of its items"),
        (Annotated[list[str], ListMap("name")], "the items of a ListMap are objects with fields"),
        (Annotated[list[Port], ListSet()], "the items of a ListSet are scalars"),
        (Annotated[str, ListSet()], "ListSet() is for a list of scalars"),
        (Annotated[str, PreserveUnknown()], "PreserveUnknown() is for a Spec or a map"),
        (
            Annotated[list[Tree], PreserveUnknown()],
            "PreserveUnknown() is for a Spec or a map (of",
        ),
        (Annotated[str, EmbeddedResource()], "EmbeddedResource() is for a JsonObject"),
        (Annotated[core.Pod, EmbeddedResource()], "EmbeddedResource() is for a JsonObject"),
        (Annotated[str, Atomic()], "Atomic() is for a list, a map or a Spec"),
        (Annotated[str, Meta(ge=1)], "Meta(ge=…) is for numbers"),
        (Annotated[int, Meta(min_length=1)], "Meta(min_length=…) is for strings, lists and maps"),
        (Annotated[bytes, Meta(max_length=3)], "a CRD schema counts the letters of base64, not bytes"),
        (Annotated[int, Meta(pattern="a")], "Meta(pattern=…) is for strings"),
        (Annotated[str, Meta(pattern="^(?!x).*$")], "uses '(?!', which the API server's RE2 does not have"),
    ],
)
def test_what_no_schema_can_say_is_refused_with_the_path(annotation: Any, message: str) -> None:
    with pytest.raises(SchemaError) as refused:
        schema_of(spec_with(annotation))
    assert message in str(refused.value).replace(f"{__name__}.", "test_schema.")
    assert str(refused.value).startswith("Bad.size")


def test_defaults_no_schema_can_say_are_refused() -> None:
    with pytest.raises(SchemaError, match=r"Bad.size: the default does not fit: Expected `int` <= 1"):
        schema_of(spec_with(Annotated[int, Meta(le=1)], size=2))
    with pytest.raises(SchemaError, match=r"Bad.size: the default is another one each time"):
        schema_of(spec_with(str, size=field(default_factory=lambda: uuid.uuid4().hex)))


def test_a_resource_without_its_types_is_refused() -> None:
    class Untyped(Resource):  # type: ignore[type-arg]
        pass

    with pytest.raises(SchemaError, match=r"Untyped.spec: the type parameter SpecT is not given"):
        schema_of(Untyped)


def test_a_key_that_may_be_absent_is_refused() -> None:
    class Item(Spec):
        key: str | None = None

    with pytest.raises(SchemaError, match=r"ListMap key 'key' is optional"):
        schema_of(Annotated[list[Item], ListMap("key")])


def test_a_name_that_is_not_there_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"an annotation of Bad names 'Nowhere'"):
        schema_of(spec_with("Nowhere"))


def test_what_cannot_be_decoded_is_refused() -> None:
    class Whole(Resource[spec_with(Annotated[int | str, Meta(pattern="a")] | None, size=None), None]):  # type: ignore[misc]
        pass

    with pytest.raises(SchemaError, match=r"Whole: Can only set `pattern` on a str type"):
        schema_of(Whole)
    with pytest.raises(SchemaError, match=r"Unnamed.spec: an annotation of Bad names 'Nowhere'") as refused:
        schema_of(types.new_class("Unnamed", (Resource[spec_with("Nowhere"), None],)))
    assert "TYPE_CHECKING" in refused.value.hint


def test_any_model_may_stand_in_a_spec() -> None:
    class Plain(Model):
        a: int

    assert schema_of(Plain) == {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}
