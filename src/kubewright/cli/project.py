"""The project's own code: found by its pyproject.toml, imported, and its factory called."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubewright.cli.failures import UserCodeError
from kubewright.errors import KubewrightError, UsageError
from kubewright.scaffold import Project

if TYPE_CHECKING:
    from types import ModuleType

    from kubewright.runtime import Operator


def load_operator(reference: str, source: Path | None = None) -> Operator:
    """The operator that ``MODULE:FACTORY`` makes; modules are also looked for in ``source``.

    Raises:
        UsageError: there is no such module or factory, or it makes something else.
        UserCodeError: importing it, or calling it, raised.
    """
    from kubewright.runtime import Operator

    module_name, _, attribute = reference.partition(":")
    if not module_name or not attribute:
        raise UsageError(f"{reference!r} is not MODULE:FACTORY", hint="for instance: opdemo.operator:operator")
    factory: Any = import_module(module_name, source)
    for part in attribute.split("."):
        if not hasattr(factory, part):
            raise UsageError(
                f"the module {module_name} has no {attribute!r}",
                hint='operator = "MODULE:FACTORY" in pyproject\'s [tool.kubewright] names the factory',
            )
        factory = getattr(factory, part)
    if isinstance(factory, Operator):
        raise UsageError(
            f"{reference} is an Operator, not a function that makes one",
            hint="write: def operator() -> Operator: return Operator(...)",
        )
    if not callable(factory):
        raise UsageError(f"{reference} is not a function", hint="write: def operator() -> Operator: ...")
    try:
        operator = factory()
    except KubewrightError:
        raise
    except Exception as error:
        raise _user_error(f"{reference}() raised", error, source) from error
    if not isinstance(operator, Operator):
        raise UsageError(f"{reference}() returned {type(operator).__name__}, not an Operator")
    return operator


def load_project(project: Project) -> Operator:
    """The project's operator."""
    return load_operator(project.operator, project.source)


def load_kinds(project: Project) -> list[type]:
    """Every custom resource's type below the project's ``apis`` package, in order of module and name."""
    from kubewright.objects import Resource

    if not project.apis:
        return []
    package = import_module(project.apis, project.source)
    found = pkgutil.walk_packages(getattr(package, "__path__", ()), f"{project.apis}.")
    modules = [package, *(import_module(module.name, project.source) for module in found)]
    return [
        value
        for module in modules
        for _, value in sorted(vars(module).items())
        if isinstance(value, type)
        and issubclass(value, Resource)
        and value.__module__ == module.__name__
        and hasattr(value, "api_resource")
    ]


def import_module(name: str, source: Path | None) -> ModuleType:
    """Import a module of the user's.

    Raises:
        UsageError: there is no such module.
        UserCodeError: it raised while it was imported.
    """
    if source is not None and str(source) not in sys.path:
        sys.path.insert(0, str(source))
    try:
        return importlib.import_module(name)
    except KubewrightError:
        raise
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            where = f" (looked in {source} first)" if source is not None else ""
            raise UsageError(
                f"there is no module {error.name!r}{where}",
                hint='operator = "MODULE:FACTORY" in pyproject\'s [tool.kubewright] names it',
            ) from error
        raise _user_error(f"{name} cannot be imported", error, source) from error
    except (Exception, SystemExit) as error:
        raise _user_error(f"{name} cannot be imported", error, source) from error


def _user_error(what: str, error: BaseException, source: Path | None) -> UserCodeError:
    if isinstance(error, SyntaxError):
        return UserCodeError(
            f"{what}: {error.filename}:{error.lineno}: {error.msg}", hint="correct that line and run it again"
        )
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if source is not None and Path(frame.filename).is_relative_to(source)]
    frame = (own or frames)[-1]
    return UserCodeError(
        f"{what}: {frame.filename}:{frame.lineno}: {type(error).__name__}: {error}",
        hint="--debug shows the whole traceback",
    )
