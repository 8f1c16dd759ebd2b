#!/usr/bin/env python3
"""Make the image that the sample asks for, from Debian's nginx packages, where no registry can be reached.

    python examples/appservice/image/build.py nginx.tar [--tag docker.io/library/nginx:1.7.9 ...]

The archive is one that ``docker load`` and ``ctr images import`` read: nginx, the libraries it needs and its
welcome page, about 10 MB. The tag says 1.7.9 because the sample does; the nginx inside is Debian's. Needs a Debian or
Ubuntu with apt-get and dpkg-deb, and no rights beyond a user's as long as apt's package lists are there.
"""

from __future__ import annotations

import argparse
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

TAG = "docker.io/library/nginx:1.7.9"
CONFIG = """\
user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log /dev/stderr notice;
events {}
http {
    include /etc/nginx/mime.types;
    access_log /dev/stdout;
    server {
        listen 80 default_server;
        root /usr/share/nginx/html;
    }
}
"""
ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/false\nwww-data:x:33:33:www-data:/var/www:/bin/false\n",
    "etc/group": "root:x:0:\nwww-data:x:33:\n",
}
FOLDERS = ["dev", "proc", "run", "sys", "tmp", "var/lib/nginx", "var/log/nginx"]
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def run(*command: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(map(str, command))}: {done.stderr.strip() or done.stdout.strip()}"
        )
    return done.stdout


def closure() -> list[str]:
    """nginx, its files, and every library package they stand on."""
    only = [
        f"--no-{kind}"
        for kind in ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
    ]
    tree = run("apt-cache", "depends", "--recurse", *only, "nginx")
    packages = set(re.findall(r"^(\S+)$", tree, re.MULTILINE))
    wanted = {package for package in packages if package.startswith(("lib", "zlib"))}
    return ["nginx", "nginx-common", *sorted(package for package in wanted if "<" not in package)]


def unpack(folder: Path) -> Path:
    """Download the packages and unpack them into one root."""
    if not run("apt-cache", "search", "--names-only", "^nginx-common$").strip():
        run("apt-get", "update", "-qq")
    run("apt-get", "download", *closure(), cwd=folder)
    root = folder / "root"
    for package in sorted(folder.glob("*.deb")):
        run("dpkg-deb", "-x", package, root)
    return root


def libraries(root: Path, binary: Path) -> dict[str, Path]:
    """The dynamic loader and every library of ``binary``, by where Debian has them and the loader looks."""
    loader = next(path for path in sorted(root.glob("lib*/ld-linux-*.so.*")))
    folders = ":".join(str(path) for path in sorted(root.glob("**/*-linux-gnu")) if path.is_dir())
    listed = run(_within(root, loader), "--library-path", folders, "--list", binary)
    found = [
        loader,
        *(Path(path) for path in re.findall(r"=> (\S+)", listed) if path.startswith(f"{root}/")),
    ]
    return {str(path.relative_to(root)): path for path in found}


def _within(root: Path, path: Path) -> Path:
    """What ``path`` is, its links followed as if ``root`` were the file system's."""
    while path.is_symlink():
        target = path.readlink()
        path = root / target.relative_to("/") if target.is_absolute() else path.parent / target
    return path


def layer(root: Path) -> bytes:
    """The image's one layer; the same packages make the same bytes."""
    files: dict[str, bytes] = {name: text.encode() for name, text in ACCOUNTS.items()}
    files["etc/nginx/nginx.conf"] = CONFIG.encode()
    files["etc/nginx/mime.types"] = (root / "etc/nginx/mime.types").read_bytes()
    files["usr/share/nginx/html/index.html"] = (
        root / "usr/share/nginx/html/index.html"
    ).read_bytes()
    programs = {
        "usr/sbin/nginx": root / "usr/sbin/nginx",
        **libraries(root, root / "usr/sbin/nginx"),
    }
    files |= {name: _within(root, path).read_bytes() for name, path in programs.items()}
    folders = {
        str(parent)
        for name in [*files, *(f"{name}/-" for name in FOLDERS)]
        for parent in Path(name).parents
    }
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in sorted(folders - {"."}):
            entry = tarfile.TarInfo(name)
            entry.type = tarfile.DIRTYPE
            entry.mode = 0o1777 if name == "tmp" else 0o755
            archive.addfile(entry)
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            entry.mode = 0o755 if name in programs else 0o644
            archive.addfile(entry, io.BytesIO(data))
    return made.getvalue()


def write_archive(path: Path, tags: list[str], data: bytes) -> None:
    """A ``docker save`` archive of one layer."""
    machine = platform.machine()
    config = {
        "architecture": ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "config": {
            "Cmd": ["/usr/sbin/nginx", "-g", "daemon off;"],
            "ExposedPorts": {"80/tcp": {}},
            "StopSignal": "SIGQUIT",
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(data).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": tags, "Layers": ["layer.tar"]}]
    members = {
        "config.json": json.dumps(config).encode(),
        "layer.tar": data,
        "manifest.json": json.dumps(manifest).encode(),
    }
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as archive:
        for name, member in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(member)
            archive.addfile(entry, io.BytesIO(member))


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Make the sample's nginx image from Debian's packages."
    )
    parser.add_argument("archive", type=Path, help="the file to write")
    parser.add_argument(
        "--tag", action="append", help=f"the image's name, may be repeated (default: {TAG})"
    )
    arguments = parser.parse_args()
    if missing := [
        tool for tool in ("apt-get", "apt-cache", "dpkg-deb") if shutil.which(tool) is None
    ]:
        sys.exit(f"build.py: {', '.join(missing)} not found: this needs a Debian or Ubuntu")
    with tempfile.TemporaryDirectory(prefix="nginx-image-") as folder:
        Path(folder).chmod(0o755)  # apt downloads as its own user when root runs it
        try:
            write_archive(arguments.archive, arguments.tag or [TAG], layer(unpack(Path(folder))))
        except RuntimeError as error:
            sys.exit(f"build.py: {error}")
    sys.stdout.write(f"{arguments.archive}\n")


if __name__ == "__main__":
    main()
