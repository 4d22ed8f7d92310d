"""What a conversion hands to the server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aloft_models.manifest import ServableManifest

if TYPE_CHECKING:
    from aloft_models.convert.layout import Layout


@dataclass(frozen=True)
class Servable:
    """What the gateway is to serve: the bytes of its blob, or the file that holds them."""

    manifest: ServableManifest
    content: bytes | Path
    # How rows enter a graph.
    layout: Layout | None = None
