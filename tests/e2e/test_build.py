"""``kubewright build`` as people use it: the AppService example becomes an image, with uv and Debian's Python.

Registries are Debian's docker-registry on loopback. What is pushed is read back over HTTP by this test alone.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 300.0
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PROJECT_LAYER = "project opdemo"

Json = dict[str, Any]


def find_uv() -> Path | None:
    places = [os.environ.get("UV"), shutil.which("uv", path=str(Path(sys.executable).parent)), shutil.which("uv")]
    places.append(str(ROOT / ".uv" / "bin" / "uv"))
    found = next((place for place in places if place and Path(place).exists()), None)
    if found is None:
        return None
    # The program itself: what stands on the PATH may be a script that looks at .python-version first.
    words = [found, "run", "--no-project", "--quiet", "printenv", "UV"]
    itself = subprocess.run(words, capture_output=True, text=True, check=False)
    return Path(itself.stdout.strip() or found)


UV = find_uv()
pytestmark = [
    pytest.mark.skipif(UV is None, reason="uv is not installed"),
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("images"),
]
needs_debian = pytest.mark.skipif(
    shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None, reason="Debian's packages make the base"
)


def needs_registry(test: Callable[..., None]) -> Callable[..., None]:
    missing = pytest.mark.skipif(
        shutil.which("docker-registry") is None, reason="Debian's docker-registry is not installed"
    )
    marked: Callable[..., None] = pytest.mark.registry(missing(test))
    return marked


class Machine:
    """A person's machine: a home of its own, uv's cache shared with the real one."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(exist_ok=True)
        uv_cache = subprocess.run([str(UV), "cache", "dir"], capture_output=True, text=True, check=True).stdout
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("KUBE", "XDG_", "DOCKER"))
        }
        self.env = {
            **kept,
            "HOME": str(home),
            "UV": str(UV),
            "UV_CACHE_DIR": uv_cache.strip(),
            "XDG_CACHE_HOME": str(home / "cache"),
            "PATH": os.pathsep.join([str(home / "bin"), kept.get("PATH", "")]),
        }

    def run(self, *words: str | Path, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "kubewright", *map(str, words)]
        return subprocess.run(
            command, cwd=cwd, env=self.env | env, capture_output=True, text=True, timeout=SECONDS, check=False
        )

    def build(self, project: Path, image: str, *words: str | Path, **env: str) -> str:
        done = self.run("build", image, *words, cwd=project, **env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refuses(self, project: Path, image: str, *words: str | Path, code: int = 1, **env: str) -> str:
        done = self.run("build", image, *words, cwd=project, **env)
        assert done.returncode == code, done.stdout + done.stderr
        assert done.stderr.startswith("error: "), done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    def log_in(self, registry: str, user: str, password: str) -> None:
        entry = {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}
        self.docker_config({"auths": {registry: entry}})

    def docker_config(self, document: Json) -> None:
        folder = self.home / ".docker"
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps(document))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(tmp_path_factory.mktemp("machine") / "home")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = tmp_path_factory.mktemp("base") / "debian-python.tar"
    subprocess.run(
        [sys.executable, ROOT / "scripts" / "debian_base_image.py", archive], check=True, timeout=SECONDS
    )
    return archive


def lay_out_example(folder: Path) -> Path:
    """The example beside a copy of the framework, which it depends on by path: the checkout may be worked on."""
    framework = folder.with_name("framework")
    shutil.copytree(ROOT / "src", framework / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, framework)
    ignored = shutil.ignore_patterns(".*", "__pycache__", "image", "uv.lock")
    shutil.copytree(ROOT / "examples" / "appservice", folder, ignore=ignored)
    pyproject = folder / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('path = "../.."', 'path = "../framework"'))
    lock(folder)
    return folder


def lock(folder: Path) -> None:
    env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    subprocess.run([str(UV), "lock", "--quiet"], cwd=folder, env=env, check=True, timeout=SECONDS)


@pytest.fixture(scope="module")
def locked_example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out_example(tmp_path_factory.mktemp("project") / "appservice")


@pytest.fixture
def project(locked_example: Path, tmp_path: Path) -> Path:
    (tmp_path / "framework").symlink_to(locked_example.with_name("framework"))
    return shutil.copytree(locked_example, tmp_path / "project")


class Layout:
    """An OCI layout, read by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index: Json = json.loads((folder / "index.json").read_bytes())

    def blob(self, digest: str) -> bytes:
        data = (self.folder / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_bytes()
        assert f"sha256:{hashlib.sha256(data).hexdigest()}" == digest
        return data

    def json(self, digest: str) -> Json:
        document: Json = json.loads(self.blob(digest))
        return document

    def files(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file()
        }


def members(layer: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
        return {member.name: member for member in archive}


def small_base(
    folder: Path, *platforms: str, files: tuple[str, ...] = ("usr/bin/python3.11",), **config: Any
) -> Path:
    """An OCI layout of images that have files of these names, and nothing that would run."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def put(data: bytes, media_type: str) -> Json:
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    manifests = []
    for platform in platforms:
        system, architecture = platform.split("/")
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name in files:
                archive.addfile(tarfile.TarInfo(name))
        diff_id = f"sha256:{hashlib.sha256(packed.getvalue()).hexdigest()}"
        document = {
            "os": system,
            "architecture": architecture,
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        }
        layer = gzip.compress(packed.getvalue(), mtime=0)
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": put(json.dumps(document).encode(), "application/vnd.oci.image.config.v1+json"),
            "layers": [put(layer, "application/vnd.oci.image.layer.v1.tar+gzip")],
        }
        descriptor = put(json.dumps(manifest).encode(), MANIFEST)
        manifests.append(descriptor | {"platform": {"os": system, "architecture": architecture}})
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": manifests}))
    return folder


@needs_debian
def test_the_same_inputs_make_the_same_bytes(project: Path, base: Path, tmp_path: Path, machine: Machine) -> None:
    machine.build(project, "opdemo:1", "--base", base, "--output", tmp_path / "first")
    elsewhere = shutil.copytree(project, tmp_path / "elsewhere")
    for path in elsewhere.rglob("*"):
        os.utime(path, (1, 1))
    another = Machine(tmp_path / "another-home")
    another.build(elsewhere, "opdemo:1", "--base", base, "--output", tmp_path / "second")
    assert Layout(tmp_path / "first").files() == Layout(tmp_path / "second").files()

    machine.build(
        project, "opdemo:1", "--base", base, "--output", tmp_path / "later", SOURCE_DATE_EPOCH="1700000000"
    )
    later = Layout(tmp_path / "later")
    manifest = later.json(later.index["manifests"][0]["digest"])
    assert manifest["annotations"]["org.opencontainers.image.created"] == "2023-11-14T22:13:20Z"
    assert {member.mtime for member in members(later.blob(manifest["layers"][-1]["digest"])).values()} == {
        1700000000
    }


@needs_debian
def test_what_the_image_holds(project: Path, base: Path, tmp_path: Path, machine: Machine) -> None:
    machine.build(project, "registry.example.com/team/opdemo:1.0", "--base", base, "--output", tmp_path / "out")
    layout = Layout(tmp_path / "out")
    [entry, bill_entry] = layout.index["manifests"]
    assert entry["annotations"]["io.containerd.image.name"] == "registry.example.com/team/opdemo:1.0"
    manifest = layout.json(entry["digest"])
    config = layout.json(manifest["config"]["digest"])
    assert config["config"]["User"] == "65532:65532"
    assert config["config"]["WorkingDir"] == "/app"
    assert config["config"]["Entrypoint"] == ["/usr/bin/python3.11", "-m", "kubewright", "run"]
    assert "PYTHONPATH=/app:/opt/kubewright/packages:/opt/kubewright/dependencies" in config["config"]["Env"]
    assert config["config"]["Labels"]["org.opencontainers.image.version"] == "0.1.0"
    assert len(config["history"]) == 3
    diff_ids = config["rootfs"]["diff_ids"]
    for layer, diff_id in zip(manifest["layers"], diff_ids, strict=True):
        unpacked = gzip.decompress(layout.blob(layer["digest"]))
        assert f"sha256:{hashlib.sha256(unpacked).hexdigest()}" == diff_id

    names: dict[str, tarfile.TarInfo] = {}
    for layer in manifest["layers"][1:]:
        names |= members(layout.blob(layer["digest"]))
    assert "app/pyproject.toml" in names
    assert "app/opdemo/operator.py" in names
    assert "opt/kubewright/packages/kubewright/__init__.py" in names
    assert "opt/kubewright/dependencies/aiohttp/__init__.py" in names
    assert names["opt/kubewright/packages/bin/kubewright"].mode == 0o755
    assert not [name for name in names if re.search(r"\.pyc$|/(pytest|jinja2|rich)/|direct_url|uv_cache", name)]
    assert {(member.uid, member.gid, member.mtime) for member in names.values()} == {(0, 0, 0)}

    bill_manifest = layout.json(bill_entry["digest"])
    assert bill_manifest["subject"]["digest"] == entry["digest"]
    bill = layout.json(bill_manifest["layers"][0]["digest"])
    assert bill["bomFormat"] == "CycloneDX"
    listed = {component["name"]: component.get("version") for component in bill["components"]}
    assert {"aiohttp", "kubewright", "msgspec"} <= set(listed)
    assert str(project) not in json.dumps(bill)


@needs_debian
def test_an_archive_is_a_base_again(project: Path, base: Path, tmp_path: Path, machine: Machine) -> None:
    machine.build(project, "opdemo:1", "--base", base, "--output", tmp_path / "opdemo.tar")
    with tarfile.open(tmp_path / "opdemo.tar") as archive:
        file = archive.extractfile("manifest.json")
        assert file is not None
        [entry] = json.loads(file.read())
    assert entry["RepoTags"] == ["opdemo:1"]
    assert len(entry["Layers"]) == 4
    machine.build(project, "again:1", "--base", tmp_path / "opdemo.tar", "--output", tmp_path / "again")
    again = Layout(tmp_path / "again")
    manifest = again.json(again.index["manifests"][0]["digest"])
    layers = [layer["digest"].removeprefix("sha256:") for layer in manifest["layers"]]
    assert [f"blobs/sha256/{layer}" for layer in layers[:4]] == entry["Layers"]


def test_two_images_in_one_layout(project: Path, tmp_path: Path, machine: Machine) -> None:
    where = small_base(tmp_path / "base", "linux/amd64")
    for image in ("opdemo:1", "opdemo:2", "opdemo:1"):
        machine.build(project, image, "--base", where, "--output", tmp_path / "out")
    names = [
        entry.get("annotations", {}).get("io.containerd.image.name")
        for entry in Layout(tmp_path / "out").index["manifests"]
    ]
    assert sorted(filter(None, names)) == ["docker.io/library/opdemo:1", "docker.io/library/opdemo:2"]
    said = machine.refuses(project, "opdemo:3", "--base", tmp_path / "out", "--output", tmp_path / "no", code=2)
    assert "holds 2 images: 2, 1" in said or "holds 2 images: 1, 2" in said


def test_several_platforms_are_one_index(project: Path, tmp_path: Path, machine: Machine) -> None:
    where = small_base(tmp_path / "base", "linux/amd64", "linux/arm64")
    machine.build(
        project, "opdemo:1", "--base", where, "--platform", "linux/amd64,linux/arm64", "--output", tmp_path / "out"
    )
    layout = Layout(tmp_path / "out")
    root = layout.index["manifests"][0]
    assert root["mediaType"] == INDEX
    images = layout.json(root["digest"])["manifests"]
    assert [image["platform"]["architecture"] for image in images] == ["amd64", "arm64"]
    for image, machine_name in zip(images, ("x86_64", "aarch64"), strict=True):
        manifest = layout.json(image["digest"])
        names = members(layout.blob(manifest["layers"][1]["digest"]))
        assert [name for name in names if name.endswith(f"{machine_name}-linux-gnu.so")]


def test_projects_that_are_not_locked_are_refused(project: Path, tmp_path: Path, machine: Machine) -> None:
    where = small_base(tmp_path / "base", "linux/amd64")
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('["kubewright"]', '["kubewright", "idna"]'))
    said = machine.refuses(project, "opdemo:1", "--base", where, "--output", tmp_path / "out", code=2)
    assert "does not fit its pyproject.toml" in said
    (project / "uv.lock").unlink()
    said = machine.refuses(project, "opdemo:1", "--base", where, "--output", tmp_path / "out", code=2)
    assert "has no uv.lock" in said
    assert "uv lock" in said
    assert not (tmp_path / "out").exists()


def test_bases_without_the_right_python_are_refused(project: Path, tmp_path: Path, machine: Machine) -> None:
    out = ("--output", tmp_path / "out")
    none = small_base(tmp_path / "none", "linux/amd64", files=("usr/bin/perl", "srv/python3.11"))
    said = machine.refuses(project, "opdemo:1", "--base", none, *out)
    assert "has no Python 3 in its PATH" in said
    old = small_base(tmp_path / "old", "linux/amd64", files=("usr/bin/python3.9",))
    said = machine.refuses(project, "opdemo:1", "--base", old, *out)
    assert "needs Python >=3.11" in said
    assert "3.9 (/usr/bin/python3.9)" in said
    (project / ".python-version").write_text("3.12\n")
    eleven = small_base(tmp_path / "eleven", "linux/amd64")
    said = machine.refuses(project, "opdemo:1", "--base", eleven, *out)
    assert "needs Python 3.12" in said
    assert "python:3.12-slim" in said
    said = machine.refuses(project, "opdemo:1", "--base", eleven, "--platform", "linux/arm64", *out, code=2)
    assert "not there for linux/arm64" in said
    assert "linux/amd64" in said
    said = machine.refuses(project, "opdemo:1", "--base", tmp_path / "missing.tar", *out, code=2)
    assert "no such file" in said
    (tmp_path / "text.tar").write_text("no archive")
    said = machine.refuses(project, "opdemo:1", "--base", tmp_path / "text.tar", *out, code=2)
    assert "not an archive of an image" in said
    assert not (tmp_path / "out").exists()


def test_a_wheel_that_is_missing_for_a_platform_is_named(tmp_path: Path, machine: Machine) -> None:
    index = tmp_path / "index"
    index.mkdir()
    name = "native-1.0-cp311-cp311-manylinux_2_17_x86_64"
    with zipfile.ZipFile(index / f"{name}.whl", "w") as wheel:
        wheel.writestr("native.py", "")
        wheel.writestr("native-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: native\nVersion: 1.0\n")
        tag = name.removeprefix("native-1.0-")
        wheel.writestr("native-1.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n")
        wheel.writestr("native-1.0.dist-info/RECORD", "")
    project = tmp_path / "project"
    (project / "src" / "small").mkdir(parents=True)
    (project / "src" / "small" / "__init__.py").write_text("")
    (project / "pyproject.toml").write_text(
        '[project]\nname = "small"\nversion = "1"\nrequires-python = "==3.11.*"\ndependencies = ["native"]\n'
        '[build-system]\nrequires = ["uv_build>=0.13,<0.14"]\nbuild-backend = "uv_build"\n'
        '[tool.kubewright]\noperator = "small:operator"\n'
        f'[[tool.uv.index]]\nname = "flat"\nurl = "{index}"\nformat = "flat"\nexplicit = true\n'
        '[tool.uv.sources]\nnative = { index = "flat" }\n'
    )
    lock(project)
    where = small_base(tmp_path / "base", "linux/amd64", "linux/arm64")
    machine.build(
        project, "small:1", "--base", where, "--platform", "linux/amd64", "--output", tmp_path / "out.tar"
    )
    words = ("--base", where, "--platform", "linux/amd64,linux/arm64", "--output", tmp_path / "both.tar")
    said = machine.refuses(project, "small:1", *words)
    assert "native==1.0 has no wheel for linux/arm64 with Python 3.11" in said
    assert "leave that platform out" in said
    assert not (tmp_path / "both.tar").exists()
    said = machine.refuses(
        project, "small:1", "--base", small_base(tmp_path / "odd", "linux/mips"), *words[2:], code=2
    )
    assert "not there for" in said


def test_wrong_use_is_told(project: Path, tmp_path: Path, machine: Machine) -> None:
    assert "--push, --output PATH" in machine.refuses(project, "opdemo:1", code=2)
    assert "'Team'" not in machine.refuses(project, "x.io/Team/opdemo", "--push", code=2).splitlines()[1]
    assert "is not a platform" in machine.refuses(project, "opdemo", "--push", "--platform", "amd64", code=2)
    said = machine.refuses(project, "opdemo", "--push", "--output", tmp_path, code=2, SOURCE_DATE_EPOCH="now")
    assert "SOURCE_DATE_EPOCH" in said
    lonely = Path(sys.executable).with_name("uv").exists()
    if not lonely:
        said = machine.refuses(project, "opdemo", "--output", tmp_path / "out", UV="", PATH="/nowhere")
        assert "pip install uv" in said
    assert "is not in a Kubewright project" in machine.refuses(tmp_path, "opdemo", "--push", code=2)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="a full disk is mounted by root only")
def test_a_full_disk_leaves_nothing_half_written(project: Path, tmp_path: Path, machine: Machine) -> None:
    full = tmp_path / "full"
    full.mkdir()
    where = small_base(tmp_path / "base", "linux/amd64")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(full)], check=False)
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        for words, env in (
            (("--output", full / "opdemo.tar"), {}),
            (("--output", full / "layout"), {}),
            (("--output", tmp_path / "out.tar"), {"XDG_CACHE_HOME": str(full / "cache")}),
            (("--output", tmp_path / "out.tar"), {"TMPDIR": str(full), "XDG_CACHE_HOME": str(tmp_path / "cold")}),
        ):
            said = machine.refuses(project, "opdemo:1", "--base", where, *words, **env)
            assert "full" in said, said
            assert "make room" in said
            left = [path for path in full.rglob("*") if path.is_file()]
            assert not [path for path in left if path.suffix == ".tar" or path.name == "index.json"], left
            assert not (tmp_path / "out.tar").exists()
    finally:
        subprocess.run(["umount", str(full)], check=True)


class DockerRegistry:
    """Debian's docker-registry, running, and what it holds, read without credentials of Kubewright's making."""

    def __init__(self, host: str, data: Path, log: list[str]) -> None:
        self.host = host
        self.data = data
        self.log = log

    def get(self, path: str, accept: str = "*/*") -> tuple[bytes, str]:
        request = urllib.request.Request(f"http://{self.host}/v2/{path}", headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.read(), response.headers["Content-Type"]

    def json(self, path: str, accept: str = "*/*") -> Json:
        document: Json = json.loads(self.get(path, accept)[0])
        return document

    def tags(self, repository: str) -> list[str]:
        folder = self.data / "docker/registry/v2/repositories" / repository / "_manifests/tags"
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


RunRegistry = Callable[..., DockerRegistry]


@pytest.fixture
def run_registry(start: Callable[..., Any], tmp_path: Path) -> RunRegistry:
    """Start a registry on any free port; ``http`` and ``auth`` go into its configuration."""

    def begin(http: Json | None = None, auth: Json | None = None) -> DockerRegistry:
        data = tmp_path / "registry"
        config: Json = {
            "version": "0.1",
            "log": {"level": "info"},
            "storage": {"filesystem": {"rootdirectory": str(data)}},
            "http": {"addr": "127.0.0.1:0", **(http or {})},
        }
        if auth is not None:
            config["auth"] = auth
        (tmp_path / "registry.yml").write_text(json.dumps(config))
        process = start("docker-registry", "serve", tmp_path / "registry.yml")
        found = re.search(r"listening on (127\.0\.0\.1:\d+)", process.wait_for("listening on"))
        assert found is not None
        return DockerRegistry(found[1], data, process.lines)

    return begin


@needs_registry
@needs_debian
def test_what_is_pushed_is_what_is_built(
    project: Path, base: Path, tmp_path: Path, machine: Machine, run_registry: RunRegistry
) -> None:
    registry = run_registry()
    image = f"{registry.host}/team/opdemo:1"
    machine.build(project, image, "--base", base, "--push", "--output", tmp_path / "out")
    layout = Layout(tmp_path / "out")
    [entry, bill] = layout.index["manifests"]
    data, media_type = registry.get("team/opdemo/manifests/1", MANIFEST)
    assert media_type == MANIFEST
    assert data == layout.blob(entry["digest"])
    for manifest in (json.loads(data), registry.json(f"team/opdemo/manifests/{bill['digest']}", MANIFEST)):
        for descriptor in (manifest["config"], *manifest["layers"]):
            assert registry.get(f"team/opdemo/blobs/{descriptor['digest']}")[0] == layout.blob(descriptor["digest"])
    referrers = registry.json(f"team/opdemo/manifests/{entry['digest'].replace(':', '-')}", INDEX)
    assert [each["artifactType"] for each in referrers["manifests"]] == ["application/vnd.cyclonedx+json"]

    said = machine.build(project, image, "--base", base, "--push")
    assert f"pushed        {registry.host}/team/opdemo:1@{entry['digest']}" in said
    assert "of 16" not in said
    assert said.count("there already") == len(json.loads(data)["layers"]) + 3


@needs_registry
@needs_debian
def test_a_change_of_code_pushes_the_project_alone(
    project: Path, base: Path, machine: Machine, run_registry: RunRegistry
) -> None:
    registry = run_registry()
    machine.build(project, f"{registry.host}/opdemo:1", "--base", base, "--push")
    operator = project / "src" / "opdemo" / "operator.py"
    operator.write_text(operator.read_text() + "\nCHANGED = True\n")
    said = machine.build(project, f"{registry.host}/opdemo:2", "--base", base, "--push")
    pushed = [line.split("push ")[1] for line in said.splitlines() if "push " in line]
    sent = {line.partition(":")[0] for line in pushed if "there already" not in line}
    assert sent == {"project opdemo", "config"}
    assert said.count("as before") == 2


@needs_registry
def test_layers_that_the_registry_has_elsewhere_are_mounted(
    project: Path, tmp_path: Path, machine: Machine, run_registry: RunRegistry
) -> None:
    registry = run_registry()
    where = small_base(tmp_path / "base", "linux/amd64", "linux/arm64")
    both = ("--platform", "linux/amd64,linux/arm64")
    machine.build(project, f"{registry.host}/first:1", "--base", where, *both, "--push")
    root = registry.json("first/manifests/1", INDEX)
    assert [each["platform"]["architecture"] for each in root["manifests"]] == ["amd64", "arm64"]
    said = machine.build(
        project, f"{registry.host}/second:1", "--base", f"{registry.host}/first:1", *both, "--push"
    )
    assert f"mounted from {registry.host}/first" in said
    image = registry.json("second/manifests/1", INDEX)["manifests"][1]
    manifest = registry.json(f"second/manifests/{image['digest']}", MANIFEST)
    texts = manifest["annotations"]
    assert texts["org.opencontainers.image.base.name"] == f"{registry.host}/first:1"
    assert texts["org.opencontainers.image.base.digest"] == root["manifests"][1]["digest"]
    pinned = f"{registry.host}/first@{root['manifests'][0]['digest']}"
    assert "linux/amd64 sha256:" in machine.build(
        project, "third", "--base", pinned, "--output", tmp_path / "third"
    )
    said = machine.refuses(
        project, "third", "--base", f"{registry.host}/missing:1", "--output", tmp_path / "fourth"
    )
    assert "refused to give the image" in said
    assert "404" in said


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that no one signed, and its key."""
    certificate, key = folder / "tls.crt", folder / "tls.key"
    words = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=registry -addext subjectAltName=IP:127.0.0.1"
    )
    command = [*words.split(), "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return certificate, key


@needs_registry
@pytest.mark.skipif(shutil.which("htpasswd") is None, reason="htpasswd (apache2-utils) is not installed")
def test_tls_and_passwords(project: Path, tmp_path: Path, run_registry: RunRegistry) -> None:
    crt, key = certificate(tmp_path)
    htpasswd = subprocess.run(["htpasswd", "-Bbn", "jane", "secret"], capture_output=True, check=True).stdout
    (tmp_path / "htpasswd").write_bytes(htpasswd)
    tls = {"tls": {"certificate": str(crt), "key": str(key)}}
    registry = run_registry(tls, {"htpasswd": {"realm": "here", "path": str(tmp_path / "htpasswd")}})
    machine = Machine(tmp_path / "home")
    where = small_base(tmp_path / "base", "linux/amd64")
    words = (project, f"{registry.host}/opdemo:1", "--base", where, "--push")

    said = machine.refuses(*words)
    assert "is not trusted" in said
    assert f"certs.d/{registry.host}/ca.crt" in said
    trusted = machine.home / ".docker" / "certs.d" / registry.host
    trusted.mkdir(parents=True)
    shutil.copy(crt, trusted / "ca.crt")
    said = machine.refuses(*words)
    assert "wants credentials" in said
    assert f"docker login {registry.host}" in said
    machine.log_in(registry.host, "jane", "wrong")
    said = machine.refuses(*words)
    assert "does not accept the credentials of jane" in said
    assert "wrong" not in said
    assert registry.tags("opdemo") == []
    machine.log_in(registry.host, "jane", "secret")
    machine.build(*words)
    assert "1" in registry.tags("opdemo")

    machine.docker_config({"credHelpers": {registry.host: "test"}})
    said = machine.refuses(*words)
    assert "docker-credential-test, which is not on the PATH" in said
    helper = machine.home / "bin" / "docker-credential-test"
    helper.parent.mkdir()
    answer = json.dumps({"Username": "jane", "Secret": "secret"})
    helper.write_text(
        f"#!/bin/sh\nread registry\n[ $1 = get ] && [ $registry = {registry.host} ] && echo '{answer}'\n"
    )
    helper.chmod(0o755)
    assert "there already" in machine.build(*words)
    helper.write_text("#!/bin/sh\necho the keychain is locked\nexit 1\n")
    assert "the keychain is locked" in machine.refuses(*words)


class TokenService(ThreadingHTTPServer):
    """Gives tokens that docker-registry trusts to jane alone."""

    def __init__(self, crt: Path, key: Path) -> None:
        super().__init__(("127.0.0.1", 0), TokenHandler)
        self.crt, self.key = crt, key
        self.asked: list[str] = []

    def token(self, scopes: list[str], service: str) -> str:
        access = []
        for scope in scopes:
            kind, name, actions = scope.split(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        der = "".join(line for line in self.crt.read_text().splitlines() if not line.startswith("---"))
        head = {"typ": "JWT", "alg": "RS256", "x5c": [der]}
        body = {
            "iss": "test",
            "sub": "jane",
            "aud": service,
            "exp": 4102444800,
            "nbf": 0,
            "iat": 0,
            "access": access,
        }
        signed = ".".join(_url64(json.dumps(part).encode()) for part in (head, body))
        command = ["openssl", "dgst", "-sha256", "-sign", str(self.key)]
        signature = subprocess.run(command, input=signed.encode(), capture_output=True, check=True).stdout
        return f"{signed}.{_url64(signature)}"


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class TokenHandler(BaseHTTPRequestHandler):
    server: TokenService

    def do_GET(self) -> None:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        self.server.asked += query["scope"]
        wanted = "Basic " + base64.b64encode(b"jane:secret").decode()
        allowed = self.headers.get("Authorization") == wanted
        self._answer(query["scope"], query["service"][0], allowed=allowed)

    def do_POST(self) -> None:
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        allowed = form["grant_type"] == ["refresh_token"] and form["refresh_token"] == ["refresh-me"]
        self._answer(form["scope"][0].split(" "), form["service"][0], allowed=allowed)

    def _answer(self, scopes: list[str], service: str, *, allowed: bool) -> None:
        body = json.dumps({"token": self.server.token(scopes, service)} if allowed else {}).encode()
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[TokenService]:
    with TokenService(*certificate(tmp_path)) as service:
        thread = threading.Thread(target=service.serve_forever)
        thread.start()
        yield service
        service.shutdown()
        thread.join()


@needs_registry
def test_tokens(project: Path, tmp_path: Path, tokens: TokenService, run_registry: RunRegistry) -> None:
    realm = f"http://127.0.0.1:{tokens.server_port}/token"
    settings = {"realm": realm, "service": "here", "issuer": "test", "rootcertbundle": str(tokens.crt)}
    registry = run_registry(auth={"token": settings})
    machine = Machine(tmp_path / "home")
    where = small_base(tmp_path / "base", "linux/amd64")
    words = (project, f"{registry.host}/team/opdemo:1", "--base", where, "--push")
    assert "refused an anonymous login" in machine.refuses(*words)
    machine.log_in(registry.host, "jane", "secret")
    machine.build(*words)
    assert set(tokens.asked) == {"repository:team/opdemo:pull,push"}
    machine.docker_config({"auths": {registry.host: {"identitytoken": "refresh-me"}}})
    assert "there already" in machine.build(*words)
    other = (project, f"{registry.host}/team/other:1", "--base", f"{registry.host}/team/opdemo:1", "--push")
    assert f"mounted from {registry.host}/team/opdemo" in machine.build(*other)


class Cutting:
    """A way to a server that breaks the connection after so many bytes, so many times."""

    def __init__(self, target: str, after: int, times: int) -> None:
        host, _, port = target.partition(":")
        self._target = (host, int(port))
        self._after = after
        self.cuts_left = times
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            for words in ((near, far, True), (far, near, False)):
                thread = threading.Thread(target=self._pipe, args=words)
                self._threads.append(thread)
                thread.start()

    def _pipe(self, source: socket.socket, target: socket.socket, count: bool) -> None:
        carried = 0
        try:
            while data := source.recv(65536):
                carried += len(data)
                if count and carried > self._after and self.cuts_left:
                    self.cuts_left -= 1
                    break
                target.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, target):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                    end.close()


@needs_registry
@needs_debian
def test_a_push_that_breaks_is_finished_all_the_same(
    project: Path, base: Path, machine: Machine, run_registry: RunRegistry
) -> None:
    registry = run_registry()
    way = Cutting(registry.host, after=6_000_000, times=2)
    try:
        machine.build(project, f"{way.host}/opdemo:1", "--base", base, "--push")
    finally:
        way.close()
    assert way.cuts_left == 0
    manifest = registry.json("opdemo/manifests/1", MANIFEST)
    for layer in manifest["layers"]:
        assert len(registry.get(f"opdemo/blobs/{layer['digest']}")[0]) == layer["size"]

    broken = Cutting(registry.host, after=3_000_000, times=1000)
    try:
        said = machine.refuses(project, f"{broken.host}/other:1", "--base", base, "--push")
    finally:
        broken.close()
    assert "broke" in said
    assert registry.tags("other") == []


def test_a_registry_that_is_not_there(project: Path, tmp_path: Path, machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = f"127.0.0.1:{listener.getsockname()[1]}"
    where = small_base(tmp_path / "base", "linux/amd64")
    said = machine.refuses(project, f"{nobody}/opdemo:1", "--base", where, "--push")
    assert "nothing listens there" in said
    assert f"is the registry {nobody} up" in said
    assert "kubeconfig" not in said
    said = machine.refuses(project, "opdemo:1", "--base", f"{nobody}/python:3.11", "--output", tmp_path / "out")
    assert "nothing listens there" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_build_that_is_stopped_has_not_succeeded(
    project: Path, tmp_path: Path, machine: Machine, start: Callable[..., Any], number: signal.Signals
) -> None:
    where = small_base(tmp_path / "base", "linux/amd64")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        image = f"127.0.0.1:{silent.getsockname()[1]}/opdemo:1"
        words = (sys.executable, "-m", "kubewright", "build", image, "--base", where, "--push")
        process = start(*words, cwd=project, env=machine.env)
        process.wait_for("image         linux/amd64")
        process.send(number)
        assert process.end() == 130
        assert "the tag was not pushed" in process.output


CLUSTER = ROOT.parent / "shared" / "cluster" / "cluster"


def _why_no_node() -> str:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "only root can start a node"
    if not CLUSTER.exists() or shutil.which("go") is None:
        return "no real cluster: ../shared/cluster or Go is not there"
    return ""


def network_namespaces() -> set[str]:
    return {path.name for path in Path("/run/netns").glob("cni-*")}


@pytest.mark.node
@pytest.mark.timeout(900)
@pytest.mark.skipif(bool(_why_no_node()), reason=_why_no_node())
@needs_registry
@needs_debian
def test_the_image_runs_in_a_pod_with_the_rendered_rights(
    project: Path, base: Path, tmp_path: Path, machine: Machine, run_registry: RunRegistry
) -> None:
    registry = run_registry()
    image = f"{registry.host}/opdemo:1"
    machine.build(project, image, "--base", base, "--push")
    generated = machine.run("generate", "k8s", "--image", image, "--force", cwd=project)
    assert generated.returncode == 0, generated.stderr
    before = network_namespaces()
    where = ["--dir", str(tmp_path / "node"), "--port", "17950"]
    up = [str(CLUSTER), "up", "--node", "--insecure-registry", registry.host, *where]

    def kubectl(*words: str) -> str:
        program = str(Path(sys.executable).with_name("kubectl"))
        command = [program, "--kubeconfig", str(tmp_path / "node" / "kubeconfig"), *words]
        done = subprocess.run(
            command, cwd=project / "deploy", capture_output=True, text=True, timeout=180, check=False
        )
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout

    try:
        subprocess.run(up, check=True, timeout=600)
        manifests = ("service_account", "role", "role_binding", "crds/app_v1_appservice_crd", "operator")
        for name in manifests:
            kubectl("create", "-f", f"{name}.yaml")
        try:
            kubectl("rollout", "status", "deployment/opdemo", "--timeout=120s")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{kubectl('describe', 'pods')}") from None
        [pod] = json.loads(kubectl("get", "pods", "-o", "json"))["items"]
        [status] = pod["status"]["containerStatuses"]
        assert status["imageID"].startswith(f"{registry.host}/opdemo@sha256:")
        assert pod["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        kubectl("create", "-f", "crds/app_v1_appservice_cr.yaml")
        try:
            # Two Pods are wanted; their image is not to be had here, so the operator says of them what it sees.
            kubectl("wait", "--for=jsonpath={.status.replicas}=2", "appservice/nginx-app", "--timeout=90s")
            kubectl("get", "deployment/nginx-app", "service/nginx-app")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{kubectl('logs', 'deployment/opdemo')}") from None
        assert "Forbidden" not in kubectl("logs", "deployment/opdemo")
        assert status["restartCount"] == 0
        kubectl("delete", "-f", "crds/app_v1_appservice_cr.yaml")
        kubectl("wait", "--for=delete", "deployment/nginx-app", "--timeout=60s")
        for name in reversed(manifests):
            kubectl("delete", "-f", f"{name}.yaml")
    finally:
        subprocess.run([str(CLUSTER), "down", *where], check=False, timeout=120)
        for namespace in network_namespaces() - before:  # of Pods that a failed test left
            subprocess.run(["ip", "netns", "delete", namespace], check=False)
