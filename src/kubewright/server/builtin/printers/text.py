"""How Table cells write ages, lists of containers, selectors and address lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from kubewright import clock
from kubewright.objects import JsonObject

NONE = "<none>"


def age(timestamp: str | None) -> str:
    """How long ago ``timestamp`` was, or ``<unknown>``."""
    return duration(seconds_since(timestamp)) if timestamp else "<unknown>"


def seconds_since(timestamp: str) -> float:
    """Seconds from ``timestamp`` to now."""
    return (clock.now() - datetime.fromisoformat(timestamp)).total_seconds()


def created(obj: JsonObject) -> str:
    """The object's age."""
    return age(obj["metadata"].get("creationTimestamp"))


def duration(seconds: float) -> str:
    """``seconds`` in two units at most, the way kubectl writes ages: ``5m3s``, ``2d4h``."""
    if seconds < -1:
        return "<invalid>"
    whole = max(int(seconds), 0)
    minutes, hours, days, years = whole // 60, whole // 3600, whole // 86400, whole // 31536000
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return _pair(minutes, "m", whole % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _pair(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return _pair(days, "d", hours % 24, "h")
    if hours < 24 * 365 * 2:
        return f"{days}d"
    if hours < 24 * 365 * 8:
        return _pair(years, "y", days % 365, "d")
    return f"{years}y"


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def containers(pod_spec: JsonObject) -> tuple[str, str]:
    """The names and the images of a pod's containers."""
    found = pod_spec.get("containers") or ()
    return ",".join(c.get("name", "") for c in found), ",".join(c.get("image", "") for c in found)


def labels(pairs: JsonObject | None) -> str:
    """``a=b,c=d``, or ``<none>``."""
    return ",".join(f"{key}={pairs[key]}" for key in sorted(pairs)) if pairs else NONE


def selector(value: JsonObject | None) -> str:
    """A LabelSelector as the selector string, or ``<none>``."""
    if not value:
        return NONE
    requirements = [(key, f"{key}={text}") for key, text in (value.get("matchLabels") or {}).items()]
    for expression in value.get("matchExpressions") or ():
        key, operator = expression["key"], expression["operator"]
        values = ",".join(sorted(expression.get("values") or ()))
        text = {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }.get(operator, f"{key} {operator} ({values})")
        requirements.append((key, text))
    return ",".join(text for _, text in sorted(requirements)) or NONE


def some_of(items: Iterable[str], limit: int = 3) -> str:
    """The first ``limit`` items, and how many more there are."""
    found = list(items)
    shown = ",".join(found[:limit])
    return f"{shown} + {len(found) - limit} more..." if len(found) > limit else shown


def access_modes(modes: Iterable[str] | None) -> str:
    """``RWO,ROX`` for access modes."""
    short = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
    found = set(modes or ())
    return ",".join(short[mode] for mode in short if mode in found)
