"""Record objects of every GA kind of a real cluster, as they come over the wire, to test the typed kinds with.

    kubectl apply -f tests/unit/kinds/rich.yaml
    python scripts/record_objects.py KUBECONFIG

Use a throw-away cluster with controllers and a node: what is recorded is committed, Secrets too. Of each resource
the objects of ``rich.yaml`` and the three largest others are kept.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

from record_openapi import Server, built_in_versions, discovery

RECORDED = Path(__file__).resolve().parents[1] / "tests" / "unit" / "kinds" / "recorded.json.gz"
ANYWHERE = {"machineID": "0" * 32, "systemUUID": "0" * 32, "bootID": "0" * 32}


def objects(server: Server) -> list[dict[str, Any]]:
    found = []
    for group in discovery(server, built_in_versions(server))["items"]:
        name = group["metadata"].get("name", "")
        for version in group["versions"]:
            api_version = f"{name}/{version['version']}" if name else version["version"]
            for resource in version["resources"]:
                if "list" not in resource["verbs"]:
                    continue
                path = f"{'/apis' if name else '/api'}/{api_version}/{resource['resource']}"
                head = {"apiVersion": api_version, "kind": resource["responseKind"]["kind"]}
                items = [head | item for item in server.get(path)["items"]]
                for item in items:
                    if item["kind"] == "Node":
                        item["status"]["nodeInfo"] |= ANYWHERE
                items.sort(key=lambda item: ("rich" not in item["metadata"]["name"], -len(json.dumps(item))))
                rich = sum("rich" in item["metadata"]["name"] for item in items)
                found += items[: rich + 3]
    return found


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    text = json.dumps(objects(Server(Path(sys.argv[1]))), separators=(",", ":"), ensure_ascii=False)
    RECORDED.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
