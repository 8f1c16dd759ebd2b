"""Objects as a real cluster answered them (scripts/record_objects.py) go through the types and lose nothing."""

from __future__ import annotations

import gzip
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kubewright import kinds
from kubewright.client import connect, load_config
from kubewright.kinds import coordination
from kubewright.objects import Object, ObjectMeta, to_json

RECORDED: list[dict[str, Any]] = json.loads(
    gzip.decompress((Path(__file__).parent / "recorded.json.gz").read_bytes())
)
KINDS = {
    (cls.api_version, cls.kind): cls
    for module in sorted(set(kinds.__all__))
    for name in getattr(kinds, module).__all__
    if issubclass(cls := getattr(getattr(kinds, module), name), Object)
}
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


def name_of(item: dict[str, Any]) -> str:
    return f"{item['apiVersion']} {item['kind']} {item['metadata']['name']}"


def without_nulls(value: Any) -> Any:
    """What a Go server means: null is the same as nothing, a time is the moment it names."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    if isinstance(value, str) and TIME.match(value):
        return datetime.fromisoformat(value).astimezone(UTC)
    return value


@pytest.mark.parametrize("item", RECORDED, ids=name_of)
def test_decoding_and_encoding_loses_nothing(item: dict[str, Any]) -> None:
    cls = KINDS[item["apiVersion"], item["kind"]]
    decoded = msgspec.json.decode(msgspec.json.encode(item), type=cls)
    assert without_nulls(json.loads(to_json(decoded))) == without_nulls(item)


@pytest.mark.parametrize("item", RECORDED, ids=name_of)
def test_none_is_never_sent(item: dict[str, Any]) -> None:
    cls = KINDS[item["apiVersion"], item["kind"]]
    decoded = msgspec.json.decode(msgspec.json.encode(item), type=cls)
    if b"null" not in msgspec.json.encode(item):
        assert b":null" not in to_json(decoded)


def test_times_in_microseconds_are_sent_as_they_came() -> None:
    [item] = [item for item in RECORDED if name_of(item) == "coordination.k8s.io/v1 Lease rich"]
    decoded = msgspec.json.decode(msgspec.json.encode(item), type=KINDS["coordination.k8s.io/v1", "Lease"])
    assert json.loads(to_json(decoded))["spec"] == item["spec"]
    assert item["spec"]["acquireTime"].endswith(":00.000000Z")


@pytest.mark.real
async def test_the_real_server_reads_a_lease_renewed_on_the_second(real_kubeconfig: Path) -> None:
    lease = coordination.Lease(
        metadata=ObjectMeta(name="kinds-on-the-second", namespace="default"),
        spec=coordination.LeaseSpec(renew_time=datetime(2026, 1, 1, tzinfo=UTC)),
    )
    client = connect(load_config(str(real_kubeconfig)))
    try:
        assert (await client.create(lease, dry_run=True)).spec == lease.spec
    finally:
        await client.close()
