"""Conformance cases: sequences of requests, sent to any API server, and their answers made comparable.

A case is ``cases/<name>.yaml``: ``steps``, each of them ``send: METHOD path?query`` with ``body``, ``raw``,
``type`` and ``headers``, or ``until: path``, which waits until the path answers 200 (and ``holds`` a text), or
``pause: seconds``, for what the real server learns of a little later and the embedded one at once. ``NS`` stands
for the case's namespace, which is made before and removed after. ``save: {TOKEN: status.token}`` keeps a part of
the answer: the word stands for it in the steps that follow, and in what is recorded. What the real server answered
is in ``recorded/<name>.json``, one answer for each ``send``. A case with ``hooks`` has a webhook (see webhook.py):
``HOOK`` stands for its host and port, ``CA`` for its authority, and ``reviews: true`` (or
``sorted``, by path) tells what it was sent since.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import yaml

from kubewright.server import InMemoryTransport
from kubewright.wire import Request, Transport

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from webhook import Webhook  # noqa: E402

CASES = HERE / "cases"
RECORDED = HERE / "recorded"
HEADERS = ("content-type", "warning")
_UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_AGE = re.compile(r"\d{1,2}s")
_SUFFIX = re.compile(r"\b([Gg]en-|kube-api-access-)[bcdfghjklmnpqrstvwxz2456789]{5}\b")


def case_names() -> list[str]:
    """Every case, by file name."""
    return sorted(path.stem for path in CASES.glob("*.yaml"))


def load_case(name: str) -> dict[str, Any]:
    """The case, with its namespace put in."""
    text = (CASES / f"{name}.yaml").read_text()
    return yaml.safe_load(re.sub(r"\bNS\b", namespace_of(name), text))


def namespace_of(name: str) -> str:
    """The namespace a case works in."""
    return f"kwc-{name}".replace("_", "-")


def known_differences(name: str) -> list[dict[str, Any]]:
    """The entries of the list of known differences that are about this case."""
    listed = yaml.safe_load((HERE / "known_differences.yaml").read_text()) or []
    return [entry for entry in listed if entry["case"] == name]


async def run(name: str, transport: Transport) -> list[dict[str, Any]]:
    """Send the steps of a case; the answers, comparable."""
    case = load_case(name)
    namespace = namespace_of(name)
    hook = Webhook(case.get("hooks") or {})
    made: list[str] = []
    normal = Normalizer()
    saved: dict[str, str] = {}
    if "hooks" in case:
        await hook.start()
        saved = {"HOOK": hook.host, "CA": hook.authority}
        for word, value in saved.items():
            normal.name(value, f"<{word.lower()}>")
    await _remove_namespace(transport, namespace)
    if case.get("namespace", True):
        await _send(transport, "POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    answers = []
    try:
        for step in case["steps"]:
            if "reviews" in step:
                if step["reviews"] == "sorted":  # validating webhooks are called all at once
                    hook.received.sort(key=lambda one: one["path"])
                answers.append({"reviews": normal.value(hook.received)})
                hook.received = []
                continue
            if "pause" in step:
                if not isinstance(transport, InMemoryTransport):
                    await asyncio.sleep(step["pause"])
                continue
            if "until" in step:
                await _until(transport, step["until"], step.get("holds", ""))
                continue
            status, headers, body = await _step(transport, _filled(step, saved), made)
            for word, where in step.get("save", {}).items():
                saved[word] = _at(json.loads(body), where)
                normal.name(saved[word], f"<{word.lower()}>")
            answers.append(normal.answer(step["send"], status, headers, body))
    finally:
        # What refuses deletes goes first.
        made.reverse()
        for path in sorted(made, key=lambda path: "admissionregistration" not in path):
            await _remove(transport, path)
        await _remove_namespace(transport, namespace)
        await hook.close()
    return answers


def _filled(step: dict[str, Any], saved: dict[str, str]) -> dict[str, Any]:
    """The step with what was saved put in."""
    text = json.dumps(step)
    for word, value in saved.items():
        text = re.sub(rf"\b{word}\b", value, text)
    filled: dict[str, Any] = json.loads(text)
    return filled


def _at(document: Any, path: str) -> str:
    for part in path.split("."):
        document = document[part]
    return str(document)


async def has_compacted(transport: Transport) -> bool:
    """Whether the server no longer knows how it began: cases that say ``needs: compaction`` need that."""
    query = (("resourceVersion", "1"), ("resourceVersionMatch", "Exact"))
    response = await transport.send(Request("GET", "/api/v1/namespaces", query))
    await response.close()
    return response.status == 410


async def _step(transport: Transport, step: dict[str, Any], made: list[str]) -> tuple[int, dict[str, str], bytes]:
    method, target = step["send"].split(" ", 1)
    body = step.get("raw", "").encode()
    if "body" in step:
        body = json.dumps(step["body"]).encode()
    headers = {"user-agent": "conformance/1", **step.get("headers", {})}
    if body:
        default = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers["content-type"] = step.get("type", default)
    path, _, query = target.partition("?")
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    watching = dict(pairs).get("watch") in ("1", "true")
    response = await transport.send(Request(method, path, pairs, headers, body, stream=watching))
    answer = await response.read()
    if method in ("POST", "PATCH", "PUT") and response.status == 201:
        try:
            name = json.loads(answer)["metadata"]["name"]
        except (ValueError, KeyError):
            name = ""
        if name:
            made.append(path if method != "POST" else f"{path}/{name}")
    return response.status, dict(response.headers), answer


async def _send(
    transport: Transport, method: str, path: str, body: Any = None, kind: str = "application/json"
) -> Any:
    sent = b"" if body is None else json.dumps(body).encode()
    response = await transport.send(Request(method, path, (), {"content-type": kind}, sent))
    raw = await response.read()
    try:
        return response.status, json.loads(raw)
    except ValueError:
        return response.status, raw.decode()


async def _until(transport: Transport, path: str, holds: str) -> None:
    for _ in range(200):
        status, body = await _send(transport, "GET", path)
        if status == 200 and holds in json.dumps(body):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{path} did not come to hold {holds!r}")


async def _remove(transport: Transport, path: str) -> None:
    await _send(transport, "PATCH", path, {"metadata": {"finalizers": None}}, "application/merge-patch+json")
    await _send(transport, "DELETE", path, {"gracePeriodSeconds": 0, "propagationPolicy": "Background"})
    if "customresourcedefinitions" in path:
        for _ in range(200):
            if (await _send(transport, "GET", path))[0] == 404:
                return
            await asyncio.sleep(0.05)


async def _remove_namespace(transport: Transport, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}"
    status, _ = await _send(transport, "DELETE", path)
    if status == 404:
        return
    # The real server may run without the controller that empties and finalizes namespaces.
    status, found = await _send(transport, "GET", path)
    if status == 200:
        found["spec"] = {"finalizers": []}
        await _send(transport, "PUT", f"{path}/finalize", found)


class Normalizer:
    """Replaces what differs from run to run by names for it: uids, versions, times, tokens, generated names."""

    def __init__(self) -> None:
        self._uids: dict[str, str] = {}
        self._versions: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def name(self, value: str, stands: str) -> None:
        """Let ``stands`` be recorded in place of ``value``."""
        self._names[value] = stands

    def answer(self, send: str, status: int, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        kept = {name: headers[name] for name in HEADERS if name in headers}
        if "warning" in kept:
            kept["warning"] = self.text(kept["warning"])
        text = body.decode()
        try:
            documents = [json.loads(line) for line in text.splitlines()] if "watch=" in send else json.loads(text)
        except ValueError:
            documents = self.text(text)
        return {"send": send, "status": status, "headers": kept, "body": self.value(documents)}

    def value(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            # Names that were generated are learnt before they are met elsewhere.
            if value.get("generateName") and value.get("name", "").startswith(value["generateName"]):
                self._names.setdefault(value["name"], f"<generated-{len(self._names) + 1}>")
            if "items" in value and isinstance(value.get("metadata"), dict):
                metadata = {**value["metadata"], "resourceVersion": "<list>"}
                value = {**value, "metadata": metadata}
            if value.get("type") == "BOOKMARK":
                metadata = {**value["object"]["metadata"], "resourceVersion": "<bookmark>"}
                value = {**value, "object": {**value["object"], "metadata": metadata}}
            if value.get("kind") == "Table":
                value = {**value, "rows": [_ageless(row) for row in value.get("rows") or []]}
            if isinstance(value.get("managedFields"), list):
                # Sorted by time on the server: which comes first depends on when a second ends.
                value = {**value, "managedFields": sorted(value["managedFields"], key=_ownership)}
            return {name: self.value(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [self.value(item, key) for item in value]
        if not isinstance(value, str):
            return value
        if key == "resourceVersion" and value.isdecimal() and value != "0":
            return self._versions.setdefault(value, f"<version-{len(self._versions) + 1}>")
        if key == "continue" and value:
            return self._continue(value)
        if key == "serverAddress":
            return re.sub(r":\d+$", ":<port>", value)
        return self.text(value)

    def text(self, text: str) -> str:
        text = _TIME.sub("<time>", text)
        text = _UID.sub(lambda found: self._uids.setdefault(found[0], f"<uid-{len(self._uids) + 1}>"), text)
        for name, stands in self._names.items():
            text = text.replace(name, stands)
        text = _SUFFIX.sub(r"\1<suffix>", text)
        text = re.sub(r"(current: |too old resource version: \d+ \()\d+", r"\1<now>", text)
        return re.sub(r"\b\d{2,}\b", lambda found: self._versions.get(found[0], found[0]), text)

    def _continue(self, value: str) -> str:
        token = json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
        start = self.text(token["start"].replace("\0", "\\0"))
        return f"<continue {start} {'inconsistent' if token['rv'] == -1 else ''}>"


def _ageless(row: dict[str, Any]) -> dict[str, Any]:
    """The row without ages, which depend on how long the steps before took."""
    cells = ["<age>" if isinstance(cell, str) and _AGE.fullmatch(cell) else cell for cell in row["cells"]]
    return {**row, "cells": cells}


def _ownership(entry: dict[str, Any]) -> tuple[str, str, str]:
    return entry.get("operation", ""), entry.get("manager", ""), entry.get("subresource", "")


def differences(expected: Any, actual: Any, path: str = "") -> list[str]:
    """Where two answers differ, as paths with both values."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        found = []
        for key in sorted(expected.keys() | actual.keys()):
            where = f"{path}.{key}" if path else key
            if key not in actual:
                found.append(f"{where}: missing, expected {json.dumps(expected[key])}")
            elif key not in expected:
                found.append(f"{where}: unexpected {json.dumps(actual[key])}")
            else:
                found += differences(expected[key], actual[key], where)
        return found
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return [
            line
            for index, (one, other) in enumerate(zip(expected, actual, strict=True))
            for line in differences(one, other, f"{path}[{index}]")
        ]
    if expected != actual or type(expected) is not type(actual):
        return [f"{path}: expected {json.dumps(expected)}, got {json.dumps(actual)}"]
    return []


def unexplained(name: str, expected: list[Any], actual: list[Any]) -> list[str]:
    """The differences that the list of known differences does not name."""
    known = known_differences(name)
    found = []
    for line in differences(expected, actual):
        where = line.partition(":")[0]
        if not any(re.fullmatch(entry["path"], where) for entry in known):
            found.append(line)
    return found
