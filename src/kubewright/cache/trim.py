"""Drops from an object's JSON what a cache does not answer: ``managedFields``, often half of its bytes, or all but
the metadata."""

from __future__ import annotations

import msgspec

_KEY = b'"managedFields"'


class _Metadata(msgspec.Struct, rename="camel"):
    managed_fields: msgspec.Raw = msgspec.Raw()


class _Whole(msgspec.Struct):
    metadata: msgspec.Raw


_whole = msgspec.json.Decoder(_Whole)
_metadata = msgspec.json.Decoder(_Metadata)


def without_managed_fields(raw: bytes) -> bytes:
    """``raw`` without ``metadata.managedFields``; the rest is neither decoded nor written anew."""
    if _KEY not in raw:
        return raw
    metadata = bytes(_whole.decode(raw).metadata)
    managed = _metadata.decode(metadata).managed_fields
    value = bytes(managed)
    if not value:
        return raw
    trimmed = _without_member(metadata, _KEY + b":" + value)
    return raw.replace(metadata, trimmed, 1)


def metadata_only(raw: bytes) -> bytes:
    """Nothing of ``raw`` but its metadata, without ``managedFields``."""
    return b'{"metadata":%s}' % _whole.decode(without_managed_fields(raw)).metadata


def _without_member(text: bytes, member: bytes) -> bytes:
    start = text.find(member)
    if start < 0:  # white space within: not as API servers write it
        fields = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        del fields["managedFields"]
        return msgspec.json.encode(fields)
    end = start + len(member)
    if text[end : end + 1] == b",":
        end += 1
    elif text[start - 1 : start] == b",":
        start -= 1
    return text[:start] + text[end:]
