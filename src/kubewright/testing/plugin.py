"""The pytest plugin: the fixtures ``cluster`` and ``environment``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

try:
    from pytest_asyncio import fixture as async_fixture
except ImportError:  # the fixtures then say themselves that they need it
    async_fixture = pytest.fixture  # type: ignore[assignment]

if TYPE_CHECKING:
    from kubewright.cluster import Cluster
    from kubewright.testing.environment import Environment


@async_fixture
async def cluster() -> AsyncIterator[Cluster]:
    """A cluster in this process: API server, controllers, simulated Pods; the test's own."""
    from kubewright.cluster import Cluster

    async with Cluster() as running:
        yield running


@async_fixture
async def environment(cluster: Cluster) -> AsyncIterator[Environment]:
    """The cluster with helpers: ``async with environment.running(operator()):``."""
    from kubewright.testing.environment import Environment

    async with Environment(cluster=cluster) as entered:
        yield entered
