from pathlib import Path

import pytest

from kubewright.errors import KubewrightError
from kubewright.manifests import Outcome, write
from kubewright.manifests.files import headed


def outcomes(files: dict[str, str], folder: Path, *, check: bool = False, force: bool = False) -> list[Outcome]:
    return [result.outcome for result in write(files, folder, check=check, force=force)]


def test_what_is_generated_is_kept_up_to_date(tmp_path: Path) -> None:
    first, second = {"a/role.yaml": headed("a: 1\n")}, {"a/role.yaml": headed("a: 2\n")}
    assert outcomes(first, tmp_path) == [Outcome.CREATED]
    assert outcomes(first, tmp_path) == [Outcome.UNCHANGED]
    assert outcomes(second, tmp_path) == [Outcome.UPDATED]
    assert (tmp_path / "a/role.yaml").read_text() == headed("a: 2\n")


def test_lines_changed_by_hand_are_never_lost(tmp_path: Path) -> None:
    path = tmp_path / "role.yaml"
    write({"role.yaml": headed("a: 1\nb: 1\n")}, tmp_path)
    path.write_text(path.read_text().replace("b: 1", "b: mine"))
    mine = path.read_text()

    assert outcomes({"role.yaml": headed("a: 1\nb: 1\n")}, tmp_path) == [Outcome.EDITED]
    (result,) = write({"role.yaml": headed("a: 2\nb: 1\n")}, tmp_path)
    assert result.outcome is Outcome.KEPT
    assert "-b: mine\n" in result.difference
    assert "+a: 2\n" in result.difference
    assert path.read_text() == mine

    assert outcomes({"role.yaml": headed("a: 2\nb: 1\n")}, tmp_path, force=True) == [Outcome.UPDATED]
    assert path.read_text() == headed("a: 2\nb: 1\n")


def test_a_file_of_somebody_elses_making_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "role.yaml").write_text("mine: true\n")
    assert outcomes({"role.yaml": headed("a: 1\n")}, tmp_path) == [Outcome.KEPT]
    assert (tmp_path / "role.yaml").read_text() == "mine: true\n"


def test_a_sample_is_only_ever_created(tmp_path: Path) -> None:
    assert outcomes({"cr.yaml": "a: 1\n"}, tmp_path) == [Outcome.CREATED]
    (tmp_path / "cr.yaml").write_text("a: 2\n")
    assert outcomes({"cr.yaml": "a: 1\n"}, tmp_path, force=True) == [Outcome.UNCHANGED]


@pytest.mark.parametrize("force", [False, True])
def test_check_writes_nothing(tmp_path: Path, force: bool) -> None:
    files = {"new.yaml": headed("a: 1\n"), "old.yaml": headed("a: 2\n")}
    (tmp_path / "old.yaml").write_text(headed("a: 1\n"))
    assert outcomes(files, tmp_path, check=True, force=force) == [Outcome.CREATED, Outcome.UPDATED]
    assert not (tmp_path / "new.yaml").exists()
    assert (tmp_path / "old.yaml").read_text() == headed("a: 1\n")


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "role.yaml").mkdir()
    with pytest.raises(KubewrightError, match=r"role.yaml cannot be written: Is a directory"):
        write({"role.yaml": headed("a: 1\n")}, tmp_path)
    (tmp_path / "crds").write_text("a file where a folder belongs")
    with pytest.raises(KubewrightError, match=r"crds/a.yaml cannot be written"):
        write({"crds/a.yaml": headed("a: 1\n")}, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crds", "role.yaml"]
