"""What clients ask about permissions: the SubjectAccessReview family and SelfSubjectRulesReview."""

from __future__ import annotations

from kubewright.objects import JsonObject
from kubewright.server import fielderrors, metadata, status
from kubewright.server.authorization.attributes import Attributes
from kubewright.server.authorization.authorizer import Authorizer
from kubewright.server.authorization.rules import Rule
from kubewright.server.context import UserInfo
from kubewright.server.fielderrors import FieldError
from kubewright.server.gotext import Verbatim, json_text
from kubewright.server.media import encode
from kubewright.server.registry import Action, ActionRequest

GROUP = "authorization.k8s.io"
_ONE_OF = "exactly one of nonResourceAttributes or resourceAttributes must be specified"


def access_review(authorizer: Authorizer) -> Action:
    """Whether a user may do something; of a SelfSubjectAccessReview, whether who asks may."""

    async def answer(asked: ActionRequest) -> JsonObject:
        review = asked.body or {}
        spec = review["spec"]
        errors = _errors(review)
        if errors:
            # apiserver looks for the kind where decoding has already removed it.
            raise status.invalid(GROUP, "", "", errors)
        user = asked.context.user if review["kind"].startswith("Self") else _user(spec)
        decision = authorizer.decide(_attributes(user, spec))
        review["status"] = {"allowed": decision.allowed}
        if decision.reason:
            review["status"]["reason"] = decision.reason
        return review

    return answer


def rules_review(authorizer: Authorizer) -> Action:
    """What who asks may do in a namespace."""

    async def answer(asked: ActionRequest) -> JsonObject:
        spec = (asked.body or {}).get("spec") or {}
        if not spec.get("namespace"):
            raise status.bad_request("no namespace on request")
        found = authorizer.grants(asked.context.user, spec["namespace"])
        rules = [grant.rule for grant in found.grants]
        outcome: JsonObject = {
            "resourceRules": [_resource_rule(rule) for rule in rules if rule.resources],
            "nonResourceRules": [
                {"verbs": list(rule.verbs), "nonResourceURLs": list(rule.urls)} for rule in rules if rule.urls
            ],
            "incomplete": False,
        }
        if found.errors:
            errors = list(dict.fromkeys(found.errors))
            outcome["evaluationError"] = errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"
        return {
            "kind": "SelfSubjectRulesReview",
            "apiVersion": f"{GROUP}/v1",
            "metadata": {},
            "spec": {},
            "status": outcome,
        }

    return answer


def _resource_rule(rule: Rule) -> JsonObject:
    made: JsonObject = {
        "verbs": list(rule.verbs),
        "apiGroups": list(rule.groups),
        "resources": list(rule.resources),
    }
    if rule.names:
        made["resourceNames"] = list(rule.names)
    return made


def _errors(review: JsonObject) -> list[FieldError]:
    spec, errors = review["spec"], []
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if (resource is None) == (path is None):
        shown = "null" if path is None else _go_json(path)
        errors.append(fielderrors.invalid("spec", Verbatim(shown), _ONE_OF))
    if not review["kind"].startswith("Self") and not spec.get("user") and not spec.get("groups"):
        errors.append(fielderrors.invalid("spec.user", "", "at least one of user or group must be specified"))
    local = review["kind"] == "LocalSubjectAccessReview"
    errors += _metadata_errors(review["metadata"], local=local)
    if local:
        namespace = review["metadata"].get("namespace", "")
        if resource is not None and resource.get("namespace", "") != namespace:
            given = resource.get("namespace", "")
            errors.append(
                fielderrors.invalid("spec.resourceAttributes.namespace", given, "must match metadata.namespace")
            )
        if path is not None:
            why = "disallowed on this kind of request"
            errors.append(fielderrors.invalid("spec.nonResourceAttributes", Verbatim(_go_json(path)), why))
    return errors


def _metadata_errors(meta: JsonObject, *, local: bool) -> list[FieldError]:
    allowed = {"managedFields", "namespace"} if local else {"managedFields"}
    if not meta.keys() - allowed:
        return []
    why = "must be empty except for namespace" if local else "must be empty"
    return [fielderrors.invalid("metadata", Verbatim(encode(metadata.ordered(meta)).decode()), why)]


def _go_json(path: JsonObject) -> str:
    return f'{{"Path":{json_text(path.get("path", ""))},"Verb":{json_text(path.get("verb", ""))}}}'


def _user(spec: JsonObject) -> UserInfo:
    extra = {key: tuple(values) for key, values in (spec.get("extra") or {}).items()}
    return UserInfo(spec.get("user", ""), spec.get("uid", ""), tuple(spec.get("groups") or ()), extra)


def _attributes(user: UserInfo, spec: JsonObject) -> Attributes:
    resource = spec.get("resourceAttributes")
    if resource is None:
        path = spec["nonResourceAttributes"]
        return Attributes(user, path.get("verb", ""), path=path.get("path", ""))
    return Attributes(
        user,
        resource.get("verb", ""),
        group=resource.get("group", ""),
        version=resource.get("version") or "*",
        resource=resource.get("resource", ""),
        subresource=resource.get("subresource", ""),
        namespace=resource.get("namespace", ""),
        name=resource.get("name", ""),
    )
