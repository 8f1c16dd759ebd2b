"""Quantities take the form the API server gives them."""

from __future__ import annotations

import pytest

from kubewright.server.builtin.quantities import canonical_quantity


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1000", "1k"),
        ("1500", "1500"),
        ("100", "100"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Ki", "512"),
        ("1e3", "1e3"),
        ("1E", "1E"),
        ("0", "0"),
        ("-2", "-2"),
        (".5", "500m"),
        ("1.0001", "1000100u"),
        ("123456789", "123456789"),
    ],
)
def test_one_form_for_each_value(sent: str, stored: str) -> None:
    assert canonical_quantity(sent) == stored


def test_resources_are_rounded_up_to_thousandths() -> None:
    assert canonical_quantity("1.0001", places=3) == "1001m"


@pytest.mark.parametrize("bad", ["", "x", "1 Gi", "1KiB", "--1", "1e"])
def test_what_is_no_quantity_is_refused_in_the_servers_words(bad: str) -> None:
    with pytest.raises(ValueError, match="quantities must match the regular expression"):
        canonical_quantity(bad)
