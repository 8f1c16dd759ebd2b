"""What type checkers make of the client: mypy and pyright must both accept this file."""

from __future__ import annotations

from typing import assert_type

from kubewright.client import Client, ListResult, Page, WatchEvent
from kubewright.kinds import core_v1 as core
from kubewright.objects import ApiResource, RawObject


async def reads(client: Client, resource: ApiResource) -> None:
    assert_type(await client.get(core.Pod, "a"), core.Pod)
    assert_type(await client.get(resource, "a"), RawObject)
    assert_type(await client.list(core.Pod, namespace="x"), ListResult[core.Pod])
    assert_type(await client.list(resource, limit=5), ListResult[RawObject])
    async for page in client.pages(core.Pod, label_selector="a=b"):
        assert_type(page, Page[core.Pod])
    async with client.watch(core.Pod, resource_version="1") as watch:
        async for event in watch:
            assert_type(event, WatchEvent[core.Pod])
            assert_type(event.object, core.Pod)
    async for raw in client.watch(resource, send_initial_events=True):
        assert_type(raw.object, RawObject)


async def writes(client: Client, resource: ApiResource, raw: RawObject) -> None:
    assert_type(await client.create(core.Pod()), core.Pod)
    assert_type(await client.create({"apiVersion": "v1", "kind": "Pod"}), RawObject)
    assert_type(await client.replace(raw, dry_run=True), RawObject)
    assert_type(await client.apply(core.Pod(), field_manager="me", force=True), core.Pod)
    assert_type(await client.patch(core.Pod, "a", {}, "merge"), core.Pod)
    assert_type(await client.patch(resource, "a", b"[]", "json", subresource="status"), RawObject)
    assert_type(await client.delete(core.Pod, "a", propagation_policy="Foreground"), RawObject)


async def mistakes(client: Client) -> None:
    await client.list(core.Pod, namespce="x")  # type: ignore[call-overload]
    await client.patch(core.Pod, "a", b"", "jsn")  # type: ignore[call-overload]
    await client.get("pods", "a")  # type: ignore[call-overload]
