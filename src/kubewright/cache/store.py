"""The objects of one kind, as bytes, with the indexes that lookups need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from kubewright.objects import ObjectKey, RawObject, Selector


class Store:
    """Objects by key, by namespace, by the uid of each owner, and by the labels that selectors ask for.

    The equivalent of client-go's ``Indexer``.
    """

    def __init__(self) -> None:
        self._objects: dict[ObjectKey, RawObject] = {}
        self._by_namespace: defaultdict[str, dict[ObjectKey, None]] = defaultdict(dict)
        self._by_owner: defaultdict[str, dict[ObjectKey, None]] = defaultdict(dict)
        self._by_label: dict[str, defaultdict[str, dict[ObjectKey, None]]] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[RawObject]:
        return iter(list(self._objects.values()))

    def __contains__(self, key: ObjectKey) -> bool:
        return key in self._objects

    def get(self, key: ObjectKey) -> RawObject | None:
        """The object at ``key``."""
        return self._objects.get(key)

    def in_namespace(self, namespace: str) -> list[RawObject]:
        """The objects of one namespace."""
        return self._found(self._by_namespace.get(namespace, ()))

    def owned_by(self, uid: str) -> list[RawObject]:
        """The objects with an owner reference to ``uid``."""
        return self._found(self._by_owner.get(uid, ()))

    def select(self, namespace: str, selector: Selector) -> list[RawObject]:
        """The objects that ``selector`` selects; in all namespaces if it is empty.

        A label whose one value is asked for is indexed from then on.
        """
        if namespace and not selector.requirements:
            return self.in_namespace(namespace)
        found: Iterable[RawObject] = self._objects.values()
        for requirement in selector.requirements:
            value = selector.exact(requirement.key)
            if value is not None:
                found = self._found(self._label_index(requirement.key).get(value, ()))
                break
        return [
            obj
            for obj in found
            if (not namespace or obj.metadata.namespace == namespace) and selector.matches(obj.metadata.labels)
        ]

    def put(self, obj: RawObject) -> RawObject | None:
        """Store ``obj``; what it replaces is returned."""
        key = obj.key
        old = self._objects.get(key)
        self._objects[key] = obj
        if old is None:
            self._by_namespace[key.namespace][key] = None
        if old is None or old.metadata.owner_references != obj.metadata.owner_references:
            if old is not None:
                self._disown(key, old)
            for owner in obj.metadata.owner_references:
                self._by_owner[owner.uid][key] = None
        for label, index in self._by_label.items():
            before = old.metadata.labels.get(label) if old else None
            after = obj.metadata.labels.get(label)
            if before != after:
                if before is not None:
                    self._discard(index, before, key)
                if after is not None:
                    index[after][key] = None
        return old

    def remove(self, key: ObjectKey) -> RawObject | None:
        """Forget the object at ``key``; it is returned."""
        old = self._objects.pop(key, None)
        if old is not None:
            self._discard(self._by_namespace, key.namespace, key)
            self._disown(key, old)
            for label, index in self._by_label.items():
                if (value := old.metadata.labels.get(label)) is not None:
                    self._discard(index, value, key)
        return old

    def _label_index(self, label: str) -> dict[str, dict[ObjectKey, None]]:
        index = self._by_label.get(label)
        if index is None:
            index = self._by_label[label] = defaultdict(dict)
            for key, obj in self._objects.items():
                if (value := obj.metadata.labels.get(label)) is not None:
                    index[value][key] = None
        return index

    def _found(self, keys: Iterable[ObjectKey]) -> list[RawObject]:
        return [self._objects[key] for key in keys]

    def _disown(self, key: ObjectKey, obj: RawObject) -> None:
        for owner in obj.metadata.owner_references:
            self._discard(self._by_owner, owner.uid, key)

    @staticmethod
    def _discard(index: dict[str, dict[ObjectKey, None]], value: str, key: ObjectKey) -> None:
        keys = index.get(value)
        if keys is not None:
            keys.pop(key, None)
            if not keys:
                del index[value]
