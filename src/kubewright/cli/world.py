"""What has been seen of the objects that custom resources stand for: a forest, by owner references."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from kubewright.cli.describe import State, describe
from kubewright.objects import JsonObject


@dataclass(slots=True)
class Node:
    """An object, its state, and what it owns.

    Attributes:
        title: as kubectl prints it: ``deployment.apps/nginx-app``.
    """

    uid: str
    title: str
    state: State
    owners: tuple[str, ...]
    children: list[Node] = field(default_factory=list)

    def all(self) -> Iterator[Node]:
        """This one and all below it."""
        yield self
        for child in self.children:
            yield from child.all()


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an object: ``created``, ``deleted``, or its new state."""

    title: str
    words: str
    done: bool


class World:
    """The objects seen, by uid; ``roots`` are those shown even without an owner."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._roots: dict[str, None] = {}

    def put(self, obj: JsonObject, group_resource: str, *, root: bool = False) -> Change | None:
        """Take in an object as it is now; what changed, or None when nothing a person would be told."""
        metadata = obj["metadata"]
        uid = metadata["uid"]
        title = f"{group_resource}/{metadata['name']}"
        state = describe(obj)
        owners = tuple(reference["uid"] for reference in metadata.get("ownerReferences") or ())
        before = self._nodes.get(uid)
        self._nodes[uid] = Node(uid, title, state, owners)
        if root:
            self._roots[uid] = None
        if before is not None and before.state == state:
            return None
        words = state.words if before is not None else f"created, {state.words}"
        return Change(title, words, state.done)

    def remove(self, uid: str) -> Change | None:
        """Forget an object that is gone."""
        node = self._nodes.pop(uid, None)
        self._roots.pop(uid, None)
        return None if node is None else Change(node.title, "deleted", True)

    def owned(self, uid: str) -> bool:
        """Whether the object hangs, over any number of owners, on a root."""
        seen: set[str] = set()
        queue = [uid]
        while queue:
            node = self._nodes.get(queue.pop())
            if node is None or node.uid in seen:
                continue
            seen.add(node.uid)
            if node.uid in self._roots:
                return True
            queue += node.owners
        return False

    def forest(self) -> list[Node]:
        """The roots, each with all it owns below it, in the order they came."""
        for node in self._nodes.values():
            node.children = []
        for node in self._nodes.values():
            for owner in node.owners:
                if owner in self._nodes:
                    self._nodes[owner].children.append(node)
                    break
        return [self._nodes[uid] for uid in self._roots]
