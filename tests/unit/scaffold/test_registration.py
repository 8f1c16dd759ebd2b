from __future__ import annotations

import pytest

from kubewright.scaffold.registration import register

FRESH = '''"""The operator."""

from kubewright import Operator


def operator() -> Operator:
    """Make it."""
    return Operator(
        "opdemo",
        controllers=[],
    )
'''


def test_the_first_and_the_second_controller() -> None:
    once = register(FRESH, "opdemo.controllers.web", "WebController")
    assert once is not None
    twice = register(once, "opdemo.controllers.cache", "CacheController")

    assert (
        twice
        == '''"""The operator."""

from kubewright import Operator

from opdemo.controllers.cache import CacheController
from opdemo.controllers.web import WebController


def operator() -> Operator:
    """Make it."""
    return Operator(
        "opdemo",
        controllers=[
            WebController(),
            CacheController(),
        ],
    )
'''
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("controllers=[A(), ]", "controllers=[A(), B()]"),
        (
            "\n        controllers=[A(1), A2()], n=1\n    ",
            "\n        controllers=[\n            A(1),\n            A2(),\n            B(),\n        ], n=1\n    ",
        ),
        ("controllers=[A(), # the first\n        A2()\n    ]", None),
        ("controllers=[\n        A(),  # ours\n    ]", "controllers=[\n        A(),  # ours\n        B(),\n    ]"),
        ("controllers=[\n        A()\n    ]", "controllers=[\n        A(),\n        B(),\n    ]"),
        ("controllers=[\n    ]", "controllers=[\n        B(),\n    ]"),
        ("namespaces=['ünï'], controllers=[A()]", "namespaces=['ünï'], controllers=[A(), B()]"),
    ],
)
def test_lists_in_any_style(before: str, after: str | None) -> None:
    source = f"from kubewright import Operator\n\n\ndef operator():\n    return Operator('x', {before})\n"

    changed = register(source, "x.b", "B")

    assert changed is not None
    assert changed.count("B()") == 1
    compile(changed, "operator.py", "exec")
    if after is not None:
        assert changed.endswith(f"Operator('x', {after})\n")


@pytest.mark.parametrize(
    "source",
    [
        "def operator(): return make()",
        "def operator(): return Operator('x', controllers=ALL)",
        "a = Operator('x', controllers=[]); b = Operator('y', controllers=[])",
        "def operator(:",
        "",
    ],
)
def test_where_it_is_not_clear_nothing_is_changed(source: str) -> None:
    assert register(source, "x.b", "B") is None
