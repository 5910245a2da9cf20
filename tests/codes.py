"""Every code that the source gives a problem, found by looking at the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from valar_ui.checks.whole import PersonalData

PACKAGE: Final = Path(__file__).resolve().parent.parent / "valar_ui"
MAKERS: Final = frozenset({"Problem", "Flaw", "JsonFlaw", "_flag", "_flaw", "refuse"})
"""What takes a code first."""
RULES: Final = frozenset({"number", "integer", "choice", "text", "boolean", "only"})
"""The rules in `flaws` that take a param's name first and make codes of it."""

Names = Mapping[str, frozenset[str]]
"""The texts that a name may stand for."""


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call) or not node.args:
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _texts(node: ast.expr, names: Names) -> Iterator[str]:
    """The texts that an expression may be."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from _texts(body, names)
            yield from _texts(orelse, names)
        case ast.Name(id=name):
            yield from names.get(name, ())
        case ast.FormattedValue(value=value):
            yield from _texts(value, names)
        case ast.JoinedStr(values=values):
            found = [""]
            for value in values:
                found = [before + after for before in found for after in _texts(value, names)]
            yield from found


def _assigned(tree: ast.AST) -> dict[str, frozenset[str]]:
    """The texts that are put into each name."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=False))
            for name, value in pairs:
                if isinstance(name, ast.Name):
                    found.setdefault(name.id, set()).update(_texts(value, {}))
    return {name: frozenset(texts) for name, texts in found.items()}


def _made(tree: ast.AST, names: Names) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node) in MAKERS:
            yield from _texts(node.args[0], names)


def all_codes() -> set[str]:
    """The codes of problems and flaws in the source, those made of a param's name included."""
    trees = {path: ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
    calls = [node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.Call)]
    params: dict[str, frozenset[str]] = {
        rule: frozenset(text for call in calls if _called(call) == rule for text in _texts(call.args[0], {}))
        for rule in RULES
    }
    found: set[str] = set()
    for rule in ast.walk(trees.pop(PACKAGE / "flaws.py")):
        if isinstance(rule, ast.FunctionDef) and rule.name in RULES:
            found.update(_made(rule, {"name": params[rule.name]}))
    names = {"name": params["number"] | params["integer"], "kind": frozenset(PersonalData.NAMES)}
    for tree in trees.values():
        found.update(_made(tree, names | _assigned(tree)))
    return found
