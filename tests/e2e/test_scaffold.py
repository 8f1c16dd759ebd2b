"""A scaffolded project as it is: it type-checks, lints, passes its tests and runs."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Start = Callable[..., Any]
Run = Callable[..., subprocess.CompletedProcess[str]]

KINDS = [
    ("app.example.com/v1", "AppService", []),
    ("cache.example.com/v1alpha1", "MemcachedCluster", []),
    ("app.example.com/v1", "Tenant", ["--cluster-scoped"]),
]


@pytest.fixture
def project(run: Run, tmp_path: Path) -> Path:
    """With three kinds, each with its controller."""
    made = run("kubewright", "new", "opdemo")
    assert made.returncode == 0, made.stderr
    folder = tmp_path / "opdemo"
    for api_version, kind, more in KINDS:
        for what in ("api", "controller"):
            done = run(
                "kubewright", "add", what, f"--api-version={api_version}", f"--kind={kind}", *more, cwd=folder
            )
            assert done.returncode == 0, done.stderr
    done = run("kubewright", "generate", "k8s", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_untouched_it_is_checked_tested_and_runs(project: Path, run: Run, start: Start) -> None:
    for words in (
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy", "--cache-dir", str(project / ".mypy_cache")],
        ["pytest", "-q", "-p", "no:cacheprovider"],
        ["kubewright", "generate", "--check"],
    ):
        done = run(*words, cwd=project)
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"

    samples = [word for path in sorted(project.glob("deploy/crds/*_cr.yaml")) for word in ("--apply", path)]
    up = start("kubewright", "up", "--embedded", *samples, cwd=project)
    up.wait_for("ready in")
    for name in ("example-appservice", "example-memcachedcluster", "example-tenant"):
        assert f"configmap/{name}-config  there" in up.output
    up.send(signal.SIGINT)
    assert up.end() == 0


def test_without_any_kind_it_is_checked_and_tested(run: Run, tmp_path: Path) -> None:
    assert run("kubewright", "new", "my-operator").returncode == 0
    folder = tmp_path / "my-operator"
    for words in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"], ["pytest", "-q"]):
        done = run(*words, cwd=folder)
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    done = run("kubewright", "generate", cwd=folder)
    assert done.returncode == 0, done.stderr
