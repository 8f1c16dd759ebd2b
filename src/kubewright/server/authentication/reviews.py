"""What clients ask about users: TokenReview, SelfSubjectReview, and TokenRequest for a token of an account."""

from __future__ import annotations

from datetime import datetime, timedelta

from kubewright.objects import JsonObject, parse_api_version
from kubewright.server import fielderrors, status
from kubewright.server.authentication.authenticator import API_AUDIENCES, Authenticator, TokenRefused
from kubewright.server.authentication.users import user_info
from kubewright.server.builtin.strategy import BuiltinStrategy
from kubewright.server.context import Context
from kubewright.server.gotext import quote
from kubewright.server.registry import Action, ActionRequest

GROUP = "authentication.k8s.io"
_DEFAULT_SECONDS = 3600
_MIN_SECONDS = 600
_MAX_SECONDS = 2**32


class TokenRequestStrategy(BuiltinStrategy):
    """A TokenRequest's defaults."""

    def default(self, obj: JsonObject) -> None:
        """An hour."""
        super().default(obj)
        if obj["spec"].get("expirationSeconds") is None:
            obj["spec"]["expirationSeconds"] = _DEFAULT_SECONDS


def token_review(authenticator: Authenticator) -> Action:
    """Whom a token stands for."""

    async def answer(asked: ActionRequest) -> JsonObject:
        review = asked.body or {}
        spec = review["spec"]
        if not spec.get("token"):
            raise status.bad_request("token is required for TokenReview in authentication")
        try:
            found = authenticator.review(spec["token"], spec.get("audiences") or API_AUDIENCES)
        except TokenRefused as refused:
            review["status"] = {"user": {}, "error": str(refused)}
        else:
            review["status"] = {
                "authenticated": True,
                "user": user_info(found.user),
                "audiences": list(found.audiences),
            }
        return review

    return answer


async def self_subject_review(asked: ActionRequest) -> JsonObject:
    """Who asks."""
    context = asked.context
    return {
        "kind": "SelfSubjectReview",
        "apiVersion": f"{GROUP}/v1",
        "metadata": {"creationTimestamp": context.now},
        "status": {"userInfo": user_info(context.user)},
    }


def token_request(authenticator: Authenticator) -> Action:
    """A token of the service account that the path names."""

    async def answer(asked: ActionRequest) -> JsonObject:
        request, context = asked.body or {}, asked.context
        meta, spec = request["metadata"], request["spec"]
        if meta.get("name") and meta["name"] != context.name:
            why = "must match the service account name if specified"
            error = fielderrors.invalid("metadata.name", meta["name"], why)
            raise status.invalid(GROUP, "TokenRequest", context.name, [error])
        account = context.lookups.get("", "serviceaccounts", context.namespace, context.name)
        if account is None:
            raise status.not_found("", "serviceaccounts", context.name)
        uid = account["metadata"]["uid"]
        if meta.get("uid") and meta["uid"] != uid:
            given = meta["uid"]
            why = f"the UID in the token request ({given}) does not match the UID of the service account ({uid})"
            raise status.conflict(GROUP, "TokenRequest", context.name, why)
        audiences = spec["audiences"] = spec.get("audiences") or list(API_AUDIENCES)
        meta |= {"name": context.name, "uid": uid, "creationTimestamp": context.now}
        seconds = spec["expirationSeconds"]
        _check_seconds(seconds)
        bound = _bound(spec.get("boundObjectRef"), context)
        expires = datetime.fromisoformat(context.now) + timedelta(seconds=seconds)
        request["status"] = {
            "token": authenticator.service_accounts.issue(account, audiences, seconds, bound),
            "expirationTimestamp": expires.isoformat().replace("+00:00", "Z"),
        }
        return request

    return answer


def _check_seconds(seconds: int) -> None:
    why = ""
    if seconds < _MIN_SECONDS:
        why = "may not specify a duration less than 10 minutes"
    elif seconds > _MAX_SECONDS:
        why = "may not specify a duration larger than 2^32 seconds"
    if why:
        error = fielderrors.invalid("spec.expirationSeconds", seconds, why)
        raise status.invalid(GROUP, "TokenRequest", "", [error])


def _bound(reference: JsonObject | None, context: Context) -> dict[str, JsonObject | None]:
    """The objects that the token is to live as long as."""
    if reference is None:
        return {}
    group, version = parse_api_version(reference.get("apiVersion", ""))
    kind, name = reference.get("kind", ""), reference.get("name", "")
    if group or kind not in ("Pod", "Secret", "Node"):
        shown = f"{group}/{version}, Kind={kind}"
        raise status.bad_request(f"cannot bind token to object of type {shown}")
    plural = f"{kind.lower()}s"
    found = context.lookups.get("", plural, "" if kind == "Node" else context.namespace, name)
    if found is None:
        raise status.not_found("", plural, name)
    bound: dict[str, JsonObject | None] = {kind.lower(): found}
    if kind == "Pod":
        if found["spec"].get("serviceAccountName") != context.name:
            raise status.bad_request(
                f"cannot bind token for serviceaccount {quote(context.name)} to pod running with different "
                "serviceaccount name."
            )
        node = found["spec"].get("nodeName")
        if node:
            bound["node"] = context.lookups.get("", "nodes", "", node) or {"metadata": {"name": node}}
    uid = found["metadata"]["uid"]
    if reference.get("uid") and reference["uid"] != uid:
        why = (
            f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record. "
            "The object might have been deleted and then recreated"
        )
        raise status.conflict("", kind, name, why)
    return bound
