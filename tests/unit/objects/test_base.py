import enum
from typing import ClassVar

import msgspec

from kubewright.objects import Model, Spec, field


class Colour(enum.Enum):
    RED = "red"


class Inner(Spec):
    names: list[str] = []


class Outer(Spec):
    constant: ClassVar[int] = 7
    number: int = 0
    flag: bool = False
    text: str = ""
    colour: Colour = Colour.RED
    named: str = field(name="otherName", default="")
    absent: str | None = None
    empty: list[str] = []
    filled: list[str] = ["a"]
    inner: Inner = Inner(names=["a"])
    node_port: int | None = None


def sent(model: Model) -> object:
    return msgspec.json.decode(msgspec.json.encode(model))


def test_zeros_are_sent_and_none_is_not() -> None:
    assert sent(Outer()) == {
        "number": 0,
        "flag": False,
        "text": "",
        "colour": "red",
        "otherName": "",
        "filled": ["a"],
        "inner": {"names": ["a"]},
    }
    assert sent(Outer(node_port=30000))["nodePort"] == 30000  # type: ignore[index]


def test_defaults_are_not_shared() -> None:
    one, other = Outer(), Outer()
    one.filled.append("b")
    one.inner.names.append("b")
    assert other == Outer()
    assert other.filled == ["a"]


def test_class_variables_are_no_fields() -> None:
    assert Outer.constant == 7
    assert "constant" not in Outer.__struct_fields__
