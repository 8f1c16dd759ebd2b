"""Watches: what is told, in which order, and when they end."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from kubewright import clock
from kubewright.server import Server
from kubewright.testing import run_in_virtual_time
from kubewright.wire import Request, Response

PATH = "/api/v1/namespaces/default/configmaps"


async def ask(server: Server, method: str, path: str, body: object = None, **query: str) -> Any:
    headers = {"content-type": "application/merge-patch+json" if method == "PATCH" else "application/json"}
    sent = b"" if body is None else json.dumps(body).encode()
    answer = await server.handle(Request(method, path, tuple(query.items()), headers, sent))
    return json.loads(await answer.read())


async def watch(server: Server, **query: str) -> Response:
    return await server.handle(Request("GET", PATH, (("watch", "1"), *query.items()), stream=True))


async def told(response: Response) -> list[str]:
    """All events until the end."""
    return [_short(line) for line in (await response.read()).splitlines()]


def _short(line: bytes) -> str:
    event = json.loads(line)
    meta = event["object"]["metadata"]
    end = " end" if "k8s.io/initial-events-end" in (meta.get("annotations") or {}) else ""
    return f"{event['type']} {meta.get('name', '')}".strip() + end


def named(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}}


def test_bookmarks_come_each_minute_and_before_the_end() -> None:
    async def main() -> list[tuple[float, str]]:
        server = Server()
        await ask(server, "POST", PATH, named("a"))
        response = await watch(server, allowWatchBookmarks="true", timeoutSeconds="150")
        seen = []
        async for chunk in response.chunks():
            seen += [(round(clock.monotonic()), _short(line)) for line in chunk.splitlines()]
        seen.append((round(clock.monotonic()), "ended"))
        return seen

    seen = run_in_virtual_time(main())
    assert [event for event in seen if not event[1].startswith("ADDED")] == [
        (60, "BOOKMARK"),
        (120, "BOOKMARK"),
        (148, "BOOKMARK"),
        (150, "ended"),
    ]


def test_a_watch_without_a_timeout_ends_between_half_an_hour_and_an_hour() -> None:
    async def main() -> float:
        server = Server()
        assert await told(await watch(server, resourceVersion=str(server.store.revision))) == []
        return clock.monotonic()

    assert 1800 <= run_in_virtual_time(main(), seed=7) <= 3600


async def test_initial_events_end_with_a_bookmark() -> None:
    server = Server()
    for name in "ab":
        await ask(server, "POST", PATH, named(name))
    options = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
    response = await watch(server, **options, allowWatchBookmarks="true", timeoutSeconds="1")
    await ask(server, "POST", PATH, named("c"))
    assert await told(response) == ["ADDED a", "ADDED b", "BOOKMARK end", "ADDED c"]


async def test_a_version_that_is_forgotten_is_gone() -> None:
    server = Server(history=4)
    first = (await ask(server, "POST", PATH, named("a")))["metadata"]["resourceVersion"]
    for number in range(20):
        last = await ask(server, "PATCH", f"{PATH}/a", {"data": {"n": str(number)}})
    response = await watch(server, resourceVersion=first)
    (line,) = (await response.read()).splitlines()
    status = json.loads(line)["object"]
    assert json.loads(line)["type"] == "ERROR"
    assert (status["code"], status["reason"]) == (410, "Expired")
    assert status["message"].startswith(f"too old resource version: {first} (")
    recent = await watch(server, resourceVersion=last["metadata"]["resourceVersion"], timeoutSeconds="1")
    assert await told(recent) == []


async def test_who_falls_behind_the_history_is_cut_off() -> None:
    server = Server(history=4)
    await ask(server, "POST", PATH, named("a"))
    response = await watch(server)
    chunks = response.chunks()
    assert _short(await anext(chunks)) == "ADDED a"
    for number in range(20):
        await ask(server, "PATCH", f"{PATH}/a", {"data": {"n": str(number)}})
    assert [chunk async for chunk in chunks] == []


async def test_what_begins_or_ceases_to_match_appears_and_goes() -> None:
    server = Server()
    response = await watch(server, labelSelector="on=yes", timeoutSeconds="1")
    await ask(server, "POST", PATH, named("a", on="no"))
    await ask(server, "PATCH", f"{PATH}/a", {"metadata": {"labels": {"on": "yes"}}})
    await ask(server, "PATCH", f"{PATH}/a", {"data": {"n": "1"}})
    await ask(server, "PATCH", f"{PATH}/a", {"metadata": {"labels": {"on": None}}})
    await ask(server, "DELETE", f"{PATH}/a")
    assert await told(response) == ["ADDED a", "MODIFIED a", "DELETED a"]


async def test_a_thousand_watchers_see_all_and_leave_nothing() -> None:
    server = Server()
    since = str(server.store.revision)
    table = server.store.table("configmaps")

    async def follow() -> int:
        response = await watch(server, resourceVersion=since)
        seen = 0
        async for chunk in response.chunks():
            seen += len(chunk.splitlines())
            if seen >= 20:
                break
        await response.close()
        return seen

    watchers = [asyncio.create_task(follow()) for _ in range(1000)]
    await asyncio.sleep(0)
    for number in range(20):
        await ask(server, "POST", PATH, named(f"n-{number}"))
    assert await asyncio.gather(*watchers) == [20] * 1000
    assert not table._waiters


async def test_continue_tokens_expire_and_offer_another() -> None:
    server = Server(history=4)
    for name in "abc":
        await ask(server, "POST", PATH, named(name))
    page = await ask(server, "GET", PATH, limit="1")
    assert [item["metadata"]["name"] for item in page["items"]] == ["a"]
    assert page["metadata"]["remainingItemCount"] == 2
    await ask(server, "POST", PATH, named("bb"))
    consistent = await ask(server, "GET", PATH, **{"continue": page["metadata"]["continue"]})
    assert [item["metadata"]["name"] for item in consistent["items"]] == ["b", "c"]
    server.store.compact()
    expired = await ask(server, "GET", PATH, **{"continue": page["metadata"]["continue"]})
    assert (expired["code"], expired["reason"]) == (410, "Expired")
    assert "The provided continue parameter is too old to display a consistent list result" in expired["message"]
    rest = await ask(server, "GET", PATH, **{"continue": expired["metadata"]["continue"]})
    assert [item["metadata"]["name"] for item in rest["items"]] == ["b", "bb", "c"]


async def test_exact_versions_are_read_from_the_history() -> None:
    server = Server()
    then = (await ask(server, "POST", PATH, named("a")))["metadata"]["resourceVersion"]
    await ask(server, "DELETE", f"{PATH}/a")
    past = await ask(server, "GET", PATH, resourceVersion=then, resourceVersionMatch="Exact")
    assert [item["metadata"]["name"] for item in past["items"]] == ["a"]
    now = await ask(server, "GET", PATH, resourceVersion=then, resourceVersionMatch="NotOlderThan")
    assert now["items"] == []
    later = await ask(server, "GET", PATH, resourceVersion="99999")
    assert later["message"] == f"Timeout: Too large resource version: 99999, current: {server.store.revision}"


@pytest.mark.parametrize("writes", [3000])
async def test_writes_do_not_make_the_history_grow(writes: int) -> None:
    server = Server(history=100)
    await ask(server, "POST", PATH, named("a"))
    for number in range(writes):
        await ask(server, "PATCH", f"{PATH}/a", {"data": {"n": str(number)}})
    assert len(server.store.table("configmaps").log) <= 200
