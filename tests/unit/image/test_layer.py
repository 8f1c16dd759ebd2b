from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

from kubewright.image import BlobStore
from kubewright.image.layer import File, compress_layer, make_layer


def test_the_same_files_are_the_same_layer(tmp_path: Path) -> None:
    source = tmp_path / "b.py"
    source.write_bytes(b"print()")
    first = {"pkg/b.py": File(source), "bin/run": File(b"#!", executable=True)}
    second = {"bin/run": File(b"#!", executable=True), "pkg/b.py": File(b"print()")}
    one = make_layer(first, "/opt/x", 7, BlobStore(tmp_path / "one"), "made")
    two = make_layer(second, "/opt/x", 7, BlobStore(tmp_path / "two"), "made")
    assert one.blob.descriptor == two.blob.descriptor
    assert one.diff_id == two.diff_id
    data = one.blob.path.read_bytes()
    assert f"sha256:{hashlib.sha256(data).hexdigest()}" == one.blob.descriptor.digest
    assert f"sha256:{hashlib.sha256(gzip.decompress(data)).hexdigest()}" == one.diff_id


def test_entries_are_sorted_and_nobodys(tmp_path: Path) -> None:
    files = {"b": File(b"1"), "a/c": File(b"2", executable=True)}
    layer = make_layer(files, "/app", 7, BlobStore(tmp_path), "")
    with tarfile.open(layer.blob.path) as archive:
        entries = [(entry.name, entry.mode, entry.uid, entry.gid, entry.mtime) for entry in archive]
    assert entries == [
        ("app", 0o755, 0, 0, 7),
        ("app/a", 0o755, 0, 0, 7),
        ("app/a/c", 0o755, 0, 0, 7),
        ("app/b", 0o644, 0, 0, 7),
    ]


def test_an_archive_is_compressed_as_it_is(tmp_path: Path) -> None:
    data = b"archive" * 1000
    layer = compress_layer(io.BytesIO(data), BlobStore(tmp_path), "")
    assert gzip.decompress(layer.blob.path.read_bytes()) == data
    assert layer.diff_id == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert [path.name for path in tmp_path.iterdir()] == ["blobs"], "nothing half-written is left"
