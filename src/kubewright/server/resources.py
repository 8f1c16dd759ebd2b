"""The resources being served, as they come and go."""

from __future__ import annotations

from collections.abc import Iterator

from kubewright.server.registry import ResourceDefinition


class ServedResources:
    """Every :class:`ResourceDefinition` by group, version and plural.

    Attributes:
        generation: advances with every change; discovery and OpenAPI documents made for another are stale.
    """

    def __init__(self) -> None:
        self.generation = 0
        self._versions: dict[tuple[str, str], dict[str, ResourceDefinition]] = {}

    def add(self, definition: ResourceDefinition) -> None:
        """Serve ``definition``, in place of any other of its group, version and plural."""
        resource = definition.resource
        self._versions.setdefault((resource.group, resource.version), {})[resource.plural] = definition
        self.generation += 1

    def remove(self, definition: ResourceDefinition) -> None:
        """Serve ``definition`` no longer."""
        resource = definition.resource
        key = (resource.group, resource.version)
        version = self._versions.get(key, {})
        if version.pop(resource.plural, None) is not None and not version:
            del self._versions[key]
        self.generation += 1

    def find(self, group: str, version: str, plural: str) -> ResourceDefinition | None:
        """The definition, or None."""
        return self._versions.get((group, version), {}).get(plural)

    def stored(self, group: str, plural: str) -> ResourceDefinition | None:
        """The definition of the version that is stored, or None if the resource is not served."""
        for (of_group, version), resources in self._versions.items():
            if of_group == group and (definition := resources.get(plural)) is not None:
                wanted = definition.storage_version or version
                return self.find(group, wanted, plural) or definition
        return None

    def is_custom(self, group: str) -> bool:
        """Whether the group holds nothing but custom resources."""
        versions = [resources for (of_group, _), resources in self._versions.items() if of_group == group]
        return all(definition.custom for resources in versions for definition in resources.values())

    def has_group_version(self, group: str, version: str) -> bool:
        """Whether anything is served there."""
        return (group, version) in self._versions

    def groups(self) -> dict[str, list[str]]:
        """The versions of each group, in the order they were added."""
        groups: dict[str, list[str]] = {}
        for group, version in self._versions:
            groups.setdefault(group, []).append(version)
        return groups

    def version(self, group: str, version: str) -> list[ResourceDefinition]:
        """The definitions of a version, by plural."""
        return [definition for _, definition in sorted(self._versions.get((group, version), {}).items())]

    def __iter__(self) -> Iterator[ResourceDefinition]:
        for resources in self._versions.values():
            yield from resources.values()
