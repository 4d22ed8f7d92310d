"""Names that no other test has."""

from __future__ import annotations

import uuid


def unique(word: str) -> str:
    return f"{word}-{uuid.uuid4().hex[:10]}"
