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
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
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
    ignored = shutil.ignore_patterns(".*", "__pycache__", "image", "uv.lock")
    shutil.copytree(ROOT / "examples" / "appservice", folder, ignore=ignored)
    pyproject = folder / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('path = "../.."', f'path = "{ROOT}"'))
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
