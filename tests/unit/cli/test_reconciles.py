from __future__ import annotations

from pathlib import Path
from typing import Any

from kubewright.cli.reconciles import failed, is_telling, line
from kubewright.objects import ObjectKey
from kubewright.runtime import Reason, ReconcileRecord, Write

KEY = ObjectKey("default", "nginx-app")


def made(*writes: Write, **more: Any) -> ReconcileRecord:
    values: dict[str, Any] = {
        "controller": "appservice",
        "kind": "AppService",
        "key": KEY,
        "reconcile_id": "1",
        "reasons": (Reason("added", "AppService", KEY),),
        "writes": writes,
        "outcome": "done",
        "ready": True,
        "message": "",
        "error": None,
        "seconds": 0.0123,
        "again": None,
    }
    return ReconcileRecord(**values | more)


def test_what_was_written() -> None:
    record = made(
        Write("create", "deployments.apps", KEY, status=201),
        Write("apply", "services", KEY, status=409),
        Write("apply", "services", KEY, status=200, changed=False),
        Write("patch", "appservices.app.example.com", KEY, "status", status=200),
    )
    assert is_telling(record)
    assert not failed(record)
    assert line(record, Path("/src")) == (
        "AppService default/nginx-app: created deployments.apps nginx-app, "
        "patched appservices.app.example.com/status nginx-app (12 ms; AppService default/nginx-app added)"
    )


def test_nothing_came_of_it() -> None:
    assert not is_telling(made())
    assert not is_telling(made(outcome="gone", ready=None))


def test_an_error_in_the_user_s_code_names_its_line() -> None:
    try:
        raise KeyError("image")
    except KeyError as error:
        record = made(outcome="error", message="KeyError: 'image'", error=error, again=0.5, ready=None)
    assert is_telling(record)
    assert failed(record)
    said = line(record, Path(__file__).parent)
    assert f"error: {__file__}:" in said
    assert "KeyError: 'image', again in 0.5 s" in said
    assert f"{__file__}:" not in line(record, Path("/elsewhere"))


def test_what_is_waited_for() -> None:
    record = made(outcome="waiting", message="Secret default/token is not there yet", ready=False)
    assert is_telling(record)
    assert not failed(record)
    assert "waiting: Secret default/token is not there yet" in line(record, Path("/src"))
