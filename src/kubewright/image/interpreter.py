"""Which Python a base image has, by a look into its layers."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubewright.errors import ImageError
from kubewright.image.oci import LAYER_ZSTD, OCI_LAYER

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

_PROGRAM = re.compile(r"(?P<folder>.*/)?python3\.(?P<minor>\d+)")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python in an image.

    Attributes:
        program: its absolute path, or its name to be found by the PATH.
        minor: the 11 of 3.11.
        musl: the image's C library is musl, not glibc.
    """

    program: str
    minor: int
    musl: bool = False

    @property
    def version(self) -> str:
        """``3.11``."""
        return f"3.{self.minor}"


def environment(config: Mapping[str, Any]) -> dict[str, str]:
    """The variables that an image's config sets."""
    pairs = (str(entry).partition("=") for entry in (config.get("config") or {}).get("Env") or ())
    return {name: value for name, _, value in pairs}


def find_interpreters(layers: Iterable[tuple[str, Path]], config: Mapping[str, Any]) -> list[Interpreter]:
    """Every Python 3 in the folders of the image's PATH, in the PATH's order, the newest of a folder first.

    Args:
        layers: media type and file of each, the lowest first.
        config: the image's.
    """
    variables = environment(config)
    programs: dict[str, int] = {}
    musl = False
    unread = False
    for media_type, path in layers:
        if OCI_LAYER.get(media_type, media_type) == LAYER_ZSTD:
            unread = True
            continue
        for name, whiteout in _names(path):
            musl = musl or name.startswith("lib/ld-musl-")
            found = _PROGRAM.fullmatch(name)
            if found is None:
                continue
            if whiteout:
                programs.pop(name, None)
            else:
                programs[name] = int(found["minor"])
    folders = [folder.strip("/") for folder in variables.get("PATH", DEFAULT_PATH).split(":")]
    found_there = [
        Interpreter(f"/{name}", minor, musl)
        for folder in dict.fromkeys(folders)
        for name, minor in sorted(programs.items(), key=lambda item: -item[1])
        if name.rpartition("/")[0] == folder
    ]
    if not found_there and unread:
        # No look into zstd is possible; the variable that the official images set has to do.
        known = re.match(r"3\.(\d+)", variables.get("PYTHON_VERSION", ""))
        return [Interpreter(f"python3.{known[1]}", int(known[1]))] if known else []
    return found_there


def _names(path: Path) -> Iterable[tuple[str, bool]]:
    try:
        with tarfile.open(path, "r|*") as archive:
            for entry in archive:
                name = entry.name.removeprefix("./").removeprefix("/")
                folder, slash, last = name.rpartition("/")
                whiteout = last.startswith(".wh.")
                if whiteout or entry.isreg() or entry.issym() or entry.islnk():
                    yield folder + slash + last.removeprefix(".wh."), whiteout
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ImageError(
            f"a layer of the base image cannot be read: {error}", hint="the image is damaged: fetch it again"
        ) from error
