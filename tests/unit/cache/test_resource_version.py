"""Resource versions are decimal numbers of any length."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubewright.cache import is_newer

versions = st.integers(min_value=1, max_value=10**40)


@given(versions, versions)
def test_newer_is_greater(one: int, other: int) -> None:
    assert is_newer(str(one), str(other)) == (one > other)


@given(versions)
def test_everything_is_newer_than_none(one: int) -> None:
    assert is_newer(str(one), "")
    assert not is_newer("", str(one))
