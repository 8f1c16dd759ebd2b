"""``kubewright run``: what the operator's Pod executes. The base install is enough for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from kubewright.cli.app import debug_option

if TYPE_CHECKING:
    from kubewright.cli.logs import LogFormat
    from kubewright.client import ClientConfig
    from kubewright.runtime import Election, Operator


@click.command()
@click.argument("factory", metavar="[MODULE:FACTORY]", required=False)
@click.option(
    "--kubeconfig", type=click.Path(path_type=Path), help="Default: the Pod's service account, or KUBECONFIG."
)
@click.option("--context", help="A context of the kubeconfig.")
@click.option("--namespace", help="The namespaces to watch, by commas. Default: WATCH_NAMESPACE; empty is all.")
@click.option("--log-format", type=click.Choice(["json", "console"]), help="Default: json in a Pod or a pipe.")
@click.option(
    "--leader-elect/--no-leader-elect",
    default=None,
    help="One of several replicas works, the others stand by. Default: in a Pod.",
)
@click.option(
    "--health-probe-bind-address",
    metavar="ADDRESS",
    help="Where /healthz, /livez and /readyz are served; 0 is nowhere. Default: :8081 in a Pod.",
)
@click.option("--metrics-bind-address", metavar="ADDRESS", help="Where /metrics is served. Default: nowhere.")
@debug_option
def run(
    factory: str | None,
    kubeconfig: Path | None,
    context: str | None,
    namespace: str | None,
    log_format: str | None,
    leader_elect: bool | None,
    health_probe_bind_address: str | None,
    metrics_bind_address: str | None,
) -> None:
    """Run the operator, as its Pod does.

    MODULE:FACTORY names the function that makes it; by default [tool.kubewright] in pyproject.toml does.
    """
    from kubewright.cli.entry import debugging
    from kubewright.cli.logs import configure_logging
    from kubewright.cli.project import load_operator, load_project
    from kubewright.cli.stop import stop
    from kubewright.client import load_config

    in_pod = "KUBERNETES_SERVICE_HOST" in os.environ
    form = log_format or ("json" if in_pod or not sys.stderr.isatty() else "console")
    configure_logging(cast("LogFormat", form), debug=debugging())
    if factory is not None:
        operator = load_operator(factory, Path.cwd())
    else:
        from kubewright.scaffold import find_project

        operator = load_project(find_project(Path.cwd()))
    config = load_config(kubeconfig, context)
    election = None
    if leader_elect or (leader_elect is None and in_pod and operator.leader_election is not None):
        election = _election(operator, config.namespace, lambda: load_config(kubeconfig, context))
    probes = (":8081" if in_pod else "") if health_probe_bind_address is None else health_probe_bind_address
    metrics = metrics_bind_address or ""
    served = ("" if probes == "0" else probes, "" if metrics == "0" else metrics)
    body = _run(operator, config, watched_namespaces(namespace), election, served)
    stop.run(body)


def watched_namespaces(given: str | None) -> tuple[str, ...] | None:
    """The namespaces to watch: ``given``, else ``WATCH_NAMESPACE``; empty is all, None is the operator's choice."""
    text = os.environ.get("WATCH_NAMESPACE") if given is None else given
    if text is None:
        return None
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _election(operator: Operator, namespace: str, load: Callable[[], ClientConfig]) -> Election:
    """An election by the Lease of the operator's name, in the namespace it runs in."""
    import platform

    from kubewright import clock
    from kubewright.client import Client, Retries, connect
    from kubewright.errors import UsageError
    from kubewright.objects import ObjectKey
    from kubewright.runtime import LeaseElection

    if operator.leader_election is None:
        raise UsageError(
            f"--leader-elect: operator {operator.name} has leader_election=None: all its replicas work at once",
            hint="leave out --leader-elect, or leader_election=None",
        )

    def connected() -> Client:
        # Credentials belong to one event loop, so they are loaded anew; the election itself tries again.
        return connect(load(), user_agent=f"{operator.name}/leader-election", retries=Retries(attempts=1))

    pod = os.environ.get("POD_NAME") or platform.node()
    return LeaseElection(
        ObjectKey(os.environ.get("POD_NAMESPACE") or namespace, operator.lease_name),
        identity=f"{pod}_{clock.uuid4()}",
        connect=connected,
        settings=operator.leader_election,
    )


async def _run(
    operator: Operator,
    config: ClientConfig,
    namespaces: tuple[str, ...] | None,
    election: Election | None,
    served: tuple[str, str],
) -> None:
    import asyncio
    import logging

    from kubewright.client import connect

    log = logging.getLogger("kubewright.cli")
    stopping = asyncio.Event()
    async with connect(config, user_agent=operator.name) as client:
        log.info("operator %s runs against %s, from %s", operator.name, config.server, config.source)
        running = asyncio.ensure_future(
            operator.run(
                client,
                stopping,
                namespaces=namespaces,
                election=election,
                health_probe_bind_address=served[0],
                metrics_bind_address=served[1],
            )
        )
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            log.info("operator %s is asked to stop", operator.name)
            stopping.set()
            await running
            raise
