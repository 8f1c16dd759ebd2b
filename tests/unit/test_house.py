"""The house: who may import whom, doors, and the size of files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "kubewright"
LIMIT = 400


def _modules() -> Iterator[Path]:
    yield from sorted(SOURCE.rglob("*.py"))


def _room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name


def test_import_contracts_are_kept() -> None:
    broken = lint_imports(config_filename=str(ROOT / ".importlinter"), no_cache=True)
    assert not broken, "the report above names the chains"


def test_rooms_meet_at_their_doors() -> None:
    behind = []
    for path in _modules():
        for line, module in _imports(path):
            parts = module.split(".")
            # A generated module of kinds is a door of its own: importing one group loads only that.
            if parts[0] != "kubewright" or len(parts) < 3 or parts[1] == "kinds":
                continue
            if parts[1] != _room(path):
                behind.append(f"{path.relative_to(ROOT)}:{line} imports {module}")
    assert not behind, "\n".join(behind)


def test_a_file_past_400_lines_says_why() -> None:
    silent = []
    for path in _modules():
        if _room(path) == "kinds":
            continue
        text = path.read_text()
        lines = text.count("\n")
        if lines > LIMIT and "longer than" not in (ast.get_docstring(ast.parse(text)) or ""):
            silent.append(f"{path.relative_to(ROOT)}: {lines} lines")
    assert not silent, "\n".join(silent)


def test_only_the_clock_reads_time_and_randomness() -> None:
    readers = {"time", "random", "secrets", "uuid"}
    found = []
    for path in _modules():
        if path == SOURCE / "clock.py":
            continue
        found += [f"{path.relative_to(ROOT)}:{line}" for line, module in _imports(path) if module in readers]
    assert not found, "\n".join(found)
