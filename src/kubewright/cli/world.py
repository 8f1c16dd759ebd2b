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

    def forest(self) -> list[Node]:
        """The roots, each with all it owns below it, in the order they came."""
        for node in self._nodes.values():
            node.children = []
        for node in self._nodes.values():
            owner = next((owner for owner in node.owners if owner in self._nodes), None)
            # A root stands by itself, whoever owns it: so owners in a circle have an end.
            if owner is not None and node.uid not in self._roots:
                self._nodes[owner].children.append(node)
        return [self._nodes[uid] for uid in self._roots]
