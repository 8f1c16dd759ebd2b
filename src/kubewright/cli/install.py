"""Installs the CustomResourceDefinitions of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewright import clock
from kubewright.cli.describe import describe
from kubewright.errors import ApiError, Forbidden, KubewrightError, NotFound
from kubewright.objects import ApiResource, JsonObject

if TYPE_CHECKING:
    from kubewright.client import Client

FIELD_MANAGER = "kubewright"
ESTABLISHED_SECONDS = 30.0
POLL_SECONDS = 0.02

_DEFINITIONS = ApiResource(
    group="apiextensions.k8s.io",
    version="v1",
    kind="CustomResourceDefinition",
    plural="customresourcedefinitions",
    namespaced=False,
)


async def install_definition(client: Client, manifest: JsonObject) -> None:
    """Create or update one CRD, and wait until it is served.

    Raises:
        KubewrightError: we may not, the server refuses it, or does not come to serve it.
    """
    name = manifest["metadata"]["name"]
    try:
        await client.apply(manifest, field_manager=FIELD_MANAGER, force=True)
    except Forbidden as error:
        raise KubewrightError(
            f"cannot install the CRD {name}: {error}",
            hint="installing a CRD is a cluster administrator's right: ask one to apply deploy/crds, "
            "or use a context that may",
        ) from error
    except ApiError as error:
        raise KubewrightError(
            f"the server refuses the CRD {name}: {error}", hint="correct the type it is made from"
        ) from error
    resource = _resource(manifest)
    deadline = clock.monotonic() + ESTABLISHED_SECONDS
    while not (state := describe((await client.get(_DEFINITIONS, name)).to_dict())).done:
        if clock.monotonic() > deadline or "not accepted" in state.words:
            raise KubewrightError(
                f"the CRD {name} is not served: {state.words}",
                hint=f"look at it with: kubectl get crd {name} -o yaml",
            )
        await clock.sleep(POLL_SECONDS)
    # Established comes a moment before the first request is answered.
    while not await _is_served(client, resource) and clock.monotonic() < deadline:
        await clock.sleep(POLL_SECONDS)


def _resource(manifest: JsonObject) -> ApiResource:
    spec = manifest["spec"]
    served = [version["name"] for version in spec["versions"] if version["served"]]
    return ApiResource(
        group=spec["group"],
        version=served[0],
        kind=spec["names"]["kind"],
        plural=spec["names"]["plural"],
        namespaced=spec["scope"] == "Namespaced",
    )


async def _is_served(client: Client, resource: ApiResource) -> bool:
    try:
        await client.list(resource, limit=1)
    except NotFound:
        return False
    except Forbidden:
        return True
    return True
