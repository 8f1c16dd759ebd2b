"""``kubewright up``: the operator, here, against a cluster."""

from __future__ import annotations

from pathlib import Path

import click

from kubewright.cli.app import debug_option


@click.command()
@click.argument("words", metavar="[local] [PROJECT]", nargs=-1)
@click.option("--embedded", is_flag=True, help="Start the embedded cluster first, and run against that.")
@click.option("--apply", "manifests", multiple=True, metavar="FILE", help="Apply these manifests once it runs.")
@click.option(
    "--kubeconfig", type=click.Path(path_type=Path), help="Which cluster. With --embedded: write it here."
)
@click.option("--context", help="A context of the kubeconfig.")
@click.option("--namespace", help="The namespaces to watch, by commas; empty is all. Default: WATCH_NAMESPACE.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of the embedded cluster.")
@click.option("--data", type=click.Path(path_type=Path), help="With --embedded: keep everything in this folder.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
@debug_option
def up(
    words: tuple[str, ...],
    embedded: bool,
    manifests: tuple[str, ...],
    kubeconfig: Path | None,
    context: str | None,
    namespace: str | None,
    port: int,
    data: Path | None,
    output: str,
) -> None:
    """Install the CRDs and run the operator here, until Ctrl-C.

    PROJECT is the folder of a project, by default this one. Manifests are applied once the operator runs, and
    what becomes of them is shown as it happens.
    """
    from kubewright import clock

    started = clock.monotonic()
    from kubewright.cli.session import Session, Target
    from kubewright.cli.stop import stop
    from kubewright.cli.view import choose_view
    from kubewright.scaffold import find_project

    rest = words[1:] if words[:1] == ("local",) else words
    if len(rest) > 1:
        raise click.UsageError(f"one PROJECT, not {len(rest)}: {' '.join(rest)}")
    if embedded and context is not None:
        raise click.UsageError("--context belongs to a kubeconfig that is there; --embedded makes a new one")
    if port and not embedded:
        raise click.UsageError("--port is the embedded cluster's: give --embedded too")
    if data is not None and not embedded:
        raise click.UsageError("--data is the embedded cluster's: give --embedded too")
    project = find_project(Path(rest[0]) if rest else Path.cwd())
    target = Target(embedded=embedded, kubeconfig=kubeconfig, context=context, port=port, data=data)
    session = Session(project, target, namespace=namespace, manifests=[Path(name) for name in manifests])
    with choose_view(output, started) as view:
        stop.run(session.run(view))
