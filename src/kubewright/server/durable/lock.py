"""A file that one process holds, however it ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from kubewright.errors import DataError


def lock(path: Path) -> int:
    """Hold ``path`` until the descriptor returned is closed, or the process ends.

    Raises:
        DataError: another process holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _hold(descriptor)
    except OSError:
        holder = os.pread(descriptor, 20, 1).decode(errors="replace") if hasattr(os, "pread") else ""
        os.close(descriptor)
        who = f"process {holder}" if holder else "another process"
        hint = "stop that process, or choose another folder"
        raise DataError(f"{path.parent} is in use by {who}", hint=hint) from None
    # The first byte is what Windows locks.
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f" {os.getpid()}".encode())
    return descriptor


def _hold(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
