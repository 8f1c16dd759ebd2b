"""README's two commands and its example are what they say they are."""

from __future__ import annotations

import re
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
SET_UP = "python3 -m venv .uv && .uv/bin/pip install -q uv && .uv/bin/uv run "


def commands() -> list[str]:
    """The shell commands of "Two commands", as ``.ci/run`` finds them."""
    section = README.split("## Two commands")[1].split("\n## ")[0]
    return re.findall(r"^```sh\n(.+)\n```$", section, re.MULTILINE)


def test_the_first_command_runs_the_example_until_ctrl_c(start: Callable[..., Any]) -> None:
    first, _ = commands()
    assert first.startswith(SET_UP + "kubewright up --embedded examples/appservice --apply ")
    process = start(sys.executable, "-m", *shlex.split(first.removeprefix(SET_UP)), cwd=ROOT)
    process.wait_for("ready in")
    process.send(signal.SIGINT)
    assert process.end() == 0, process.output
    for made in ("CRD appservices", "deployment.apps/nginx-app", "replicaset.apps/nginx-app", "service/nginx-app"):
        assert made in process.output
    assert len(set(re.findall(r"pod/nginx-app-\S+", process.output))) == 2
    assert "kubectl --kubeconfig" in process.output


def test_the_second_command_is_what_ci_runs() -> None:
    _, second = commands()
    assert second == SET_UP + "pytest -n auto"
    assert "tests=$(readme_command 2)" in (ROOT / ".ci" / "run").read_text()


def test_the_example_is_that_of_the_repository() -> None:
    (shown,) = re.findall(r"^```python\n(.+?)^```$", README, re.MULTILINE | re.DOTALL)
    source = ROOT / "examples/appservice/src/opdemo/controllers/appservice.py"
    assert shown.strip() in source.read_text()


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert not broken


def test_version_is_an_option_too(run: Callable[..., Any]) -> None:
    asked = run(sys.executable, "-m", "kubewright", "--version")
    assert asked.returncode == 0
    assert re.fullmatch(r"kubewright \d+\.\d+\.\d+\S*\n", asked.stdout)
