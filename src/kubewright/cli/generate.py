"""``kubewright generate``: what a cluster is given, made from the operator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kubewright.cli.app import debug_option

if TYPE_CHECKING:
    from kubewright.manifests import FileResult
    from kubewright.scaffold import Project


@click.command()
@click.argument("what", type=click.Choice(["k8s"]), metavar="[k8s]", default="k8s")
@click.option("--check", is_flag=True, help="Write nothing; fail if anything would change.")
@click.option("--force", is_flag=True, help="Overwrite what was changed by hand, too.")
@click.option(
    "--image", default="REPLACE_IMAGE", help="Of the operator. Default: REPLACE_IMAGE, to be replaced by hand."
)
@click.option("--namespace", default="", help="Where it will be installed; needed where it reads beyond that.")
@click.option("--all-namespaces", is_flag=True, help="It works in all namespaces, rather than in its own.")
@debug_option
def generate(what: str, check: bool, force: bool, image: str, namespace: str, all_namespaces: bool) -> None:
    """Write deploy/: CRDs, samples, RBAC and the operator's Deployment.

    What was changed by hand is kept and named, unless --force is given. A sample is yours once it is there.
    It fails where a file was changed by hand and there is something new for it, too.
    """
    from kubewright.errors import KubewrightError
    from kubewright.manifests import Outcome
    from kubewright.scaffold import find_project

    project = find_project(Path.cwd())
    results = write_deploy(
        project,
        image=image,
        namespace=namespace,
        all_namespaces=all_namespaces,
        check=check,
        force=force,
    )
    for result in results:
        _tell(result, project.root, check=check)
    if check and (stale := [r for r in results if r.outcome not in (Outcome.UNCHANGED, Outcome.EDITED)]):
        raise KubewrightError(
            f"{len(stale)} of {len(results)} files in deploy/ are not what the code says",
            hint="run `kubewright generate k8s`, or with --force where lines were changed by hand",
        )
    if any(result.outcome is Outcome.KEPT for result in results):
        raise KubewrightError(
            "files changed by hand were kept as they are; the differences are above",
            hint="take over what you need from the difference, or overwrite with --force",
        )


def write_deploy(
    project: Project,
    *,
    image: str = "REPLACE_IMAGE",
    namespace: str = "",
    all_namespaces: bool = False,
    check: bool = False,
    force: bool = False,
) -> list[FileResult]:
    """Bring the project's ``deploy/`` up to date with its operator."""
    from kubewright.cli.project import load_kinds, load_project
    from kubewright.manifests import render, write

    files = render(
        load_project(project),
        image=image,
        namespace=namespace,
        all_namespaces=all_namespaces,
        resources=load_kinds(project),
    )
    return write(files, project.root / "deploy", check=check, force=force)


def _tell(result: FileResult, root: Path, *, check: bool) -> None:
    from kubewright.manifests import Outcome

    click.echo(f"{result.outcome.value:<9} {result.path.relative_to(root)}")
    if result.outcome is Outcome.KEPT or (check and result.outcome is Outcome.UPDATED):
        click.echo(result.difference)
