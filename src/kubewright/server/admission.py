"""Admission: who may change or refuse an object between its decoding and its storing."""

from __future__ import annotations

from dataclasses import dataclass, field

from kubewright.objects import ApiResource, JsonObject
from kubewright.server.context import Context


@dataclass(slots=True)
class Attributes:
    """What admission decides on (admission.Attributes).

    Attributes:
        operation: CREATE, UPDATE, DELETE or CONNECT.
        resource: what is written.
        context: the request.
        object: the new object; None for a delete. Mutating plugins change it in place.
        old_object: the object as it is stored; None for a create.
    """

    operation: str
    resource: ApiResource
    context: Context
    object: JsonObject | None
    old_object: JsonObject | None = None


class Plugin:
    """One admission plugin. Raise a StatusError to refuse."""

    async def admit(self, attributes: Attributes) -> None:
        """Change the object before it is validated."""

    async def validate(self, attributes: Attributes) -> None:
        """Refuse the object after it was validated."""


def _built_in() -> list[Plugin]:
    from kubewright.server.unenforced import Unenforced

    return [Unenforced()]


@dataclass(slots=True)
class Admission:
    """The plugins, in the order they are asked."""

    plugins: list[Plugin] = field(default_factory=_built_in)

    async def admit(self, attributes: Attributes) -> None:
        """Let every plugin change the object."""
        for plugin in self.plugins:
            await plugin.admit(attributes)

    async def validate(self, attributes: Attributes) -> None:
        """Let every plugin refuse the object."""
        for plugin in self.plugins:
            await plugin.validate(attributes)
