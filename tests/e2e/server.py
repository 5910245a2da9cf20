"""The app as people run it: a process of its own, on a free port, that can be stopped, killed and started again."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

ROOT: Final = Path(__file__).resolve().parents[2]

START_SECONDS: Final = 60.0
"""How long a start may take on a busy machine before it counts as failed."""


PORTS: Final = range(20_000, 32_000)
"""Below the ports that systems give to outgoing connections: none of those takes one of these between two starts."""


def free_port() -> int:
    """A port of this computer that nobody listens on, and that nothing will come to use by itself."""
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")


def clean_environment(home: Path) -> dict[str, str]:
    """This environment without settings, keys and secrets that a developer, or the `make` around it, put there."""
    theirs = ("VALAR_", "STREAMLIT_", "MAKE", "MFLAGS", "VENV", "PORT", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
    user = home / "user"
    user.mkdir(parents=True, exist_ok=True)
    return {**kept, "VALAR_UI_HOME": str(home / "data"), "HOME": str(user), "PYTHONUNBUFFERED": "1"}


class NotStarted(RuntimeError):
    """The server ended, or was not healthy in time; the message ends with what it printed."""


@dataclass(slots=True)
class AppServer:
    """One server and its folder; `kill` and `start` again keep the folder, the port and the log."""

    home: Path
    """Everything the app writes is below this folder."""
    port: int = field(default_factory=free_port)
    folder: Path = ROOT
    """Where app.py lies."""
    command: Sequence[str] = ()
    """What starts it; empty: `streamlit run app.py`."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables on top of a clean environment."""
    start_seconds: float = START_SECONDS
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The first page's address, without a slash at the end."""
        return f"http://localhost:{self.port}"

    @property
    def data(self) -> Path:
        """The app's own folder (`VALAR_UI_HOME`)."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """Everything the server printed, over all its starts."""
        return self.home / "server.log"

    def logged(self) -> str:
        """The log's text."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    @property
    def running(self) -> bool:
        """The process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start and wait until it is healthy; NotStarted if it does not get there."""
        if self.running:
            raise RuntimeError("the server runs already")
        self.home.mkdir(parents=True, exist_ok=True)
        command = list(self.command) or [
            *(sys.executable, "-m", "streamlit", "run", "app.py"),
            *("--server.port", str(self.port)),
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**clean_environment(self.home), **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + self.start_seconds
        while not self.healthy():
            late = time.monotonic() > deadline
            if late or not self.running:
                self.kill()
                how = f"was not healthy within {self.start_seconds:.0f} s" if late else "ended at once"
                raise NotStarted(f"The server {how}. It printed:\n{self.logged()[-4000:]}")
            time.sleep(0.1)
        return self

    def healthy(self) -> bool:
        """It answers its health check."""
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as answer:
                return int(answer.status) == 200
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return False

    def _end(self, how: signal.Signals, seconds: float) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, how)
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            raise
        finally:
            self._process = None

    def stop(self) -> None:
        """Ask it to end, as Ctrl-C or a service manager does; subprocess.TimeoutExpired if it does not."""
        self._end(signal.SIGTERM, 30)

    def kill(self) -> None:
        """End it without a word, as a crash does."""
        self._end(signal.SIGKILL, 30)

    def restart(self) -> Self:
        """Stop, then start on the same folder and port."""
        self.stop()
        return self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
