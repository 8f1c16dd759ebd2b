"""Templates to text."""

from __future__ import annotations

from importlib import resources

from kubewright.errors import MissingExtra


def render(template: str, values: dict[str, object]) -> str:
    """The template of that path below ``templates/``, filled in; a value it lacks is an error.

    Raises:
        MissingExtra: jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, FunctionLoader, StrictUndefined
    except ImportError as error:
        raise MissingExtra("jinja2 is not installed, which project templates are written in") from error
    folder = resources.files("kubewright.scaffold") / "templates"
    environment = Environment(
        autoescape=False,  # noqa: S701 - Python and YAML, not HTML
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(lambda name: folder.joinpath(*name.split("/")).read_text(encoding="utf-8")),
    )
    return environment.get_template(template).render(values)
