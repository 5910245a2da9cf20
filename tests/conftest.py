"""What every test may ask for: a free port, the app as a process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.e2e import server
from tests.e2e.server import AppServer

# A busy machine is no failure; and what passed in CI passes there again.
settings.register_profile(
    "suite", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")

LONGEST_ID = 60


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name contents that are long, or packed with the time of packing in them, by their argument only.

    Workers that ran at another second would otherwise disagree on what tests there are.
    """
    return argname if isinstance(val, bytes) and (len(val) > LONGEST_ID or val.startswith(b"\x1f\x8b")) else None


StartApp = Callable[..., AppServer]


@pytest.fixture
def free_port() -> int:
    """A port of this computer that nobody listens on."""
    return server.free_port()


@pytest.fixture
def start_app(tmp_path: Path) -> Iterator[StartApp]:
    """Start the app with its own folder; keyword arguments are variables of its environment.

    Each call is another server; all are ended after the test, and their logs kept if it fails.
    """
    with ExitStack() as running:
        number = 0

        def start(**environment: str) -> AppServer:
            nonlocal number
            number += 1
            app = AppServer(tmp_path / f"app-{number}", environment=environment)
            running.callback(app.kill)
            return app.start()

        yield start


@pytest.fixture
def app_server(start_app: StartApp) -> AppServer:
    """The app, started with an empty folder and no key."""
    return start_app()
