from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

import pytest

from kubewright.errors import MissingExtra, UsageError
from kubewright.scaffold import Api, Framework, add_api, add_controller, find_project, framework, new_project

APP = Api.parse("app.example.com/v1", "AppService")
CACHE = Api.parse("cache.example.com/v1alpha1", "Memcached")


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    new_project("opdemo", tmp_path, Framework(requirement="~=0.1"))
    return tmp_path / "opdemo"


def test_a_project_with_two_kinds(root: Path) -> None:
    project = find_project(root / "src" / "opdemo")
    for api in (APP, CACHE):
        add_api(project, api)
        assert add_controller(project, api).notes == []

    made = files(root)
    assert "src/opdemo/py.typed" in made
    assert "deploy/crds/app_v1_appservice_cr.yaml" in made
    assert "tests/test_memcached.py" in made
    operator = made["src/opdemo/operator.py"].decode()
    assert "            AppServiceController(),\n            MemcachedController(),\n        ],\n" in operator
    assert tomllib.loads(made["pyproject.toml"].decode())["tool"]["kubewright"] == {
        "operator": "opdemo.operator:operator",
        "apis": "opdemo.apis",
    }
    for path, content in made.items():
        if path.endswith(".py"):
            compile(content, path, "exec")


def test_the_scope_is_read_from_the_types(root: Path) -> None:
    project = find_project(root)
    add_api(project, Api(APP.group, APP.version, APP.kind, cluster_scoped=True))
    add_controller(project, APP)

    assert 'scope="Cluster"' in (root / "src/opdemo/apis/app_v1/appservice.py").read_text()
    assert 'namespace="default"' in (root / "src/opdemo/controllers/appservice.py").read_text()


def test_a_kind_or_a_controller_twice(root: Path) -> None:
    project = find_project(root)
    with pytest.raises(UsageError, match=r"no AppService in app\.example\.com/v1"):
        add_controller(project, APP)
    add_api(project, APP)
    add_controller(project, APP)
    before = files(root)

    with pytest.raises(UsageError, match=r"has AppService in app\.example\.com/v1 already"):
        add_api(project, APP)
    with pytest.raises(UsageError, match="has a controller for a kind AppService already"):
        add_controller(project, APP)
    assert files(root) == before


def test_a_factory_out_of_shape_says_which_lines_to_add(root: Path) -> None:
    project = find_project(root)
    factory = root / "src/opdemo/operator.py"
    factory.write_text(factory.read_text().replace("controllers=[]", "controllers=list(ALL)"))
    add_api(project, APP)

    (note,) = add_controller(project, APP).notes

    assert "from opdemo.controllers.appservice import AppServiceController" in note
    assert "src/opdemo/operator.py" in note
    assert "AppServiceController" not in factory.read_text()


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "opdemo").mkdir()
    with pytest.raises(UsageError, match="is there already"):
        new_project("opdemo", tmp_path, Framework())
    assert files(tmp_path) == {}


def test_a_file_in_the_way_leaves_nothing_half_written(root: Path) -> None:
    sample = root / "deploy/crds/app_v1_appservice_cr.yaml"
    sample.parent.mkdir(parents=True)
    sample.write_text("mine")
    before = files(root)

    with pytest.raises(UsageError, match=r"app_v1_appservice_cr\.yaml is there already; nothing was written"):
        add_api(find_project(root), APP)

    assert files(root) == before
    assert not (root / "src/opdemo/apis/app_v1").exists()


def test_a_failing_disk_leaves_nothing_half_written(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(root)
    write = Path.write_text

    def fail_on_sample(self: Path, *args: object, **kwargs: object) -> int:
        if self.name.endswith("_cr.yaml"):
            raise OSError(28, os.strerror(28), str(self))
        return write(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", fail_on_sample)
    with pytest.raises(UsageError, match="No space left on device; nothing was left behind"):
        add_api(find_project(root), APP)
    assert files(root) == before
    assert not (root / "deploy").exists()


def test_outside_of_a_project(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not in a Kubewright project") as caught:
        find_project(tmp_path)
    assert "kubewright new" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.kubewright", "not valid TOML"),
        ("tool.kubewright = 3", "not a table"),
        ("[tool.kubewright]", "does not name the operator's factory"),
        ("[tool.kubewright]\noperator = 'opdemo'", "does not name the operator's factory"),
        ("[tool.kubewright]\noperator = 'a:b'\napis = 3", "not a package's name"),
    ],
)
def test_a_pyproject_out_of_shape(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(UsageError, match=said):
        find_project(tmp_path)


def test_what_a_project_depends_on(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "pyproject.toml").touch()
    wheel = tmp_path / "kubewright-0.1.0-py3-none-any.whl"
    wheel.touch()

    def chosen(given: str | None, **kwargs: Path | None) -> Framework:
        return framework(given, project=tmp_path / "opdemo", version="0.3.2", checkout=kwargs.get("checkout"))

    assert chosen(None) == Framework(requirement="~=0.3")
    assert chosen("1.2.3") == Framework(requirement="~=1.2")
    assert chosen("0.1.0.dev0") == Framework(requirement=">=0.1.0.dev0,<1")
    assert chosen(None, checkout=checkout) == Framework(path=checkout.as_posix(), editable=True)
    assert chosen(str(wheel)) == Framework(path=wheel.as_posix())
    inside = framework(None, project=checkout / "examples" / "x", version="0.3", checkout=checkout)
    assert inside == Framework(path="../..", editable=True)
    for wrong in ("nonsense", str(tmp_path), str(tmp_path / "missing.whl")):
        with pytest.raises(UsageError, match="--framework"):
            chosen(wrong)


def test_without_the_dev_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtra, match="jinja2") as caught:
        new_project("opdemo", tmp_path, Framework())
    assert "kubewright[dev]" in caught.value.hint
    assert files(tmp_path) == {}
