"""The webhooks of all configurations, in the order they are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kubewright.objects import JsonObject, Selector, label_selector
from kubewright.server.media import decode
from kubewright.server.store import Store, Table

GROUP = "admissionregistration.k8s.io"


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook of a configuration.

    Attributes:
        uid: configuration, name and how many of that name came before: what a webhook is known by.
        name: as messages show it.
        spec: the MutatingWebhook or ValidatingWebhook, with its defaults.
        namespaces: which namespaces' objects it is called for.
        objects: which objects it is called for.
    """

    uid: str
    name: str
    spec: JsonObject
    namespaces: Selector | None
    objects: Selector | None

    @property
    def ignores_failures(self) -> bool:
        """A webhook that cannot be asked is passed over."""
        return bool(self.spec["failurePolicy"] == "Ignore")

    @property
    def reinvoked(self) -> bool:
        """It is called again if a later one changed the object."""
        return bool(self.spec.get("reinvocationPolicy") == "IfNeeded")

    @property
    def rules(self) -> Sequence[JsonObject]:
        """What it is called for."""
        return self.spec.get("rules") or ()


class Hooks:
    """The webhooks of one kind of configuration, read anew when one changes."""

    def __init__(self, store: Store, plural: str) -> None:
        self._table: Table = store.table(f"{plural}.{GROUP}")
        self._end = -1
        self._hooks: list[Hook] = []

    def current(self) -> list[Hook]:
        """All of them: by the configuration's name, then as they stand in it."""
        if self._table.end != self._end:
            self._end = self._table.end
            self._hooks = [hook for entry in self._table.scan() for hook in _read(decode(entry.raw))]
        return self._hooks


def _read(configuration: JsonObject) -> list[Hook]:
    name = configuration["metadata"]["name"]
    seen: dict[str, int] = {}
    hooks = []
    for spec in configuration.get("webhooks") or ():
        count = seen[spec["name"]] = seen.get(spec["name"], -1) + 1
        hooks.append(
            Hook(
                f"{name}/{spec['name']}/{count}",
                spec["name"],
                spec,
                label_selector(spec["namespaceSelector"]),
                label_selector(spec["objectSelector"]),
            )
        )
    return hooks
