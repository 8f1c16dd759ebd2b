"""``Warning`` headers of responses: what the API server wants a person to know."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["WarningLog", "collect_warnings"]

_log = logging.getLogger("kubewright.client.warnings")
_collected: ContextVar[list[str] | None] = ContextVar("kubewright.client.warnings", default=None)

# RFC 7234: code, agent, quoted text (and a date, which API servers do not send).
_WARNING = re.compile(r'\b299 (?:[^ "]+) "((?:[^"\\]|\\.)*)"')
_REMEMBERED = 1000


@contextmanager
def collect_warnings() -> Iterator[list[str]]:
    """Collect the warnings of the requests made in the block, repeated ones too::

    with collect_warnings() as warnings:
        await client.create(ingress)
    """
    collected: list[str] = []
    token = _collected.set(collected)
    try:
        yield collected
    finally:
        _collected.reset(token)


def parse_warnings(header: str) -> list[str]:
    """The texts in a ``warning`` header."""
    return [re.sub(r"\\(.)", r"\1", text) for text in _WARNING.findall(header)]


class WarningLog:
    """Writes each different warning once to the logger ``kubewright.client.warnings``."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def take(self, header: str) -> None:
        """Log and collect what ``header`` says."""
        collected = _collected.get()
        for text in parse_warnings(header):
            if collected is not None:
                collected.append(text)
            if text not in self._seen:
                if len(self._seen) >= _REMEMBERED:
                    self._seen.clear()
                self._seen.add(text)
                _log.warning("%s", text)
