"""``kubewright version``, and which Kubewright this is."""

from __future__ import annotations

from pathlib import Path

import click

from kubewright.cli.app import debug_option

KUBERNETES = "1.33-1.37"


def installed_version() -> str:
    """The version of the installed distribution."""
    from importlib import metadata

    return metadata.version("kubewright")


def checkout() -> Path | None:
    """The checkout this runs from, or None when it is installed."""
    import tomllib

    root = Path(__file__).resolve().parents[3]
    try:
        document = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError):
        return None
    return root if document.get("project", {}).get("name") == "kubewright" else None


@click.command()
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
@debug_option
def version(output: str) -> None:
    """Print the versions in use."""
    import platform

    values = {"kubewright": installed_version(), "python": platform.python_version(), "kubernetes": KUBERNETES}
    if output == "json":
        import json

        click.echo(json.dumps(values))
    else:
        click.echo("\n".join(f"{name} {value}" for name, value in values.items()))
