"""Record how Kubernetes' built-in kinds are written as protobuf: field numbers, types and JSON names.

The messages come from the ``generated.proto`` files of Kubernetes' published modules, the JSON names and the
embedded structs from the tags of the Go types beside them. Run with the folder that holds ``k8s.io/api@vX``::

    python scripts/record_protobuf.py /path/to/mod/k8s.io v0.37.2
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path

OUTPUT = Path(__file__).resolve().parent.parent / "src/kubewright/server/data/protobuf.json.gz"
MODULES = ("api", "apimachinery", "apiextensions-apiserver", "kube-aggregator")

MESSAGE = re.compile(r"^message (\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD = re.compile(
    r"^\s+(?:(?P<label>optional|repeated|required) )?"
    r"(?P<type>map<[\w., ]+>|[.\w]+) (?P<name>\w+) = (?P<number>\d+)",
    re.MULTILINE,
)
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
TAG = re.compile(r'`json:"(?P<json>[^"]*)"[^`]*protobuf:"[a-z0-9]+,(?P<number>\d+)')


def go_names(folder: Path) -> dict[str, dict[str, str]]:
    """The JSON name of each numbered field of each struct; empty for an embedded struct."""
    names: dict[str, dict[str, str]] = {}
    for path in sorted(folder.glob("*.go")):
        for struct, body in STRUCT.findall(path.read_text()):
            for tag in TAG.finditer(body):
                names.setdefault(struct, {})[tag["number"]] = tag["json"].partition(",")[0]
    return names


def messages(path: Path) -> dict[str, dict[str, list[str]]]:
    """Every message of a proto file: number to [json name, type, label]."""
    text = path.read_text()
    package = re.search(r"^package ([\w.]+);", text, re.MULTILINE)[1]
    names = go_names(path.parent)
    found = {}
    for message, body in MESSAGE.findall(text):
        fields = {}
        for field in FIELD.finditer(re.sub(r"^\s*//.*$", "", body, flags=re.MULTILINE)):
            kind = field["type"]
            if kind[0] == ".":
                kind = kind[1:]
            elif "." not in kind and kind[0].isupper():
                kind = f"{package}.{kind}"
            kind = re.sub(r"(map<\w+, ?)\.?(\w*[A-Z]\w*)>", rf"\1{package}.\2>", kind).replace(", .", ", ")
            name = names.get(message, {}).get(field["number"], field["name"])
            fields[field["number"]] = [name, kind, field["label"] or "optional"]
        found[f"{package}.{message}"] = fields
    return found


def main() -> None:
    root, version = Path(sys.argv[1]), sys.argv[2]
    table: dict[str, dict[str, list[str]]] = {}
    for module in MODULES:
        for path in sorted((root / f"{module}@{version}").rglob("generated.proto")):
            if "/testing/" not in str(path) and "/testapigroup/" not in str(path):
                table |= messages(path)
    data = json.dumps(table, separators=(",", ":"), sort_keys=True).encode()
    OUTPUT.write_bytes(gzip.compress(data, 9, mtime=0))
    print(f"{len(table)} messages, {OUTPUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
