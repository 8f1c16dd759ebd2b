"""``kubewright build``: an image of the project, without a Docker daemon."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kubewright.cli.app import debug_option

if TYPE_CHECKING:
    from kubewright.image import Built, DockerConfig, Platform, Reference
    from kubewright.scaffold import Project


@click.command()
@click.argument("image")
@click.option("--push", is_flag=True, help="Push it to the registry in its name.")
@click.option("--base", default="", metavar="REF|PATH", help="Default: Python's official slim image.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Write an archive (FILE.tar, for `docker load`) or an OCI layout (a folder).",
)
@click.option(
    "--platform", "platforms", default="", help="By commas: linux/amd64,linux/arm64. Default: the base's."
)
@debug_option
def build(image: str, push: bool, base: str, output: Path | None, platforms: str) -> None:
    """Build the project's container image IMAGE. No Docker daemon is needed.

    It holds the base image, the dependencies as uv.lock has them, and the project. The same inputs make the same
    image, bit for bit. The base is a reference, an OCI layout or an archive.
    """
    from kubewright.cli.stop import Stopped, stop
    from kubewright.errors import MissingExtra, UsageError
    from kubewright.scaffold import find_project

    try:
        from kubewright.image import DockerConfig, Platform, Reference
    except ImportError as error:
        raise MissingExtra(f"building images needs {error.name}, which is not installed") from error

    reference = Reference.parse(image)
    if reference.digest:
        raise UsageError(
            f"{image} names a digest, which only comes of the build", hint="leave it out, or name a tag instead"
        )
    if not push and output is None:
        raise click.UsageError("say where the image is to go: --push, --output PATH, or both")
    chosen = tuple(dict.fromkeys(Platform.parse(word) for word in platforms.split(",") if word.strip()))
    project = find_project(Path.cwd())
    finished = False

    async def work() -> None:
        nonlocal finished
        await _build(project, reference, base, chosen, output, DockerConfig.read(), push=push)
        finished = True

    stop.run(work())
    if not finished:
        click.echo("stopped: the image is not whole, and the tag was not pushed", err=True)
        raise Stopped(signal.SIGINT)


class _Lines:
    """A line for each thing done; how much has moved in the last line, on a terminal."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._tenths: dict[str, int] = {}

    def step(self, words: str) -> None:
        from kubewright import clock

        click.echo(f"{clock.monotonic() - self._started:7.2f}s  {words}")
        sys.stdout.flush()

    def moved(self, what: str, done: int, total: int) -> None:
        tenths = 10 * done // total if total else 10
        if tenths == self._tenths.get(what, 0):
            return
        self._tenths[what] = tenths
        if tenths == 10 or total >= 2**20:
            self.step(f"{what}: {_size(done)} of {_size(total)}")


async def _build(
    project: Project,
    reference: Reference,
    base: str,
    platforms: tuple[Platform, ...],
    output: Path | None,
    config: DockerConfig,
    *,
    push: bool,
) -> None:
    from kubewright import clock
    from kubewright.image import BlobStore, Push, Registry, Source, building, cache_folder

    lines = _Lines(clock.monotonic())
    settings = {"operator": project.operator} | ({"apis": project.apis} if project.apis else {})
    source = Source(project.root, project.name, settings)
    with building(BlobStore(cache_folder()), lines) as builder:
        built = await builder.build(
            source, reference, base=base, platforms=platforms, epoch=source_date_epoch(), config=config
        )
        if output is not None:
            _write(built, output)
            lines.step(f"wrote         {output}")
        if push:
            registry = Registry(reference.registry, config)
            try:
                await Push(registry, reference, lines).push(built)
            finally:
                await registry.close()


def _write(built: Built, output: Path) -> None:
    from kubewright.image import write_archive, write_layout

    if output.suffix == ".tar":
        write_archive(built, output)
    else:
        write_layout(built, output)


def source_date_epoch() -> int:
    """``SOURCE_DATE_EPOCH``: the time of everything in the image; 1970 where it is not set.

    Raises:
        UsageError: it is no number of seconds.
    """
    from kubewright.errors import UsageError

    text = os.environ.get("SOURCE_DATE_EPOCH", "0")
    if not text.isdecimal():
        raise UsageError(f"SOURCE_DATE_EPOCH is {text!r}", hint="it is a number of seconds since 1970")
    return int(text)


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MiB" if count >= 2**20 else f"{count / 2**10:.1f} KiB"
