"""What a person, or a program, is shown while an operator runs here."""

from __future__ import annotations

import json
import sys
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

import click

from kubewright import clock

if TYPE_CHECKING:
    from kubewright.cli.world import Change, Node, World


class View(ABC):
    """Shows what happens, as it happens. Nothing here waits.

    Args:
        started: when the command began, by ``clock.monotonic``.
    """

    def __init__(self, started: float) -> None:
        self._started = started

    @property
    def seconds(self) -> float:
        """Since the command began."""
        return clock.monotonic() - self._started

    @abstractmethod
    def step(self, words: str) -> None:
        """A step of the command's own is done."""

    @abstractmethod
    def changed(self, change: Change, world: World) -> None:
        """An object came, changed or went."""

    @abstractmethod
    def log(self, words: str, *, failed: bool = False) -> None:
        """A line of the operator's log."""

    @abstractmethod
    def ready(self, world: World) -> None:
        """All that was applied is ready, for the first time."""

    @abstractmethod
    def fact(self, name: str, value: str) -> None:
        """Something to be used: a kubeconfig, an address."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:  # noqa: B027 - most views have nothing to put back
        """Leave the terminal as it was."""


class Lines(View):
    """One line an event: for logs and pipes."""

    def _line(self, words: str) -> None:
        click.echo(f"{self.seconds:7.2f}s  {words}")
        sys.stdout.flush()

    def step(self, words: str) -> None:
        """Print it."""
        self._line(words)

    def changed(self, change: Change, world: World) -> None:
        """Print it."""
        self._line(f"{change.title} {change.words}")

    def log(self, words: str, *, failed: bool = False) -> None:
        """Print it."""
        self._line(f"{'FAILED ' if failed else ''}{words}")

    def ready(self, world: World) -> None:
        """Print the objects, indented below their owners."""
        for root in world.forest():
            self._below(root, 0)
        self._line(f"ready in {self.seconds:.1f} s")

    def _below(self, node: Node, depth: int) -> None:
        self._line(f"{'  ' * depth}{node.title}  {node.state.words}")
        for child in node.children:
            self._below(child, depth + 1)

    def fact(self, name: str, value: str) -> None:
        """Print it."""
        self._line(f"{name}: {value}")


class JsonLines(View):
    """One JSON object a line: for programs."""

    def _line(self, event: str, **values: object) -> None:
        click.echo(json.dumps({"event": event, "seconds": round(self.seconds, 3), **values}))
        sys.stdout.flush()

    def step(self, words: str) -> None:
        """``{"event": "step", "message": ...}``."""
        self._line("step", message=words)

    def changed(self, change: Change, world: World) -> None:
        """``{"event": "object", "object": "deployment.apps/nginx-app", "state": ..., "done": ...}``."""
        self._line("object", object=change.title, state=change.words, done=change.done)

    def log(self, words: str, *, failed: bool = False) -> None:
        """``{"event": "log", "message": ..., "failed": ...}``."""
        self._line("log", message=words, failed=failed)

    def ready(self, world: World) -> None:
        """``{"event": "ready"}``."""
        self._line("ready", objects=[node.title for root in world.forest() for node in root.all()])

    def fact(self, name: str, value: str) -> None:
        """``{"event": "fact", "name": ..., "value": ...}``."""
        self._line("fact", name=name, value=value)


def choose_view(output: str, started: float) -> View:
    """The tree on a terminal, lines elsewhere, JSON where asked for."""
    if output == "json":
        return JsonLines(started)
    if sys.stdout.isatty():
        from kubewright.cli.tree import Tree

        return Tree(started)
    return Lines(started)
