import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewright.errors import ManifestError
from kubewright.manifests import load_manifests, read_documents, to_yaml

# Each as kubectl 1.37 read it: `kubectl create --dry-run=client -o json`.
AS_KUBECTL = {
    "yes": True,
    "no": False,
    "on": True,
    "off": False,
    "y": True,
    "n": False,
    "Y": True,
    "N": False,
    "Yes": True,
    "NO": False,
    "On": True,
    "true": True,
    "True": True,
    "TRUE": True,
    "tRue": "tRue",
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "nil": "nil",
    "": None,
    "010": 8,
    "0o10": 8,
    "0x1F": 31,
    "0b101": 5,
    "1_000": 1000,
    "1:30": "1:30",
    "190:20:30": "190:20:30",
    "2001-01-01": "2001-01-01",
    "2001-01-01T00:00:00Z": "2001-01-01T00:00:00Z",
    "1e3": 1000,
    "1.5": 1.5,
    ".5": 0.5,
    "5.": 5,
    "1.": 1,
    "-1": -1,
    "+1": 1,
    "+.5": 0.5,
    "1e": "1e",
    "0": 0,
    "00": 0,
    "-0": 0,
    "08": 8,
    "0_8": 8,
    "12e03": 12000,
    "1,000": "1,000",
    "0x": "0x",
    "123456789012345678901234567890": 1.2345678901234568e29,
    "-9223372036854775808": -9223372036854775808,
    "9223372036854775808": 9223372036854776000,
    "18446744073709551616": 18446744073709552000,
    "=": "=",
    "<": "<",
    "1.0": 1,
    "1.10": 1.1,
    "100.0": 100,
    "1e21": 1e21,
    "1e-7": 1e-07,
    '"x"': "x",
    "'yes'": "yes",
    "!!str yes": "yes",
    '!!int "5"': 5,
    "!!binary aGk=": "hi",
    "!!float 1": 1,
    "0b2": "0b2",
    "1__0": 10,
    "_1": "_1",
    "1_": 1,
    "+0x1F": 31,
    "-0x1F": -31,
    "0X1F": 31,
    "1E3": 1000,
    "+1e3": 1000,
    "0.": 0,
    "-.5": -0.5,
    "1e400": "1e400",
    "0xFFFFFFFFFFFFFFFF": 18446744073709552000,
    "!foo bar": "bar",
    "!!timestamp 2001-01-01": "2001-01-01",
    "0b": "0b",
    "-0b11": -3,
    "-0o17": -15,
    "0o8": "0o8",
    "1_0.5": 10.5,
    "._5": "._5",
    "1e1_0": 10000000000,
    "0.1_2": 0.12,
    "2e+3": 2000,
}
HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"


@pytest.mark.parametrize(("text", "value"), AS_KUBECTL.items())
def test_scalars_are_what_kubectl_reads(text: str, value: object) -> None:
    read = load_manifests(f"{HEAD}v: {text}\n")[0]["v"]
    assert read == (pytest.approx(value) if isinstance(value, int) and abs(value) > 2**62 else value)
    assert isinstance(read, bool) == isinstance(value, bool)
    assert isinstance(read, str) == isinstance(value, str)


@pytest.mark.parametrize("text", [".inf", "-.Inf", ".nan", "!!int x", "!!binary ++"])
def test_what_json_cannot_say_is_refused(text: str) -> None:
    with pytest.raises(ManifestError, match="text:4:4: not valid YAML"):
        load_manifests(f"{HEAD}v: {text}\n")


def test_keys_become_strings_and_merges_are_followed() -> None:
    text = HEAD + "data: &a {1: b, true: x, 1.5: c}\nx:\n  <<: *a\n  why: z\n"
    read = load_manifests(text)[0]
    assert read["data"] == {"1": "b", "true": "x", "1.5": "c"}
    assert read["x"] == {"1": "b", "true": "x", "1.5": "c", "why": "z"}


def test_several_documents_lists_and_json(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text(f"# nothing\n---\n---\n{HEAD}---\n{HEAD}")
    (tmp_path / "a.json").write_text(
        '{"apiVersion": "v1", "kind": "List", "items": [\n\t{"apiVersion": "v1", '
        '"kind": "Pod", "metadata": {"name": "p"}}]}'
        '\n{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "q"}}'
    )
    (tmp_path / "note.txt").write_text("not read")
    read = read_documents(tmp_path)
    assert [document.title for document in read] == ["Pod p", "Pod q", "ConfigMap x", "ConfigMap x"]
    places = [document.where.removeprefix(f"{tmp_path}/") for document in read]
    assert places == ["a.json:1 items[0]", "a.json:3", "b.yaml:4 (document 2)", "b.yaml:8 (document 3)"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: A\n", "text:1: apiVersion is missing"),
        ("apiVersion: v1\nkind: 3\n", "text:1: kind is missing"),
        ("- a\n", "text:1: not the manifest of an object but a list"),
        ("apiVersion: v1\nkind: A\n", "text:1: A without metadata.name"),
        ("apiVersion: v1\nkind: A\nmetadata: {name: 010}\n", "text:1: metadata.name is a number, not a string"),
        ("a: [\n", "text:2:1: not valid YAML: expected the node content, but found '<stream end>'"),
        (
            HEAD + "data: {a: 1}\ndata: {a: 2}\n",
            "text:5:1: not valid YAML: the key 'data' stands twice in one mapping",
        ),
        ('{"a": 1,\n "a": 2}', "text:1: the key 'a' stands twice in one object"),
        (HEAD + "a: &a [*a]\n", "text: nested too deeply, or an anchor contains itself"),
        (HEAD + "a: " + "[" * 5000, "text: nested too deeply, or an anchor contains itself"),
        (HEAD + "a: \x01\n", "text:4: not valid YAML: the character '\\x01'"),
        (HEAD + "? ~\n: 3\n", "text:4:3: not valid YAML: None cannot be a key in JSON"),
    ],
)
def test_errors_name_the_place(text: str, message: str) -> None:
    with pytest.raises(ManifestError) as refused:
        load_manifests(text)
    assert str(refused.value) == message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="No such file"):
        load_manifests(tmp_path / "absent.yaml")
    with pytest.raises(ManifestError, match=r"no \.yaml, \.yml or \.json file in this folder"):
        load_manifests(tmp_path)
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ManifestError, match="is not text in UTF-8"):
        load_manifests(tmp_path / "bad.yaml")


values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text(), st.sampled_from(list(AS_KUBECTL))
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(min_size=1), inner, max_size=3)),
    max_leaves=8,
)


@given(values)
def test_what_is_written_reads_back_as_it_was(value: object) -> None:
    manifest = {"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "value": value}
    assert load_manifests(to_yaml(manifest, manifest)) == [manifest, manifest]


def test_the_style_is_kubectls() -> None:
    manifest = {"z": ["a", {"b": "yes", "c": [], "d": {}}], "a": "1.20", "text": "x\ny\n", "m": 1}
    assert to_yaml(manifest) == ('z:\n- a\n- b: "yes"\n  c: []\n  d: {}\na: "1.20"\ntext: |\n  x\n  y\nm: 1\n')


@pytest.mark.real
def test_the_real_kubectl_reads_the_same(real_kubeconfig: Path) -> None:
    kubectl = Path(sys.executable).with_name("kubectl")
    if not kubectl.exists():
        pytest.skip("no kubectl beside this Python: install the development dependencies")
    lines = "".join(f"v{number}: {text}\n" for number, text in enumerate(AS_KUBECTL))
    command = [kubectl, "--kubeconfig", real_kubeconfig, "create", "-f", "-", "-o", "json"]
    done = subprocess.run(
        [*command, "--dry-run=client", "--validate=false"],
        input=HEAD + lines,
        capture_output=True,
        text=True,
        check=True,
    )
    read = json.loads(done.stdout)
    assert [read[f"v{number}"] for number in range(len(AS_KUBECTL))] == list(AS_KUBECTL.values())
