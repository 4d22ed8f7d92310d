"""Flies the flight-delay example from data to production, printing what happens.

    python3 examples/flights/fly.py --program .build/release/aloft --data .demo

Starts a server with an empty data folder, then does what a team would do with the `aloft` program:
apply the project, prepare the data, sweep, register, convert, check, deploy to staging and, by
steps, to production under traffic, deploy a second version, roll it back. Ends with a table. Stays
up afterwards, unless --exit is given; then the exit status is 0 only if every step held.

With --kill the server is killed (SIGKILL) once during the sweep and once under traffic, and started
again: nothing may be lost. Needs only the standard library.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import threading
from pathlib import Path

from demo.flight import DEPLOYMENT, Flight
from demo.screen import SCREEN, print_table
from demo.server import Aloft, StepFailed, is_free, tail

ROOT = Path(__file__).resolve().parents[2]


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, default=ROOT / ".build/release/aloft")
    parser.add_argument("--data", type=Path, default=ROOT / ".demo", help="emptied at the start")
    parser.add_argument("--listen", default="127.0.0.1:5000")
    parser.add_argument("--gateway", default="127.0.0.1:5001")
    parser.add_argument("--rate", type=float, default=500, help="requests a second, at most")
    parser.add_argument("--limit", type=int, default=30_000, help="requests, at most")
    parser.add_argument("--trials", type=int, help="trials of the sweep, else as aloft.yaml says")
    parser.add_argument("--exit", action="store_true", help="end after the last step")
    parser.add_argument("--kill", action="store_true", help="kill the server twice on the way")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    folder: Path = arguments.data.resolve()
    for address in (arguments.listen, arguments.gateway):
        if not is_free(address):
            print(f"{address} is in use: stop what listens there, or name another", file=sys.stderr)
            return 2
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    aloft = Aloft(arguments.program.resolve(), folder, arguments.listen, arguments.gateway)
    flight = Flight(aloft, arguments.rate, arguments.limit, arguments.kill, arguments.trials)
    status = 0
    # Whoever ends this program, the server it started ends with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        flight.fly()
        print_table(flight.facts)
        if not arguments.exit:
            stay_up(aloft)
    except StepFailed as failure:
        SCREEN.clear_bar()
        print(f"\nThe step failed: {failure}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        SCREEN.clear_bar()
        status = 130
    ended = aloft.stop()
    if ended != 0:
        print(f"the server ended with status {ended}:\n{tail(aloft.log)}", file=sys.stderr)
        status = status or 1
    return status


def stay_up(aloft: Aloft) -> None:
    print(f"Look around; end with Ctrl-C.\n  web and API    {aloft.url}")
    print(f"  API document   {aloft.url}/api/v1/openapi.json")
    print(f"  predictions    {aloft.gateway_url}/v2/models/{DEPLOYMENT}")
    print(f"  metrics        {aloft.gateway_url}/metrics")
    print(f"  aloft status   ALOFT_SERVER={aloft.url} {aloft.program} status", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    sys.exit(main())
