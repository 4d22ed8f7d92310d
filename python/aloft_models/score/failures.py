"""Why a table cannot be scored."""

from __future__ import annotations


class ScoringFailed(Exception):
    """Its text is for the person who asked."""
