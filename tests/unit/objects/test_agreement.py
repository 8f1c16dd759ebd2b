"""What a CRD's schema lets in, the type it was made from decodes; what the type makes, the schema lets in."""

import enum
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kubewright.kinds import core_v1 as core
from kubewright.objects import (
    Format,
    IntOrString,
    JsonObject,
    ListMap,
    ListSet,
    Meta,
    Nullable,
    PreserveUnknown,
    Quantity,
    Resource,
    Spec,
    crd,
    resource,
    to_dict,
)
from kubewright.server import media
from kubewright.server.schema import apply_defaults, from_crd, prune, validate


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


class Inner(Spec):
    key: str
    low: Annotated[int, Meta(ge=0, multiple_of=2)] = 2


class AllSpec(Spec):
    text: Annotated[str, Meta(max_length=3, pattern="^[a-z]*$")] = "abc"
    needed: int
    ratio: Annotated[float, Meta(gt=0, lt=1.5)] = 0.5
    count: Annotated[int, Format("int32")] = 0
    on: bool = False
    colour: Colour = Colour.BLUE
    mode: Literal["fast", "slow"] | None = None
    secret: bytes | None = None
    begins: datetime | None = None
    maybe: Annotated[str | None, Nullable()] = None
    port: IntOrString = 80
    memory: Quantity = "1Gi"
    labels: Annotated[dict[str, str], Meta(max_length=1)] = {}
    inner: Inner = Inner(key="k")
    rungs: Annotated[list[Inner], ListMap("key"), Meta(max_length=2)] = []
    hosts: Annotated[list[str], ListSet()] = ["localhost"]
    open: Annotated[Inner, PreserveUnknown()] | None = None
    ports: list[core.ServicePort] = []
    anything: Any = None


@resource(group="agreement.kubewright.dev", version="v1")
class All(Resource[AllSpec, None]):
    pass


SCHEMA = from_crd(crd(All)["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
NAMES = [*crd(All)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**31), 2**31 - 1),
    st.sampled_from([0.5, 1.0, 2, 4]),
    st.sampled_from(["", "a", "abc", "abcd", "red", "fast", "80", "1Gi", "500m", "aGk=", "TCP"]),
    st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123+01:00"]),
)
keys = st.sampled_from(["key", "low", "port", "protocol", "name", "targetPort", "other"])
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=6,
)
specs = st.dictionaries(st.sampled_from(NAMES), values, max_size=4).map(lambda spec: {"needed": 1, **spec})


def let_in(spec: JsonObject) -> JsonObject | None:
    """The object as it would be stored, or None if it is refused."""
    obj = {"apiVersion": "agreement.kubewright.dev/v1", "kind": "All", "metadata": {"name": "a"}, "spec": spec}
    prune(SCHEMA, obj)
    apply_defaults(SCHEMA, obj)
    return None if validate(SCHEMA, obj) else obj


@settings(max_examples=400)
@given(specs)
def test_what_is_let_in_is_decoded_and_let_in_again_unchanged(spec: JsonObject) -> None:
    # The API server lets lists into strings that have a format.
    assume(not any(isinstance(spec.get(field), list) for field in ("secret", "begins")))
    stored = let_in(media.decode(media.encode(spec)))
    if stored is None:
        return
    decoded = msgspec.json.decode(msgspec.json.encode(stored), type=All)
    again = let_in(to_dict(decoded)["spec"])
    assert again is not None
    assert msgspec.json.decode(msgspec.json.encode(again), type=All) == decoded


good = st.fixed_dictionaries(
    {"needed": st.integers(-5, 5)},
    optional={
        "text": st.sampled_from(["", "a", "xyz"]),
        "ratio": st.floats(0.1, 1.4),
        "colour": st.sampled_from(Colour),
        "secret": st.binary(min_size=1, max_size=4),  # the API server refuses an empty one
        "begins": st.just(datetime.fromisoformat("2026-01-01T00:00:00+00:00")),
        "port": st.sampled_from([1, "http"]),
        "labels": st.dictionaries(keys, st.text(max_size=3), max_size=1),
        "inner": st.builds(Inner, key=st.text(max_size=3), low=st.sampled_from([0, 2, 4])),
        "rungs": st.lists(st.builds(Inner, key=st.text(max_size=3)), max_size=2, unique_by=lambda one: one.key),
        "hosts": st.lists(st.text(max_size=3), max_size=3, unique=True),
        "ports": st.lists(st.builds(core.ServicePort, port=st.integers(1, 65535)), max_size=2),
        "anything": values,
    },
)


@given(good)
def test_what_the_type_makes_is_let_in(fields: dict[str, Any]) -> None:
    made = All(spec=AllSpec(**fields))
    stored = let_in(to_dict(made)["spec"])
    assert stored is not None
    assert msgspec.json.decode(msgspec.json.encode(stored), type=All).spec == made.spec
