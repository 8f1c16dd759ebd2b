"""Reads manifests: YAML or JSON as kubectl reads them, several documents a file, each with its place."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import yaml

from kubewright.errors import ManifestError
from kubewright.manifests.scalars import resolve
from kubewright.objects import JsonObject

SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class Document:
    """A manifest and where it stands: ``app.yaml:12``."""

    object: JsonObject
    where: str

    @property
    def title(self) -> str:
        """``AppService nginx-app``."""
        return f"{self.object['kind']} {self.object['metadata'].get('name', '')}".strip()


def load_manifests(source: Path | str) -> list[JsonObject]:
    """The manifests of a file or folder (a ``Path``) or of a text (a ``str``).

    Raises:
        ManifestError: as :func:`read_documents` does.
    """
    found = parse_documents(source, "text") if isinstance(source, str) else read_documents(source)
    return [document.object for document in found]


def read_documents(path: Path) -> list[Document]:
    """The manifests of a file, of all ``.yaml``, ``.yml`` and ``.json`` files of a folder, or of ``-``, stdin.

    The items of a list are given one by one.

    Raises:
        ManifestError: it cannot be read, is no YAML, says a key twice, or is not the manifest of an object; the
            message names file, line and document.
    """
    if str(path) == "-":
        return parse_documents(sys.stdin.read(), "stdin")
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
        if not files:
            raise ManifestError(f"{path}: no .yaml, .yml or .json file in this folder")
        return [document for file in files for document in read_documents(file)]
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path} is not text in UTF-8: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror}", hint="give the path of a manifest") from None
    found = parse_documents(text, str(path))
    if not found:
        raise ManifestError(f"{path}: no manifest in this file")
    return found


def parse_documents(text: str, name: str) -> list[Document]:
    """The manifests in ``text``; ``name`` stands for it in messages.

    Raises:
        ManifestError: as :func:`read_documents` does.
    """
    values = list(_json_values(text, name) or _yaml_values(text, name))
    return [document for value, where in values for document in _objects(value, where)]


def _json_values(text: str, name: str) -> list[tuple[object, str]]:
    """The values of a JSON stream; none if it is none (YAML may begin with a brace too)."""
    if not text.lstrip().startswith("{"):
        return []
    found: list[tuple[object, str]] = []
    decoder, position = json.JSONDecoder(object_pairs_hook=_once), 0
    try:
        while rest := text[position:].lstrip():
            position = len(text) - len(rest)
            line = text.count("\n", 0, position) + 1
            value, position = decoder.raw_decode(text, position)
            found.append((value, f"{name}:{line}"))
    except _KeyTwice as error:
        raise ManifestError(f"{name}:{line}: the key {str(error)!r} stands twice in one object") from None
    except json.JSONDecodeError:
        return []
    return found


class _KeyTwice(Exception):
    pass


def _once(pairs: list[tuple[str, Any]]) -> JsonObject:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _KeyTwice(next(key for key in keys if keys.count(key) > 1))
    return made


def _yaml_values(text: str, name: str) -> Iterator[tuple[object, str]]:
    number = 0
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, int(error.position)) + 1
        raise ManifestError(f"{name}:{line}: not valid YAML: the character {text[error.position]!a}") from None
    try:
        while loader.check_node() and (node := loader.get_node()) is not None:
            number += 1
            value = loader.construct_document(node)
            msgspec.json.encode(value)  # refuses what is endless
            if value is not None:
                many = f" (document {number})" if number > 1 else ""
                yield value, f"{name}:{node.start_mark.line + 1}{many}"
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark is not None else name
        raise ManifestError(f"{at}: not valid YAML: {error.problem}", hint="correct that line") from None
    except yaml.YAMLError as error:
        raise ManifestError(f"{name}: not valid YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ManifestError(f"{name}: nested too deeply, or an anchor contains itself") from None
    finally:
        loader.dispose()


def _objects(value: object, where: str) -> Iterator[Document]:
    if not isinstance(value, dict):
        raise ManifestError(f"{where}: not the manifest of an object but {_json_type(value)}")
    for field in ("apiVersion", "kind"):
        if not isinstance(value.get(field), str) or not value[field]:
            raise ManifestError(
                f"{where}: {field} is missing",
                hint="every manifest has an apiVersion and a kind, which are strings",
            )
    if value["kind"].endswith("List") and isinstance(value.get("items"), list):
        for number, item in enumerate(value["items"]):
            yield from _objects(item, f"{where} items[{number}]")
        return
    metadata = value.get("metadata")
    if not isinstance(metadata, dict) or not (metadata.get("name") or metadata.get("generateName")):
        raise ManifestError(f"{where}: {value['kind']} without metadata.name", hint="give it a name")
    for field in ("name", "generateName", "namespace"):
        if not isinstance(metadata.get(field, ""), str):
            raise ManifestError(
                f"{where}: metadata.{field} is {_json_type(metadata[field])}, not a string", hint="put it in quotes"
            )
    yield Document(value, where)


def _json_type(value: object) -> str:
    names = {
        list: "a list",
        str: "a string",
        bool: "a boolean",
        int: "a number",
        float: "a number",
        dict: "an object",
    }
    return names.get(type(value), "null")


class _Loader(yaml.SafeLoader):
    """YAML as kubectl reads it, except that a key may not stand twice in one mapping."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Refuse keys that stand twice, before merges are resolved."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise _refused(f"the key {key.value!r} stands twice in one mapping", key)
                seen.add(key.value)
        super().flatten_mapping(node)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping whose keys are strings, as JSON has them."""
        self.flatten_mapping(node)
        return {self._key(key): self.construct_object(value, deep=deep) for key, value in node.value}

    def _key(self, node: yaml.Node) -> str:
        key = self.construct_object(node, deep=True)
        if isinstance(key, bool):
            return "true" if key else "false"
        if isinstance(key, str | int | float):
            return str(key)
        raise _refused(f"{key!r} cannot be a key in JSON", node)

    def plain(self, node: yaml.ScalarNode) -> object:
        """An unquoted scalar without a tag."""
        try:
            return resolve(node.value)
        except ValueError as error:
            raise _refused(str(error), node) from None

    def binary(self, node: yaml.ScalarNode) -> str:
        """``!!binary``: the decoded text."""
        try:
            return base64.b64decode(node.value).decode()
        except ValueError:
            raise _refused("this is no text in base64", node) from None

    def tagged(self, node: yaml.ScalarNode) -> object:
        """``!!int``, ``!!float``, ``!!bool``, ``!!null``: quoted or not, the scalar is resolved."""
        value = self.plain(node)
        wanted: tuple[type, ...] = {
            "tag:yaml.org,2002:int": (int,),
            "tag:yaml.org,2002:float": (int, float),
            "tag:yaml.org,2002:bool": (bool,),
        }.get(node.tag, (type(None),))
        if not isinstance(value, wanted):
            raise _refused(f"cannot decode `{node.value}` as !!{node.tag.rpartition(':')[2]}", node)
        return value

    def unknown(self, _suffix: str, node: yaml.Node) -> object:
        """Any other tag says nothing."""
        if isinstance(node, yaml.MappingNode):
            return self.construct_mapping(node, deep=True)
        if isinstance(node, yaml.SequenceNode):
            return self.construct_sequence(node, deep=True)
        return str(node.value)


def _refused(problem: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


_PLAIN = "!plain"
_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<\Z"), ["<"])
_Loader.add_implicit_resolver(_PLAIN, re.compile(""), None)
_Loader.add_constructor(_PLAIN, _Loader.plain)
_Loader.add_constructor("tag:yaml.org,2002:binary", _Loader.binary)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: str(node.value))
for _tag in ("int", "float", "bool", "null"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _Loader.tagged)
_Loader.add_multi_constructor("!", _Loader.unknown)
