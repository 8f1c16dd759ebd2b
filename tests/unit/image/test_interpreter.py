from __future__ import annotations

import io
import tarfile
from pathlib import Path

from kubewright.image.interpreter import Interpreter, find_interpreters
from kubewright.image.oci import LAYER, LAYER_ZSTD


def layer(path: Path, *names: str) -> tuple[str, Path]:
    with tarfile.open(path, "w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    return LAYER, path


def found(*layers: tuple[str, Path], **variables: str) -> list[Interpreter]:
    environment = [f"{name}={value}" for name, value in variables.items()]
    return find_interpreters(layers, {"config": {"Env": environment}})


def test_the_path_decides_and_then_the_newest(tmp_path: Path) -> None:
    names = ("./usr/bin/python3.9", "usr/bin/python3.11", "usr/local/bin/python3.10", "srv/python3.13")
    there = found(layer(tmp_path / "a", *names))
    assert [each.program for each in there] == [
        "/usr/local/bin/python3.10",
        "/usr/bin/python3.11",
        "/usr/bin/python3.9",
    ]
    there = found(layer(tmp_path / "a", *names), PATH="/srv:/usr/bin")
    assert [each.minor for each in there] == [13, 11, 9]


def test_what_a_layer_removes_is_gone(tmp_path: Path) -> None:
    lower = layer(tmp_path / "a", "usr/bin/python3.11", "usr/bin/python3.12")
    upper = layer(tmp_path / "b", "usr/bin/.wh.python3.12")
    assert found(lower, upper) == [Interpreter("/usr/bin/python3.11", 11)]


def test_musl_is_seen(tmp_path: Path) -> None:
    there = found(layer(tmp_path / "a", "lib/ld-musl-x86_64.so.1", "usr/bin/python3.12"))
    assert there == [Interpreter("/usr/bin/python3.12", 12, musl=True)]


def test_layers_that_cannot_be_read_leave_the_official_variable(tmp_path: Path) -> None:
    unread = (LAYER_ZSTD, tmp_path / "not-read")
    assert found(unread, PYTHON_VERSION="3.12.4") == [Interpreter("python3.12", 12)]
    assert found(unread) == []
