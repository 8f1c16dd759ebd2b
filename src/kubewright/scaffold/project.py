"""Where a project is, and what its pyproject.toml says of it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubewright.errors import UsageError


@dataclass(frozen=True, slots=True)
class Project:
    """A project as ``[tool.kubewright]`` in its pyproject.toml tells it.

    Attributes:
        root: the folder of pyproject.toml.
        name: ``[project] name``.
        operator: the factory of the operator, ``opdemo.operator:operator``.
        apis: the package under which every custom resource's type stands, ``opdemo.apis``; empty for none.
    """

    root: Path
    name: str
    operator: str
    apis: str = ""

    @property
    def source(self) -> Path:
        """The folder the project's package is imported from."""
        layout = self.root / "src"
        return layout if layout.is_dir() else self.root

    @property
    def package(self) -> str:
        """The package the operator's factory is in."""
        return self.operator.partition(":")[0].partition(".")[0]

    @property
    def package_folder(self) -> Path:
        """The folder of that package."""
        return self.source / self.package


def find_project(start: Path) -> Project:
    """The project that ``start`` is in: the nearest folder upwards whose pyproject.toml has ``[tool.kubewright]``.

    Raises:
        UsageError: there is none, or its pyproject.toml cannot be read.
    """
    folder = start.resolve()
    if not folder.is_dir():
        raise UsageError(
            f"{start} is not a folder", hint="name the folder of a project, the one with pyproject.toml"
        )
    for root in (folder, *folder.parents):
        document = _document(root / "pyproject.toml")
        settings = document.get("tool", {}).get("kubewright")
        if settings is not None:
            return _project(root, document, settings)
    raise UsageError(
        f"{folder} is not in a Kubewright project: no pyproject.toml with [tool.kubewright] there or above",
        hint="make one with `kubewright new NAME` and run this in its folder",
    )


def _document(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}", hint="correct that line") from error


def _project(root: Path, document: dict[str, Any], settings: object) -> Project:
    where = f"[tool.kubewright] in {root / 'pyproject.toml'}"
    if not isinstance(settings, dict):
        raise UsageError(f"{where} is not a table", hint='write: [tool.kubewright] and operator = "MODULE:FACTORY"')
    operator, apis = settings.get("operator"), settings.get("apis", "")
    if not isinstance(operator, str) or not all(operator.partition(":")):
        raise UsageError(
            f"{where} does not name the operator's factory",
            hint='for instance: operator = "opdemo.operator:operator"',
        )
    if not isinstance(apis, str):
        raise UsageError(f"apis in {where} is not a package's name", hint='for instance: apis = "opdemo.apis"')
    name = document.get("project", {}).get("name", root.name)
    return Project(root=root, name=str(name), operator=operator, apis=apis)
