"""A reconcile in one line, for a person who looks on."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubewright.runtime import ReconcileRecord, Write

_DONE = {"create": "created", "update": "updated", "patch": "patched", "apply": "applied", "delete": "deleted"}


def is_telling(record: ReconcileRecord) -> bool:
    """Whether anything came of it that a person wants to know."""
    return bool(_changes(record)) or record.outcome not in ("done", "gone")


def line(record: ReconcileRecord, source: Path) -> str:
    """``AppService default/nginx-app: created deployments.apps nginx-app (12 ms; AppService ... added)``.

    Of an exception in the user's code, below ``source``, it names the line.
    """
    what = ", ".join(_changes(record))
    if record.outcome not in ("done", "gone"):
        again = f", again in {record.again:.1f} s" if record.again is not None else ""
        where = _place(record.error, source)
        what = f"{what}; " * bool(what) + f"{record.outcome}: {where}{record.message}{again}"
    reasons = "; ".join(str(reason) for reason in record.reasons[:2])
    return f"{record.kind} {record.key}: {what} ({record.seconds * 1000:.0f} ms; {reasons})"


def failed(record: ReconcileRecord) -> bool:
    """Whether it ended in an error."""
    return record.outcome in ("error", "permanent")


def _changes(record: ReconcileRecord) -> list[str]:
    return [_words(write) for write in record.writes if write.changed and 200 <= write.status < 300]


def _words(write: Write) -> str:
    what = f"{write.resource}/{write.subresource}" if write.subresource else write.resource
    return f"{_DONE.get(write.verb, write.verb)} {what} {write.key.name}"


def _place(error: Exception | None, source: Path) -> str:
    if error is None:
        return ""
    own = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(source)
    ]
    return f"{own[-1].filename}:{own[-1].lineno}: " if own else ""
