"""ConfigMaps and Secrets hold a mebibyte, counted as the bytes they stand for."""

from __future__ import annotations

import pytest

from kubewright.client import Client
from kubewright.errors import Invalid
from kubewright.kinds import core_v1 as core
from kubewright.objects import ObjectMeta
from kubewright.server import InMemoryTransport, Server

MEBIBYTE = 1024 * 1024
META = ObjectMeta(name="big")


@pytest.mark.parametrize(
    "obj",
    [
        core.ConfigMap(metadata=META, data={"a": "x" * MEBIBYTE}),
        core.ConfigMap(metadata=META, data={"a": "x"}, binary_data={"b": b"x" * (MEBIBYTE - 1)}),
        core.Secret(metadata=META, data={"a": b"x" * MEBIBYTE}),
    ],
)
async def test_a_mebibyte_is_kept(obj: core.ConfigMap | core.Secret) -> None:
    client = Client(InMemoryTransport(Server()))
    await client.create(obj)


@pytest.mark.parametrize(
    ("obj", "field"),
    [
        (core.ConfigMap(metadata=META, data={"a": "x" * MEBIBYTE, "b": "x"}), "[]"),
        (core.ConfigMap(metadata=META, data={"a": "ä" * (MEBIBYTE // 2) + "x"}), "[]"),
        (core.ConfigMap(metadata=META, data={"a": "x"}, binary_data={"b": b"x" * MEBIBYTE}), "[]"),
        (core.Secret(metadata=META, data={"a": b"x" * (MEBIBYTE + 1)}), "data"),
        (core.Secret(metadata=META, string_data={"a": "x" * (MEBIBYTE + 1)}), "data"),
    ],
)
async def test_a_byte_more_is_refused(obj: core.ConfigMap | core.Secret, field: str) -> None:
    client = Client(InMemoryTransport(Server()))
    with pytest.raises(Invalid) as refusal:
        await client.create(obj)
    assert f"{field}: Too long: may not be more than 1048576 bytes" in str(refusal.value)
