from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubewright.client import connect, load_config
from kubewright.errors import BadRequest, InvalidSelector
from kubewright.kinds import core_v1 as core
from kubewright.objects import LabelSelector, LabelSelectorRequirement, label_selector
from kubewright.objects import parse_field_selector as fields
from kubewright.objects import parse_label_selector as labels

KEY_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for "
    "validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
# As a real API server 1.37 answered ?labelSelector=.
REFUSED = {
    "a b": "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
    "a in b": "unable to parse requirement: found 'b' expected: '('",
    "a in (": "unable to parse requirement: found '', expected: ',', ')' or identifier",
    "a in (x y)": "unable to parse requirement: found 'y', expected: ',' or ')'",
    "=x": "found '=', expected: !, identifier, or 'end of string'",
    "a=b=c": "found '=', expected: ',' or 'end of string'",
    ",a": "found ',', expected: !, identifier, or 'end of string'",
    "a,,b": "found ',', expected: identifier after ','",
    "a,": "found '', expected: identifier after ','",
    "!": "unable to parse requirement: found '', expected: identifier",
    "a!": "unable to parse requirement: found '!', expected: in, notin, =, ==, !=, gt, lt",
    "!a=b": "found '=', expected: ',' or 'end of string'",
    "x notin": "unable to parse requirement: found '' expected: '('",
    "-a=b": f'unable to parse requirement: <nil>: Invalid value: "-a": {KEY_RULE}',
    "a=-b": f'unable to parse requirement: values[0][a]: Invalid value: "-b": {VALUE_RULE}',
    "a>z": "unable to parse requirement: values[0]: Invalid value: \"z\": for 'Gt', 'Lt' operators, "
    "the value must be an integer",
}


@pytest.mark.parametrize(("text", "message"), REFUSED.items())
def test_what_cannot_be_read_is_refused_in_the_servers_words(text: str, message: str) -> None:
    with pytest.raises(InvalidSelector) as refused:
        labels(text)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("text", "selected", "not_selected"),
    [
        ("", [{}, {"a": "b"}], []),
        ("a", [{"a": ""}, {"a": "b"}], [{}, {"b": "a"}]),
        ("!a", [{}, {"b": "a"}], [{"a": ""}]),
        ("a=b", [{"a": "b", "c": "d"}], [{}, {"a": "c"}]),
        ("a==b", [{"a": "b"}], [{"a": "c"}]),
        ("a!=b", [{}, {"a": "c"}], [{"a": "b"}]),
        ("a=", [{"a": ""}], [{}, {"a": "b"}]),
        ("a in (b,c)", [{"a": "b"}, {"a": "c"}], [{}, {"a": "d"}]),
        ("a in ()", [{"a": ""}], [{}, {"a": "b"}]),
        ("a in (,b)", [{"a": ""}, {"a": "b"}], [{"a": "c"}]),
        ("a notin (b,c)", [{}, {"a": "d"}], [{"a": "b"}]),
        ("a>5", [{"a": "6"}], [{}, {"a": "5"}, {"a": "x"}, {"a": "99999999999999999999"}]),
        ("a<5,b", [{"a": "-1", "b": ""}], [{"a": "1"}]),
        ("in in (in,notin)", [{"in": "in"}, {"in": "notin"}], [{"in": "x"}]),
        ("app.kubernetes.io/name=x, !y ", [{"app.kubernetes.io/name": "x"}], [{"y": ""}]),
    ],
)
def test_matching(text: str, selected: list[dict[str, str]], not_selected: list[dict[str, str]]) -> None:
    selector = labels(text)
    assert [one for one in selected if not selector.matches(one)] == []
    assert [one for one in not_selected if selector.matches(one)] == []


def test_is_written_sorted_by_key() -> None:
    assert str(labels("z=1,!b , a in (y,x),c")) == "a in (x,y),!b,c,z=1"
    assert labels("z=1,a in (x)").exact("a") == "x"
    assert labels("a in (x,y)").exact("a") is None


words = st.sampled_from(["a", "b", "in", "notin", "a/b", "x-y", ""])
noise = st.lists(
    st.one_of(words, st.sampled_from(["=", "==", "!=", "!", "(", ")", ",", " ", "<", ">", "5"])), max_size=12
).map("".join)


@given(noise)
def test_reading_never_fails_otherwise_and_what_it_reads_it_writes(text: str) -> None:
    try:
        selector = labels(text)
    except InvalidSelector:
        return
    assert labels(str(selector)) == selector


def test_label_selector_objects() -> None:
    typed = LabelSelector(
        match_labels={"app": "web"},
        match_expressions=[LabelSelectorRequirement(key="tier", operator="In", values=["a", "b"])],
    )
    plain = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [{"key": "tier", "operator": "In", "values": ["b", "a"]}],
    }
    assert label_selector(typed) == label_selector(plain) == labels("app=web,tier in (a,b)")
    assert label_selector(None) is None
    empty = label_selector({})
    assert empty is not None
    assert empty.matches({})
    with pytest.raises(InvalidSelector, match='"Is" is not a valid label selector operator'):
        label_selector({"matchExpressions": [{"key": "a", "operator": "Is"}]})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
        ("metadata.name=a\\b", "invalid field selector: invalid escape sequence: \\b"),
        ("metadata.name=a=b", "invalid field selector: unescaped character in value: 61"),
        ("metadata.name=a\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_field_selectors_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(InvalidSelector) as refused:
        fields(text)
    assert str(refused.value) == message


def test_field_selectors() -> None:
    selector = fields("metadata.name=a,status.phase!=Running,")
    assert selector.exact("metadata.name") == "a"
    assert selector.exact("status.phase") is None
    assert selector.matches({"metadata.name": "a", "status.phase": ""}.__getitem__)
    assert not selector.matches({"metadata.name": "a", "status.phase": "Running"}.__getitem__)
    assert fields("a=x\\,y\\=z\\\\").requirements[0].value == "x,y=z\\"
    assert str(fields("a=x\\,y")) == "a=x\\,y"
    assert fields("").matches({}.__getitem__)


@pytest.mark.real
async def test_the_real_server_refuses_the_same_in_the_same_words(real_kubeconfig: Path) -> None:
    client = connect(load_config(str(real_kubeconfig)))
    said = {}
    try:
        for text in REFUSED:
            with pytest.raises(BadRequest) as refused:
                await client.list(core.ConfigMap, label_selector=text)
            said[text] = str(refused.value)
    finally:
        await client.close()
    assert said == REFUSED
