"""The three things that write into a project: a new one, an API, a controller."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from kubewright.errors import UsageError
from kubewright.scaffold.files import Files
from kubewright.scaffold.framework import Framework
from kubewright.scaffold.names import Api, package_name
from kubewright.scaffold.project import Project
from kubewright.scaffold.registration import lines_to_add, register
from kubewright.scaffold.render import render


@dataclass(frozen=True, slots=True)
class Written:
    """What was written, and what is left for the person to do."""

    paths: list[Path]
    notes: list[str] = field(default_factory=list)


def new_project(name: str, parent: Path, framework: Framework) -> Written:
    """A project in a folder of its name below ``parent``.

    Raises:
        UsageError: the name will not do, or the folder is there already.
    """
    package = package_name(name)
    root = parent / name
    if root.exists():
        raise UsageError(f"{root} is there already", hint="choose another name, or move it away first")
    values: dict[str, object] = {"name": name, "package": package, "framework": framework}
    files = Files(root)
    for path, template in (
        ("pyproject.toml", "pyproject.toml"),
        ("README.md", "README.md"),
        (".gitignore", "gitignore"),
        (f"src/{package}/__init__.py", "package.py"),
        (f"src/{package}/operator.py", "operator.py"),
        (f"src/{package}/apis/__init__.py", "apis.py"),
        (f"src/{package}/controllers/__init__.py", "controllers.py"),
        ("tests/test_operator.py", "test_operator.py"),
    ):
        files.make(path, render(f"project/{template}.jinja", values))
    files.make(f"src/{package}/py.typed", "")
    return Written(files.write())


def add_api(project: Project, api: Api) -> Written:
    """The types of a custom resource and a sample of it.

    Raises:
        UsageError: the project has this kind already.
    """
    types = _types(project, api)
    if (project.root / types).exists():
        raise UsageError(
            f"the project has {api.kind} in {api.api_version} already: {types}",
            hint="edit that file, or choose another kind or version",
        )
    files = Files(project.root)
    values = _values(project, api)
    apis = Path(types).parents[1].as_posix()
    files.make_if_missing(f"{apis}/__init__.py", render("project/apis.py.jinja", values))
    files.make_if_missing(f"{apis}/{api.group_version}/__init__.py", render("api/group_version.py.jinja", values))
    files.make(types, render("api/types.py.jinja", values))
    files.make(f"deploy/crds/{api.stem}_cr.yaml", render("api/sample.yaml.jinja", values))
    return Written(files.write())


def add_controller(project: Project, api: Api) -> Written:
    """A controller for a kind of the project, its test, and its line in the operator's factory.

    Raises:
        UsageError: the project has no such kind, or has a controller for it already.
    """
    types = _types(project, api)
    if not (project.root / types).is_file():
        raise UsageError(
            f"the project has no {api.kind} in {api.api_version}: there is no {types}",
            hint=f"first: kubewright add api --api-version={api.api_version} --kind={api.kind}",
        )
    package = project.package
    controller = f"{_source(project)}/{package}/controllers/{api.module}.py"
    if (project.root / controller).exists():
        raise UsageError(
            f"the project has a controller for a kind {api.kind} already: {controller}",
            hint="one controller serves all versions of a kind: edit that file",
        )
    # The scope stands in the types; --cluster-scoped need not be said twice.
    scope = 'scope="Cluster"' in (project.root / types).read_text(encoding="utf-8")
    api = Api(api.group, api.version, api.kind, cluster_scoped=api.cluster_scoped or scope)
    values = _values(project, api)
    files = Files(project.root)
    files.make_if_missing(
        f"{_source(project)}/{package}/controllers/__init__.py", render("project/controllers.py.jinja", values)
    )
    files.make(controller, render("controller/controller.py.jinja", values))
    files.make(f"tests/test_{api.module}.py", render("controller/test.py.jinja", values))
    notes = []
    factory = f"{_source(project)}/{project.operator.partition(':')[0].replace('.', '/')}.py"
    module, name = f"{package}.controllers.{api.module}", f"{api.kind}Controller"
    old = (project.root / factory).read_text(encoding="utf-8") if (project.root / factory).is_file() else ""
    new = register(old, module, name)
    if new is None:
        notes.append(f"enter the controller yourself in {factory}:\n{lines_to_add(module, name)}")
    else:
        files.change(factory, old, new)
    return Written(files.write(), notes)


def _source(project: Project) -> str:
    return project.source.relative_to(project.root).as_posix()


def _types(project: Project, api: Api) -> str:
    apis = (project.apis or f"{project.package}.apis").replace(".", "/")
    return f"{_source(project)}/{apis}/{api.group_version}/{api.module}.py"


def _values(project: Project, api: Api) -> dict[str, object]:
    article = "an" if api.kind[0] in "AEIOU" else "a"
    return {"name": project.name, "package": project.package, "api": api, "article": article}
