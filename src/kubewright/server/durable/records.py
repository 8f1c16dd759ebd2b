"""Records of a data file: each with its length and checksums, so that a torn end is told from damage."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import msgspec

from kubewright.errors import DataError
from kubewright.server.store import Entry

MAGIC = b"kubewright data 1\n"
_HEADER = struct.Struct("<III")


class Record(msgspec.Struct, array_like=True):
    """A change, or the beginning or end of a snapshot; ``end`` counts the records between in ``revision``."""

    op: str
    table: str
    revision: int
    key: str = ""
    raw: bytes = b""
    labels: dict[str, str] | None = None
    fields: dict[str, str] | None = None

    def entry(self) -> Entry:
        """The object in it."""
        return Entry(self.key, self.raw, self.revision, self.labels, self.fields)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Record).decode


def framed(record: Record) -> bytes:
    """The record as it stands in a file: length, checksum, checksum of these two, content."""
    body = _encode(record)
    size, check = len(body), crc32(body)
    return _HEADER.pack(size, check, crc32(size.to_bytes(4, "little") + check.to_bytes(4, "little"))) + body


def of_entry(op: str, table: str, entry: Entry) -> Record:
    """The record of a change to ``entry``."""
    return Record(op, table, entry.revision, entry.key, entry.raw, entry.labels, entry.fields)


class Reader:
    """The records of a file, up to its end or to where writing it was broken off.

    Attributes:
        good: the length of what has been read.
    """

    def __init__(self, path: Path, *, may_be_torn: bool) -> None:
        self._path = path
        self._may_be_torn = may_be_torn
        self.good = 0

    def __iter__(self) -> Iterator[Record]:
        data = self._path.read_bytes()
        if not data.startswith(MAGIC):
            if self._may_be_torn and MAGIC.startswith(data):
                return
            raise self._damaged(0)
        self.good = len(MAGIC)
        while self.good < len(data):
            header = data[self.good : self.good + _HEADER.size]
            start = self.good + _HEADER.size
            rest = data[self.good :]
            if len(header) < _HEADER.size or not rest.strip(b"\0"):
                return self._torn()
            size, check, header_check = _HEADER.unpack(header)
            if crc32(header[:8]) != header_check:
                raise self._damaged(self.good)
            body = data[start : start + size]
            if len(body) < size:
                return self._torn()
            if crc32(body) != check:
                # Space that was reserved and never written is the last thing a crash leaves.
                if start + size == len(data) and body.endswith(b"\0"):
                    return self._torn()
                raise self._damaged(self.good)
            yield _decode(body)
            self.good = start + size

    def _torn(self) -> None:
        if not self._may_be_torn:
            raise self._damaged(self.good)

    def _damaged(self, at: int) -> DataError:
        hint = "restore the folder from a copy"
        if at and self._path.suffix == ".log":
            hint += f"; or give up what was written after the damage: truncate -s {at} {self._path}"
            hint += ", and remove newer files"
        return DataError(f"{self._path} is damaged at byte {at}", hint=hint)
