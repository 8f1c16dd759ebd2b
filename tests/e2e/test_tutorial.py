"""The tutorial, run as it is printed.

Its blocks are: ``sh``, commands to run one by one; ``sh background``, one that keeps running; ``sh fails``, those
that must fail; ``text``, lines that the commands before must have shown, in this order; and code for a file, whose
path follows the language.
"""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tutorial.md"
EXAMPLE = ROOT / "examples" / "appservice"

Start = Callable[..., Any]
Run = Callable[..., subprocess.CompletedProcess[str]]


class Block(NamedTuple):
    language: str
    rest: str
    text: str


def blocks() -> list[Block]:
    found = re.findall(r"^```(\w+) ?([^\n]*)\n(.*?)^```$", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)
    return [Block(*each) for each in found]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_the_page_s_files_are_the_example_s() -> None:
    files = {block.rest: block.text for block in blocks() if block.language in ("python", "yaml")}
    assert len(files) == 4
    for path, text in files.items():
        assert (EXAMPLE / path).read_text() == text, path


def test_the_example_s_manifests_are_what_its_code_says(run: Run) -> None:
    done = run("kubewright", "generate", "k8s", "--check", cwd=EXAMPLE)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(300)
def test_the_tutorial_from_its_first_to_its_last_command(start: Start, run: Run, tmp_path: Path) -> None:
    folder, shown = tmp_path, ""
    environment: dict[str, str] = {}
    background: list[Any] = []
    latest: Any = None
    for language, rest, text in blocks():
        if language in ("python", "yaml"):
            (folder / rest).write_text(text)
        elif language == "text":
            if latest is not None:
                for line in text.splitlines():
                    latest.wait_for(line)
                continue
            position = 0
            for words in map(squeezed, text.splitlines()):
                assert words in shown[position:], f"{words!r} is not in\n{shown}"
                position = shown.index(words, position) + len(words)
        elif rest == "background":
            latest = start("bash", "-c", f"exec {text.strip()}", cwd=folder, env=environment)
            background.append(latest)
        else:
            latest, shown = None, ""
            for command in text.splitlines():
                if command.startswith("cd "):
                    folder /= command.removeprefix("cd ")
                    continue
                if command.startswith("export "):
                    name, _, value = command.removeprefix("export ").partition("=")
                    environment[name] = value.replace("$PWD", str(folder))
                    continue
                done = run("bash", "-c", command, cwd=folder, env=environment)
                output = done.stdout + done.stderr
                assert (done.returncode != 0) == (rest == "fails"), f"{command}\n{output}"
                shown += squeezed(output) + " "
    for process in reversed(background):
        process.send(signal.SIGINT)
        assert process.end() == 0, process.output
        assert "Traceback" not in process.output
        assert "FAILED" not in process.output
