"""The rules of roles: what each allows, what one covers of another, and how they are written in messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kubewright.objects import JsonObject
from kubewright.server.authorization.attributes import Attributes
from kubewright.server.gotext import quote

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A PolicyRule."""

    verbs: Names = ()
    groups: Names = ()
    resources: Names = ()
    names: Names = ()
    urls: Names = ()

    @classmethod
    def read(cls, rule: JsonObject) -> Rule:
        """From the API's object."""
        keys = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
        return cls(*(tuple(rule.get(key) or ()) for key in keys))

    def allows(self, asked: Attributes) -> bool:
        """Whether the rule permits it."""
        if asked.verb not in self.verbs and "*" not in self.verbs:
            return False
        if asked.path:
            return any(url == "*" or _url_covers(url, asked.path) for url in self.urls)
        if asked.group not in self.groups and "*" not in self.groups:
            return False
        if self.names and asked.name not in self.names:
            return False
        if asked.resource_path in self.resources or "*" in self.resources:
            return True
        return bool(asked.subresource) and f"*/{asked.subresource}" in self.resources

    def covers(self, other: Rule) -> bool:
        """Whether it permits all that ``other``, which names one of each, permits."""
        return (
            _has_all(self.verbs, other.verbs)
            and _has_all(self.groups, other.groups)
            and self._covers_resources(other.resources)
            and (not self.names or (bool(other.names) and set(other.names) <= set(self.names)))
            and all(any(_url_covers(own, url) for own in self.urls) for url in other.urls)
        )

    def _covers_resources(self, resources: Names) -> bool:
        if "*" in self.resources:
            return True
        return all(
            resource in self.resources or ("/" in resource and f"*/{resource.partition('/')[2]}" in self.resources)
            for resource in resources
        )

    def parts(self) -> Iterator[Rule]:
        """The rule as rules that name one verb, resource, group and name each."""
        for group in self.groups:
            for resource in self.resources:
                for verb in self.verbs:
                    if not self.names:
                        yield Rule((verb,), (group,), (resource,))
                    for name in self.names:
                        yield Rule((verb,), (group,), (resource,), (name,))
        for url in self.urls:
            for verb in self.verbs:
                yield Rule((verb,), urls=(url,))

    def __str__(self) -> str:
        given = {
            "APIGroups": self.groups,
            "Resources": self.resources,
            "NonResourceURLs": self.urls,
            "ResourceNames": self.names,
            "Verbs": self.verbs,
        }
        return f"{{{', '.join(f'{key}:{quoted(names)}' for key, names in given.items() if names)}}}"


def missing(held: Iterable[Rule], wanted: Iterable[Rule]) -> list[Rule]:
    """What ``wanted`` permits and ``held`` does not; verbs of the same resource together."""
    own = list(held)
    found: list[Rule] = []
    together: dict[tuple[Names, Names, Names], list[str]] = {}
    for part in (part for rule in wanted for part in rule.parts()):
        if any(one.covers(part) for one in own):
            continue
        if part.urls:
            found.append(part)
        else:
            together.setdefault((part.groups, part.resources, part.names), []).extend(part.verbs)
    return found + [Rule(tuple(verbs), *about) for about, verbs in together.items()]


def quoted(names: Iterable[str]) -> str:
    """A list of strings as Go prints it (``%q``)."""
    return f"[{' '.join(map(quote, names))}]"


def _has_all(own: Names, other: Names) -> bool:
    return "*" in own or set(other) <= set(own)


def _url_covers(own: str, url: str) -> bool:
    return own == url or (own.endswith("*") and url.startswith(own.rstrip("*")))
