"""The real API server's recorded answers, replayed on the embedded one, and on a real one where there is one."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from kubewright.client import connect
from kubewright.client.kubeconfig import load_config
from kubewright.server import InMemoryTransport, Server, UserInfo
from kubewright.testing import run_in_virtual_time


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("conformance_replay", Path(__file__).parent / "replay.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


replay = _load()


def _recorded(name: str) -> list[object]:
    return json.loads((replay.RECORDED / f"{name}.json").read_text())


@pytest.mark.parametrize("name", replay.case_names())
def test_embedded(name: str) -> None:
    # Watches last as long as they were recorded; a webhook's answer comes over a socket, in its own time.
    run = asyncio.run if "hooks" in replay.load_case(name) else run_in_virtual_time
    lines = run(_differences(name))
    assert not lines, "\n".join(lines)


async def _differences(name: str) -> list[str]:
    server = Server()
    server.store.revision = 10_000  # as if it had run for a while: versions are not mistaken for other numbers
    # The administrator of the server that was recorded.
    admin = UserInfo("admin", uid="admin", groups=("system:masters", "system:authenticated"))
    actual = await replay.run(name, InMemoryTransport(server, admin))
    return replay.unexplained(name, _recorded(name), actual)


@pytest.mark.real
@pytest.mark.parametrize("name", replay.case_names())
async def test_real(name: str, real_kubeconfig: Path) -> None:
    client = connect(load_config(kubeconfig=real_kubeconfig))
    try:
        if replay.load_case(name).get("needs") == "compaction" and not await replay.has_compacted(client.transport):
            pytest.skip("this server has only just started: it still knows everything that happened")
        actual = await replay.run(name, client.transport)
    finally:
        await client.close()
    lines = replay.differences(_recorded(name), actual)
    assert not lines, "\n".join(lines)


def test_every_known_difference_is_about_a_case() -> None:
    import yaml

    listed = yaml.safe_load((replay.HERE / "known_differences.yaml").read_text()) or []
    assert {entry["case"] for entry in listed} <= set(replay.case_names())
    assert all(entry["reason"] for entry in listed)
