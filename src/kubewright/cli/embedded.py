"""The embedded cluster for as long as a command runs: listening, its kubeconfig written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kubewright.cli.kubeconfig import remove_kubeconfig, write_kubeconfig
from kubewright.errors import MissingExtra

if TYPE_CHECKING:
    from kubewright.cluster import Cluster


@dataclass(frozen=True, slots=True)
class Embedded:
    """A running embedded cluster."""

    cluster: Cluster
    url: str
    kubeconfig: Path


@asynccontextmanager
async def embedded_cluster(
    port: int, kubeconfig: Path, *, data: Path | None = None, fsync: bool = True
) -> AsyncIterator[Embedded]:
    """Start it, write ``kubeconfig``; stop it and remove the file at the end. With ``data`` it lives there.

    Raises:
        MissingExtra: the parts that only ``kubewright[dev]`` installs are not there.
        UsageError: the port is taken; the data cannot be used; the kubeconfig cannot be written, or is not ours.
    """
    try:
        import cryptography  # noqa: F401 - asked for here, so that its absence has a name

        from kubewright.cluster import Cluster
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "kubewright":
            raise
        raise MissingExtra(f"the embedded cluster needs {error.name}, which is not installed") from error
    async with Cluster(data=data, fsync=fsync) as cluster:
        listener = await cluster.listen(host="127.0.0.1", port=port)
        try:
            text = cluster.kubeconfig(listener)
            write_kubeconfig(kubeconfig, text)
            try:
                yield Embedded(cluster, listener.url, kubeconfig)
            finally:
                remove_kubeconfig(kubeconfig, text)
        finally:
            await listener.close()
