from __future__ import annotations

import stat
from pathlib import Path

import pytest

from kubewright.cli.kubeconfig import remove_kubeconfig, write_kubeconfig
from kubewright.errors import UsageError

OURS = "clusters: [{name: kubewright}]\n"


def test_it_is_written_for_this_user_alone_and_written_again(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "kubeconfig"
    write_kubeconfig(path, OURS)
    write_kubeconfig(path, OURS + "# again\n")
    assert path.read_text() == OURS + "# again\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]
    remove_kubeconfig(path)
    remove_kubeconfig(path)
    assert not path.exists()


@pytest.mark.parametrize("theirs", ["clusters: [{name: production}]", "clusters: [", "- 1", "clusters: 3"])
def test_somebody_else_s_kubeconfig_is_kept(tmp_path: Path, theirs: str) -> None:
    path = tmp_path / "config"
    path.write_text(theirs)
    with pytest.raises(UsageError, match="was left as it is"):
        write_kubeconfig(path, OURS)
    assert path.read_text() == theirs


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot write the kubeconfig"):
        write_kubeconfig(tmp_path / "file" / "kubeconfig", OURS)
