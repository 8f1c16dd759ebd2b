"""What the API server refuses in built-in kinds, in its words."""

from __future__ import annotations

from kubewright.server.builtin.strategy import Validate, ValidateUpdate

__all__ = ["VALIDATE", "VALIDATE_UPDATE"]

VALIDATE: dict[str, Validate] = {}
VALIDATE_UPDATE: dict[str, ValidateUpdate] = {}
