from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kubewright.client import connect, load_config
from kubewright.errors import InvalidQuantity
from kubewright.kinds import storage_v1 as storage
from kubewright.objects import ObjectMeta, canonical_quantity, parse_quantity

# Each as a real API server 1.37 answered it (spec.capacity of a CSIStorageCapacity).
CANONICAL = {
    "0": "0",
    "000": "0",
    "-0": "0",
    "0Gi": "0",
    "0.5": "500m",
    ".5": "500m",
    "5.": "5.",
    "1.500": "1.500",
    "1.0": "1",
    "+1": "+1",
    "001500m": "001500m",
    "1500m": "1500m",
    "1000m": "1",
    "1000": "1k",
    "100000": "100k",
    "1e3": "1e3",
    "1000e3": "1e6",
    "1.5e3": "1500",
    "1E": "1E",
    "1000E": "1",
    "5000000000000000000k": "5",
    "9e21": "9e21",
    "1e400": "10e399",
    "1e-400": "1e-9",
    "0e5": "0",
    "1.5e1": "1.5e1",
    "1024": "1024",
    "1024Ki": "1Mi",
    "1024Mi": "1Gi",
    "1500Mi": "1500Mi",
    "1.5Gi": "1536Mi",
    "0.5Mi": "512Ki",
    "0.5Ki": "512",
    "0.1Ki": "102400m",
    "1.1Ki": "1126400m",
    "100n": "100n",
    "0.1n": "1n",
    "1u": "1u",
    "12345678901234567890": "12345678901234567890",
    "9223372036854775807Ei": "9223372036854775807",
}


@pytest.mark.parametrize(("text", "written"), CANONICAL.items())
def test_is_written_as_the_api_server_writes_it(text: str, written: str) -> None:
    assert canonical_quantity(text) == written


@pytest.mark.parametrize("text", ["", "x", "1x", "1.2.3", "1Kii", "--1", "1 Gi", ".", "e3", "1e", "1K", "1e100001"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(InvalidQuantity):
        parse_quantity(text)


def test_values() -> None:
    assert parse_quantity("0.5") == parse_quantity("500m") == Decimal("0.5")
    assert parse_quantity("1Gi") == parse_quantity("1024Mi") == 2**30
    assert parse_quantity(2) == parse_quantity("2") == parse_quantity("2000m")
    assert parse_quantity("1e3") == parse_quantity("1k") == 1000
    assert parse_quantity("-1.5") == Decimal("-1.5")


quantities = st.builds(
    lambda sign, whole, part, suffix: f"{sign}{whole}{part}{suffix}",
    st.sampled_from(["", "-", "+"]),
    st.integers(0, 10**19).map(str),
    st.one_of(st.just(""), st.integers(0, 10**9).map(lambda part: f".{part}")),
    st.sampled_from(["", "n", "u", "m", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "e3", "E-2", "e6"]),
)


@given(quantities)
def test_writing_it_canonically_keeps_the_value_and_settles(text: str) -> None:
    written = canonical_quantity(text)
    # Past the largest suffix, E, the API server loses it: 1000E comes back as 1.
    assume(abs(parse_quantity(text)) < 10**21)
    assert parse_quantity(written) == parse_quantity(text)
    assert canonical_quantity(written) == written


@pytest.mark.real
async def test_the_real_server_writes_them_so(real_kubeconfig: Path) -> None:
    client = connect(load_config(str(real_kubeconfig)))
    written = {}
    try:
        for text in CANONICAL:
            capacity = storage.CSIStorageCapacity(
                metadata=ObjectMeta(name="quantity", namespace="default"), storage_class_name="x", capacity=text
            )
            written[text] = (await client.create(capacity, dry_run=True)).capacity
    finally:
        await client.close()
    assert written == CANONICAL
