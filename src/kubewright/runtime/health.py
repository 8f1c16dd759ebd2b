"""What a kubelet asks: whether the operator lives, and whether it is ready."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from kubewright.errors import KubewrightError
from kubewright.runtime.serving import Answer, Route


class Checked(Protocol):
    """What is asked about: a running operator."""

    def check(self) -> None:
        """Raise what ended a task that should never end."""

    def missing(self) -> list[str]:
        """What the caches do not hold yet, for people."""


def routes(running: Checked) -> Mapping[str, Route]:
    """``/healthz`` and ``/livez``: the event loop turns (or nobody would answer), its watches and workers live.

    ``/readyz``: the caches are filled. So a standby is ready too: it could take over.
    """

    def live() -> Answer:
        return _answer("tasks", lambda: _failures(running))

    def ready() -> Answer:
        return _answer("caches", running.missing)

    return {"/healthz": live, "/livez": live, "/readyz": ready}


def _answer(check: str, failures: Callable[[], list[str]]) -> Answer:
    found = failures()
    if not found:
        return Answer(200, "ok")
    return Answer(500, f"[-]{check} failed: {'; '.join(found)}\n")


def _failures(running: Checked) -> list[str]:
    try:
        running.check()
    except KubewrightError as error:
        return [str(error)]
    except Exception as error:  # noqa: BLE001 - a defect is told, and ends the operator elsewhere
        return [type(error).__name__]
    return []
