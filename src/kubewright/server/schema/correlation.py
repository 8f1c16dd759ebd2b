"""Old values beside new ones, for as far as the schema lets one say which was which."""

from __future__ import annotations

from typing import Any

from kubewright.objects import same_json
from kubewright.server.schema.model import MaybeSchema, Schema


class Correlated:
    """A value and the one it was before the update.

    Map entries correlate by key and list-map items by their keys. Items of other lists never do: such a list is
    a unit.
    """

    __slots__ = ("_children", "_equal", "_index", "old", "schema", "value")

    def __init__(self, value: Any, old: Any, schema: Schema) -> None:
        self.value = value
        self.old = old
        self.schema = schema
        self._children: dict[str | int, Correlated | None] = {}
        self._equal: bool | None = None
        self._index: dict[tuple[Any, ...], Any] | None = None

    def key(self, name: str) -> Correlated | None:
        """The entry under ``name``, or None if there was none before."""
        if name not in self._children:
            self._children[name] = self._correlate_key(name)
        return self._children[name]

    def index(self, position: int) -> Correlated | None:
        """The item at ``position`` of a list map, or None if it cannot be told which it was before."""
        if position not in self._children:
            self._children[position] = self._correlate_index(position)
        return self._children[position]

    @property
    def unchanged(self) -> bool:
        """Nothing differs (the order of a list map's items does not count)."""
        if self._equal is None:
            self._equal = self._compare()
        return self._equal

    def _correlate_key(self, name: str) -> Correlated | None:
        if not isinstance(self.old, dict) or not isinstance(self.value, dict):
            return None
        if name not in self.old or name not in self.value:
            return None
        described = self.schema.field(name)
        return None if described is None else Correlated(self.value[name], self.old[name], described)

    def _correlate_index(self, position: int) -> Correlated | None:
        items: MaybeSchema = self.schema.items
        if items is None or self.schema.list_type != "map" or not isinstance(self.old, list):
            return None
        if self._index is None:
            self._index = {self._keys(item): item for item in reversed(self.old) if isinstance(item, dict)}
        item = self.value[position]
        if not isinstance(item, dict):
            return None
        old = self._index.get(self._keys(item))
        return None if old is None else Correlated(item, old, items)

    def _keys(self, item: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(
            (type(item.get(key)).__name__, item.get(key))
            if isinstance(item.get(key), (str, int, float, bool, type(None)))
            else (repr(item[key]),)
            for key in self.schema.list_map_keys
        )

    def _compare(self) -> bool:
        value, old = self.value, self.old
        if isinstance(value, dict) and isinstance(old, dict):
            if len(value) != len(old):
                return False
            for name in value:
                child = self.key(name)
                if child is None or not child.unchanged:
                    return False
            return True
        if isinstance(value, list) and isinstance(old, list) and self.schema.list_type == "map":
            if len(value) != len(old):
                return False
            for position in range(len(value)):
                child = self.index(position)
                if child is None or not child.unchanged:
                    return False
            return True
        return same_json(value, old)
