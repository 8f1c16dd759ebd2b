"""Server-side apply: merging by schema, ownership of fields, conflicts, managedFields."""

from kubewright.server.apply.field_manager import ApplyConflict, ApplyError, apply, keep_times, track_update

__all__ = ["ApplyConflict", "ApplyError", "apply", "keep_times", "track_update"]
