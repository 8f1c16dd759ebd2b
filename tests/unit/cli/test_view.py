from __future__ import annotations

import json
from typing import Any

import pytest

from kubewright import clock
from kubewright.cli.tree import Tree
from kubewright.cli.view import JsonLines, Lines, View
from kubewright.cli.world import World


def made(kind: str, name: str, *owners: str, **fields: Any) -> dict[str, Any]:
    references = [{"uid": owner} for owner in owners]
    return {"kind": kind, "metadata": {"name": name, "uid": name, "ownerReferences": references}, **fields}


def play(view: View) -> None:
    world = World()
    with view:
        view.step("operator runs")
        for obj, title, root in (
            (made("AppService", "nginx-app"), "appservice.app.example.com", True),
            (made("Service", "web", "nginx-app", spec={"ports": [{"port": 80}]}), "service", False),
        ):
            change = world.put(obj, title, root=root)
            assert change is not None
            view.changed(change, world)
        view.log("reconciled")
        view.log("odd", failed=True)
        view.ready(world)
        view.fact("kubectl", "kubectl get all")


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    play(Lines(clock.monotonic()))
    lines = [line.split("s  ", 1)[1] for line in capsys.readouterr().out.splitlines()]
    assert lines[:5] == [
        "operator runs",
        "appservice.app.example.com/nginx-app created, there",
        "service/web created, ClusterIP 80/TCP",
        "reconciled",
        "FAILED odd",
    ]
    assert lines[5:7] == ["appservice.app.example.com/nginx-app  there", "  service/web  ClusterIP 80/TCP"]
    assert lines[7].startswith("ready in ")
    assert lines[8] == "kubectl: kubectl get all"


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    play(JsonLines(clock.monotonic()))
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events] == ["step", "object", "object", "log", "log", "ready", "fact"]
    assert events[5]["objects"] == ["appservice.app.example.com/nginx-app", "service/web"]


def test_the_tree_has_it_all_in_its_last_frame(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    view = Tree(clock.monotonic())
    play(view)
    shown = capsys.readouterr().out
    for words in ("operator runs", "└── ", "service/web", "reconciled", "kubectl get all", "ready in"):
        assert words in shown
