from __future__ import annotations

import logging

import pytest

from kubewright import errors
from kubewright.client import collect_warnings
from kubewright.wire import Request

HEADER = '299 - "v1 Thing is deprecated; use v2", 299 other "a \\"quoted\\" word" "Sat, 25 Aug 2012 23:34:45 GMT"'


async def test_each_warning_is_logged_once_and_collected_where_asked(scripted, caplog):
    client, _ = scripted.client(lambda request: scripted.json({}, warning=HEADER))
    texts = ["v1 Thing is deprecated; use v2", 'a "quoted" word']
    with caplog.at_level(logging.WARNING, "kubewright.client.warnings"):
        await client.raw(Request("GET", "/"))
        with collect_warnings() as warnings:
            await client.raw(Request("GET", "/"))
    assert [record.message for record in caplog.records] == texts
    assert warnings == texts


async def test_a_refusal_may_warn_too(scripted):
    client, _ = scripted.client([scripted.failure(404, "NotFound", warning='299 - "old"')])
    with collect_warnings() as warnings, pytest.raises(errors.NotFound):
        await client.raw(Request("GET", "/"))
    assert warnings == ["old"]
