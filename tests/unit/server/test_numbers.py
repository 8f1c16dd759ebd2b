import pytest

from kubewright.server.bodies import read_json
from kubewright.server.media import encode


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"1", b"1"),
        (b"1.0", b"1"),
        (b"1e3", b"1000"),
        (b"0.5", b"0.5"),
        (b"-2.50", b"-2.5"),
        (b"1e20", b"100000000000000000000"),
    ],
)
def test_numbers_are_kept_as_the_api_server_keeps_them(sent: bytes, kept: bytes) -> None:
    obj, _ = read_json(b'{"a":[%s]}' % sent)
    assert encode(obj) == b'{"a":[%s]}' % kept
