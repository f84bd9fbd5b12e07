"""Signs that a translation went wrong, from the two texts alone."""

import re
from statistics import median

from workbench.varieties import table

SIGNS = ("empty", "untranslated", "script", "repeated", "length", "numbers")
"""From the surest to the weakest."""

_REPEATED = re.compile(r"([^\W\d_][^\W_]+\W*?)\1{2,}|(\b\w+\b)(?:\W+\2\b){2,}")
_SHORTEST, _LONGEST = 0.5, 2.0
"""Of the usual length ratio of the pair."""


def _letters(text: str) -> tuple[int, int]:
    """Letters of Han script, and all letters."""
    letters = [c for c in text if c.isalpha()]
    return sum("\u3400" <= c <= "\u9fff" or "\uf900" <= c <= "\ufaff" for c in letters), len(letters)


def _wrong_script(text: str, variety: str) -> bool:
    known = table().get(variety)
    han, letters = _letters(text)
    if not known:
        return False
    return han * 2 < letters if known.words == "han" else han > 0


def _numbers(text: str) -> list[str]:
    return sorted("".join(c if c.isdigit() else " " for c in text).split())


def signs(source: list[str], text: list[str], variety: str, same_script: bool = False) -> list[list[str]]:
    """What is suspicious about each translation of one set.

    - `empty`: no text.
    - `untranslated`: identical to the source.
    - `script`: most letters are not Han in a variety that is written so, or one is in another.
    - `repeated`: something of two letters or more comes three times in a row, and not in the source.
    - `length`: less than half or more than twice as long for its source as the set's median.
    - `numbers`: the digits are not those of the source.

    Args:
        source: texts.
        text: their translations.
        variety: of the translations.
        same_script: a short text that both varieties write alike is no sign (Cantonese and Mandarin).
    """
    ratios = [len(t) / len(s) for s, t in zip(source, text, strict=True) if s.strip() and t.strip()]
    usual = median(ratios) if ratios else 1.0
    out = []
    for s, t in zip(source, text, strict=True):
        flags = []
        if not t.strip():
            out.append(["empty"])
            continue
        if s.strip() == t.strip() and not same_script:
            flags.append("untranslated")
        if _wrong_script(t, variety):
            flags.append("script")
        if _REPEATED.search(t.casefold()) and not _REPEATED.search(s.casefold()):
            flags.append("repeated")
        if s.strip() and not _SHORTEST <= len(t) / len(s) / usual <= _LONGEST:
            flags.append("length")
        if _numbers(s) != _numbers(t):
            flags.append("numbers")
        out.append(flags)
    return out
