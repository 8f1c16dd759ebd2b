"""Resource versions as numbers: since Kubernetes 1.35 (KEP-5504) two of one resource can be compared."""

from __future__ import annotations


def is_newer(one: str, other: str) -> bool:
    """Whether ``one`` is newer than ``other``: both decimal, of any length, without leading zeros.

    The empty string, of an object that never was on a server, is older than everything.
    """
    if len(one) != len(other):
        return len(one) > len(other)
    return one > other
