"""Run the built-in sandbox, a local Valar, for curl, the OpenAI SDK and tests."""

from __future__ import annotations

import argparse
import contextlib
import socket
import sys
from pathlib import Path

import uvicorn

from valar_ui.sandbox import BadFaultPlan, FaultPlan, create_app
from valar_ui.sandbox.app import FAIL_SHARE, PACE

HELP = "run the built-in sandbox, a local Valar"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--port", type=int, default=8600, help="0 for any free port (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="keep batches here; without it they go when the sandbox ends")
    parser.add_argument("--faults", type=Path, help="fault file, read again whenever it changes")
    parser.add_argument("--seed", type=int, default=0, help="other answers and failures (default: %(default)s)")
    parser.add_argument("--pace", type=float, default=PACE, help="seconds a batch takes (default: %(default)s)")
    parser.add_argument(
        "--fail-share", type=float, default=FAIL_SHARE, help="share of requests that fail (default: %(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted; prints the base URL first."""
    if arguments.faults is not None:
        try:
            FaultPlan.load(arguments.faults)
        except BadFaultPlan as fault:
            print(f"The fault file cannot be used: {fault}", file=sys.stderr)
            return 2
    app = create_app(
        arguments.folder,
        faults=arguments.faults,
        seed=arguments.seed,
        pace=arguments.pace,
        fail_share=arguments.fail_share,
        record_reads=True,
    )
    family = socket.AF_INET6 if ":" in arguments.host else socket.AF_INET
    # asyncio turns off Nagle's delay, 40 ms an answer, only on sockets that name their protocol.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((arguments.host, arguments.port))
            # From the first printed line on, a client that connects is answered.
            listener.listen()
        except OSError as fault:
            print(f"Port {arguments.port} on {arguments.host} cannot be used: {fault.strerror}", file=sys.stderr)
            return 2
        host = f"[{arguments.host}]" if family == socket.AF_INET6 else arguments.host
        print(f"http://{host}:{listener.getsockname()[1]}/v1", flush=True)
        # Ctrl+C is how one ends it; uvicorn has shut down when it raises this.
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
    return 0
