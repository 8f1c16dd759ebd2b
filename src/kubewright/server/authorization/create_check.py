"""Creating by another verb takes the right to create: an apply or a PUT of an object that is not there."""

from __future__ import annotations

from kubewright.server import admission
from kubewright.server.authorization.attributes import Attributes
from kubewright.server.authorization.authorizer import Authorizer


class CreateCheck(admission.Plugin):
    """Refuses creations by ``patch`` and ``update`` of those who may not ``create``."""

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    async def validate(self, attributes: admission.Attributes) -> None:
        """Refuse what was authorised as a change and turned out to be a creation."""
        context = attributes.context
        if attributes.operation != "CREATE" or context.verb == "create":
            return
        self._authorizer.check(
            Attributes(
                context.user,
                "create",
                group=context.group,
                version=context.version,
                resource=context.resource,
                namespace=context.namespace,
                name=context.name,
            )
        )
