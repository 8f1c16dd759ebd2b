from __future__ import annotations

import json
import logging

from kubewright.cli.logs import ConsoleFormatter, JsonFormatter


def record(error: Exception | None = None) -> logging.LogRecord:
    made = logging.LogRecord(
        "kubewright.x",
        logging.WARNING,
        __file__,
        1,
        "%s failed",
        ("it",),
        (type(error), error, None) if error else None,
    )
    made.object = "default/app"
    return made


def test_json_lines() -> None:
    line = json.loads(JsonFormatter().format(record()))
    assert line.pop("ts").endswith("+00:00")
    assert line == {"level": "warning", "logger": "kubewright.x", "msg": "it failed", "object": "default/app"}
    assert "ValueError: odd" in json.loads(JsonFormatter().format(record(ValueError("odd"))))["error"]


def test_console_lines() -> None:
    assert ConsoleFormatter().format(record())[13:] == "WARNING kubewright.x: it failed object=default/app"
    assert "ValueError: odd" in ConsoleFormatter().format(record(ValueError("odd")))
