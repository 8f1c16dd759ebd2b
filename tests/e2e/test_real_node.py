"""The AppService example on a real cluster with a node that runs containers: ``kubewright up`` as people use it.

Each test makes an AppService of its own, with a node port of its own. The cluster, the image and the operator's
process are one module's; the last of the fixtures to end asserts that nothing is left running.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "appservice"
SAMPLE = EXAMPLE / "deploy" / "crds" / "app_v1_appservice_cr.yaml"
CLUSTER = ROOT.parent / "shared" / "cluster" / "cluster"
PORT = "17950"
IMAGES = ["docker.io/library/nginx:1.7.9", "docker.io/library/nginx:1.27.0"]

pytestmark = [pytest.mark.node, pytest.mark.timeout(1500), pytest.mark.xdist_group("node")]


def why_no_node() -> str:
    if not CLUSTER.exists():
        return "no real node: ../shared/cluster is not there"
    if missing := [tool for tool in ("go", "apt-get", "dpkg-deb", "openssl", "ip") if shutil.which(tool) is None]:
        return f"no real node: {', '.join(missing)} not installed"
    if os.geteuid() != 0:
        return "no real node: containers, bridges and iptables need root"
    if Path("/sys/class/net/cni0").exists():
        return "no real node: another one is up (there is a bridge cni0), and one at a time is all a machine has"
    return ""


def eventually(check: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait for the real world, whose time no test can bend."""
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if reason := why_no_node():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("node") / "c"
    archive = folder.parent / "nginx.tar"
    tags = [word for image in IMAGES for word in ("--tag", image)]
    build = [sys.executable, str(EXAMPLE / "image" / "build.py"), str(archive), *tags]
    subprocess.run(build, check=True, timeout=300)
    where = ["--dir", str(folder), "--port", PORT]
    before = network_namespaces()
    try:
        subprocess.run([str(CLUSTER), "up", "--node", "--image", str(archive), *where], check=True, timeout=1200)
        yield folder / "kubeconfig"
    finally:
        subprocess.run([str(CLUSTER), "down", *where], check=False, timeout=120)
        for namespace in network_namespaces() - before:  # of Pods that a failed test left
            subprocess.run(["ip", "netns", "delete", namespace], check=False)
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(folder) in _text(path)]
    assert not left, f"processes of the cluster are left: {left}"
    assert not Path("/sys/class/net/cni0").exists()


def network_namespaces() -> set[str]:
    return {path.name for path in Path("/run/netns").glob("cni-*")}


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


class Cluster:
    """kubectl against the cluster; failures are told with what the operator printed."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self.program = Path(sys.executable).with_name("kubectl")

    def kubectl(self, *words: str, stdin: str = "") -> str:
        command = [str(self.program), "--kubeconfig", str(self.kubeconfig), *words]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout

    def get(self, kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", kind, name, "-o", "json"))
        return found

    def names(self, kind: str, app: str) -> list[str]:
        """Of the objects of a kind whose name begins with the AppService's."""
        names = self.kubectl("get", kind, "-o", "name").split()
        return [name for name in names if name.partition("/")[2].startswith(app)]

    def apply(self, app: dict[str, Any]) -> None:
        self.kubectl("apply", "-f", "-", stdin=json.dumps(app))

    def patch(self, kind: str, name: str, patch: dict[str, Any]) -> None:
        self.kubectl("patch", kind, name, "--type=merge", "-p", json.dumps(patch))

    def wait_ready(self, name: str, size: int) -> None:
        """Until so many Pods are ready in the AppService's status, and no other is left."""

        def settled() -> bool:
            status = self.get("appservices.app.example.com", name).get("status", {})
            return (status.get("readyReplicas", 0), status.get("replicas", 0)) == (size, size)

        eventually(settled, f"{name} has {size} ready Pods", 90)

    def deployment(self, app: str) -> dict[str, Any]:
        [name] = self.names("deployments.apps", app)
        return self.get(*name.split("/"))

    def service(self, app: str) -> dict[str, Any]:
        [name] = self.names("services", app)
        return self.get(*name.split("/"))

    def container(self, app: str) -> dict[str, Any]:
        container: dict[str, Any] = self.deployment(app)["spec"]["template"]["spec"]["containers"][0]
        return container

    def delete(self, name: str) -> None:
        """The AppService, and wait until all that was made for it is gone."""
        self.kubectl("delete", "appservices.app.example.com", name)
        for kind in ("deployments.apps", "services", "replicasets.apps", "pods"):
            eventually(partial(self.none_left, kind, name), f"the {kind} of {name} are gone")

    def none_left(self, kind: str, app: str) -> bool:
        return not self.names(kind, app)


@pytest.fixture(scope="module")
def cluster(kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster with ``kubewright up`` at work; stopped as Ctrl-C does it."""
    cluster = Cluster(kubeconfig)
    output = tmp_path_factory.mktemp("operator") / "output"
    program = str(Path(sys.executable).with_name("kubewright"))
    command = [program, "up", "local", str(EXAMPLE), "--kubeconfig", str(kubeconfig)]
    with output.open("wb") as stream:
        operator = subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)
        try:
            told = lambda: operator.poll() is not None or b"runs here" in output.read_bytes()  # noqa: E731
            eventually(told, "the operator runs", 60)
            assert operator.poll() is None, output.read_text()
            yield cluster
            assert operator.poll() is None, f"the operator ended by itself: {output.read_text()}"
            operator.send_signal(signal.SIGINT)
            assert operator.wait(timeout=30) == 0, output.read_text()
        finally:
            if operator.poll() is None:
                operator.kill()
                operator.wait()
            sys.stdout.write(output.read_text())


def app_service(name: str, node_port: int, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "app.example.com/v1",
        "kind": "AppService",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "size": 1,
            "image": "nginx:1.7.9",
            "ports": [{"port": 80, "targetPort": 80, "nodePort": node_port}],
            **spec,
        },
    }


def answers(node_port: int) -> bool:
    """Whether nginx's welcome page comes from the node port, over a connection of its own."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{node_port}/", timeout=2) as response:
            return b"Welcome to nginx" in response.read()
    except (urllib.error.URLError, OSError):
        return False


def test_the_sample_serves_nginx_from_two_pods_and_goes_without_a_trace(cluster: Cluster) -> None:
    cluster.kubectl("apply", "-f", str(SAMPLE))
    cluster.wait_ready("nginx-app", 2)
    eventually(lambda: answers(30002), "127.0.0.1:30002 answers")
    uid = cluster.get("appservices.app.example.com", "nginx-app")["metadata"]["uid"]
    for made in (cluster.deployment("nginx-app"), cluster.service("nginx-app")):
        [owner] = made["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["uid"], owner["controller"]) == ("AppService", uid, True)
    assert cluster.service("nginx-app")["spec"]["type"] == "NodePort"
    cluster.delete("nginx-app")
    eventually(lambda: not answers(30002), "127.0.0.1:30002 answers no more")


def test_every_change_of_the_spec_arrives(cluster: Cluster) -> None:
    name = "changing"
    cluster.apply(app_service(name, 30012))
    cluster.wait_ready(name, 1)
    eventually(lambda: answers(30012), "the first port answers")

    cluster.apply(app_service(name, 30012, size=3))
    cluster.wait_ready(name, 3)
    assert cluster.deployment(name)["spec"]["replicas"] == 3

    changed: dict[str, Any] = {
        "image": "nginx:1.27.0",
        "ports": [{"port": 8080, "targetPort": 80, "nodePort": 30013}],
        "envs": [{"name": "COLOR", "value": "red"}, {"name": "EMPTY", "value": ""}],
        "resources": {"requests": {"cpu": "10m", "memory": "8Mi"}},
    }
    cluster.apply(app_service(name, 30013, size=1, **changed))
    eventually(lambda: cluster.container(name)["image"] == "nginx:1.27.0", "the image arrives")
    eventually(lambda: rolled_out(cluster, name), "the new Pod is rolled out")
    cluster.wait_ready(name, 1)
    container = cluster.container(name)
    assert container["env"] == [{"name": "COLOR", "value": "red"}, {"name": "EMPTY"}]
    assert container["resources"] == {"requests": {"cpu": "10m", "memory": "8Mi"}}
    [port] = cluster.service(name)["spec"]["ports"]
    assert (port["port"], port["targetPort"], port["nodePort"]) == (8080, 80, 30013)
    eventually(lambda: answers(30013), "the new port answers")
    eventually(lambda: not answers(30012), "the old port answers no more")

    # What is no longer asked for goes: this is why later writes are applies, and the first one of ours too.
    cluster.apply(app_service(name, 30013, size=1, image="nginx:1.27.0", envs=[{"name": "COLOR", "value": "blue"}]))
    eventually(lambda: cluster.container(name).get("env") == [{"name": "COLOR", "value": "blue"}], "EMPTY goes")
    assert cluster.container(name)["resources"] == {}
    cluster.delete(name)


def rolled_out(cluster: Cluster, name: str) -> bool:
    deployment = cluster.deployment(name)
    status = deployment["status"]
    wanted = deployment["spec"]["replicas"]
    counts = {status.get(count, 0) for count in ("replicas", "updatedReplicas", "readyReplicas")}
    return status.get("observedGeneration") == deployment["metadata"]["generation"] and counts == {wanted}


def test_what_is_changed_by_hand_is_put_back(cluster: Cluster) -> None:
    name = "drifting"
    cluster.apply(app_service(name, 30022))
    cluster.wait_ready(name, 1)
    deployment = cluster.deployment(name)["metadata"]["name"]
    service = cluster.service(name)

    cluster.patch("deployment", deployment, {"spec": {"replicas": 0}})
    eventually(lambda: cluster.deployment(name)["spec"]["replicas"] == 1, "the size is put back")
    cluster.patch("service", service["metadata"]["name"], {"spec": {"selector": {"app": "nobody"}}})
    eventually(
        lambda: cluster.service(name)["spec"]["selector"] == service["spec"]["selector"], "the selector is put back"
    )
    cluster.kubectl("delete", "service", service["metadata"]["name"])
    eventually(lambda: cluster.names("services", name), "the Service is made again")
    assert cluster.service(name)["metadata"]["uid"] != service["metadata"]["uid"]
    cluster.wait_ready(name, 1)
    eventually(lambda: answers(30022), "nginx answers again")
    cluster.delete(name)
