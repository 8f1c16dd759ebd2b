"""JSON patches that test what they change: a test that fails is a conflict."""

from __future__ import annotations

from kubewright.client import Client
from kubewright.errors import Conflict, Invalid
from kubewright.objects import JsonObject, Object, ObjectKey, RawObject


async def guarded_patch(
    client: Client,
    kind: type[Object],
    key: ObjectKey,
    operations: list[JsonObject],
    *,
    manager: str,
    subresource: str = "",
) -> RawObject:
    """Send ``operations``, the first of which are tests.

    Raises:
        Conflict: a test failed; the API server tells it as 422 without causes.
    """
    try:
        return await client.patch(
            kind.api_resource,
            key.name,
            operations,
            "json",
            key.namespace,
            subresource=subresource,
            field_manager=manager,
        )
    except Invalid as error:
        if error.causes:
            raise
        raise Conflict(f"{kind.kind} {key} changed meanwhile") from error
