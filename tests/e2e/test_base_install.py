"""What the base install must do alone, and what a command says that lacks its extra."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., Any]
Run = Callable[..., subprocess.CompletedProcess[str]]

# Runs in every interpreter started with its folder on PYTHONPATH.
BLOCKER = """
import sys

EXTRAS = {"cel_expr_python", "cryptography", "jinja2", "pytest", "pytest_asyncio", "rich"}


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in EXTRAS:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


sys.meta_path.insert(0, Blocker())
"""


@pytest.fixture
def base_only(tmp_path: Path) -> dict[str, str]:
    """The environment of an interpreter in which no extra can be imported."""
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(BLOCKER)
    return {"PYTHONPATH": str(folder)}


def test_run_needs_no_extra(
    start: Start, run: Run, base_only: dict[str, str], example: Path, tmp_path: Path
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    start("kubewright", "cluster", "up", "--kubeconfig", kubeconfig).wait_for("ready")
    kubectl = ("kubectl", "--kubeconfig", kubeconfig)
    assert run(*kubectl, "apply", "-f", example / "deploy/crds/app_v1_appservice_crd.yaml").returncode == 0
    run(*kubectl, "wait", "--for=condition=Established", "crd", "--all")
    assert run(*kubectl, "apply", "-f", example / "deploy/crds/app_v1_appservice_cr.yaml").returncode == 0

    operator = start("kubewright", "run", "--kubeconfig", kubeconfig, cwd=example, env=base_only)
    operator.wait_for("operator opdemo runs")
    done = run(*kubectl, "wait", "--for=condition=Ready", "appservice/nginx-app", "--timeout=50s")
    assert done.returncode == 0, done.stderr
    operator.send(signal.SIGTERM)
    assert operator.end() == 0


def test_importing_an_operator_loads_no_room_that_a_pod_does_not_need(run: Run, example: Path) -> None:
    program = "import sys; from opdemo.operator import operator; operator(); print(*sys.modules, sep='\\n')"
    loaded = set(run("python", "-c", program, cwd=example / "src").stdout.split())
    rooms = {"server", "cluster", "testing", "manifests", "scaffold", "cli"}
    assert not loaded & {f"kubewright.{room}" for room in rooms}


def test_help_loads_next_to_nothing(run: Run) -> None:
    program = (
        "import sys; from kubewright.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    loaded = set(run("python", "-c", program).stderr.split())
    assert "click" in loaded
    assert not loaded & {"aiohttp", "asyncio", "cryptography", "jinja2", "msgspec", "rich", "yaml"}


@pytest.mark.parametrize(
    ("words", "needs"),
    [
        (["new", "other"], "jinja2"),
        (["cluster", "up"], "cryptography"),
        (["up", "--embedded"], "cryptography"),
    ],
)
def test_a_command_without_its_extra_says_what_to_install(
    run: Run, base_only: dict[str, str], example: Path, words: list[str], needs: str
) -> None:
    done = run("kubewright", *words, cwd=example, env=base_only)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert needs in done.stderr
    assert "hint: install it with: pip install 'kubewright[dev]'" in done.stderr
    assert not (example / "other").exists()


def test_help_and_version_need_no_extra(run: Run, base_only: dict[str, str]) -> None:
    for words in (["--help"], ["up", "--help"], ["version"], ["completion", "bash"]):
        assert run("kubewright", *words, env=base_only).returncode == 0
    assert run("python", "-m", "kubewright", "version", env=base_only).stdout.startswith("kubewright ")
