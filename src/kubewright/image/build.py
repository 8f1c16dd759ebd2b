"""The build: locked dependencies, layers, images."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from kubewright.errors import ImageError, UsageError
from kubewright.image.assemble import (
    DEPENDENCIES,
    PACKAGES,
    WORKDIR,
    Built,
    Image,
    labels,
    make_config,
    make_image,
    make_index,
)
from kubewright.image.base import Base, BaseImage, read_base
from kubewright.image.blobs import Blob, BlobStore, told_of
from kubewright.image.credentials import DockerConfig
from kubewright.image.interpreter import Interpreter
from kubewright.image.layer import File, Layer, make_layer
from kubewright.image.oci import Descriptor, Platform
from kubewright.image.progress import Progress
from kubewright.image.reference import Reference
from kubewright.image.sbom import bill_of_materials
from kubewright.image.site import Package, collect
from kubewright.image.uv import Locked, Uv, triple

# Raised whenever a dependency layer of the same lock file is made in another way.
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Source:
    """The project that an image is made of.

    Attributes:
        root: the folder of pyproject.toml.
        name: the project's.
        settings: ``[tool.kubewright]``: what ``kubewright run`` reads in the image.
    """

    root: Path
    name: str
    settings: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Made:
    """The layers on top of the base, and what is in them."""

    layers: tuple[Layer, ...]
    project: Package
    packages: tuple[Package, ...]


@contextmanager
def building(store: BlobStore, progress: Progress) -> Iterator[Builder]:
    """A builder, and the temporary folder that it works in.

    Raises:
        ImageError: there is no room for that folder.
    """
    with told_of(Path(tempfile.gettempdir())):
        folder = tempfile.TemporaryDirectory(prefix="kubewright-image-")
    with folder as name:
        yield Builder(store, Path(name), progress)


class Builder:
    """Makes images.

    Args:
        store: keeps layers of dependencies and base images between builds.
        work: everything else; what is built refers to files in it.
        progress: told what happens.
    """

    def __init__(self, store: BlobStore, work: Path, progress: Progress) -> None:
        self._store = store
        self._work = work
        self._progress = progress

    async def build(
        self,
        source: Source,
        reference: Reference,
        *,
        base: str,
        platforms: Sequence[Platform],
        epoch: int,
        config: DockerConfig,
    ) -> Built:
        """An image of the project; the same from the same project, lock file, base and epoch.

        Args:
            source: the project.
            reference: the image's name.
            base: the base image: a path or a reference; empty for Python's official one.
            platforms: those asked for; none for the base's only one, or this machine's.
            epoch: the time of everything in it, in seconds since 1970.
            config: credentials of registries.

        Raises:
            UsageError: the project is not locked, or the base has no image for a platform.
            ImageError: a wheel is missing, the base has no fitting Python, the disk is full.
            TransportError: the base's registry cannot be reached.
        """
        uv = Uv.find(source.root)
        locked = uv.locked()
        wanted = _Wanted.read(source.root)
        standing = await read_base(base or wanted.default_base(), platforms, self._store, config, self._progress)
        self._progress.step(f"base          {standing.name} {standing.digest[:19]}".rstrip())
        wheels = self._build_wheels(uv, source, locked)
        images: list[Image] = []
        texts: dict[str, str] = {}
        for image in standing.images:
            python = wanted.choose(image, standing, self._store)
            made = self._layers(uv, source, locked, wheels, image.platform, python, epoch)
            texts = labels(made.project, (standing.name, image.digest), epoch)
            bill = bill_of_materials(
                made.project,
                made.packages,
                platform=image.platform,
                base=(standing.name, image.digest),
                epoch=epoch,
            )
            config_data = make_config(image, made.layers, python, texts, epoch)
            images.append(make_image(image, made.layers, config_data, texts, bill, self._temporary()))
        built = make_index(reference, images, {**texts, **_base_digest(standing)})
        for made_image in built.images:
            self._progress.step(f"image         {made_image.platform} {made_image.manifest.descriptor.digest}")
        return built

    def _temporary(self) -> BlobStore:
        return BlobStore(self._work / "blobs")

    def _build_wheels(self, uv: Uv, source: Source, locked: Locked) -> list[Path]:
        """The wheels of what lies in folders here: the project's first, then what it depends on by path."""

        def wheel(numbered: tuple[int, Path]) -> Path:
            number, folder = numbered
            return folder if folder.suffix == ".whl" else uv.build(folder, self._work / f"wheel-{number}")

        with ThreadPoolExecutor() as pool:
            return list(pool.map(wheel, enumerate((source.root, *locked.local))))

    def _layers(
        self,
        uv: Uv,
        source: Source,
        locked: Locked,
        wheels: Sequence[Path],
        platform: Platform,
        python: Interpreter,
        epoch: int,
    ) -> _Made:
        for_whom = f"{platform} Python {python.version}"
        common = [_FORMAT, triple(platform, python), python.version, python.program, epoch]
        folder = self._work / f"{platform.architecture}-{python.version}"
        layers: list[Layer] = []
        packages: list[Package] = []

        def kept(title: str, parts: list[object], target: str, install: Callable[[Path], None]) -> None:
            made_by = f"{title} for {for_whom}"
            layer, found, known = self._kept([*common, title, *parts], target, made_by, epoch, python, install)
            layers.append(layer)
            packages.extend(found)
            as_before = ", as before" if known else ""
            self._progress.step(f"{title:<13} {_count(found)} for {for_whom}{as_before}")

        if locked.index:
            kept(
                "dependencies",
                [locked.index],
                DEPENDENCIES,
                lambda into: uv.install(into, (), locked.index, platform, python),
            )
        if len(wheels) > 1:
            kept(
                "packages",
                [hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels[1:]],
                PACKAGES,
                lambda into: uv.install(into, wheels[1:], "", platform, python),
            )
        uv.install(folder / "project", wheels[:1], "", platform, python)
        site = collect(folder / "project", python)
        files = {**site.files, "pyproject.toml": File(_settings(source))}
        layers.append(make_layer(files, WORKDIR, epoch, self._temporary(), f"project {source.name}"))
        self._progress.step(f"project       {source.name} {site.packages[0].version}")
        return _Made(tuple(layers), site.packages[0], tuple(packages))

    def _kept(
        self,
        parts: list[object],
        target: str,
        made_by: str,
        epoch: int,
        python: Interpreter,
        install: Callable[[Path], None],
    ) -> tuple[Layer, list[Package], bool]:
        """A layer that is made once of the same ``parts``, and kept between builds; whether it was there."""
        key = f"layer-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()}"
        if known := self._store.recall(key):
            descriptor = Descriptor.from_json(known["layer"], key)
            if self._store.holds(descriptor):
                blob = Blob(descriptor, self._store.path(descriptor.digest), made_by)
                return (
                    Layer(blob, str(known["diff_id"]), made_by),
                    [Package(**package) for package in known["packages"]],
                    True,
                )
        folder = self._work / key
        install(folder)
        site = collect(folder, python)
        layer = make_layer(site.files, target, epoch, self._store, made_by)
        facts = {
            "layer": layer.blob.descriptor.to_json(),
            "diff_id": layer.diff_id,
            "packages": [asdict(package) for package in site.packages],
        }
        self._store.remember(key, facts)
        return layer, site.packages, False


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which Python the project is for.

    Attributes:
        requires: ``requires-python``.
        minor: the 11 of 3.11 in ``.python-version``, or None where that does not say.
    """

    requires: SpecifierSet
    minor: int | None

    @classmethod
    def read(cls, root: Path) -> _Wanted:
        document = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
        text = str(document.get("project", {}).get("requires-python", ""))
        try:
            requires = SpecifierSet(text)
        except InvalidSpecifier as error:
            raise UsageError(f"requires-python of {root / 'pyproject.toml'} is no version: {text!r}") from error
        pinned = root / ".python-version"
        found = re.match(r"(?:cpython-|python)?3\.(\d+)", pinned.read_text().strip()) if pinned.is_file() else None
        return cls(requires, int(found[1]) if found else None)

    def allows(self, minor: int) -> bool:
        """Whether the project runs on Python 3.``minor``."""
        if self.minor is not None:
            return minor == self.minor
        # The newest patch release of it, which a requirement such as >=3.11.4 lets pass.
        return self.requires.contains(f"3.{minor}.999", prereleases=True)

    def choose(self, image: BaseImage, base: Base, store: BlobStore) -> Interpreter:
        """The Python of the base that the project runs on.

        Raises:
            ImageError: there is none.
        """
        found = image.interpreters(store)
        for python in found:
            if self.allows(python.minor):
                return python
        if not found:
            raise ImageError(
                f"the base image {base.name} has no Python 3 in its PATH ({image.platform})",
                hint="choose one that has, for instance --base python:3.12-slim",
            )
        there = ", ".join(f"{python.version} ({python.program})" for python in found)
        raise ImageError(
            f"the project needs Python {self}, and the base image {base.name} has {there}",
            hint=f"choose another --base, for instance {self.default_base()}",
        )

    def default_base(self) -> str:
        """Python's official image, of the version that fits."""
        candidates = [self.minor] if self.minor is not None else [sys.version_info.minor, *range(11, 30)]
        for minor in candidates:
            if self.allows(minor):
                return f"docker.io/library/python:3.{minor}-slim"
        raise UsageError(f"no Python is {self.requires}", hint="correct requires-python in pyproject.toml")

    def __str__(self) -> str:
        return f"3.{self.minor} (.python-version)" if self.minor is not None else f"{self.requires}"


def _count(packages: Sequence[Package]) -> str:
    return packages[0].name if len(packages) == 1 else f"{len(packages)} packages"


def _settings(source: Source) -> bytes:
    """A pyproject.toml of what ``kubewright run`` reads, and nothing of the machine it was built on."""
    lines = ["[project]", f"name = {json.dumps(source.name, ensure_ascii=False)}", "", "[tool.kubewright]"]
    lines += [
        f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in sorted(source.settings.items())
    ]
    return ("\n".join(lines) + "\n").encode()


def _base_digest(base: Base) -> dict[str, str]:
    return {"org.opencontainers.image.base.digest": base.digest} if base.digest else {}
