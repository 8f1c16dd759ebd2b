"""A data folder: what was answered is there again, whatever ended the process; what is damaged is named."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kubewright.errors import DataError
from kubewright.server import DataFolder, Server
from kubewright.wire import Request

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CRD = {
    "metadata": {"name": "notes.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "notes", "kind": "Note"},
        "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
        ],
    },
}


async def ask(server: Server, method: str, path: str, body: object = None, **query: str) -> tuple[int, Any]:
    headers = {"content-type": "application/merge-patch+json" if method == "PATCH" else "application/json"}
    sent = b"" if body is None else json.dumps(body).encode()
    answer = await server.handle(Request(method, path, tuple(query.items()), headers, sent))
    text = await answer.read()
    return answer.status, json.loads(text) if text.count(b"\n") == 0 else text


def named(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": data}


async def test_everything_is_there_again(tmp_path: Path) -> None:
    server = Server(data=DataFolder(tmp_path))
    _, kept = await ask(server, "POST", CONFIG_MAPS, named("kept", a="1"))
    await ask(server, "POST", CONFIG_MAPS, named("gone"))
    _, changed = await ask(server, "PATCH", f"{CONFIG_MAPS}/kept", {"data": {"a": "2"}})
    await ask(server, "DELETE", f"{CONFIG_MAPS}/gone")
    await ask(server, "POST", CRDS, CRD)
    service = {"metadata": {"name": "web"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}}
    _, web = await ask(server, "POST", "/api/v1/namespaces/default/services", service)
    notes = "/apis/example.com/v1/namespaces/default/notes"
    note = {"apiVersion": "example.com/v1", "kind": "Note", "metadata": {"name": "n"}}
    assert (await ask(server, "POST", notes, note))[0] == 201
    revision = server.store.revision
    server.close()

    again = Server(data=DataFolder(tmp_path))
    await again.resume()
    assert again.store.revision == revision
    assert await ask(again, "GET", f"{CONFIG_MAPS}/kept") == (200, changed)
    assert (await ask(again, "GET", f"{CONFIG_MAPS}/gone"))[0] == 404
    assert (await ask(again, "GET", f"{notes}/n"))[0] == 200
    # What the Service holds is not handed out again.
    spec = {"clusterIP": web["spec"]["clusterIP"], "ports": [{"port": 1}]}
    taken = {"metadata": {"name": "other"}, "spec": spec}
    status, why = await ask(again, "POST", "/api/v1/namespaces/default/services", taken)
    assert status == 422
    assert "already allocated" in why["message"]
    # A watch goes on from before the restart.
    since = kept["metadata"]["resourceVersion"]
    _, events = await ask(again, "GET", CONFIG_MAPS, watch="1", resourceVersion=since, timeoutSeconds="1")
    told = [json.loads(line) for line in events.splitlines()]
    assert [(event["type"], event["object"]["metadata"]["name"]) for event in told] == [
        ("ADDED", "gone"),
        ("MODIFIED", "kept"),
        ("DELETED", "gone"),
    ]
    again.close()


async def test_tokens_and_authorities_outlive_the_server(tmp_path: Path) -> None:
    from kubewright.server import listen

    server = Server(data=DataFolder(tmp_path))
    await ask(server, "POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "robot"}})
    path = "/api/v1/namespaces/default/serviceaccounts/robot/token"
    _, made = await ask(server, "POST", path, {"spec": {}})
    listener = await listen(server)
    before = listener.token, listener.ca_pem
    await listener.close()
    server.close()
    again = Server(data=DataFolder(tmp_path))
    assert again.authenticator.authenticate(f"Bearer {made['status']['token']}").name.endswith(":default:robot")
    listener = await listen(again)
    assert (listener.token, listener.ca_pem) == before
    assert os.stat(tmp_path / "authority.pem").st_mode & 0o077 == 0  # noqa: PTH116
    await listener.close()
    again.close()


async def test_logs_are_replaced_by_snapshots(tmp_path: Path) -> None:
    server = Server(data=DataFolder(tmp_path, fsync=False, compact_bytes=200_000))
    first = server.store.revision
    for number in range(1500):
        status, _ = await ask(server, "POST", CONFIG_MAPS, named(f"n-{number}", text="x" * 500))
        assert status == 201
    revision = server.store.revision
    server.close()
    assert _sizes(tmp_path, "snapshot")
    assert sum(_sizes(tmp_path, "*")) < 3_000_000
    again = Server(data=DataFolder(tmp_path))
    assert again.store.revision == revision
    missing = [n for n in range(1500) if f"default/n-{n}" not in again.store.table("configmaps").objects]
    assert not missing
    _, line = await ask(again, "GET", CONFIG_MAPS, watch="1", resourceVersion=str(first), timeoutSeconds="1")
    event = json.loads(line)
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
    again.close()


def _sizes(folder: Path, suffix: str) -> list[int]:
    return [path.stat().st_size for path in folder.glob(f"*.{suffix}")]


async def test_a_torn_end_is_cut_off_and_damage_is_named(tmp_path: Path) -> None:
    server = Server(data=DataFolder(tmp_path))
    await ask(server, "POST", CONFIG_MAPS, named("a"))
    size = (tmp_path / "00000000.log").stat().st_size
    await ask(server, "POST", CONFIG_MAPS, named("b"))
    server.close()
    log = tmp_path / "00000000.log"
    whole = log.read_bytes()
    for torn in (whole[: size + 5], whole[:-3], whole[:size] + bytes(500)):
        log.write_bytes(torn)
        again = Server(data=DataFolder(tmp_path))
        assert (await ask(again, "GET", f"{CONFIG_MAPS}/a"))[0] == 200
        assert (await ask(again, "GET", f"{CONFIG_MAPS}/b"))[0] == 404
        again.close()
    for at in (size // 2, size + 1, size + 40):
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        log.write_bytes(damaged)
        with pytest.raises(DataError, match=r"00000000\.log is damaged at byte \d+") as refused:
            Server(data=DataFolder(tmp_path))
        assert "truncate -s" in refused.value.hint
    log.write_bytes(b"something else")
    with pytest.raises(DataError, match="damaged at byte 0"):
        Server(data=DataFolder(tmp_path))


def test_one_process_at_a_time(tmp_path: Path) -> None:
    server = Server(data=DataFolder(tmp_path))
    with pytest.raises(DataError, match=f"in use by process {os.getpid()}") as refused:
        DataFolder(tmp_path)
    assert "another folder" in refused.value.hint
    server.close()
    Server(data=DataFolder(tmp_path)).close()


async def test_a_disk_that_is_full_refuses_the_write_and_keeps_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(data=DataFolder(tmp_path))
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        if real(descriptor, data[:10]) == 10:
            raise OSError(28, "No space left on device")
        return 0

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        assert (await ask(server, "POST", CONFIG_MAPS, named("lost")))[0] == 500
    assert (await ask(server, "GET", f"{CONFIG_MAPS}/lost"))[0] == 404
    assert (await ask(server, "POST", CONFIG_MAPS, named("after")))[0] == 201
    server.close()
    again = Server(data=DataFolder(tmp_path))
    assert (await ask(again, "GET", f"{CONFIG_MAPS}/after"))[0] == 200
    again.close()


WRITER = """
import asyncio, json, sys
from pathlib import Path
from kubewright.server import DataFolder, Server
from kubewright.wire import Request

async def main():
    server = Server(data=DataFolder(Path(sys.argv[1]), fsync=False, compact_bytes=100_000))
    begin = server.store.revision
    async def write(worker):
        for number in range(10**9):
            name = f"{begin}-{worker}-{number}"
            body = json.dumps({"metadata": {"name": name}, "data": {"text": "x" * 300}}).encode()
            answer = await server.handle(Request("POST", "/api/v1/namespaces/default/configmaps",
                (), {"content-type": "application/json"}, body))
            assert answer.status == 201
            if number % 3 == 0:
                print(name, flush=True)
            else:
                path = f"/api/v1/namespaces/default/configmaps/{name}"
                answer = await server.handle(Request("DELETE", path))
                assert answer.status == 200
                print("-" + name, flush=True)
            await asyncio.sleep(0)
    await asyncio.gather(*map(write, range(4)))

asyncio.run(main())
"""


async def _kills(folder: Path, times: int, seed: int = 0) -> None:
    there: set[str] = set()
    gone: set[str] = set()
    dice = random.Random(seed)
    for _ in range(times):
        writer = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(folder), stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        lines = [await writer.stdout.readline()]
        assert lines[0], "the writer could not begin"
        await asyncio.sleep(dice.random() * 0.15)
        writer.kill()
        lines += (await writer.stdout.read()).splitlines(keepends=True)
        await writer.wait()
        for line in lines:
            if line.endswith(b"\n"):
                name = line.decode().strip()
                gone.add(name[1:]) if name.startswith("-") else there.add(name)
        server = Server(data=DataFolder(folder))
        found = {entry.name for entry in server.store.table("configmaps").scan()}
        server.close()
        assert there <= found, there - found
        assert not gone & found
        # One for each worker may have been made or not yet deleted without having been told.
        assert len(found - there) <= 4 * times


async def test_what_was_answered_survives_being_killed(tmp_path: Path) -> None:
    await _kills(tmp_path, 2)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_what_was_answered_survives_being_killed_100_times(tmp_path: Path) -> None:
    for seed in range(5):  # a folder that is killed a hundred times grows, and each restart with it
        folder = tmp_path / str(seed)
        folder.mkdir()
        await _kills(folder, 20, seed)
