"""The operator as a whole."""

from opdemo.operator import operator


def test_factory_makes_the_operator_anew() -> None:
    first, second = operator(), operator()

    assert first.name == "opdemo"
    assert first is not second
