"""What a server writes is its own user's, also in a folder that was open to others before."""

from __future__ import annotations

import json
import stat
import urllib.request
from collections.abc import Callable
from pathlib import Path

from aloft_server import Server


def open_to_others(folder: Path) -> list[str]:
    return [
        f"{path.relative_to(folder)} {stat.filemode(path.lstat().st_mode)}"
        for path in [folder, *folder.rglob("*")]
        if not path.is_symlink() and path.lstat().st_mode & 0o077
    ]


def post(server: Server, path: str, body: dict[str, str]) -> dict[str, str]:
    request = urllib.request.Request(
        server.url + path,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        return dict(json.load(reply))


def test_an_open_folder_is_closed_and_nothing_in_it_is_open(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    data.chmod(0o755)
    server = make_server(with_gateway=True)
    assert "closed the data folder to other users" in server.log.read_text()
    job = post(server, "/api/v1/jobs", {"command": "echo made > made.txt; sleep 600"})["id"]
    server.wait_until(lambda: any(data.rglob("made.txt")), "the job's own file")
    server.wait_until(lambda: any((data / "gateway").rglob("gateway.log")), "the gateway's log")
    assert open_to_others(data) == []
    post(server, f"/api/v1/jobs/{job}/stop", {})
