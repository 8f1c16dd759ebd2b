from __future__ import annotations

import socket
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
    remove_kubeconfig(path, OURS)
    assert path.exists()
    remove_kubeconfig(path, OURS + "# again\n")
    remove_kubeconfig(path, OURS + "# again\n")
    assert not path.exists()


def test_one_of_a_cluster_that_is_running_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    other = "clusters: [{name: kubewright, cluster: {server: 'https://127.0.0.1:1'}}]\n"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = other.replace(":1'", f":{listening.getsockname()[1]}'")
        write_kubeconfig(path, running)
        write_kubeconfig(path, running)
        with pytest.raises(UsageError, match="belongs to an embedded cluster that is running"):
            write_kubeconfig(path, other)
        assert path.read_text() == running
    write_kubeconfig(path, other)
    assert path.read_text() == other


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
