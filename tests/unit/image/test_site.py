from __future__ import annotations

from pathlib import Path

from kubewright.image.interpreter import Interpreter
from kubewright.image.site import collect

PYTHON = Interpreter("/usr/bin/python3.11", 11)


def installed(folder: Path) -> Path:
    info = folder / "My_App-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "app.py").write_text("")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "app.pyc").write_text("")
    (folder / ".lock").write_text("")
    (folder / "bin").mkdir()
    (folder / "bin" / "App").write_text("#!/home/me/.venv/bin/python\n")
    (folder / "bin" / "app.exe").write_bytes(b"MZ")
    (folder / "bin" / "tool").write_text("#!/home/me/.venv/bin/python\nprint()\n")
    (info / "METADATA").write_text(
        "Metadata-Version: 2.4\nName: My_App\nVersion: 1.0\nSummary: An app\nLicense-Expression: MIT\n"
        "Project-URL: Source, https://example.com/src\n\nText\n"
    )
    (info / "entry_points.txt").write_text("[console_scripts]\nApp = app.cli:Main.run [extra]\n")
    for name in ("INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"):
        (info / name).write_text("/home/me")
    (info / "RECORD").write_text(
        "app.py,sha256=x,0\nbin/tool,sha256=y,5\n../../../bin/App,sha256=z,5\n"
        "My_App-1.0.dist-info/direct_url.json,sha256=q,1\nMy_App-1.0.dist-info/RECORD,,\n"
    )
    return folder


def test_nothing_tells_where_it_was_installed(tmp_path: Path) -> None:
    site = collect(installed(tmp_path / "site"), PYTHON)
    assert not [name for name, file in site.files.items() if b"/home/me" in file.read()]
    assert sorted(site.files) == [
        "My_App-1.0.dist-info/METADATA",
        "My_App-1.0.dist-info/RECORD",
        "My_App-1.0.dist-info/entry_points.txt",
        "app.py",
        "bin/App",
        "bin/tool",
    ]
    record = site.files["My_App-1.0.dist-info/RECORD"].read().decode()
    assert record == "My_App-1.0.dist-info/RECORD,,\napp.py,sha256=x,0\nbin/App,,\nbin/tool,,\n"


def test_commands_run_with_the_images_python(tmp_path: Path) -> None:
    files = collect(installed(tmp_path / "site"), PYTHON).files
    launcher = files["bin/App"].read().decode()
    assert launcher.splitlines()[0] == "#!/usr/bin/python3.11"
    assert "from app.cli import Main\nsys.exit(Main.run())" in launcher
    assert files["bin/tool"].read() == b"#!/usr/bin/python3.11\nprint()\n"
    assert files["bin/App"].executable


def test_packages_are_what_their_metadata_says(tmp_path: Path) -> None:
    [package] = collect(installed(tmp_path / "site"), PYTHON).packages
    assert (package.name, package.version, package.license) == ("my-app", "1.0", "MIT")
    assert package.urls == {"source": "https://example.com/src"}
