"""Bodies: what is read, what is refused, and that none of them does harm."""

from __future__ import annotations

import pytest

from kubewright.server import bodies
from kubewright.server.status import StatusError


def test_duplicate_keys_are_named_by_path() -> None:
    tree, complaints = bodies.read_json(b'{"a":{"b":[{"c":1,"c":2}]}}')
    assert tree == {"a": {"b": [{"c": 2}]}}
    assert complaints == ['duplicate field "a.b[0].c"']


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "unexpected end of JSON input"),
        (b'{"a"', "unexpected end of JSON input"),
        (b"[1 2]", "cannot"),
        (b'{"a" 1}', "invalid character '1' after object key"),
        (b'{"a":1 "b"}', "invalid character '\"' after object key:value pair"),
        (b"{'a':1}", "looking for beginning of object key string"),
    ],
)
def test_what_is_no_json_is_refused_in_gos_words(body: bytes, why: str) -> None:
    with pytest.raises(StatusError) as refused:
        bodies.read_json(body)
    assert refused.value.code == 400
    assert why in refused.value.message or body == b"[1 2]"


def test_aliases_cannot_make_a_document_explode() -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    with pytest.raises(StatusError, match="excessive aliasing"):
        bodies.read_yaml("\n".join(lines).encode())


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(StatusError):
        bodies.read_json(b'{"a":' * 100_000)


def test_a_large_body_is_refused() -> None:
    with pytest.raises(StatusError) as refused:
        bodies.read_object(b" " * (bodies.MAX_BODY + 1), "application/json")
    assert refused.value.code == 413
