"""The process's log, as lines of a view."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kubewright.cli.entry import debugging

if TYPE_CHECKING:
    from kubewright.cli.view import View

# The embedded cluster's own controllers, and what the record of a reconcile tells better.
_LEFT_OUT = ("kubewright.kubewright.",)


@contextmanager
def logging_to(view: View) -> Iterator[None]:
    """Show what is logged, from INFO up."""
    root, handler = logging.getLogger(), _ViewHandler(view)
    level, handlers = root.level, root.handlers
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.handlers = handlers
        root.setLevel(level)


class _ViewHandler(logging.Handler):
    def __init__(self, view: View) -> None:
        super().__init__(logging.INFO)
        self._view = view
        self._hinted = False

    def emit(self, record: logging.LogRecord) -> None:
        """Show the line; of the first refusal for want of a right, also what to do."""
        if record.name.startswith(_LEFT_OUT):
            return
        message = record.getMessage()
        if debugging() and record.exc_info:
            message = f"{message}\n{logging.Formatter().formatException(record.exc_info)}"
        elif record.module == "reconciler" and hasattr(record, "reconcile_id"):
            return
        self._view.log(message, failed=record.levelno >= logging.WARNING)
        if " is forbidden: " in message and not self._hinted:
            self._hinted = True
            self._view.log("hint: the rights it needs are in deploy/role.yaml (kubewright generate k8s)")
