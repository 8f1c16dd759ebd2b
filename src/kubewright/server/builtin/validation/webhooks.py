"""What is refused in MutatingWebhookConfigurations and ValidatingWebhookConfigurations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from kubewright.objects import JsonObject
from kubewright.server import status
from kubewright.server.builtin.validation.common import label_selector
from kubewright.server.context import Context
from kubewright.server.fielderrors import FieldError, duplicate, invalid, not_supported, required, too_many
from kubewright.server.names import dns_subdomain_problems, qualified_name_problems
from kubewright.server.schema.cel import BadExpression, check_condition

_VARIABLES = ("object", "oldObject", "request")
_VERSIONS = ("v1", "v1beta1")
_OPERATIONS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"]
_FORM = "; desired format: https://host[/path]"
_MOST_CONDITIONS = 64


def webhook_configuration(obj: JsonObject, context: Context) -> list[FieldError]:
    """A configuration of either kind."""
    errors: list[FieldError] = []
    names: set[str] = set()
    for index, hook in enumerate(obj.get("webhooks") or ()):
        here = f"webhooks[{index}]"
        errors += _webhook(hook, here, mutating=obj["kind"].startswith("Mutating"))
        name = hook.get("name", "")
        if name in names:
            errors.append(duplicate(f"{here}.name", name))
        elif name:
            names.add(name)
    return errors


def _webhook(hook: JsonObject, here: str, *, mutating: bool) -> list[FieldError]:
    errors = _qualified_name(hook.get("name", ""), f"{here}.name")
    for index, rule in enumerate(hook.get("rules") or ()):
        errors += _rule(rule, f"{here}.rules[{index}]")
    errors += _one_of(hook, here, "failurePolicy", ["Fail", "Ignore"])
    errors += _one_of(hook, here, "matchPolicy", ["Equivalent", "Exact"])
    harmless = ["None", "NoneOnDryRun"]
    if hook.get("sideEffects") is None:
        errors.append(required(f"{here}.sideEffects", f"must specify one of {', '.join(harmless)}"))
    errors += _one_of(hook, here, "sideEffects", harmless)
    seconds = hook.get("timeoutSeconds")
    if seconds is not None and not 1 <= seconds <= 30:
        why = "the timeout value must be between 1 and 30 seconds"
        errors.append(invalid(f"{here}.timeoutSeconds", seconds, why))
    for name in ("namespaceSelector", "objectSelector"):
        if hook.get(name):
            errors += label_selector(hook[name], f"{here}.{name}")
    if mutating:
        errors += _one_of(hook, here, "reinvocationPolicy", ["IfNeeded", "Never"])
    errors += _client_config(hook.get("clientConfig") or {}, f"{here}.clientConfig")
    errors += _conditions(hook.get("matchConditions") or (), f"{here}.matchConditions")
    return errors + _review_versions(hook.get("admissionReviewVersions") or (), f"{here}.admissionReviewVersions")


def _one_of(hook: JsonObject, here: str, name: str, allowed: Sequence[str]) -> list[FieldError]:
    value = hook.get(name)
    return [] if value is None or value in allowed else [not_supported(f"{here}.{name}", value, allowed)]


def _qualified_name(name: str, path: str) -> list[FieldError]:
    if not name:
        return [required(path)]
    errors = [invalid(path, name, problem) for problem in dns_subdomain_problems(name)]
    if not errors and name.count(".") < 2:
        why = "should be a domain with at least three segments separated by dots"
        errors.append(invalid(path, name, why))
    return errors


def _rule(rule: JsonObject, here: str) -> list[FieldError]:
    errors = []
    operations = rule.get("operations") or []
    if not operations:
        errors.append(required(f"{here}.operations"))
    if len(operations) > 1 and "*" in operations:
        why = "if '*' is present, must not specify other operations"
        errors.append(invalid(f"{here}.operations", operations, why))
    errors += [
        not_supported(f"{here}.operations[{index}]", operation, _OPERATIONS)
        for index, operation in enumerate(operations)
        if operation not in _OPERATIONS
    ]
    for name, what in (("apiGroups", "API groups"), ("apiVersions", "API versions")):
        values = rule.get(name) or []
        if not values:
            errors.append(required(f"{here}.{name}"))
        if len(values) > 1 and "*" in values:
            why = f"if '*' is present, must not specify other {what}"
            errors.append(invalid(f"{here}.{name}", values, why))
        if name == "apiVersions":
            errors += [required(f"{here}.{name}[{index}]") for index, value in enumerate(values) if not value]
    errors += _resources(rule.get("resources") or [], f"{here}.resources")
    return errors + _one_of(rule, here, "scope", ["*", "Cluster", "Namespaced"])


def _resources(resources: Sequence[str], here: str) -> list[FieldError]:
    errors = [] if resources else [required(here)]
    all_of: set[str] = set()
    all_with: set[str] = set()
    plain = False
    for index, word in enumerate(resources):
        path = f"{here}[{index}]"
        if not word:
            errors.append(required(path))
            continue
        resource, slash, sub = word.partition("/")
        if not slash:
            plain = word != "*"
            continue
        if resource in all_of:
            errors.append(invalid(path, word, f"if '{resource}/*' is present, must not specify {word}"))
        if sub in all_with:
            errors.append(invalid(path, word, f"if '*/{sub}' is present, must not specify {word}"))
        if sub == "*":
            all_of.add(resource)
        if resource == "*":
            all_with.add(sub)
    shown = list(resources)
    if len(resources) > 1 and "*/*" in resources:
        errors.append(invalid(here, shown, "if '*/*' is present, must not specify other resources"))
    if "*" in resources and plain:
        why = "if '*' is present, must not specify other resources without subresources"
        errors.append(invalid(here, shown, why))
    return errors


def _client_config(config: JsonObject, here: str) -> list[FieldError]:
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        return [required(here, "exactly one of url or service is required")]
    if url is not None:
        return _url(url, f"{here}.url")
    assert service is not None  # noqa: S101 - one of the two
    errors = [required(f"{here}.service.{name}") for name in ("name", "namespace") if not service.get(name)]
    port = service.get("port", 443)
    if not 1 <= port <= 65535:
        why = "port is not valid: must be between 1 and 65535, inclusive"
        errors.append(invalid(f"{here}.service.port", port, why))
    return errors + _service_path(service.get("path"), f"{here}.service.path")


def _url(url: str, path: str) -> list[FieldError]:
    parts = urlsplit(url)
    errors = []
    if parts.scheme != "https":
        errors.append(invalid(path, parts.scheme, f"'https' is the only allowed URL scheme{_FORM}"))
    host = parts.netloc.rpartition("@")[2]
    if not host:
        errors.append(invalid(path, "", f"host must be specified{_FORM}"))
    if "@" in parts.netloc:
        who = parts.netloc.rpartition("@")[0]
        errors.append(invalid(path, who, "user information is not permitted in the URL"))
    if parts.fragment:
        errors.append(invalid(path, parts.fragment, "fragments are not permitted in the URL"))
    if parts.query:
        errors.append(invalid(path, parts.query, "query parameters are not permitted in the URL"))
    return errors


def _service_path(path: str | None, here: str) -> list[FieldError]:
    if not path or path == "/":
        return []
    if path == "//":
        return [invalid(here, path, "segment[0] may not be empty")]
    errors = [] if path.startswith("/") else [invalid(here, path, "must start with a '/'")]
    for index, step in enumerate(path[1:].removesuffix("/").split("/")):
        if not step:
            errors.append(invalid(here, path, f"segment[{index}] may not be empty"))
            continue
        errors += [invalid(here, path, f"segment[{index}]: {why}") for why in dns_subdomain_problems(step)]
    return errors


def _review_versions(versions: Sequence[str], here: str) -> list[FieldError]:
    known = ", ".join(_VERSIONS)
    if not versions:
        return [required(here, f"must specify one of {known}")]
    errors = [
        invalid(f"{here}[{index}]", version, "duplicate version")
        for index, version in enumerate(versions)
        if version in versions[:index]
    ]
    if not set(versions) & set(_VERSIONS):
        errors.append(invalid(here, list(versions), f"must include at least one of {known}"))
    return errors


def _conditions(conditions: Sequence[JsonObject], here: str) -> list[FieldError]:
    errors: list[FieldError] = []
    if len(conditions) > _MOST_CONDITIONS:
        errors.append(too_many(here, len(conditions), _MOST_CONDITIONS))
    names: set[str] = set()
    for index, condition in enumerate(conditions):
        path = f"{here}[{index}]"
        expression = condition.get("expression", "").strip()
        if not expression:
            errors.append(required(f"{path}.expression"))
        elif re.search(r"\bauthorizer\b", expression):
            raise status.not_implemented("the variable authorizer in match conditions")
        else:
            try:
                check_condition(expression, _VARIABLES)
            except BadExpression as error:
                errors.append(invalid(f"{path}.expression", expression, str(error)))
        name = condition.get("name", "")
        if not name:
            errors.append(required(f"{path}.name"))
        elif name in names:
            errors.append(duplicate(f"{path}.name", name))
        else:
            errors += [invalid(f"{path}.name", name, why) for why in qualified_name_problems(name)]
        names.add(name)
    return errors
