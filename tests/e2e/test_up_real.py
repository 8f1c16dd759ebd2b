"""``kubewright up`` against a real API server (which has no controllers): CRDs, rights, refusals."""

from __future__ import annotations

import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.real

SAMPLE = "deploy/crds/app_v1_appservice_cr.yaml"
Start = Callable[..., Any]
Run = Callable[..., subprocess.CompletedProcess[str]]


class Place:
    """A namespace and an API group of this test alone."""

    def __init__(self, kubeconfig: Path, run: Run) -> None:
        self.kubeconfig = kubeconfig
        self.name = f"up-{uuid.uuid4().hex[:8]}"
        self.group = f"{self.name}.example.com"
        self._run = run

    def kubectl(self, *words: str | Path, check: bool = True) -> str:
        done = self._run("kubectl", "--kubeconfig", self.kubeconfig, "--namespace", self.name, *words)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout

    def poor(self, folder: Path) -> Path:
        """The kubeconfig of a service account without any right."""
        self.kubectl("create", "serviceaccount", "poor")
        token = self.kubectl("create", "token", "poor").strip()
        path = folder / "poor"
        path.write_text(self.kubeconfig.read_text().replace("admin-token", token))
        return path


@pytest.fixture
def place(real_kubeconfig: Path, run: Run, example: Path) -> Iterator[Place]:
    """With the example moved into its group."""
    place = Place(real_kubeconfig, run)
    for path in (example / "src/opdemo/apis/app_v1/appservice.py", example / SAMPLE):
        path.write_text(path.read_text().replace("app.example.com", place.group).replace("nodePort: 30002", ""))
    place.kubectl("create", "namespace", place.name)
    yield place
    place.kubectl("delete", "crd", f"appservices.{place.group}", "--wait=false", "--ignore-not-found", check=False)
    for kind in ("appservices", "deployments", "services"):
        place.kubectl("delete", kind, "--all", "--wait=false", check=False)
    place.kubectl("delete", "clusterrole,clusterrolebinding", place.name, "--ignore-not-found", check=False)
    place.kubectl("delete", "namespace", place.name, "--wait=false", check=False)


def test_up_local_applies_and_reconciles(start: Start, place: Place, example: Path) -> None:
    up = start(
        "kubewright", "up", "local", example, "--kubeconfig", place.kubeconfig, "--namespace", place.name,
        "--apply", example / SAMPLE,
    )  # fmt: skip
    up.wait_for(f"CRD appservices.{place.group} is established")
    up.wait_for(f"AppService {place.name}/nginx-app: created deployments.apps nginx-app")
    if "0 of 2 Pods are ready" not in up.output:
        up.wait_for("0 of 2 Pods are ready")
    up.send(signal.SIGINT)
    assert up.end() == 0
    assert "deployment.apps/nginx-app" in place.kubectl("get", "deployments", "-o", "name")


def test_no_right_to_install_the_crd(run: Run, place: Place, example: Path, tmp_path: Path) -> None:
    done = run("kubewright", "up", example, "--kubeconfig", place.poor(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: cannot install the CRD appservices.{place.group}: ")
    user = f"system:serviceaccount:{place.name}:poor"
    assert f'User "{user}" cannot patch resource "customresourcedefinitions"' in done.stderr
    assert "hint: installing a CRD is a cluster administrator's right" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_right_to_watch(start: Start, place: Place, example: Path, tmp_path: Path) -> None:
    poor = place.poor(tmp_path)
    place.kubectl("create", "clusterrole", place.name, "--verb=*", "--resource=customresourcedefinitions")
    account = f"--serviceaccount={place.name}:poor"
    place.kubectl("create", "clusterrolebinding", place.name, f"--clusterrole={place.name}", account)
    up = start("kubewright", "up", example, "--kubeconfig", poor, "--namespace", place.name)
    line = up.wait_for("is forbidden")
    assert f'User "system:serviceaccount:{place.name}:poor" cannot' in line
    assert f'in the namespace "{place.name}"' in line
    up.wait_for("hint: the rights it needs are in deploy/role.yaml")
    up.send(signal.SIGTERM)
    assert up.end() == 0


def test_a_crd_that_the_server_refuses(run: Run, place: Place, example: Path) -> None:
    types = example / "src/opdemo/apis/app_v1/appservice.py"
    types.write_text(types.read_text().replace("size(self.spec.ports)", "size(self.spec.nothing)"))
    done = run("kubewright", "up", example, "--kubeconfig", place.kubeconfig)
    assert done.returncode == 1
    assert f"error: the server refuses the CRD appservices.{place.group}: " in done.stderr
    assert "undefined field 'nothing'" in done.stderr


def test_a_manifest_that_the_server_refuses(run: Run, place: Place, example: Path) -> None:
    sample = example / SAMPLE
    sample.write_text(sample.read_text().replace("size: 2", "size: many"))
    done = run("kubewright", "up", example, "--kubeconfig", place.kubeconfig, "--apply", sample)
    assert done.returncode == 1
    assert f"error: {sample}:1: AppService nginx-app: " in done.stderr
    assert "spec.size" in done.stderr


def test_a_wrong_certificate_authority(run: Run, place: Place, example: Path, tmp_path: Path) -> None:
    untrusting = tmp_path / "kubeconfig"
    lines = place.kubeconfig.read_text().splitlines(keepends=True)
    untrusting.write_text("".join(line for line in lines if "certificate-authority" not in line))
    done = run("kubewright", "up", example, "--kubeconfig", untrusting)
    assert done.returncode == 1
    assert "certificate" in done.stderr
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr
