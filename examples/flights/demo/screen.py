"""What a person sees of the demo."""

from __future__ import annotations

import shutil
import sys
import time


class Screen:
    """Numbered stages, facts under them, and a bar for what takes long."""

    def __init__(self) -> None:
        self.interactive = sys.stdout.isatty()
        self.started = time.monotonic()
        self.number = 0
        self.last_bar = ""

    def stage(self, title: str) -> None:
        self.number += 1
        elapsed = time.monotonic() - self.started
        print(f"\n[{elapsed:5.0f} s] {self.number}. {title}", flush=True)

    def fact(self, text: str) -> None:
        self.clear_bar()
        print(f"          {text}", flush=True)

    def bar(self, done: int, total: int, text: str) -> None:
        width = 30
        filled = width * min(done, total) // max(total, 1)
        self.show(f"          [{'#' * filled}{'.' * (width - filled)}] {done}/{total} {text}")

    def waiting(self, text: str) -> None:
        """What is under way, where nobody knows how much is left."""
        self.show(f"          ... {text}")

    def show(self, line: str) -> None:
        """A line that the next one of its kind takes the place of."""
        if line == self.last_bar:
            return
        self.last_bar = line
        if self.interactive:
            print(f"\r\x1b[2K{line[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)
        else:
            print(line, flush=True)

    def clear_bar(self) -> None:
        if self.interactive and self.last_bar:
            print("\r\x1b[2K", end="")
        self.last_bar = ""


SCREEN = Screen()


def print_table(facts: dict[str, str]) -> None:
    print(flush=True)
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        print(f"  {name.ljust(width)}  {value:>12}")
    print(flush=True)
