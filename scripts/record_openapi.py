"""Record what a real API server says of its GA resources: OpenAPI v3, discovery, table columns.

    python scripts/record_openapi.py KUBECONFIG [FOLDER]

FOLDER is ``src/kubewright/server/data`` unless given. The embedded server answers from these files and the typed
kinds are generated from them; recording the same server twice writes the same bytes.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import ssl
import sys
import urllib.request
from pathlib import Path
from typing import Any

import msgspec

DATA = Path(__file__).resolve().parents[1] / "src" / "kubewright" / "server" / "data"
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
GA = re.compile(r"^v\d+$")
# The aggregator serves this one itself, without an APIService.
AGGREGATOR = ("apiregistration.k8s.io", "v1")


class Server:
    """An API server reached with the current context's token or client certificate."""

    def __init__(self, kubeconfig: Path) -> None:
        config = msgspec.yaml.decode(kubeconfig.read_bytes())
        context = _named(config, "context", config["current-context"])
        cluster = _named(config, "cluster", context["cluster"])
        user = _named(config, "user", context["user"])
        self.url = cluster["server"].rstrip("/")
        self.tls = ssl.create_default_context()
        if "certificate-authority-data" in cluster:
            self.tls.load_verify_locations(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        elif "certificate-authority" in cluster:
            self.tls.load_verify_locations(cluster["certificate-authority"])
        if "client-certificate" in user:
            self.tls.load_cert_chain(user["client-certificate"], user["client-key"])
        self.headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}

    def get(self, path: str, accept: str = "application/json") -> Any:
        request = urllib.request.Request(self.url + path, headers={**self.headers, "Accept": accept})
        with urllib.request.urlopen(request, context=self.tls, timeout=60) as response:
            return json.load(response)


def _named(config: dict[str, Any], what: str, name: str) -> dict[str, Any]:
    return next(entry[what] for entry in config[f"{what}s"] if entry["name"] == name)


def built_in_versions(server: Server) -> set[tuple[str, str]]:
    """The GA group versions the server is born with; those of CRDs are not."""
    services = server.get("/apis/apiregistration.k8s.io/v1/apiservices")["items"]
    versions = {
        (service["spec"].get("group", ""), service["spec"]["version"])
        for service in services
        if service["metadata"].get("labels", {}).get("kube-aggregator.kubernetes.io/automanaged") == "onstart"
    }
    return {(group, version) for group, version in versions | {AGGREGATOR} if GA.match(version)}


def discovery(server: Server, keep: set[tuple[str, str]]) -> dict[str, Any]:
    """The aggregated discovery of ``/api`` and ``/apis`` in one document."""
    document = server.get("/api", DISCOVERY)
    document["items"] += server.get("/apis", DISCOVERY)["items"]
    groups = []
    for group in document["items"]:
        name = group["metadata"].get("name", "")
        group["metadata"].pop("creationTimestamp", None)
        group["versions"] = [version for version in group["versions"] if (name, version["version"]) in keep]
        if group["versions"]:
            groups.append(group)
    document["items"] = groups
    return document


def tables(server: Server, discovered: dict[str, Any]) -> dict[str, Any]:
    """``columnDefinitions`` by ``<apiVersion>/<plural>``: ``v1/pods``, ``apps/v1/deployments``."""
    columns = {}
    for group in discovered["items"]:
        name = group["metadata"].get("name", "")
        for version in group["versions"]:
            api_version = f"{name}/{version['version']}" if name else version["version"]
            root = f"/apis/{api_version}" if name else f"/api/{api_version}"
            for resource in version["resources"]:
                if "list" in resource["verbs"]:
                    table = server.get(f"{root}/{resource['resource']}?limit=1", TABLE)
                    columns[f"{api_version}/{resource['resource']}"] = table["columnDefinitions"]
    return columns


def write(path: Path, document: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    path.write_bytes(gzip.compress(text, 9, mtime=0))


def record(kubeconfig: Path, folder: Path) -> None:
    server = Server(kubeconfig)
    keep = built_in_versions(server)
    for group, version in sorted(keep):
        path = f"apis/{group}/{version}" if group else f"api/{version}"
        write(folder / "openapi" / f"{group or 'core'}__{version}.json.gz", server.get(f"/openapi/v3/{path}"))
    discovered = discovery(server, keep)
    write(folder / "discovery.json.gz", discovered)
    write(folder / "tables.json.gz", tables(server, discovered))


if __name__ == "__main__":
    if len(sys.argv) not in {2, 3}:
        sys.exit(__doc__)
    record(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else DATA)
