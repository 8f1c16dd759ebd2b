"""kubectl against the embedded cluster over HTTPS: what a developer types, and what comes of it."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kubewright.cluster import Cluster

_BINARIES = {
    "1.37": shutil.which("kubectl", path=str(Path(sys.executable).parent)),
    "system": shutil.which("kubectl", path="/usr/bin:/usr/local/bin"),
}

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: nginx
        image: nginx:1.7.9
        ports: [{containerPort: 80}]
"""

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: crontabs.stable.example.com}
spec:
  group: stable.example.com
  scope: Namespaced
  names: {plural: crontabs, singular: crontab, kind: CronTab, shortNames: [ct], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
    additionalPrinterColumns:
    - {name: Spec, type: string, jsonPath: .spec.cronSpec}
    - {name: Replicas, type: integer, jsonPath: .spec.replicas}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            description: What is wanted.
            properties:
              cronSpec: {type: string, description: When it runs.}
              replicas: {type: integer, minimum: 0, default: 1}
          status:
            type: object
            properties: {replicas: {type: integer}}
"""

CRONTAB = """
apiVersion: stable.example.com/v1
kind: CronTab
metadata: {name: mine}
spec: {cronSpec: "* * * * *"}
"""


class Kubectl:
    """Runs kubectl in a process of its own, beside the event loop."""

    def __init__(self, binary: str, kubeconfig: Path, home: Path) -> None:
        self._binary = binary
        self._kubeconfig = kubeconfig
        self._home = home

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            self._binary,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"KUBECONFIG": str(self._kubeconfig), "HOME": str(self._home), "PATH": "/usr/bin:/bin"},
        )

    async def run(self, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        process = await self.start(*arguments)
        out, err = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
        return process.returncode or 0, out.decode(), err.decode()

    async def __call__(self, *arguments: str, stdin: str = "") -> str:
        code, out, err = await self.run(*arguments, stdin=stdin)
        assert code == 0, f"kubectl {' '.join(arguments)}: {err}"
        return out

    async def fails(self, *arguments: str, stdin: str = "") -> str:
        code, out, err = await self.run(*arguments, stdin=stdin)
        assert code != 0, out
        return err

    async def json(self, *arguments: str) -> dict[str, Any]:
        return json.loads(await self(*arguments, "-o", "json"))


@pytest.fixture(params=list(_BINARIES))
async def kubectl(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kubectl]:
    binary = _BINARIES[request.param]
    if binary is None:
        pytest.skip(f"no kubectl ({request.param}) on this machine")
    async with Cluster() as cluster:
        listener = await cluster.listen()
        try:
            kubeconfig = tmp_path / "kubeconfig"
            kubeconfig.write_text(cluster.kubeconfig(listener))
            yield Kubectl(binary, kubeconfig, tmp_path)
        finally:
            await listener.close()


async def test_apply_get_describe_wait(kubectl: Kubectl) -> None:
    assert await kubectl("apply", "-f", "-", stdin=DEPLOYMENT) == "deployment.apps/web created\n"
    assert await kubectl("apply", "-f", "-", stdin=DEPLOYMENT) == "deployment.apps/web unchanged\n"
    changed = DEPLOYMENT.replace("1.7.9", "1.9.1")
    assert await kubectl("apply", "-f", "-", stdin=changed) == "deployment.apps/web configured\n"
    await kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=30s")
    table = await kubectl("get", "deploy")
    assert table.split("\n")[0].split() == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]
    assert table.split("\n")[1].split()[:2] == ["web", "2/2"]
    wide = await kubectl("get", "deploy", "web", "-o", "wide")
    assert "nginx:1.9.1" in wide
    assert "app=web" in wide
    described = await kubectl("describe", "deployment", "web")
    assert "nginx:1.9.1" in described
    assert "RollingUpdate" in described
    assert "NAMESPACE" in await kubectl("get", "pods", "-A")
    assert "deployment.apps/web" in await kubectl("get", "all")


async def test_server_side_apply_and_its_conflicts(kubectl: Kubectl) -> None:
    applied = await kubectl("apply", "--server-side", "-f", "-", stdin=DEPLOYMENT)
    assert applied == "deployment.apps/web serverside-applied\n"
    changed = DEPLOYMENT.replace("replicas: 2", "replicas: 3")
    error = await kubectl.fails("apply", "--server-side", "--field-manager=other", "-f", "-", stdin=changed)
    assert 'conflict with "kubectl": .spec.replicas' in error
    forced = ("apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", "-")
    await kubectl(*forced, stdin=changed)
    assert (await kubectl.json("get", "deploy", "web"))["spec"]["replicas"] == 3


async def test_create(kubectl: Kubectl) -> None:
    assert await kubectl("create", "deployment", "d", "--image=nginx") == "deployment.apps/d created\n"
    assert await kubectl("create", "configmap", "c", "--from-literal=a=b") == "configmap/c created\n"
    assert await kubectl("create", "secret", "generic", "s", "--from-literal=a=b") == "secret/s created\n"
    assert await kubectl("create", "namespace", "n") == "namespace/n created\n"
    assert await kubectl("create", "serviceaccount", "a") == "serviceaccount/a created\n"
    role = await kubectl("create", "role", "r", "--verb=get", "--resource=pods")
    assert role == "role.rbac.authorization.k8s.io/r created\n"
    assert "exists" in await kubectl.fails("create", "configmap", "c", "--from-literal=a=b")
    assert (await kubectl.json("get", "secret", "s"))["data"] == {"a": "Yg=="}
    assert await kubectl("expose", "deployment", "d", "--port=80") == "service/d exposed\n"
    assert (
        await kubectl("get", "deploy", "d", "-o", "jsonpath={.spec.template.spec.containers[0].image}") == "nginx"
    )


async def test_get_outputs_and_selectors(kubectl: Kubectl) -> None:
    for name in ("a", "b"):
        await kubectl("create", "configmap", name, f"--from-literal=name={name}")
    await kubectl("label", "configmap", "a", "b", "kind=test")
    await kubectl("label", "configmap", "a", "tier=front")
    assert await kubectl("get", "cm", "-l", "tier=front", "-o", "name") == "configmap/a\n"
    assert await kubectl("get", "cm", "-l", "kind,tier!=front", "-o", "name") == "configmap/b\n"
    assert await kubectl("get", "cm", "--field-selector=metadata.name=b", "-o", "name") == "configmap/b\n"
    assert "name: a" in await kubectl("get", "cm", "a", "-o", "yaml")
    assert await kubectl("get", "cm", "-l", "kind", "-o", "jsonpath={.items[*].data.name}") == "a b"
    sorted_names = await kubectl("get", "cm", "-l", "kind", "--sort-by=.metadata.name", "--no-headers")
    assert [line.split()[0] for line in sorted_names.splitlines()] == ["a", "b"]
    assert "NotFound" in await kubectl.fails("get", "cm", "none")


async def test_patch_label_annotate_scale(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    await kubectl("patch", "deploy", "web", "-p", '{"spec":{"replicas":4}}')
    await kubectl("patch", "deploy", "web", "--type=merge", "-p", '{"metadata":{"labels":{"a":"b"}}}')
    operations = '[{"op":"add","path":"/metadata/labels/c","value":"d"}]'
    await kubectl("patch", "deploy", "web", "--type=json", "-p", operations)
    await kubectl("annotate", "deploy", "web", "note=well")
    await kubectl("label", "deploy", "web", "a-")
    live = await kubectl.json("get", "deploy", "web")
    assert live["spec"]["replicas"] == 4
    assert live["metadata"]["labels"] == {"app": "web", "c": "d"}
    assert live["metadata"]["annotations"]["note"] == "well"
    assert await kubectl("scale", "deploy", "web", "--replicas=1") == "deployment.apps/web scaled\n"
    assert (await kubectl.json("get", "deploy", "web"))["spec"]["replicas"] == 1
    await kubectl("set", "image", "deploy/web", "nginx=nginx:2")
    assert "nginx:2" in await kubectl("get", "deploy", "web", "-o", "wide")


@pytest.mark.parametrize("cascade", ["background", "foreground"])
async def test_delete_takes_dependents(kubectl: Kubectl, cascade: str) -> None:
    await kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    await kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=30s")
    await kubectl("delete", "deploy", "web", f"--cascade={cascade}", "--timeout=30s")
    await kubectl("wait", "--for=delete", "replicaset,pod", "-l", "app=web", "--timeout=30s")
    assert await kubectl("get", "deploy,rs,pods", "-o", "name") == ""


async def test_delete_orphans_dependents(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    await kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=30s")
    await kubectl("delete", "deploy", "web", "--cascade=orphan", "--timeout=30s")
    left = await kubectl("get", "deploy,rs,pods", "-o", "name")
    assert [line.partition("/")[0] for line in left.splitlines()] == ["replicaset.apps", "pod", "pod"]


async def test_watch(kubectl: Kubectl) -> None:
    watching = await kubectl.start("get", "configmaps", "-w", "-o", "name", "--field-selector=metadata.name=seen")
    await kubectl("create", "configmap", "seen")
    assert watching.stdout is not None
    line = await asyncio.wait_for(watching.stdout.readline(), 30)
    assert line == b"configmap/seen\n"
    watching.terminate()
    await watching.communicate()


async def test_custom_resources(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=CRD)
    await kubectl("wait", "--for=condition=Established", "crd/crontabs.stable.example.com", "--timeout=30s")
    assert await kubectl("apply", "-f", "-", stdin=CRONTAB) == "crontab.stable.example.com/mine created\n"
    header, row = (await kubectl("get", "ct")).splitlines()
    assert header.split() == ["NAME", "SPEC", "REPLICAS"]
    assert row.split() == ["mine", "*", "*", "*", "*", "*", "1"]
    await kubectl("scale", "crontab", "mine", "--replicas=3")
    assert (await kubectl.json("get", "crontab", "mine"))["spec"]["replicas"] == 3
    await kubectl("patch", "ct", "mine", "--type=merge", "--subresource=status", "-p", '{"status":{"replicas":3}}')
    bad = CRONTAB.replace("spec: {", "spec: {replicas: -1, ")
    assert "spec.replicas: Invalid value: -1" in await kubectl.fails("apply", "-f", "-", stdin=bad)
    unknown = CRONTAB.replace("spec: {", "spec: {image: x, ")
    assert 'unknown field "spec.image"' in await kubectl.fails("apply", "-f", "-", stdin=unknown)
    assert "When it runs." in await kubectl("explain", "crontab.spec.cronSpec")
    assert "crontab.stable.example.com/mine" in await kubectl("get", "all", "-o", "name")
    await kubectl("delete", "crd", "crontabs.stable.example.com", "--timeout=30s")
    assert "could not find the requested resource" in await kubectl.fails("get", "crontabs.v1.stable.example.com")


@pytest.mark.parametrize("api_version", ["stable.example.com/v1", "apps/v1"])
async def test_a_kind_whose_definition_is_missing_is_named(kubectl: Kubectl, api_version: str) -> None:
    stranger = CRONTAB.replace("stable.example.com/v1", api_version)
    error = await kubectl.fails("apply", "-f", "-", stdin=stranger)
    assert f'no matches for kind "CronTab" in version "{api_version}"' in error
    assert "ensure CRDs are installed first" in error


async def test_discovery(kubectl: Kubectl) -> None:
    resources = await kubectl("api-resources")
    assert "deployments" in resources
    assert "apps/v1" in await kubectl("api-versions")
    assert "replicas" in await kubectl("explain", "deployment.spec")
    assert "Server Version: v1.37" in await kubectl("version")
    names = await kubectl("api-resources", "--namespaced=false", "-o", "name")
    assert "customresourcedefinitions.apiextensions.k8s.io" in names.splitlines()


async def test_namespaces_come_and_go(kubectl: Kubectl) -> None:
    await kubectl("create", "namespace", "temporary")
    await kubectl("create", "configmap", "inside", "-n", "temporary")
    await kubectl("delete", "namespace", "temporary", "--timeout=30s")
    assert "NotFound" in await kubectl.fails("get", "namespace", "temporary")
    assert "may not be deleted" in await kubectl.fails("delete", "namespace", "default")


async def test_what_is_missing_says_so(kubectl: Kubectl) -> None:
    await kubectl("apply", "-f", "-", stdin=DEPLOYMENT)
    await kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=30s")
    pod = (await kubectl("get", "pods", "-o", "name")).splitlines()[0]
    assert "simulated" in await kubectl("logs", pod)
    assert "does not implement pods/exec" in await kubectl.fails("exec", pod, "--", "ls")


async def test_wrong_credentials(kubectl: Kubectl) -> None:
    error = await kubectl.fails("get", "pods", "--token=wrong")
    assert "Unauthorized" in error or "logged in" in error
