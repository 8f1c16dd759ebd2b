"""``kubewright`` and ``kubectl`` as processes, the way a person runs them."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60.0
"""What any step may take on a machine that is busy with other things."""


class Process:
    """A command that keeps running, and what it has printed."""

    def __init__(self, words: list[str], *, cwd: Path, env: dict[str, str]) -> None:
        self.words = words
        self.lines: list[str] = []
        self._new: queue.Queue[str | None] = queue.Queue()
        self._process = subprocess.Popen(
            words, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._new.put(line.rstrip("\n"))
        self._new.put(None)

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, words: str) -> str:
        """The next line with ``words`` in it."""
        while True:
            try:
                line = self._new.get(timeout=SECONDS)
            except queue.Empty:
                raise AssertionError(f"{self.words} never said {words!r}:\n{self.output}") from None
            assert line is not None, f"{self.words} ended without saying {words!r}:\n{self.output}"
            self.lines.append(line)
            if words in line:
                return line

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self) -> int:
        """Its exit code, once it has ended."""
        code = self._process.wait(timeout=SECONDS)
        self._reader.join()
        while (line := self._new.get()) is not None:
            self.lines.append(line)
        return code

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def environment_variables(tmp_path: Path) -> dict[str, str]:
    """The machine's, with this interpreter's commands in front and without a kubeconfig."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KUBE", "WATCH_NAMESPACE"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return {**kept, "PATH": path, "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def start(tmp_path: Path, environment_variables: dict[str, str]) -> Iterator[Callable[..., Process]]:
    """Start a command that keeps running; it is killed with the test's end, if it has not ended."""
    started: list[Process] = []

    def begin(*words: str | Path, cwd: Path = tmp_path, env: dict[str, str] | None = None) -> Process:
        process = Process(list(map(str, words)), cwd=cwd, env=environment_variables | (env or {}))
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()


@pytest.fixture
def run(tmp_path: Path, environment_variables: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command to its end."""

    def complete(
        *words: str | Path, cwd: Path = tmp_path, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            list(map(str, words)),
            cwd=cwd,
            env=environment_variables | (env or {}),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    return complete


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy of ``examples/appservice``."""
    folder = tmp_path / "appservice"
    shutil.copytree(
        ROOT / "examples" / "appservice", folder, ignore=shutil.ignore_patterns(".*", "__pycache__", "image")
    )
    return folder
