"""Log lines that say which object, and which reconcile of it, they are about."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any


class ObjectLog(logging.LoggerAdapter[logging.Logger]):
    """Puts the object and the reconcile in front of every line, and into its ``extra`` for structured logs."""

    def __init__(self, logger: logging.Logger, *, controller: str, kind: str, key: str, reconcile_id: str) -> None:
        super().__init__(
            logger, {"controller": controller, "kind": kind, "object": key, "reconcile_id": reconcile_id}
        )
        self._prefix = f"{kind} {key} [{reconcile_id}]: "

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Add what is known."""
        kwargs["extra"] = {**(self.extra or {}), **kwargs.get("extra", {})}
        return self._prefix + str(msg), kwargs
