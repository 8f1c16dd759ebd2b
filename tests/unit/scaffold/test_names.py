from __future__ import annotations

import pytest

from kubewright.errors import UsageError
from kubewright.scaffold import Api, package_name


def test_a_project_s_package_is_its_name() -> None:
    assert package_name("opdemo") == "opdemo"
    assert package_name("my-operator") == "my_operator"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "DNS label"),
        ("Opdemo", "DNS label"),
        ("op_demo", "DNS label"),
        ("-op", "DNS label"),
        ("a" * 64, "DNS label"),
        ("../evil", "DNS label"),
        ("opdemo\n", "DNS label"),
        ("1op", "'1op'"),
        ("class", "keyword"),
        ("json", "exists already"),
        ("kubewright", "exists already"),
    ],
)
def test_bad_project_names(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        package_name(name)
    assert caught.value.hint


def test_an_api_and_what_follows_from_it() -> None:
    api = Api.parse("app.example.com/v1", "AppService")

    assert (api.group, api.version, api.kind) == ("app.example.com", "v1", "AppService")
    assert (api.group_version, api.module, api.stem) == ("app_v1", "appservice", "app_v1_appservice")
    assert api.words == "app service"


@pytest.mark.parametrize(
    ("api_version", "kind", "said"),
    [
        ("v1", "AppService", "GROUP/VERSION"),
        ("a.b/v1/x", "AppService", "GROUP/VERSION"),
        ("app/v1", "AppService", "DNS name with a dot"),
        ("App.example.com/v1", "AppService", "DNS name"),
        ("app.example.com/1", "AppService", "version '1'"),
        ("app.example.com/v1gamma1", "AppService", "version"),
        ("app.example.com/v1", "appService", "CamelCase"),
        ("app.example.com/v1", "App-Service", "CamelCase"),
        ("app.example.com/v1", "", "CamelCase"),
        ("app.example.com/v1", "Class", "word of Python"),
        ("app.example.com/v1", "Operator", "word of"),
        ("1app.example.com/v1", "AppService", "Python package"),
        ("import.example.com/v1", "AppService", "Python package"),
    ],
)
def test_bad_apis(api_version: str, kind: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        Api.parse(api_version, kind)
    assert caught.value.hint
