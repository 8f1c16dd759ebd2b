#!/usr/bin/env python3
"""Make a base image with Python from Debian's packages, where no registry can be reached.

    python scripts/debian_base_image.py base.tar [--tag debian-python:3.11]

The archive is one that ``docker load``, ``ctr images import`` and ``kubewright build --base`` read: Debian's
python3 with the libraries it needs and nothing else (no shell, no package manager), about 17 MB. The same packages
make the same bytes. Needs a Debian or Ubuntu with apt-get and dpkg-deb, and no rights beyond a user's as long as
apt's package lists are there.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
WANTED = ("lib", "python3", "zlib1g", "media-types", "tzdata", "netbase")
NOT_NEEDED = ("usr/share/doc/", "usr/share/man/", "usr/share/lintian/", "usr/share/locale/", "usr/share/bug/")
ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}
FOLDERS = {"tmp": 0o1777, "etc": 0o755, "root": 0o700, "proc": 0o755, "sys": 0o755, "dev": 0o755}


def run(*command: str | Path, cwd: Path | None = None) -> bytes:
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {(done.stderr or done.stdout).decode().strip()}")
    return done.stdout


def closure() -> list[str]:
    """python3 and the packages that it cannot do without."""
    only = [f"--no-{kind}" for kind in ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")]
    tree = run("apt-cache", "depends", "--recurse", *only, "python3", "netbase").decode()
    packages = set(re.findall(r"^([a-z0-9][a-z0-9.+-]*)$", tree, re.MULTILINE))
    return sorted(name for name in packages if name.startswith(WANTED) and not name.startswith("libperl"))


def download(folder: Path) -> list[Path]:
    if not run("apt-cache", "search", "--names-only", "^python3-minimal$").strip():
        run("apt-get", "update", "-qq")
    run("apt-get", "download", *closure(), cwd=folder)
    return sorted(folder.glob("*.deb"))


def layer(packages: list[Path]) -> bytes:
    """One layer, uncompressed."""
    entries: dict[str, tuple[tarfile.TarInfo, bytes]] = {}
    for name, mode in FOLDERS.items():
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode = tarfile.DIRTYPE, mode
        entries[name] = (entry, b"")
    for name, text in ACCOUNTS.items():
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(text), 0o644
        entries[name] = (entry, text.encode())
    for package in packages:
        with tarfile.open(fileobj=io.BytesIO(run("dpkg-deb", "--fsys-tarfile", package))) as archive:
            for entry in archive:
                name = entry.name.removeprefix("./").rstrip("/")
                if not name or name in entries or f"{name}/".startswith(NOT_NEEDED):
                    continue
                content = archive.extractfile(entry) if entry.isreg() else None
                entry.name, entry.mtime, entry.pax_headers = name, 0, {}
                entries[name] = (entry, content.read() if content is not None else b"")
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for _, (entry, data) in sorted(entries.items()):
            archive.addfile(entry, io.BytesIO(data))
    return made.getvalue()


def write_archive(path: Path, tag: str, data: bytes) -> None:
    """A ``docker save`` archive of one layer."""
    config = {
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": ["python3"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(data).hexdigest()}"]},
    }
    members = {
        "config.json": json.dumps(config).encode(),
        "layer.tar.gz": gzip.compress(data, 6, mtime=0),
        "manifest.json": json.dumps(
            [{"Config": "config.json", "RepoTags": [tag], "Layers": ["layer.tar.gz"]}]
        ).encode(),
    }
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        for name, member in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(member)
            archive.addfile(entry, io.BytesIO(member))


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a base image with Debian's Python.")
    parser.add_argument("archive", type=Path, help="the file to write")
    parser.add_argument("--tag", default="debian-python:3", help="the image's name")
    arguments = parser.parse_args()
    if missing := [tool for tool in ("apt-get", "apt-cache", "dpkg-deb") if shutil.which(tool) is None]:
        sys.exit(f"debian_base_image.py: {', '.join(missing)} not found: this needs a Debian or Ubuntu")
    with tempfile.TemporaryDirectory(prefix="python-image-") as folder:
        Path(folder).chmod(0o755)  # apt downloads as its own user when root runs it
        try:
            write_archive(arguments.archive, arguments.tag, layer(download(Path(folder))))
        except RuntimeError as error:
            sys.exit(f"debian_base_image.py: {error}")
    sys.stdout.write(f"{arguments.archive}\n")


if __name__ == "__main__":
    main()
