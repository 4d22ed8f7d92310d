"""Texts that tokenizers cut differently."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

UNKNOWN = ["", "no such category", " ", "Ünbekannt", "nan", "None"]

_ALWAYS = [
    "", " ", "a", "I", "1", "12 345", "x1 y2", "under_score", "it's don't", "e-mail re-use",
    "naïve café", "CAFÉ Über straße STRASSE", "İstanbul ıI", "ﬁne ﬂow", "e\u0301te\u0301",
    "日本語 テスト", "русский ТЕКСТ", "αβγ ΣΑΣ", "tab\tand\nnewline", "a.b,c;d", "100% 3.14 1,000",
    "emoji 😀 ok", "non\u00a0breaking", "zero\u200bwidth", "UPPER lower MiXeD", "aa aa aa bb bb",
]  # fmt: skip
_BESIDE = ["é", "ß", "ж", "日", "µ", "_", "7", "²", "\u0301", "’", "x"]
_JOINTS = [" ", "  ", ", ", ". ", "-", "'", "\n", "_", "\u00a0", "/"]


def texts_like(words: Sequence[str], chance: np.random.Generator) -> str:
    """Some words of the vocabulary, some repeated, some in another case, joined in many ways."""
    if chance.random() < 0.08:
        return _ALWAYS[int(chance.integers(len(_ALWAYS)))]
    made: list[Any] = []
    for _ in range(int(chance.integers(1, 9))):
        word = words[int(chance.integers(len(words)))]
        match int(chance.integers(9)):
            case 0:
                word = word.upper()
            case 1:
                word = word.capitalize()
            case 2:
                word = f"{word} {word} {word}"
            case 3 if chance.random() < 0.3:
                word = _ALWAYS[int(chance.integers(len(_ALWAYS)))]
            case 4:  # another word, unless letters beyond ASCII are taken for gaps
                word = f"{_BESIDE[int(chance.integers(len(_BESIDE)))]}{word}"
            case 5:
                word = f"{word}{_BESIDE[int(chance.integers(len(_BESIDE)))]}"
            case _:
                pass
        made += [
            word,
            _JOINTS[int(chance.integers(len(_JOINTS)))] if chance.random() < 0.3 else " ",
        ]
    return "".join(made[:-1])
