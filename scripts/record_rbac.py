"""Record the roles and bindings that a new cluster has, for the embedded server to begin with.

::

    python scripts/record_rbac.py --kubeconfig FILE

of a cluster with its controllers: they gather the rules of aggregated roles. Writes
``src/kubewright/server/data/rbac.json.gz``.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
from pathlib import Path

from kubewright.client import connect
from kubewright.client.kubeconfig import load_config
from kubewright.wire import Request

TARGET = Path(__file__).resolve().parent.parent / "src/kubewright/server/data/rbac.json.gz"
API = "/apis/rbac.authorization.k8s.io/v1"
SELECTOR = (("labelSelector", "kubernetes.io/bootstrapping=rbac-defaults"),)


async def record(kubeconfig: Path) -> None:
    """Ask for all four kinds and write them down."""
    client = connect(load_config(kubeconfig=kubeconfig))
    found = {}
    try:
        for plural in ("clusterroles", "roles", "clusterrolebindings", "rolebindings"):
            response = await client.transport.send(Request("GET", f"{API}/{plural}", SELECTOR))
            found[plural] = [_lasting(item) for item in json.loads(await response.read())["items"]]
    finally:
        await client.close()
    TARGET.write_bytes(gzip.compress(json.dumps(found, separators=(",", ":")).encode(), mtime=0))
    print({plural: len(items) for plural, items in found.items()})


def _lasting(item: dict[str, object]) -> dict[str, object]:
    """The object without what differs from cluster to cluster."""
    kept = ("name", "namespace", "labels", "annotations", "managedFields")
    meta = item["metadata"]
    for entry in meta["managedFields"]:
        del entry["time"]
    return {**item, "metadata": {key: meta[key] for key in kept if key in meta}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    asyncio.run(record(parser.parse_args().kubeconfig))


if __name__ == "__main__":
    main()
