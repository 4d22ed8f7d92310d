"""Output that is compared with a file of this folder; `UPDATE_GOLDEN=1` writes the files anew."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from aloft_server import program

FOLDER = Path(__file__).parent / "golden"
TIME = re.compile(r"\b20[2-9]\d-\d\d-\d\dT\d\d:?\d\d:?\d\d(\.\d{3})?Z")
DAY = re.compile(r"\b20[2-9]\d-\d\d-\d\d\b")
#: Times of the world itself are the same each time; those of the server are later.
MILLISECONDS = re.compile(r"\b1(?!70000)[6-9]\d{11}\b")
IDENTIFIER = re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{32}\b|\b[0-9a-f]{28}\b")
SHORT = re.compile(r"\b[0-9a-f]{12}\b|\b[0-9a-f]{8}\b")
#: Numbers that say how long something took, how large a file came out or how often one looked.
NUMBER_KEYS = (
    "milliseconds|databaseBytes|databaseFreeBytes|bytes|files|position|desiredRevision|changes"
    "|fileBytes|records"
)
NUMBERS = re.compile(rf'("(?:{NUMBER_KEYS})" : )[-+.\de]+')
MILLISECONDS_TAKEN = re.compile(r"\b\d+\.\d+ ms\b")


def ask(*words: str) -> str:
    """What a command prints that needs no server."""
    done = subprocess.run(
        [str(program()), *words],
        env={**os.environ, "COLUMNS": "80"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, ""), words
    return done.stdout


def normal(text: str, names: dict[str, str]) -> str:
    """The output with what is new each time in words of the same length, so that columns stay."""
    known = {value: name for name, value in names.items()}

    def identifier(found: re.Match[str]) -> str:
        name = known.setdefault(found.group(), f"id{len(known) - len(names) + 1}")
        return name.ljust(len(found.group()), "_")

    def short(found: re.Match[str]) -> str:
        begin = found.group()
        name = next((known[full] for full in known if full.startswith(begin)), "short")
        return name.ljust(len(begin), "_")

    for name in ("folder", "url", "gateway"):
        if name in names:
            text = text.replace(names[name], f"<{name}>")
    for value, name in known.items():
        if IDENTIFIER.fullmatch(value):
            text = text.replace(value, name.ljust(len(value), "_"))
    text = TIME.sub(lambda found: re.sub(r"\d", "0", found.group()), text)
    text = DAY.sub("0000-00-00", text)
    text = MILLISECONDS.sub("0" * 13, text)
    text = IDENTIFIER.sub(identifier, text)
    text = SHORT.sub(short, text)
    text = NUMBERS.sub(r"\1N", text)
    text = MILLISECONDS_TAKEN.sub("N ms", text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def compare(name: str, text: str) -> None:
    file = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return
    told = "if it is meant so, run with UPDATE_GOLDEN=1 and look at the difference"
    assert file.exists(), f"{file} is missing; {told}"
    assert text == file.read_text(), f"{file.name}: the output is another one; {told}"
