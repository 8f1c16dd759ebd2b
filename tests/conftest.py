"""What every test may ask for: a real API server, where one can be had."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

CLUSTER = Path(__file__).resolve().parents[2] / "shared" / "cluster" / "cluster"


def _why_no_cluster() -> str:
    if not CLUSTER.exists():
        return "no real cluster: ../shared/cluster is not there (set KUBEWRIGHT_TEST_KUBECONFIG to use one)"
    if shutil.which("go") is None:
        return "no real cluster: Go is not installed, which builds it (set KUBEWRIGHT_TEST_KUBECONFIG to use one)"
    return ""


@pytest.fixture(scope="session")
def real_kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a real kube-apiserver 1.37: the one given, or one started for this run."""
    given = os.environ.get("KUBEWRIGHT_TEST_KUBECONFIG")
    if given:
        yield Path(given)
        return
    if reason := _why_no_cluster():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("real") / "cluster"
    where = ["--dir", str(folder), "--port", "16743"]
    try:
        subprocess.run([str(CLUSTER), "up", *where], check=True, capture_output=True, timeout=1200)
        yield folder / "kubeconfig"
    finally:
        subprocess.run([str(CLUSTER), "down", *where], check=False, capture_output=True, timeout=120)
