"""What is told while an image is built and pushed."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Is told what happens, as it happens."""

    def step(self, words: str) -> None:
        """Something is done."""
        ...

    def moved(self, what: str, done: int, total: int) -> None:
        """Bytes of ``what`` have gone over the network."""
        ...
