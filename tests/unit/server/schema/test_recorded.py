"""Custom resources' validation, as the real API server answered it.

``KUBEWRIGHT_RECORD=1`` together with ``-m real`` writes the recordings anew.
"""

from __future__ import annotations

import copy
import importlib.util
import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubewright.server.fielderrors import aggregate
from kubewright.server.schema import apply_defaults, from_crd, prune, rule_definition_errors, validate
from kubewright.server.schema.cel import rule_errors

HERE = Path(__file__).parent
GROUP = "h5schema.kubewright.dev"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"kubewright_schema_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CASES = _load("cases")
RULES = _load("rules")
SCHEMA = {"type": "object", "properties": {"spec": {"type": "object", "properties": CASES.FIELDS}}}
LAX = {"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}
ASKED = [(name, value) for name, values in CASES.VALUES.items() for value in values]


def thing(name: str, value: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Thing",
        "metadata": {"name": "x"},
        "spec": {name: copy.deepcopy(value)},
    }


def crd(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Cluster",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def causes(answer: Any) -> list[dict[str, str]]:
    return sorted(answer.get("details", {}).get("causes", []), key=lambda cause: (cause["field"], cause["message"]))


def recorded(name: str) -> Any:
    return json.loads((HERE / "recorded" / name).read_text())


def keep(name: str, answers: Any) -> None:
    """Write the recording, or compare with it."""
    file = HERE / "recorded" / name
    if os.environ.get("KUBEWRIGHT_RECORD"):
        file.write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n")
    else:
        assert json.loads(file.read_text()) == answers


def without_numbers(cause: dict[str, Any]) -> dict[str, Any]:
    """The API server numbers the types of ``self`` by its clock."""
    return {**cause, "message": re.sub(r"selfType\d+", "selfType", cause["message"])}


@pytest.fixture
def definition(real_api: Any) -> Iterator[Any]:
    name = f"things.{GROUP}"

    def install(schema: dict[str, Any], probe: dict[str, Any] | None = None) -> None:
        status, live = real_api("GET", f"{CRDS}/{name}")
        wanted = crd(schema)
        if status == 200:
            wanted["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
            status, answer = real_api("PUT", f"{CRDS}/{name}", wanted)
        else:
            status, answer = real_api("POST", CRDS, wanted)
        assert status in (200, 201), answer
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            code, _ = real_api("POST", f"/apis/{GROUP}/v1/things", probe or thing("text", "x"), dryRun="All")
            if code == (422 if probe else 201):
                break
            time.sleep(0.1)
        time.sleep(1)

    yield install
    real_api("DELETE", f"{CRDS}/{name}")
    deadline = time.monotonic() + 20
    while real_api("GET", f"{CRDS}/{name}")[0] != 404 and time.monotonic() < deadline:
        time.sleep(0.1)


@pytest.mark.real
def test_the_recorded_creates_are_the_real_answers(real_api: Any, definition: Any) -> None:
    definition(SCHEMA)
    answers = []
    for name, value in ASKED:
        code, answer = real_api("POST", f"/apis/{GROUP}/v1/things", thing(name, value), dryRun="All")
        entry: dict[str, Any] = {"field": name, "value": value, "code": code}
        if code == 201:
            entry["spec"] = answer["spec"]
            entry["warnings"] = re.findall(r'unknown field \\"(.*?)\\"', " ".join(real_api.warnings))
        else:
            entry["causes"] = causes(answer)
        answers.append(entry)
    keep("creates.json", answers)


@pytest.mark.real
def test_the_recorded_updates_are_the_real_answers(real_api: Any, definition: Any) -> None:
    definition(LAX)
    for index, (name, before, _) in enumerate(CASES.UPDATES):
        obj = thing(name, before)
        obj["metadata"]["name"] = f"u{index}"
        code, answer = real_api("POST", f"/apis/{GROUP}/v1/things", obj)
        assert code in (201, 409), answer
    definition(SCHEMA, thing("bounded", 99))
    answers = []
    for index, (name, before, now) in enumerate(CASES.UPDATES):
        patch = {"metadata": {"annotations": {"touched": "yes"}}, "spec": {name: None}}
        url = f"/apis/{GROUP}/v1/things/u{index}"
        _, live = real_api("GET", url)
        obj = {**live, "spec": {name: now}, "metadata": {**live["metadata"], **patch["metadata"]}}
        code, answer = real_api("PUT", url, obj, dryRun="All")
        answers.append({"field": name, "before": before, "now": now, "code": code, "causes": causes(answer)})
    keep("updates.json", answers)


@pytest.mark.parametrize(
    "entry", recorded("creates.json"), ids=lambda entry: f"{entry['field']}={entry['value']!r}"[:60]
)
def test_a_create_is_answered_as_recorded(entry: dict[str, Any]) -> None:
    schema = from_crd(SCHEMA)
    obj = thing(entry["field"], entry["value"])
    apply_defaults(schema, obj)
    unknown = prune(schema, obj)
    errors = validate(schema, obj)
    ours = sorted((error.cause() for error in errors), key=lambda cause: (cause["field"], cause["message"]))
    assert ours == entry.get("causes", []), aggregate(errors) if errors else ""
    if entry["code"] == 201:
        assert obj["spec"] == entry["spec"]
        assert unknown == entry["warnings"]


@pytest.mark.parametrize("entry", recorded("updates.json"), ids=lambda entry: f"{entry['field']}"[:60])
def test_an_update_is_answered_as_recorded(entry: dict[str, Any]) -> None:
    schema = from_crd(SCHEMA)
    old, new = thing(entry["field"], entry["before"]), thing(entry["field"], entry["now"])
    apply_defaults(schema, old)
    apply_defaults(schema, new)
    prune(schema, new)
    errors = validate(schema, new, old)
    ours = sorted((error.cause() for error in errors), key=lambda cause: (cause["field"], cause["message"]))
    assert ours == entry["causes"]


def with_rule(rule: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": RULES.PROPERTIES, "x-kubernetes-validations": [rule]}


def whole(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@pytest.mark.real
@pytest.mark.timeout(300)
def test_the_recorded_rules_are_the_real_answers(real_api: Any, definition: Any) -> None:
    refused, accepted = [], []
    for rule in RULES.RULES:
        candidate = {**crd(whole(spec=with_rule(rule))), "metadata": {"name": f"tries.{GROUP}"}}
        candidate["spec"]["names"] = {"plural": "tries", "kind": "Try"}
        code, answer = real_api("POST", CRDS, candidate, dryRun="All")
        if code == 201:
            accepted.append(rule)
        else:
            refused.append(
                {"rule": rule, "causes": [without_numbers(cause) for cause in answer["details"]["causes"]]}
            )
    answered = []
    for start in range(0, len(accepted), 30):
        batch = accepted[start : start + 30]
        fields = {f"r{start + at}": with_rule(rule) for at, rule in enumerate(batch)}
        fields["probe"] = {"type": "integer", "maximum": start}
        definition(whole(spec=whole(**fields)), thing("probe", start + 1))
        _, answer = real_api(
            "POST",
            f"/apis/{GROUP}/v1/things",
            {**thing("probe", 0), "spec": dict.fromkeys(fields.keys() - {"probe"}, RULES.VALUE)},
            dryRun="All",
        )
        for at, rule in enumerate(batch):
            where = f"spec.r{start + at}"
            own = [
                {**cause, "field": "spec" + cause["field"].removeprefix(where)}
                for cause in answer.get("details", {}).get("causes", [])
                if re.match(rf"{re.escape(where)}(?![0-9])", cause["field"])
            ]
            answered.append({"rule": rule, "causes": own})
    keep("cel.json", {"refused": refused, "accepted": answered})


CEL = recorded("cel.json")


def known_difference(rule: dict[str, Any]) -> bool:
    return rule.get("messageExpression", rule["rule"]) in RULES.KNOWN_DIFFERENCES


@pytest.mark.parametrize("entry", CEL["refused"], ids=lambda entry: entry["rule"]["rule"][:50])
def test_a_rule_is_refused_as_recorded(entry: dict[str, Any]) -> None:
    schema = from_crd(whole(spec=with_rule(entry["rule"])))
    ours = [error.cause() for error in rule_definition_errors(schema, "spec.validation.openAPIV3Schema")]
    if known_difference(entry["rule"]):
        assert ours != entry["causes"], "no difference any more: strike it from the list"
    else:
        assert ours == entry["causes"]


@pytest.mark.parametrize("entry", CEL["accepted"], ids=lambda entry: entry["rule"]["rule"][:50])
def test_a_rule_holds_or_fails_as_recorded(entry: dict[str, Any]) -> None:
    schema = from_crd(whole(spec=with_rule(entry["rule"])))
    assert rule_definition_errors(schema, "x") == []
    obj = {"apiVersion": "x/v1", "kind": "C", "metadata": {"name": "x"}, "spec": RULES.VALUE}
    ours = [error.cause() for error in rule_errors(schema, obj, None, None)]
    if known_difference(entry["rule"]):
        assert ours != entry["causes"], "no difference any more: strike it from the list"
    else:
        assert ours == entry["causes"]
