"""A folder of installed wheels as a layer's files: the same from the same wheels, wherever it was made."""

from __future__ import annotations

import configparser
import csv
import email.parser
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path, PurePosixPath

from kubewright.image.interpreter import Interpreter
from kubewright.image.layer import File

# Where and when it was installed is nobody's business in the image, and differs each time.
_LEFT_OUT = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"})
_LAUNCHER = """\
#!{program}
import sys
from {module} import {name}
sys.exit({call}())
"""


@dataclass(frozen=True, slots=True)
class Package:
    """An installed distribution, as its metadata tells it."""

    name: str
    version: str
    summary: str = ""
    license: str = ""
    urls: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, metadata: str) -> Package:
        """Read a METADATA file."""
        message: Message = email.parser.HeaderParser().parsestr(metadata)
        pairs = (str(value).partition(",") for value in message.get_all("Project-URL", []))
        urls = {name.strip().lower(): url.strip() for name, _, url in pairs}
        return cls(
            re.sub(r"[-_.]+", "-", str(message["Name"])).lower(),
            str(message["Version"]),
            _word(message["Summary"]),
            _word(message["License-Expression"]),
            urls,
        )


@dataclass(frozen=True, slots=True)
class Site:
    """What a layer of wheels holds: files by their path in it, and the packages they are of."""

    files: dict[str, File]
    packages: list[Package]


def collect(folder: Path, python: Interpreter) -> Site:
    """The files below ``folder``, which uv has laid out; commands are made to run with the image's ``python``."""
    files: dict[str, File] = {}
    packages: list[Package] = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() or name == ".lock" or "__pycache__" in PurePosixPath(name).parts:
            continue
        if PurePosixPath(name).parent.name.endswith(".dist-info") and path.name in _LEFT_OUT:
            continue
        files[name] = File(path, executable=path.stat().st_mode & 0o111 != 0)
    for name in [name for name in files if name.startswith(("bin/", "Scripts/"))]:
        script = _with_interpreter(files.pop(name), python)
        if script is not None:
            files[f"bin/{PurePosixPath(name).name}"] = script
    for metadata in sorted(folder.glob("*.dist-info/METADATA")):
        packages.append(Package.read(metadata.read_text(encoding="utf-8", errors="replace")))
        files |= _launchers(metadata.with_name("entry_points.txt"), python)
    for record in sorted(folder.glob("*.dist-info/RECORD")):
        files[record.relative_to(folder).as_posix()] = File(_record(record, files))
    return Site(files, packages)


def _word(value: object) -> str:
    return " ".join(str(value).split()) if value is not None else ""


def _with_interpreter(file: File, python: Interpreter) -> File | None:
    """A script with the image's Python in its first line; None for the launchers that only Windows can run."""
    data = file.read()
    if data.startswith(b"MZ"):
        return None
    first, newline, rest = data.partition(b"\n")
    if first.startswith(b"#!") and b"python" in first:
        return File(b"#!" + python.program.encode() + newline + rest, executable=True)
    return file


class _EntryPoints(configparser.ConfigParser):
    def optionxform(self, optionstr: str) -> str:
        """Commands keep their capitals."""
        return optionstr


def _launchers(entry_points: Path, python: Interpreter) -> dict[str, File]:
    if not entry_points.is_file():
        return {}
    parser = _EntryPoints(delimiters=("=",), interpolation=None)
    parser.read_string(entry_points.read_text(encoding="utf-8"))
    made = {}
    for command, target in parser["console_scripts"].items() if parser.has_section("console_scripts") else ():
        module, _, attribute = target.partition("[")[0].strip().partition(":")
        text = _LAUNCHER.format(
            program=python.program, module=module.strip(), name=attribute.partition(".")[0], call=attribute.strip()
        )
        made[f"bin/{command}"] = File(text.encode(), executable=True)
    return made


def _record(record: Path, files: Mapping[str, File]) -> bytes:
    """RECORD without the files that are left out, and without the digests of those that were rewritten."""
    rows = []
    for row in csv.reader(record.read_text(encoding="utf-8").splitlines()):
        name = row[0].removeprefix("../" * 3)
        name = f"bin/{PurePosixPath(name).name}" if "../" in row[0] or name.startswith("bin/") else name
        file = files.get(name)
        if file is not None:
            rows.append([name, "", ""] if isinstance(file.source, bytes) or name.endswith("/RECORD") else row)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(sorted(rows))
    return text.getvalue().encode()
