from __future__ import annotations

import asyncio

import msgspec
import pytest

from kubewright import errors
from kubewright.objects import ApiResource, Object, serves

RESOURCE = ApiResource(group="", version="v1", kind="ConfigMap", plural="configmaps")


class ConfigMap(Object):
    data: dict[str, str] | None = None


serves(ConfigMap, RESOURCE)


def line(kind: str, name: str, version: str, data: object = None) -> bytes:
    obj = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name, "resourceVersion": version}}
    return msgspec.json.encode({"type": kind, "object": {**obj, "data": data}}) + b"\n"


EVENTS = (
    line("ADDED", "a", "1", {"é": "ü" * 50})
    + line("MODIFIED", "a", "2")
    + line("DELETED", "a", "3")
    + line("BOOKMARK", "", "9")
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 150, 10_000])
async def test_events_are_whole_wherever_the_pieces_end(scripted, size):
    pieces = [EVENTS[i : i + size] for i in range(0, len(EVENTS), size)]
    client, _ = scripted.client([scripted.stream(pieces)])
    watch = client.watch(RESOURCE)
    seen = [
        (event.type, event.object.metadata.name, event.object.metadata.resource_version) async for event in watch
    ]
    assert seen == [("ADDED", "a", "1"), ("MODIFIED", "a", "2"), ("DELETED", "a", "3"), ("BOOKMARK", "", "9")]
    assert watch.resource_version == "9"


async def test_of_a_typed_kind_bookmarks_only_move_on(scripted):
    client, _ = scripted.client([scripted.stream([EVENTS])])
    watch = client.watch(ConfigMap, resource_version="0")
    assert watch.resource_version == "0"
    seen = [event async for event in watch]
    assert [event.type for event in seen] == ["ADDED", "MODIFIED", "DELETED"]
    assert seen[0].object.data == {"é": "ü" * 50}
    assert watch.resource_version == "9"


async def test_the_request_says_what_is_wanted(scripted):
    client, script = scripted.client([scripted.stream([])] * 2)
    async with client.watch(
        RESOURCE,
        namespace="ns",
        resource_version="5",
        label_selector="a=b",
        field_selector="metadata.name=c",
        timeout_seconds=300,
        idle_timeout=60,
    ):
        pass
    async with client.watch(RESOURCE, send_initial_events=True, bookmarks=False):
        pass
    first, second = script.requests
    assert first.path == "/api/v1/namespaces/ns/configmaps"
    assert dict(first.query) == {
        "watch": "true",
        "resourceVersion": "5",
        "allowWatchBookmarks": "true",
        "labelSelector": "a=b",
        "fieldSelector": "metadata.name=c",
        "timeoutSeconds": "300",
    }
    assert (first.stream, first.idle_timeout) == (True, 60)
    assert second.path == "/api/v1/configmaps"
    assert dict(second.query) == {
        "watch": "true",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
    }


async def test_an_expired_version_is_gone_whichever_way_it_is_told(scripted):
    expired = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version: 1 (5)"}
    event = msgspec.json.encode({"type": "ERROR", "object": expired}) + b"\n"
    stream = scripted.stream([line("ADDED", "a", "1") + event + line("ADDED", "b", "2")])
    client, _ = scripted.client([stream, scripted.failure(410, "Expired")])
    watch = client.watch(RESOURCE)
    assert (await anext(watch)).type == "ADDED"
    with pytest.raises(errors.Gone, match="too old resource version"):
        await anext(watch)
    assert stream.closed
    with pytest.raises(StopAsyncIteration):
        await anext(watch)
    with pytest.raises(errors.Gone):
        await anext(client.watch(RESOURCE))


async def test_an_object_that_does_not_fit_fails_alone(scripted):
    pieces = [line("ADDED", "a", "1", {"n": 5}) + line("ADDED", "b", "2")]
    client, _ = scripted.client([scripted.stream(pieces)])
    watch = client.watch(ConfigMap)
    with pytest.raises(errors.DecodeError, match=r"ConfigMap a of v1 does not fit .*\$\.data") as caught:
        await anext(watch)
    assert "RawObject" in caught.value.hint
    assert (await anext(watch)).object.metadata.name == "b"


async def test_nonsense_ends_the_watch(scripted):
    stream = scripted.stream([b"<html>\n"])
    client, _ = scripted.client([stream])
    with pytest.raises(errors.DecodeError, match="no event"):
        await anext(client.watch(RESOURCE))
    assert stream.closed


async def test_a_broken_connection_is_told_and_closed(scripted):
    stream = scripted.stream([line("ADDED", "a", "1")[:20]], errors.ConnectionBroken("reset"))
    client, _ = scripted.client([stream])
    with pytest.raises(errors.ConnectionBroken):
        await anext(client.watch(RESOURCE))
    assert stream.closed


async def test_cancelling_closes_at_once(scripted):
    waiting = asyncio.Event()

    class Silent(scripted.stream):
        async def chunks(self):
            yield line("ADDED", "a", "1")
            waiting.set()
            await asyncio.Event().wait()

    stream = Silent([])
    client, _ = scripted.client([stream])

    async def follow() -> None:
        async for _ in client.watch(RESOURCE):
            pass

    task = asyncio.create_task(follow())
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stream.closed


async def test_closing_ends_the_loop(scripted):
    stream = scripted.stream([EVENTS])
    client, _ = scripted.client([stream])
    async with client.watch(RESOURCE) as watch:
        async for event in watch:
            assert event.type == "ADDED"
            await watch.aclose()
    assert stream.closed


async def test_a_watch_never_used_sends_nothing(scripted):
    client, script = scripted.client([])
    await client.watch(RESOURCE).aclose()
    assert not script.requests
