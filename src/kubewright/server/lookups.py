"""Where strategies and handlers look other objects up, straight from the store."""

from __future__ import annotations

from collections.abc import Iterator

from kubewright.objects import JsonObject
from kubewright.server.media import decode
from kubewright.server.store import Store


class StoreLookups:
    """The server's :class:`~kubewright.server.context.Lookups`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get(self, group: str, plural: str, namespace: str, name: str) -> JsonObject | None:
        """The object, in the version it is stored in, or None."""
        table = self._store.table(f"{plural}.{group}" if group else plural)
        entry = table.objects.get(f"{namespace}/{name}" if namespace else name)
        if entry is None:
            return None
        found: JsonObject = decode(entry.raw)
        return found

    def list(self, group: str, plural: str, namespace: str = "") -> Iterator[JsonObject]:
        """The objects of a namespace, or of all."""
        table = self._store.table(f"{plural}.{group}" if group else plural)
        for entry in table.scan(f"{namespace}/" if namespace else ""):
            yield decode(entry.raw)
