"""What one informer watches."""

from __future__ import annotations

from typing import NamedTuple

from kubewright.objects import ApiResource, ObjectKey, RawObject, parse_label_selector


class Scope(NamedTuple):
    """A resource in one namespace (empty: in all, or cluster-scoped), narrowed by selectors.

    Attributes:
        name: the one object of this name, or empty for all.
        label_selector: as kubectl's ``-l`` takes it.
        metadata_only: nothing of the objects is sent or kept but their metadata.
    """

    resource: ApiResource
    namespace: str = ""
    name: str = ""
    label_selector: str = ""
    metadata_only: bool = False

    @property
    def field_selector(self) -> str:
        """The field selector of the requests."""
        return f"metadata.name={self.name}" if self.name else ""

    def covers(self, key: ObjectKey) -> bool:
        """Whether an object at ``key`` may be within."""
        return self.namespace in {"", key.namespace} and self.name in {"", key.name}

    def matches(self, obj: RawObject) -> bool:
        """Whether ``obj``, of this resource, is within."""
        if not self.covers(obj.key):
            return False
        return not self.label_selector or parse_label_selector(self.label_selector).matches(obj.metadata.labels)

    def __str__(self) -> str:
        parts = [self.resource.group_resource]
        if self.namespace:
            parts.append(f"in namespace {self.namespace}")
        if self.name:
            parts.append(f"named {self.name}")
        if self.label_selector:
            parts.append(f"with {self.label_selector}")
        if self.metadata_only:
            parts.append("(metadata only)")
        return " ".join(parts)
