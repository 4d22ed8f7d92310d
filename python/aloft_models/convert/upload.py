"""Hands a servable to the server: the blob by its digest, then the manifest for the version."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from aloft_models.convert.failures import ConversionFailed
from aloft_models.convert.servable import Servable

_TIMEOUT_SECONDS = 300


def upload(server: str, token: str | None, model: str, version: str, servable: Servable) -> str:
    """Returns the digest. Outlives a restart of the server: both calls may be repeated."""
    digest, size = digest_and_size(servable.content)
    session = _session(token)
    server = server.rstrip("/")
    with _opened(servable.content) as body:
        _put(session, f"{server}/api/v1/blobs/{digest}", data=body, size=size)
    path = f"{server}/api/v1/models/{quote(model, safe='')}/versions/{quote(version, safe='')}"
    record = {"digest": digest, "size_bytes": size, "manifest": servable.manifest.as_json()}
    _put(session, f"{path}/servable", json=record)
    return digest


def digest_and_size(content: bytes | Path) -> tuple[str, int]:
    """SHA-256 in hex, and bytes."""
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest(), len(content)
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), content.stat().st_size


def _opened(content: bytes | Path) -> Any:
    import io

    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def _session(token: str | None) -> requests.Session:
    session = requests.Session()
    if token:
        session.headers["Authorization"] = f"Bearer {token}"
    retry = Retry(
        total=8, backoff_factor=0.5, status_forcelist=(502, 503, 504), allowed_methods=None
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def _put(session: requests.Session, url: str, size: int | None = None, **content: Any) -> None:
    headers = {}
    if size is not None:
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
    try:
        reply = session.put(url, headers=headers, timeout=_TIMEOUT_SECONDS, **content)
    except requests.RequestException as error:
        raise ConversionFailed(f"{url} cannot be reached: {error}") from error
    if not reply.ok:
        raise ConversionFailed(f"{url} answered {reply.status_code}: {reply.text[:500]}")
