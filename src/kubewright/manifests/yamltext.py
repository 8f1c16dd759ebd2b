"""Writes objects as YAML the way kubectl does: block style, keys in the object's order, quotes where needed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from kubewright.manifests.scalars import resolve
from kubewright.objects import JsonObject

_WIDE = 2**30


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Without anchors, which kubectl does not write."""

    def ignore_aliases(self, data: Any) -> bool:
        """Always: an object that stands twice is written twice."""
        return True


def _text(dumper: Any, value: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=_style(value))


def _style(value: str) -> str | None:
    if "\n" in value:
        return "|"
    try:
        return None if isinstance(resolve(value), str) else '"'
    except ValueError:
        return '"'


_Dumper.add_representer(str, _text)


def to_yaml(*objects: JsonObject) -> str:
    """One YAML document for each object."""
    return "---\n".join(_documents(objects))


def _documents(objects: Iterable[JsonObject]) -> Iterable[str]:
    for one in objects:
        yield yaml.dump(
            one, Dumper=_Dumper, sort_keys=False, default_flow_style=False, allow_unicode=True, width=_WIDE
        )
