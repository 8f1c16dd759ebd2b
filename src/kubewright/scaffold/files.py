"""Files that are written all or none."""

from __future__ import annotations

from pathlib import Path

from kubewright.errors import UsageError


class Files:
    """What a command will write below ``root``; nothing is written before :meth:`write`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._made: dict[str, str] = {}
        self._changed: dict[str, tuple[str, str]] = {}

    def make(self, path: str, content: str) -> None:
        """A file that must not be there yet."""
        self._made[path] = content

    def make_if_missing(self, path: str, content: str) -> None:
        """A file that may be there already; then it is left as it is."""
        if not (self.root / path).exists():
            self._made[path] = content

    def change(self, path: str, old: str, new: str) -> None:
        """A file that is there, with ``old`` in it."""
        self._changed[path] = (old, new)

    def write(self) -> list[Path]:
        """Write them; the paths made and changed, in order.

        Raises:
            UsageError: one of them is there already, or cannot be written; nothing was left behind.
        """
        there = [path for path in self._made if (self.root / path).exists()]
        if there:
            raise UsageError(
                f"{self.root / there[0]} is there already; nothing was written",
                hint="move it away first, or choose another name",
            )
        made: list[Path] = []
        try:
            for path, content in self._made.items():
                self._write(self.root / path, content, made)
            for path, (_, new) in self._changed.items():
                (self.root / path).write_text(new, encoding="utf-8", newline="\n")
        except OSError as error:
            self._undo(made)
            raise UsageError(
                f"cannot write {error.filename or self.root}: {error.strerror}; nothing was left behind",
                hint="look at the folder's permissions and at the space on its disk",
            ) from error
        except BaseException:
            self._undo(made)
            raise
        return [self.root / path for path in (*self._made, *self._changed)]

    def _write(self, path: Path, content: str, made: list[Path]) -> None:
        missing = [folder for folder in path.parents if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir()
            made.append(folder)
        made.append(path)
        path.write_text(content, encoding="utf-8", newline="\n")

    def _undo(self, made: list[Path]) -> None:
        for path in reversed(made):
            if path.is_dir():
                path.rmdir()
            else:
                path.unlink(missing_ok=True)
        for name, (old, _) in self._changed.items():
            (self.root / name).write_text(old, encoding="utf-8", newline="\n")
