"""Every module imports only what it may: names above it in the order, and libraries on its own side of the walls."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGE: Final = "valar_ui"

_IN_ORDER: Final = """
limits problems flaws wire settings downloads samples jobs hashing table readers likewise template recipe messages
answer params ids personal suggest compose pricing checks plan spool prepare snippets ledger client lanes outbox
collector results worker drafts sandbox cli session parts pages router app
"""

ORDER: Final = tuple(_IN_ORDER.split())
"""The rooms in the order in which data meets them: each imports only names above it. `pages` is the folder of pages,
`app` is app.py, every other name a module or package in valar_ui."""

SCREEN: Final = frozenset({"app", "pages", "router", "session", "parts"})
"""The rooms that may know Streamlit."""

WALLS: Final = {
    "streamlit": SCREEN,
    "httpx": frozenset({"client"}),
    "sqlalchemy": frozenset({"ledger"}),
    "starlette": frozenset({"sandbox", "app"}),
    "fastapi": frozenset({"sandbox", "app"}),
    "uvicorn": frozenset({"sandbox", "app", "cli.sandbox"}),
    "pandas": SCREEN | {"results"},
    "requests": frozenset[str](),
    "urllib3": frozenset[str](),
    "aiohttp": frozenset[str](),
}
"""A library and the rooms (or single modules of a room) that may import it."""

SANDBOX_MAY: Final = frozenset({"limits", "wire", "sandbox"})
"""The rooms the sandbox may import, so that it stays an independent judge of what the rest sends."""

PAGE_LINES: Final = 110
"""A page is a table of contents: about a hundred lines at most."""


@dataclass(frozen=True, slots=True)
class Import:
    """One import, as written in one place."""

    path: Path
    line: int
    name: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} imports {self.name}"


def modules(root: Path) -> Iterator[tuple[Path, str]]:
    """Each source file below `root` with its dotted name: `ledger.schema`, `pages.upload`, `app`."""
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root / PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        if name:
            yield path, name
    for path in sorted((root / "pages").rglob("*.py")):
        yield path, f"pages.{path.stem}"
    if (root / "app.py").exists():
        yield root / "app.py", "app"


def imports(root: Path, path: Path) -> Iterator[Import]:
    """Every module that a file imports, wherever in the file it does, relative ones made absolute."""
    place = path.relative_to(root)
    package = place.parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Import(place, node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            if module == PACKAGE:
                yield from (Import(place, node.lineno, f"{module}.{alias.name}") for alias in node.names)
            else:
                yield Import(place, node.lineno, module)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield Import(place, node.lineno, argument.value)


def room_of(name: str) -> str:
    """The room a dotted name of ours is in: `readers.excel` is in `readers`."""
    return name.split(".", maxsplit=1)[0]


def imported_room(name: str) -> str | None:
    """The room that an imported name leads to; None for other people's packages and for the package itself."""
    first, _, rest = name.partition(".")
    if first == PACKAGE:
        return room_of(rest) if rest else None
    return first if first in {"app", "pages"} else None


def offences(root: Path) -> list[str]:
    """Everything in the tree at `root` that breaks the order or a wall, each with its file, line and import."""
    found: list[str] = []
    for path, name in modules(root):
        room = room_of(name)
        if name == "__main__":
            continue
        if room not in ORDER:
            found.append(f"{path.relative_to(root)}: `{room}` has no place in the order; give it one in ORDER")
            continue
        for each in imports(root, path):
            other = imported_room(each.name)
            library = each.name.split(".", maxsplit=1)[0]
            if other is not None and other not in ORDER:
                found.append(f"{each}: `{other}` has no place in the order")
            elif other is not None and other != room and ORDER.index(other) >= ORDER.index(room):
                found.append(f"{each}: `{room}` comes before `{other}`")
            elif other is not None and room == "sandbox" and other not in SANDBOX_MAY:
                found.append(f"{each}: the sandbox judges what `{other}` makes, so it must not share its code")
            elif library in WALLS and not {room, name} & WALLS[library]:
                found.append(f"{each}: {library} belongs to {', '.join(sorted(WALLS[library])) or 'nobody'}")
    for path in sorted((root / "pages").glob("*.py")):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > PAGE_LINES:
            found.append(f"{path.relative_to(root)}: {lines} lines; a page has at most {PAGE_LINES}")
    return found


def test_every_module_keeps_the_order_and_the_walls() -> None:
    assert offences(ROOT) == []


def test_every_library_is_required_by_name() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    required = {line.split(">")[0].replace("-", "_").casefold() for line in lines if line and line[0] != "#"}
    used = {each.name.split(".")[0] for path, _ in modules(ROOT) for each in imports(ROOT, path)}
    assert used - sys.stdlib_module_names - {PACKAGE, "pages"} <= required
    assert {"streamlit", "pyarrow"} <= used


def test_the_order_names_nothing_twice() -> None:
    assert len(set(ORDER)) == len(ORDER)
    assert set().union(*WALLS.values()) - set(ORDER) == {"cli.sandbox"}


def test_all_but_the_screen_runs_without_streamlit() -> None:
    names = [f"{PACKAGE}.{name}" for path, name in modules(ROOT) if path.is_relative_to(ROOT / PACKAGE)]
    headless = [name for name in names if name.split(".")[1] not in SCREEN | {"__main__"}]
    script = (
        "import importlib, sys; sys.modules['streamlit'] = None; [importlib.import_module(n) for n in sys.argv[1:]]"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *headless], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("path", "source", "named"),
    [
        ("valar_ui/table.py", "import streamlit as st", "imports streamlit"),
        ("valar_ui/plan.py", "def f():\n    from streamlit.runtime import x", "plan.py:2 imports streamlit.runtime"),
        ("valar_ui/outbox.py", "import httpx", "imports httpx"),
        ("valar_ui/client.py", "import requests", "imports requests"),
        ("valar_ui/worker.py", "from sqlalchemy.orm import Session", "imports sqlalchemy.orm"),
        ("valar_ui/session.py", "from starlette.requests import Request", "imports starlette.requests"),
        ("valar_ui/cli/submit.py", "import uvicorn", "imports uvicorn"),
        ("valar_ui/compose.py", "import pandas as pd", "imports pandas"),
        ("valar_ui/limits.py", "from valar_ui.problems import Problem", "`limits` comes before `problems`"),
        ("valar_ui/limits.py", "from valar_ui import problems", "`limits` comes before `problems`"),
        ("valar_ui/limits.py", "from . import problems", "`limits` comes before `problems`"),
        ("valar_ui/readers/csv.py", "from ..ledger import Ledger", "`readers` comes before `ledger`"),
        ("valar_ui/jobs.py", "import importlib\nimportlib.import_module('valar_ui.worker')", "jobs.py:2 imports"),
        ("valar_ui/sandbox/app.py", "from valar_ui.checks import CHECKS", "must not share its code"),
        ("valar_ui/parts.py", "import pages.upload", "`parts` comes before `pages`"),
        ("pages/upload.py", "import httpx", "imports httpx"),
        ("pages/upload.py", "import valar_ui.router", "`pages` comes before `router`"),
        ("pages/upload.py", "\n" * (PAGE_LINES + 1), f"a page has at most {PAGE_LINES}"),
        ("valar_ui/helpers.py", "", "`helpers` has no place in the order"),
        ("valar_ui/worker.py", "from valar_ui.helpers import x", "`helpers` has no place in the order"),
        ("app.py", "import httpx", "imports httpx"),
    ],
)
def test_an_offender_is_named(tmp_path: Path, path: str, source: str, named: str) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source, encoding="utf-8")
    found = offences(tmp_path)
    assert len(found) == 1
    assert path in found[0]
    assert named in found[0]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("valar_ui/session.py", "import streamlit as st\nfrom valar_ui.ledger import Ledger"),
        ("valar_ui/readers/excel.py", "from valar_ui.readers.reading import Reading\nfrom .reading import Footer"),
        ("valar_ui/sandbox/app.py", "import starlette\nfrom valar_ui import limits\nfrom valar_ui.wire import Batch"),
        ("valar_ui/cli/sandbox.py", "import uvicorn\nfrom valar_ui.sandbox import create_app"),
        ("valar_ui/ledger/schema.py", "import sqlalchemy as sa\nfrom valar_ui.ledger import x"),
        ("pages/upload.py", "import streamlit as st\nfrom valar_ui import parts, session"),
        ("app.py", "import streamlit as st\nfrom starlette.routing import Mount\nfrom valar_ui.router import x"),
        ("valar_ui/__main__.py", "from valar_ui.cli import main"),
    ],
)
def test_what_is_allowed_passes(tmp_path: Path, path: str, source: str) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source, encoding="utf-8")
    assert offences(tmp_path) == []
