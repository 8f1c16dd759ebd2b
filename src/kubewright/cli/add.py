"""``kubewright add api`` and ``kubewright add controller``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kubewright.cli.app import CommandT, debug_option

if TYPE_CHECKING:
    from kubewright.scaffold import Written


@click.group()
def add() -> None:
    """Add an API or a controller to the project."""


def _kind_options(command: CommandT) -> CommandT:
    options: list[Callable[[CommandT], CommandT]] = [
        click.option("--api-version", required=True, metavar="GROUP/VERSION", help="app.example.com/v1"),
        click.option("--kind", required=True, help="In CamelCase: AppService."),
        click.option("--cluster-scoped", is_flag=True, help="Objects of this kind are in no namespace."),
        debug_option,
    ]
    for option in reversed(options):
        command = option(command)
    return command


@add.command()
@_kind_options
def api(api_version: str, kind: str, cluster_scoped: bool) -> None:
    """Add the types of a custom resource, and a sample of it."""
    from kubewright import scaffold

    project = scaffold.find_project(Path.cwd())
    parsed = scaffold.Api.parse(api_version, kind, cluster_scoped=cluster_scoped)
    _tell(scaffold.add_api(project, parsed), project.root)
    click.echo(f"next:  kubewright add controller --api-version={api_version} --kind={kind}")


@add.command()
@_kind_options
def controller(api_version: str, kind: str, cluster_scoped: bool) -> None:
    """Add a controller for a kind of the project, and its test."""
    from kubewright import scaffold

    project = scaffold.find_project(Path.cwd())
    parsed = scaffold.Api.parse(api_version, kind, cluster_scoped=cluster_scoped)
    _tell(scaffold.add_controller(project, parsed), project.root)
    click.echo("next:  write its logic at TODO(user), then: kubewright generate k8s")


def _tell(written: Written, root: Path) -> None:
    for path in written.paths:
        click.echo(f"wrote {path.relative_to(root)}")
    for note in written.notes:
        click.echo(f"note:  {note}", err=True)
