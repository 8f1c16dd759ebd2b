"""The command as a process, and a project to run it in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "appservice"

Kubewright = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the example."""
    folder = tmp_path / "project"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    return folder


@pytest.fixture
def kubewright(tmp_path: Path) -> Kubewright:
    """Runs ``kubewright`` to its end; without a kubeconfig of the machine's."""

    def run(
        *words: str | Path, cwd: Path = tmp_path, env: dict[str, str] | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("KUBE")}
        environment["HOME"] = str(tmp_path)
        return subprocess.run(
            [sys.executable, "-m", "kubewright", *map(str, words)],
            cwd=cwd,
            env=environment | (env or {}),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return run
