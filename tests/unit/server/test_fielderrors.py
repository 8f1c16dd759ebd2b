from __future__ import annotations

import pytest

from kubewright.server import fielderrors
from kubewright.server.fielderrors import OMITTED, ErrorType, FieldError, aggregate
from kubewright.server.gotext import float_text, json_text, quote


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (fielderrors.required("spec.a"), "spec.a: Required value"),
        (fielderrors.required("spec.a", "say it"), "spec.a: Required value: say it"),
        (fielderrors.invalid("spec.a", -1, "no"), "spec.a: Invalid value: -1: no"),
        (fielderrors.invalid("a", {"b": "<", "a": [1.0]}, "no"), 'a: Invalid value: {"a":[1],"b":"\\u003c"}: no'),
        (fielderrors.invalid("a", 'x"\n', "no"), 'a: Invalid value: "x\\"\\n": no'),
        (fielderrors.not_supported("a", "z", ["x", "y"]), 'a: Unsupported value: "z": supported values: "x", "y"'),
        (fielderrors.forbidden("a", "no"), "a: Forbidden: no"),
        (fielderrors.duplicate("a[1]", "x"), 'a[1]: Duplicate value: "x"'),
        (fielderrors.too_long("a", 1), "a: Too long: may not be more than 1 byte"),
        (fielderrors.too_many("a", 3, 2), "a: Too many: 3: must have at most 2 items"),
        (fielderrors.not_found("a", "x"), 'a: Not found: "x"'),
        (FieldError("", ErrorType.INVALID, None, "no"), "<nil>: Invalid value: null: no"),
        (FieldError("a", ErrorType.INVALID, OMITTED, "no"), "a: Invalid value: no"),
    ],
)
def test_the_words_are_the_servers(error: FieldError, words: str) -> None:
    assert error.message == words


def test_several_errors_stand_in_brackets_each_once() -> None:
    error = fielderrors.required("a")
    assert aggregate([error]) == "a: Required value"
    assert aggregate([error, error, fielderrors.required("b")]) == "[a: Required value, b: Required value]"


def test_a_cause_has_no_path_in_its_message() -> None:
    cause = fielderrors.required("spec.a").cause()
    assert cause == {"reason": "FieldValueRequired", "message": "Required value", "field": "spec.a"}


@pytest.mark.parametrize(
    ("number", "as_json", "as_text"),
    [
        (1.0, "1", "1"),
        (0.5, "0.5", "0.5"),
        (1e21, "1e+21", "1e+21"),
        (1e-5, "0.00001", "1e-05"),
        (1e-7, "1e-7", "1e-07"),
    ],
)
def test_floats_as_go_prints_them(number: float, as_json: str, as_text: str) -> None:
    assert (json_text(number), float_text(number)) == (as_json, as_text)


def test_quoted_as_go_quotes() -> None:
    assert quote("ü\x00\u200b'\t") == '"ü\\x00\\u200b\'\\t"'
