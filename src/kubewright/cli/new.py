"""``kubewright new``."""

from __future__ import annotations

from pathlib import Path

import click

from kubewright.cli.app import debug_option


@click.command()
@click.argument("name")
@click.option(
    "--framework",
    metavar="PATH|WHEEL|VERSION",
    help="The Kubewright it depends on. Default: this version, or this checkout where it runs from one.",
)
@debug_option
def new(name: str, framework: str | None) -> None:
    """Make a project in the folder NAME.

    It runs, tests and type-checks as it is; TODO(user) stands where your code goes.
    """
    from kubewright import scaffold
    from kubewright.cli.generate import write_deploy
    from kubewright.cli.version import checkout, installed_version

    parent = Path.cwd()
    chosen = scaffold.framework(framework, project=parent / name, version=installed_version(), checkout=checkout())
    written = scaffold.new_project(name, parent, chosen)
    generated = write_deploy(scaffold.find_project(parent / name))
    for path in (*written.paths, *(result.path for result in generated)):
        click.echo(f"wrote {path.relative_to(parent)}")
    click.echo(f"next:  cd {name}")
    click.echo("       kubewright add api --api-version=app.example.com/v1 --kind=AppService")
