"""The program uv: it reads the lock file, finds wheels for a platform, and builds those of folders."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker

from kubewright.errors import ImageError, UsageError
from kubewright.image.interpreter import Interpreter
from kubewright.image.oci import Platform

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_LINUX = {"os_name": "posix", "platform_system": "Linux", "sys_platform": "linux"}
_PACKAGE = "\n[[packages]]\n"
_NO_WHEEL = re.compile(r"Package `([A-Za-z0-9._-]+)` can't be installed because it is marked as `--no-build`")
_FULL = ("No space left on device", "os error 28", "Disk quota exceeded")


@dataclass(frozen=True, slots=True)
class Locked:
    """What uv.lock says the project needs to run.

    Attributes:
        index: those that come from an index, with addresses and hashes, as a pylock.toml; empty for none.
        local: folders and wheels on this machine that it needs, too.
    """

    index: str
    local: tuple[Path, ...]


class Uv:
    """uv, run in the project's folder so that its settings count."""

    def __init__(self, program: Path, project: Path) -> None:
        self._program = program
        self._project = project

    @classmethod
    def find(cls, project: Path) -> Uv:
        """The uv that started this (it says so in ``UV``), the one beside this interpreter, or on the PATH.

        Raises:
            ImageError: it is in none of these places.
        """
        beside = Path(sys.executable).parent
        found = os.environ.get("UV") or shutil.which("uv", path=str(beside)) or shutil.which("uv")
        if found is None:
            raise ImageError(
                f"the program uv is needed to build an image, and is neither in {beside} nor on the PATH",
                hint="install it with: pip install uv",
            )
        return cls(Path(found), project)

    def locked(self) -> Locked:
        """What the project's uv.lock has it need, without development groups and the project itself.

        Raises:
            UsageError: there is no uv.lock, or it does not fit pyproject.toml.
        """
        words = ("--locked", "--no-dev", "--no-emit-project", "--no-header", "--format", "pylock.toml")
        done = self._run("export", "--python", sys.executable, *words)
        if done.returncode:
            raise self._unlocked(done.stderr)
        head, *blocks = done.stdout.split(_PACKAGE)
        from_index: list[str] = []
        local: list[Path] = []
        for block in blocks:
            package = tomllib.loads(block)
            path = (package.get("directory") or package.get("archive") or {}).get("path")
            if path is None:
                from_index.append(block)
            elif "marker" not in package or Marker(package["marker"]).evaluate(_LINUX):
                local.append((self._project / path).resolve())
        return Locked(_PACKAGE.join([head, *from_index]) if from_index else "", tuple(local))

    def build(self, folder: Path, into: Path) -> Path:
        """The wheel of a folder with a pyproject.toml, written below ``into``.

        Raises:
            ImageError: it cannot be built.
        """
        words = ("--python", sys.executable, "--wheel", "--no-create-gitignore", "--out-dir", into)
        done = self._run("build", *words, folder)
        wheels = sorted(into.glob("*.whl"))
        if _is_full(done.stderr):
            raise _full(f"the wheel of {folder}")
        if done.returncode or len(wheels) != 1:
            raise ImageError(
                f"no wheel could be built of {folder}:\n{_last(done.stderr)}",
                hint=f"see for yourself with: uv build --wheel {folder}",
            )
        return wheels[0]

    def install(
        self, into: Path, wheels: Sequence[Path], index: str, platform: Platform, python: Interpreter
    ) -> None:
        """Lay out wheels, and what a pylock.toml names, below ``into``; nothing is compiled or built.

        Raises:
            ImageError: there is no wheel for the platform, or it cannot be had.
        """
        into.parent.mkdir(parents=True, exist_ok=True)
        listed = into.with_name(f"pylock.{into.name[:12]}.toml")
        listed.write_text(index, encoding="utf-8", newline="\n")
        words: list[str | Path] = [
            *("pip", "install", "--target", into, "--python", sys.executable, "--no-deps"),
            *("--python-platform", triple(platform, python), "--python-version", python.version),
            *("--only-binary", ":all:", "--link-mode", "copy"),
        ]
        done = self._run(*words, *(("--requirement", listed) if index else ()), *wheels)
        if done.returncode:
            raise _uninstallable(done.stderr, index, platform, python)

    def _run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        # A virtual environment that happens to be active is none of this project's business.
        env = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
        command = [str(self._program), "--quiet", "--color", "never", *map(str, words)]
        done = subprocess.run(  # noqa: S603 - the words are ours
            command, cwd=self._project, env=env, capture_output=True, text=True, check=False
        )
        if done.returncode in (-signal.SIGINT, 128 + signal.SIGINT):
            # Ctrl-C goes to uv as well as to us.
            raise asyncio.CancelledError
        return done

    def _unlocked(self, stderr: str) -> UsageError | ImageError:
        if "Unable to find lockfile" in stderr:
            return UsageError(
                f"{self._project} has no uv.lock: an image is made of locked dependencies only",
                hint="run `uv lock` there, and commit the file",
            )
        if "needs to be updated" in stderr:
            return UsageError(
                f"the uv.lock of {self._project} does not fit its pyproject.toml any more",
                hint="run `uv lock` there, and commit the file",
            )
        return ImageError(f"uv cannot read what {self._project} depends on:\n{_last(stderr)}")


def triple(platform: Platform, python: Interpreter) -> str:
    """The platform in uv's words.

    Raises:
        ImageError: it is none that Python has wheels for.
    """
    machine = _MACHINES.get(platform.architecture)
    if platform.os != "linux" or machine is None or platform.variant:
        raise ImageError(
            f"no images for {platform} can be made",
            hint=f"these can: {', '.join(f'linux/{name}' for name in _MACHINES)}",
        )
    return f"{machine}-unknown-linux-{'musl' if python.musl else 'gnu'}"


def _with_version(name: str, index: str) -> str:
    version = re.search(rf'^name = "{re.escape(name)}"\nversion = "([^"]+)"', index, re.MULTILINE)
    return f"{name}=={version[1]}" if version else name


def _is_full(stderr: str) -> bool:
    return any(words in stderr for words in _FULL)


def _full(what: str) -> ImageError:
    return ImageError(
        f"the disk is full: there is no room for {what}; nothing was left half-written",
        hint="make room, or point TMPDIR (wheels laid out) or UV_CACHE_DIR to another disk",
    )


def _last(stderr: str) -> str:
    lines = [line.rstrip() for line in stderr.splitlines() if line.strip()]
    return "\n".join(lines[-8:])


def _uninstallable(stderr: str, index: str, platform: Platform, python: Interpreter) -> ImageError:
    for_whom = f"{platform} with Python {python.version}" + (" and musl" if python.musl else "")
    if _is_full(stderr):
        return _full(f"what wheels for {for_whom} hold")
    if "network" in stderr.lower() or "dns error" in stderr or "Failed to fetch" in stderr:
        return ImageError(
            f"wheels for {for_whom} cannot be fetched:\n{_last(stderr)}",
            hint="check the network and the index in [tool.uv]; what uv has in its cache is not fetched again",
        )
    named = _NO_WHEEL.search(stderr)
    what = f"{_with_version(named[1], index)} has no wheel" if named else "there are not all wheels"
    return ImageError(
        f"{what} for {for_whom}:\n{_last(stderr)}",
        hint="lock a version that has one, leave that platform out of --platform,\n"
        "or build the wheel yourself and give uv its folder as find-links in [tool.uv]",
    )
