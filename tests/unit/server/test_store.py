"""The store: one sequence of revisions, ordered scans, states of the past, and what is forgotten."""

from __future__ import annotations

import pytest

from kubewright.server.store import Compacted, Entry, Store


def put(store: Store, key: str, raw: bytes = b"{}") -> int:
    revision = store.next_revision()
    store.table("things").put(Entry(key, raw, revision, None, None))
    return revision


def remove(store: Store, key: str) -> int:
    revision = store.next_revision()
    store.table("things").remove(Entry(key, b"{}", revision, None, None))
    return revision


def keys(entries: object) -> list[str]:
    return [entry.key for entry in entries]


def test_scans_are_ordered_as_etcd_orders_keys() -> None:
    store = Store()
    for key in ("b/x", "a-b/x", "a/y", "a/x"):
        put(store, key)
    assert keys(store.table("things").scan()) == ["a-b/x", "a/x", "a/y", "b/x"]
    assert keys(store.table("things").scan("a/")) == ["a/x", "a/y"]
    assert keys(store.table("things").scan("a/", "a/x\0")) == ["a/y"]
    assert store.table("things").count("a/", "a/x\0") == 1


def test_a_past_state_is_read_through_the_log() -> None:
    store = Store()
    put(store, "a")
    then = put(store, "b", b"old")
    put(store, "b", b"new")
    put(store, "c")
    remove(store, "a")
    table = store.table("things")
    assert keys(table.scan()) == ["b", "c"]
    assert keys(table.scan_at(then)) == ["a", "b"]
    assert [entry.raw for entry in table.scan_at(then)][1] == b"old"


def test_what_is_compacted_cannot_be_read_again() -> None:
    store = Store(history=4)
    first = put(store, "a")
    for _ in range(20):
        last = put(store, "a")
    table = store.table("things")
    with pytest.raises(Compacted, match="too old resource version"):
        table.position_after(first)
    assert table.position_after(last) == table.end
    store.compact()
    with pytest.raises(Compacted):
        list(table.scan_at(last - 1))
