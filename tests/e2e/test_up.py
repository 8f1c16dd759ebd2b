"""``kubewright up``, ``cluster up`` and ``run`` as processes: what they show, and how they stop."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SAMPLE = "deploy/crds/app_v1_appservice_cr.yaml"
SIGNALS = [signal.SIGINT, signal.SIGTERM]

Start = Callable[..., Any]
Run = Callable[..., subprocess.CompletedProcess[str]]


def ready_seconds(process: Any) -> float:
    found = re.search(r"ready in ([\d.]+) s", process.wait_for("ready in "))
    assert found is not None
    return float(found.group(1))


def test_up_embedded_shows_the_sample_come_up_and_stops_cleanly(start: Start, run: Run, example: Path) -> None:
    up = start("kubewright", "up", "--embedded", example, "--apply", example / SAMPLE)
    kubectl = up.wait_for("kubectl --kubeconfig").split("kubectl: ")[1].split()
    ready_seconds(up)
    shown = up.output
    for words in (
        "CRD appservices.app.example.com is established",
        "applied AppService nginx-app",
        "appservice.app.example.com/nginx-app  ready",
        "  deployment.apps/nginx-app  2/2 ready",
        "    replicaset.apps/nginx-app-",
        "Running  nginx:1.7.9",
        "  service/nginx-app  NodePort 80:30002/TCP",
    ):
        assert words in shown
    assert shown.count("      pod/nginx-app-") == 2

    pods = run(*kubectl[:3], "get", "pods", "-o", "name")
    assert pods.stdout.count("pod/nginx-app-") == 2, pods.stderr

    up.send(signal.SIGINT)
    assert up.end() == 0
    assert "Traceback" not in up.output
    assert not Path(kubectl[2]).exists()
    assert run(*kubectl[:3], "get", "pods").returncode == 1


def test_every_change_of_the_spec_is_seen(start: Start, run: Run, example: Path) -> None:
    up = start("kubewright", "up", "--embedded", example, "--apply", example / SAMPLE)
    kubectl = up.wait_for("kubectl --kubeconfig").split("kubectl: ")[1].split()[:3]
    ready_seconds(up)
    run(*kubectl, "patch", "appservice", "nginx-app", "--type=merge", "-p", '{"spec":{"size":3}}')
    up.wait_for("deployment.apps/nginx-app 3/3 ready")
    run(*kubectl, "delete", "appservice", "nginx-app")
    up.wait_for("deployment.apps/nginx-app deleted")


def test_json_lines_for_programs(start: Start, example: Path) -> None:
    up = start("kubewright", "up", "--embedded", example, "--apply", example / SAMPLE, "-o", "json")
    event = json.loads(up.wait_for('"event": "ready"'))
    assert event["objects"][0] == "appservice.app.example.com/nginx-app"
    assert {json.loads(line)["event"] for line in up.lines} >= {"step", "object", "fact", "ready"}
    up.send(signal.SIGTERM)
    assert up.end() == 0


def test_on_a_terminal_it_is_a_live_tree(
    example: Path, environment_variables: dict[str, str], tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "kubewright", "up", "--embedded", example, "--apply", example / SAMPLE],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=tmp_path,
        env=environment_variables | {"TERM": "xterm-256color", "COLUMNS": "140", "LINES": "50"},
        start_new_session=True,
    )
    os.close(theirs)
    shown = ""
    try:
        while "ready in" not in shown:
            shown += os.read(ours, 65536).decode()
        process.send_signal(signal.SIGINT)
        try:
            while more := os.read(ours, 65536).decode():
                shown += more
        except OSError:  # Linux's way to say that the other end is closed
            pass
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert "└── " in shown
    assert "2/2 ready" in shown
    assert "\x1b[?25h" in shown, "the cursor is not shown again"
    assert "Traceback" not in shown


@pytest.mark.parametrize("number", SIGNALS)
def test_cluster_up_serves_until_it_is_told_to_stop(
    start: Start, run: Run, tmp_path: Path, number: signal.Signals
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    cluster = start("kubewright", "cluster", "up", "--kubeconfig", kubeconfig)
    cluster.wait_for("ready")
    assert "default" in run("kubectl", "--kubeconfig", kubeconfig, "get", "namespaces").stdout
    cluster.send(number)
    assert cluster.end() == 0
    assert not kubeconfig.exists()


def test_an_occupied_port(start: Start, run: Run, tmp_path: Path) -> None:
    cluster = start("kubewright", "cluster", "up", "-o", "json")
    server = json.loads(cluster.wait_for("ready"))["server"]
    port = server.rpartition(":")[2]

    second = run("kubewright", "cluster", "up", "--port", port, "--kubeconfig", tmp_path / "other")

    assert second.returncode == 2
    assert second.stderr.startswith(f"error: cannot listen on 127.0.0.1:{port}")
    assert "hint: " in second.stderr
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("seconds", [0.15, 0.4, 0.9])
def test_a_signal_at_any_time_is_a_clean_stop(
    start: Start, example: Path, seconds: float, number: signal.Signals
) -> None:
    up = start("kubewright", "up", "--embedded", example, "--apply", example / SAMPLE)
    time.sleep(seconds)
    up.send(number)
    assert up.end() in (0, -number), up.output
    assert "Traceback" not in up.output
    assert not (example / ".kubewright" / "kubeconfig").exists()


def test_an_exception_in_desired_is_shown_with_its_line(start: Start, example: Path) -> None:
    controller = example / "src/opdemo/controllers/appservice.py"
    controller.write_text(
        controller.read_text().replace(
            "        deployment = make_deployment(obj)\n", "        deployment = {}['missing']\n", 1
        )
    )
    up = start("kubewright", "up", "--embedded", example, "--apply", example / SAMPLE)
    line = up.wait_for("FAILED AppService default/nginx-app: error:")
    assert f"{controller}:" in line
    assert "missing" in line
    up.send(signal.SIGINT)
    assert up.end() == 0
    assert "Traceback" not in up.output


def test_a_crd_that_the_server_refuses(run: Run, example: Path) -> None:
    types = example / "src/opdemo/apis/app_v1/appservice.py"
    types.write_text(types.read_text().replace("size(self.spec.ports)", "size(self.spec.nothing)"))
    result = run("kubewright", "up", "--embedded", example)
    assert result.returncode == 1
    assert "error: the server refuses the CRD appservices.app.example.com: " in result.stderr
    assert "nothing" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_manifest_that_the_server_refuses(run: Run, example: Path) -> None:
    sample = example / SAMPLE
    sample.write_text(sample.read_text().replace("size: 2", "size: many"))
    result = run("kubewright", "up", "--embedded", example, "--apply", sample)
    assert result.returncode == 1
    assert f"error: {sample}:1: AppService nginx-app: " in result.stderr
    assert "spec.size" in result.stderr
    assert "Traceback" not in result.stderr


def test_run_logs_json_and_stops_cleanly(start: Start, run: Run, example: Path, tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    cluster = start("kubewright", "cluster", "up", "--kubeconfig", kubeconfig)
    cluster.wait_for("ready")
    kubectl = ("kubectl", "--kubeconfig", kubeconfig)
    for file in ("app_v1_appservice_crd.yaml", "app_v1_appservice_cr.yaml"):
        run(*kubectl, "wait", "--for=condition=Established", "crd", "--all")
        applied = run(*kubectl, "apply", "-f", example / "deploy/crds" / file)
        assert applied.returncode == 0, applied.stderr

    operator = start(
        "kubewright", "run", "--kubeconfig", kubeconfig, cwd=example, env={"WATCH_NAMESPACE": "default"}
    )
    started = json.loads(operator.wait_for("operator opdemo"))
    assert started["level"] == "info"
    waited = run(*kubectl, "wait", "--for=condition=Ready", "appservice/nginx-app", "--timeout=50s")
    assert waited.returncode == 0, waited.stderr + operator.output
    operator.send(signal.SIGTERM)
    assert operator.end() == 0
    assert "Traceback" not in operator.output
