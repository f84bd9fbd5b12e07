"""What is done to text before any system sees it: declared script conversion, and words."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from store import LswError, nearest
from workbench.varieties import variety

SCRIPTS = ("as written", "simplified")
"""`as written` leaves Traditional and Simplified Chinese apart; `simplified` writes both in Simplified (OpenCC t2s)."""


def known_script(name: str) -> str:
    """The name itself.

    Raises:
        LswError: it is none of `SCRIPTS`; the nearest is offered.
    """
    if name not in SCRIPTS:
        raise LswError(f"Unknown script option '{name}'.", cure=nearest(name, SCRIPTS))
    return name


HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
"""Ranges of Han characters, for a class of a regular expression."""
_RUN = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+")
_IS_HAN = re.compile(rf"[{HAN}]")
_LAST = 0x40000
"""No letter or digit is beyond."""


@cache
def _t2s() -> Any:
    import opencc

    return opencc.OpenCC("t2s")


def convert(texts: list[str], code: str, option: str) -> list[str]:
    """Texts of one variety in the declared script, each as long as it was: a place in one is the place in the other.

    Args:
        texts: as the collection has them.
        code: their variety; only varieties written in Han characters are touched.
        option: one of `SCRIPTS`.

    Raises:
        LswError: an unknown script option.
    """
    if known_script(option) == "as written" or variety(code).words != "han":
        return texts
    converter = _t2s()
    return [converter.convert(text) for text in texts]


def runs(text: str, code: str) -> Iterator[tuple[str, bool]]:
    """Runs of letters and digits, and whether each is to be cut into Han characters: in `words = "han"` varieties."""
    han = variety(code).words == "han"
    for run in _RUN.findall(text):
        yield run, han and bool(_IS_HAN.match(run))


def spans(text: str, code: str) -> Iterator[tuple[int, int, bool]]:
    """Where these runs begin and end, and the same of each."""
    han = variety(code).words == "han"
    for run in _RUN.finditer(text):
        yield *run.span(), han and is_han(run[0])


def classes() -> Iterator[tuple[int, int, bool]]:
    """Code points of letters and digits: first, one after the last, and whether they are Han characters.

    What `runs` finds depends on each character alone, so it is asked of all that there are.
    """
    for run in _RUN.finditer("".join(map(chr, range(_LAST)))):
        yield *run.span(), is_han(run[0])


def terms(text: str, code: str) -> list[str]:
    """The words of a text, the same for queries and passages.

    Case is folded. In varieties of `words = "han"` a run of Han characters gives its unigrams and bigrams
    (as Lucene's CJK analyzer does for bigrams); every other run of letters and digits is one term.
    """
    out: list[str] = []
    for run, han in runs(text.casefold(), code):
        if han:
            out.extend(run)
            out.extend(run[i : i + 2] for i in range(len(run) - 1))
        else:
            out.append(run)
    return out


def places(text: str) -> Iterator[tuple[int, int]]:
    """Where words stand in any variety: start and end of each run of letters and digits, Han characters singly."""
    for run in _RUN.finditer(text):
        if is_han(run[0]):
            yield from ((at, at + 1) for at in range(*run.span()))
        else:
            yield run.span()


def is_han(text: str) -> bool:
    """Whether a text begins with a Han character."""
    return _IS_HAN.match(text) is not None


def plain(text: str) -> str:
    """A text as it is compared with others: its words alone, case folded."""
    return " ".join(text[start:end] for start, end in places(text)).casefold()
