"""What a server begins with for users: reviews and tokens, and the roles that every cluster has."""

from __future__ import annotations

import gzip
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from kubewright import clock
from kubewright.objects import ApiResource, JsonObject
from kubewright.server import media
from kubewright.server.authentication.reviews import (
    TokenRequestStrategy,
    self_subject_review,
    token_request,
    token_review,
)
from kubewright.server.authorization.aggregation import ClusterRoleStrategy
from kubewright.server.authorization.reviews import access_review, rules_review
from kubewright.server.builtin.catalog import schema_of
from kubewright.server.builtin.strategy import Behaviour, BuiltinStrategy
from kubewright.server.registry import Action, ResourceDefinition

if TYPE_CHECKING:
    from kubewright.server.server import Server

_RBAC = "rbac.authorization.k8s.io"
_TOKEN_REQUEST = ApiResource(
    group="authentication.k8s.io", version="v1", kind="TokenRequest", plural="serviceaccounts", namespaced=True
)


def with_access(server: Server, definition: ResourceDefinition) -> ResourceDefinition:
    """``definition``, with what it needs of the server's authentication and authorisation."""
    name = definition.resource.group_resource
    action = _reviews(server).get(name)
    if action is not None:
        return replace(definition, missing="", answer_create=action)
    if name == "serviceaccounts":
        missing = definition.missing_subresources - {"token"}
        return replace(definition, creates={"token": _token(server)}, missing_subresources=missing)
    if name == f"clusterroles.{_RBAC}":
        plain = definition.strategy
        assert isinstance(plain, BuiltinStrategy)  # noqa: S101 - the catalog's
        made = replace(definition, strategy=ClusterRoleStrategy(plain, lambda: server.resource_store(made)))
        return made
    return definition


def _reviews(server: Server) -> dict[str, Action]:
    access = access_review(server.authorizer)
    return {
        "tokenreviews.authentication.k8s.io": token_review(server.authenticator),
        "selfsubjectreviews.authentication.k8s.io": self_subject_review,
        "subjectaccessreviews.authorization.k8s.io": access,
        "selfsubjectaccessreviews.authorization.k8s.io": access,
        "localsubjectaccessreviews.authorization.k8s.io": access,
        "selfsubjectrulesreviews.authorization.k8s.io": rules_review(server.authorizer),
    }


def _token(server: Server) -> ResourceDefinition:
    resource = _TOKEN_REQUEST
    return ResourceDefinition(
        resource=resource,
        schema=schema_of(resource, "core__v1"),
        strategy=TokenRequestStrategy(resource.api_version, resource.kind, Behaviour()),
        answer_create=token_request(server.authenticator),
    )


@cache
def _recorded() -> bytes:
    return gzip.decompress(files("kubewright.server").joinpath("data/rbac.json.gz").read_bytes())


def put_roles(server: Server, now: str) -> None:
    """Store the roles and bindings that a new cluster has."""
    for plural, items in media.decode(_recorded()).items():
        definition = server.resources.stored(_RBAC, plural)
        if definition is None:
            continue
        store = server.resource_store(definition)
        kind = definition.resource.kind
        for item in items:
            meta = item["metadata"]
            if store.key(meta.get("namespace", ""), meta["name"]) in store.table.objects:
                continue
            store.replace_unchecked(_begun(kind, item, now))


def restore_signing_key(server: Server) -> None:
    """Let the tokens of service accounts outlive the server, where its objects do."""
    if server.data is not None:
        from kubewright.server.authentication.service_accounts import new_signing_key

        server.authenticator.signing_key = server.data.secret("service-accounts.pem", new_signing_key)


def _begun(kind: str, item: JsonObject, now: str) -> JsonObject:
    meta = {**item["metadata"], "uid": clock.uuid4(), "creationTimestamp": now}
    for entry in meta.get("managedFields") or ():
        entry["time"] = now
    return {"apiVersion": f"{_RBAC}/v1", "kind": kind, **item, "metadata": meta}
