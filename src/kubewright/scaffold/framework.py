"""What a new project depends on: a version of Kubewright, a wheel of it, or a checkout."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from kubewright.errors import UsageError

_VERSION = re.compile(r"\d+(\.\d+)*([a-z0-9.+!-]*)")


@dataclass(frozen=True, slots=True)
class Framework:
    """Kubewright as a dependency: ``requirement`` goes behind its name, ``path`` into ``[tool.uv.sources]``."""

    requirement: str = ""
    path: str = ""
    editable: bool = False


def framework(given: str | None, *, project: Path, version: str, checkout: Path | None) -> Framework:
    """Decide what ``project`` depends on.

    Args:
        given: ``--framework``: the path of a checkout or a wheel, or a version; None for the running one.
        project: the folder of the project.
        version: the version that runs now.
        checkout: the checkout that runs now, or None when it is installed.

    Raises:
        UsageError: ``given`` is none of these.
    """
    if given is None:
        return _at(checkout, project) if checkout is not None else _compatible(version)
    path = Path(given).expanduser()
    if path.is_dir():
        if not (path / "pyproject.toml").is_file():
            raise UsageError(f"--framework {given}: no pyproject.toml there", hint="name a checkout of Kubewright")
        return _at(path, project)
    if path.suffix == ".whl":
        if not path.is_file():
            raise UsageError(f"--framework {given}: there is no such file", hint="name a wheel of Kubewright")
        return Framework(path=_path(path, project))
    if _VERSION.fullmatch(given):
        return _compatible(given)
    raise UsageError(
        f"--framework {given}: neither a checkout, nor a wheel, nor a version",
        hint="for instance: --framework 0.1, --framework ../kubewright",
    )


def _at(checkout: Path, project: Path) -> Framework:
    return Framework(path=_path(checkout, project), editable=True)


def _path(target: Path, project: Path) -> str:
    """Relative where the project is inside the checkout, so that both can be moved together."""
    target, project = target.resolve(), project.resolve()
    if project.is_relative_to(target):
        return Path(os.path.relpath(target, project)).as_posix()
    return target.as_posix()


def _compatible(version: str) -> Framework:
    numbers = re.match(r"\d+(\.\d+)*", version)
    release = (numbers.group() if numbers else version).split(".")
    major_minor = ".".join([*release, "0"][:2])
    if re.search(r"(a|b|rc|\.dev)\d+", version):
        return Framework(requirement=f">={version},<{int(release[0]) + 1}")
    return Framework(requirement=f"~={major_minor}")
