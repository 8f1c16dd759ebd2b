from __future__ import annotations

import pytest

from kubewright import errors
from kubewright.objects import ApiResource, Object, serves

RESOURCE = ApiResource(group="", version="v1", kind="ConfigMap", plural="configmaps")


class ConfigMap(Object):
    data: dict[str, str] | None = None


serves(ConfigMap, RESOURCE)


def page(scripted, *names: str, version: str = "7", token: str = "", remaining: int | None = None):
    meta = {"resourceVersion": version, "continue": token} | (
        {"remainingItemCount": remaining} if remaining else {}
    )
    return scripted.json({"metadata": meta, "items": [{"metadata": {"name": name}} for name in names]})


async def test_pages_come_as_they_are_fetched(scripted):
    client, script = scripted.client(
        [page(scripted, "a", "b", token="t1", remaining=3), page(scripted, "c", token="t2"), page(scripted, "d")]
    )
    pages = client.pages(RESOURCE, namespace="ns", limit=2, label_selector="x", resource_version="5")
    first = await anext(pages)
    assert len(script.requests) == 1
    assert [item.metadata.name for item in first.items] == ["a", "b"]
    assert (first.resource_version, first.restarted, first.remaining) == ("7", False, 3)
    assert [[item.metadata.name for item in page.items] async for page in pages] == [["c"], ["d"]]
    assert [dict(request.query) for request in script.requests] == [
        {"labelSelector": "x", "limit": "2", "resourceVersion": "5"},
        {"labelSelector": "x", "limit": "2", "continue": "t1"},
        {"labelSelector": "x", "limit": "2", "continue": "t2"},
    ]


async def test_items_know_what_they_are_although_lists_do_not_say(scripted):
    client, _ = scripted.client([page(scripted, "a")])
    result = await client.list(RESOURCE)
    assert (result.items[0].kind, result.items[0].api_version, result.resource_version) == ("ConfigMap", "v1", "7")
    client, _ = scripted.client([page(scripted, "a")])
    assert isinstance((await client.list(ConfigMap)).items[0], ConfigMap)


async def test_an_expired_token_starts_anew_with_everything(scripted):
    def answers():
        return [
            page(scripted, "a", "b", token="t1"),
            scripted.failure(410, "Expired"),
            page(scripted, "a", "c", version="9"),
        ]

    client, script = scripted.client(answers())
    result = await client.list(RESOURCE, limit=2)
    assert [item.metadata.name for item in result.items] == ["a", "c"]
    assert result.resource_version == "9"
    assert dict(script.requests[-1].query) == {}
    client, _ = scripted.client(answers())
    assert [page.restarted async for page in client.pages(RESOURCE, limit=2)] == [False, True]


async def test_gone_from_the_start_is_gone(scripted):
    client, script = scripted.client([scripted.failure(410, "Expired")])
    with pytest.raises(errors.Gone):
        await client.list(RESOURCE, resource_version="1", resource_version_match="Exact")
    assert dict(script.requests[0].query)["resourceVersionMatch"] == "Exact"


async def test_an_empty_list_may_be_null(scripted):
    client, _ = scripted.client([scripted.json({"metadata": {"resourceVersion": "3"}, "items": None})])
    result = await client.list(RESOURCE)
    assert (result.items, result.resource_version) == ([], "3")


async def test_what_is_no_list(scripted):
    client, _ = scripted.client([scripted.json([1])])
    with pytest.raises(errors.DecodeError, match="not a list"):
        await client.list(RESOURCE)


async def test_an_item_keeps_its_own_bytes_only(scripted):
    client, _ = scripted.client([page(scripted, *[f"n{i}" for i in range(100)])])
    result = await client.list(RESOURCE)
    assert type(result.items[0].raw) is bytes
    assert result.items[0].raw == b'{"metadata":{"name":"n0"}}'
