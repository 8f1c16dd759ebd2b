"""``kubewright cluster up``: the embedded cluster alone."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kubewright.cli.app import debug_option


@click.group()
def cluster() -> None:
    """The embedded cluster, alone."""


@cluster.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="On 127.0.0.1. Default: any that is free.")
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="Write the kubeconfig to this file.")
@click.option("--data", type=click.Path(path_type=Path), help="Keep everything in this folder, and go on from it.")
@click.option("--unsafe-no-fsync", is_flag=True, help="With --data: faster; what the machine's end may lose.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
@debug_option
def up(port: int, kubeconfig: Path | None, data: Path | None, unsafe_no_fsync: bool, output: str) -> None:
    """Run the embedded cluster until Ctrl-C or SIGTERM; print `ready` once it answers.

    It is an API server with its controllers in this process. Its Pods are simulated. What it holds is in memory,
    gone when it stops; with --data it is kept: what was answered is on the disk.
    """
    from kubewright.cli.stop import stop

    stop.run(_up(port, kubeconfig or Path(".kubewright") / "kubeconfig", data, output, fsync=not unsafe_no_fsync))


async def _up(port: int, kubeconfig: Path, data: Path | None, output: str, *, fsync: bool) -> None:
    import asyncio
    import json

    from kubewright.cli.embedded import embedded_cluster

    async with embedded_cluster(port, kubeconfig, data=data, fsync=fsync) as embedded:
        if output == "json":
            click.echo(
                json.dumps({"event": "ready", "server": embedded.url, "kubeconfig": str(embedded.kubeconfig)})
            )
        else:
            where = f"kept in {data}" if data else "in memory: what it holds is gone when it stops"
            click.echo(f"API server {embedded.url}, {where}")
            click.echo(f"kubectl --kubeconfig {embedded.kubeconfig} get all")
            click.echo("ready")
        sys.stdout.flush()
        await asyncio.Event().wait()
