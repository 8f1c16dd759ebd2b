import pytest

from kubewright.errors import DecodeError
from kubewright.objects import RawObject, Resource, Spec, decode, resource


class Port(Spec):
    port: int


class WebSpec(Spec):
    size: int = 1
    ports: list[Port] = []


@resource(group="web.example.com", version="v1")
class Web(Resource[WebSpec, None]):
    pass


def raw(spec: str) -> RawObject:
    return RawObject(b'{"kind":"Web","metadata":{"name":"a","namespace":"b"},"spec":%s}' % spec.encode())


def test_each_view_is_its_own() -> None:
    stored = raw('{"size": 2}')
    decode(stored, Web).spec.size = 9
    assert decode(stored, Web).spec.size == 2


def test_what_does_not_fit_names_object_and_field() -> None:
    with pytest.raises(DecodeError, match=r"^Web b/a does not fit Web at spec.size: Expected `int`, got `str`$"):
        decode(raw('{"size": "2"}'), Web)
    with pytest.raises(DecodeError, match=r"at spec.ports\[0\]: Object missing required field `port`"):
        decode(raw('{"ports": [{}]}'), Web)
    with pytest.raises(DecodeError, match="at the object itself: Object missing required field `spec`"):
        decode(RawObject(b'{"metadata":{"name":"a","namespace":"b"}}'), Web)
