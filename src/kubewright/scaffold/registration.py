"""Enters a controller into the operator's factory: one import, one line in ``controllers=[...]``."""

from __future__ import annotations

import ast


def register(source: str, module: str, controller: str) -> str | None:
    """``source`` with ``controller`` of ``module`` imported and listed; None where it is not clear where.

    It is clear when exactly one call of ``Operator`` has ``controllers=`` with a list written out.
    Everything else in ``source`` stays as it is, to the letter.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    lists = [
        keyword.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _name(node.func) == "Operator"
        for keyword in node.keywords
        if keyword.arg == "controllers" and isinstance(keyword.value, ast.List)
    ]
    if len(lists) != 1:
        return None
    lines = source.splitlines(keepends=True)
    _list(lines, lists[0], f"{controller}()")
    _import(lines, tree, module, controller)
    changed = "".join(lines)
    try:
        ast.parse(changed)
    except SyntaxError:
        return None
    return changed


def lines_to_add(module: str, controller: str) -> str:
    """What a person is asked to write where :func:`register` found no place."""
    return f"from {module} import {controller}\n... Operator(..., controllers=[..., {controller}()])"


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _list(lines: list[str], items: ast.List, call: str) -> None:
    end = (items.end_lineno or items.lineno) - 1
    # Columns count bytes of UTF-8.
    line = lines[end].encode()
    column = (items.end_col_offset or 1) - 1
    before, closing = line[:column].decode(), line[column:].decode()
    if before.strip() == "" and items.lineno - 1 != end:
        indent = before + "    "
        if items.elts:
            first = lines[items.elts[0].lineno - 1]
            indent = first[: len(first) - len(first.lstrip())]
            _comma(lines, items.elts[-1])
        lines[end] = f"{indent}{call},\n{before}{closing}"
    elif items.lineno - 1 == end and before.lstrip().startswith("controllers="):
        # Alone on its line, where the list may grow: one controller a line, as a formatter leaves it.
        indent = before[: len(before) - len(before.lstrip())]
        start = before.encode()[: items.col_offset + 1].decode()
        calls = [line[e.col_offset : e.end_col_offset].decode() for e in items.elts] + [call]
        lines[end] = f"{start}\n" + "".join(f"{indent}    {each},\n" for each in calls) + f"{indent}{closing}"
    elif items.elts:
        lines[end] = f"{before.rstrip().rstrip(',')}, {call}{closing}"
    else:
        lines[end] = f"{before}{call}{closing}"


def _comma(lines: list[str], last: ast.expr) -> None:
    number = (last.end_lineno or last.lineno) - 1
    line, column = lines[number].encode(), last.end_col_offset or 0
    before, after = line[:column].decode(), line[column:].decode()
    if not after.lstrip().startswith(","):
        lines[number] = f"{before},{after}"


def _import(lines: list[str], tree: ast.Module, module: str, controller: str) -> None:
    statement = f"from {module} import {controller}\n"
    package = module.partition(".")[0]
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    ours = [
        node
        for node in imports
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == package
    ]
    after = [node for node in ours if (node.module or "") > module]
    if after:
        lines.insert(after[0].lineno - 1, statement)
    elif ours:
        lines.insert(ours[-1].end_lineno or 0, statement)
    elif imports:
        lines.insert(imports[-1].end_lineno or 0, "\n" + statement)
    else:
        first = tree.body[0] if tree.body else None
        docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        lines.insert((first.end_lineno or 0) if first and docstring else 0, "\n" + statement)
