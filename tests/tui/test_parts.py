"""What the screens are made of."""

from datetime import datetime
from typing import Any, cast
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text
from textual.geometry import Region

from store.rows import ComparisonRow, RunRow
from tui.comparing.contrast import counted, verdict
from tui.comparing.words import NEAR, SAME, marked
from tui.frame.listing import Listing
from tui.frame.rows import LETTERS, Column, Rows, bar, fitted
from tui.pages.runs import age
from tui.study import unfinished
from workbench.audit.signs import signs


@given(st.text(), st.integers(1, 40), st.booleans())
def test_a_cell_is_exactly_as_wide_as_its_column(said: str, width: int, right: bool) -> None:
    cell = fitted(Text("".join(c for c in said if c.isprintable())), width, right)
    assert cell_len(cell.plain) == width


@given(st.floats(0, 1), st.integers(1, 30))
def test_a_bar_is_as_long_as_its_value(value: float, width: int) -> None:
    drawn = bar(value, width)
    assert cell_len(drawn) == width
    assert abs(sum(" ╸━".index(c) for c in drawn) / 2 - value * width) <= 1 / 4 + 1e-9


@pytest.mark.parametrize(
    ("passage", "query", "variety", "same", "near"),
    [
        ("一餐饭通常在胃里停留", "食完一餐飯要幾耐", "yue", {"一餐", "餐饭"}, {"一", "餐", "饭"}),
        ("Les nuages sont blancs", "per què els núvols són blancs", "ca", {"blancs"}, set()),
        ("la traduction automatique", "traducció automàtica traduction", "ca", {"traduction"}, set()),
        ("une bibliothèque nationale", "biblioteca nacional", "ca", set(), {"nationale"} - {"nationale"}),
        ("die katte slaap", "de katten slapen", "af", set(), {"katte"}),
    ],
)
def test_words_of_the_query_are_marked(passage: str, query: str, variety: str, same: set[str], near: set[str]) -> None:
    found: dict[str, set[str]] = {SAME: set(), NEAR: set()}
    for span in marked(passage, query, variety).spans:
        found[str(span.style)].add(passage[span.start : span.end])
    assert found == {SAME: same, NEAR: near}


def test_signs_of_a_bad_translation() -> None:
    source = ["pourquoi le ciel est bleu", "le nom de la rose", "guerre de 1914", "à quoi sert le sel", "l'eau bout"]
    good = ["per què el cel és blau", "el nom de la rosa", "guerra de 1914", "per a què serveix la sal", "l'aigua bull"]
    assert signs(source, good, "ca") == [[], [], [], [], []]
    bad = ["", "le nom de la rose", "guerra de 1941", "sal " * 20, "水开了"]
    assert signs(source, bad, "ca") == [
        ["empty"],
        ["untranslated"],
        ["numbers"],
        ["repeated", "length"],
        ["script", "length"],
    ]
    assert signs(["水"], ["水"], "yue", same_script=True) == [[]]
    assert signs([], [], "ca") == []


def test_age_is_in_one_unit() -> None:
    now = datetime(2026, 1, 10, 12)
    for then, said in ((datetime(2026, 1, 10, 11, 59, 30), "now"), (datetime(2026, 1, 10, 11), "1 h"),
                       (datetime(2026, 1, 10, 11, 30), "30 min"), (datetime(2026, 1, 1), "9 d")):  # fmt: skip
        assert age(then, now) == said


COLUMNS = st.lists(
    st.builds(Column, st.just("x"), st.integers(1, 20), right=st.booleans(), whole=st.booleans()),
    min_size=1,
    max_size=6,
)


@given(COLUMNS, st.integers(4, 60))
def test_figures_are_shown_whole_or_not_at_all(columns: list[Column], room: int) -> None:
    """`↑251` in a column that was cut became `↑25`."""
    listing = Listing(Rows(columns))
    with patch.object(Listing, "scrollable_content_region", Region(0, 0, room, 5)):
        widths = listing.widths()
    assert sum(w + 1 for w in widths if w) - 1 <= room
    for column, width in zip(columns, widths, strict=True):
        assert width in (0, column.width) or (not (column.right or column.whole) and LETTERS <= width < column.width)
    if sum(c.width + 1 for c in columns) - 1 <= room:
        assert widths == [c.width for c in columns]


def outcome(p: float, size: int = 1, **about: Any) -> ComparisonRow:
    row = {
        "delta": -0.07, "p_corrected": p, "correction": "holm", "test": "t", "family_size": size, "n": 196,
        "n_groups": 98, "models": 1, "no_result": 3, "no_relevant": 2, "left_out": 10, **about,
    }  # fmt: skip
    return cast("ComparisonRow", row)


@pytest.mark.parametrize(
    ("here", "declared", "says", "first"),
    [
        (0.541, 0.003, "not significantly", "p = 0.541"),
        (0.003, 0.541, "not significantly", "p = 0.541"),
        (0.003, 0.02, "is significantly lower", "p = 0.020"),
        (0.3, None, "not significantly", "p = 0.300"),
        (0.003, None, "is significantly lower", "p = 0.003"),
    ],
)
def test_a_verdict_says_no_more_than_the_stricter_of_two_tests(
    here: float, declared: float | None, says: str, first: str
) -> None:
    recorded = None if declared is None else outcome(declared, 6, recipe="zero_shot_yue_zh")
    words = verdict(outcome(here), recorded, 1)
    assert says in words and f": {first}" in words
    if declared is not None:  # both results stand there
        assert f"p = {here:.3f}, Holm over 1, here" in words
        assert f"p = {declared:.3f}, Holm over 6, as zero_shot_yue_zh declared" in words


def test_a_run_of_an_unfinished_recipe_says_so() -> None:
    """It said: add qrels.tsv."""
    run = {
        "recipe_run_id": "r1", "means": {}, "system": "bm25", "trained_on": None, "query_variety": "yue",
        "document_variety": "zh",
    }  # fmt: skip
    recipe = {"recipe_run_id": "r1", "recipe": "pair_ca_fr", "scale": "mini", "status": "running"}
    runs = cast("list[RunRow]", [run])
    at_work = unfinished(runs, {"r1": recipe})
    assert at_work and "is still at work" in at_work.title and not at_work.cure
    killed = unfinished(runs, {"r1": recipe}, {"r1"})
    assert killed and "was stopped" in killed.title and killed.cure.startswith("Go on with: lsw recipe run")
    stopped = unfinished(runs, {"r1": {**recipe, "status": "interrupted"}})
    assert stopped and "was interrupted" in stopped.title
    assert stopped.cure == "Go on with: lsw recipe run pair_ca_fr --scale mini"
    assert unfinished(runs, {"r1": {**recipe, "status": "done"}}) is None
    assert unfinished(cast("list[RunRow]", [{**run, "means": {"RR@10": 0.5}}]), {"r1": recipe}) is None


def test_what_became_of_queries_fits_a_narrow_terminal() -> None:
    words = counted(outcome(0.1, n=6980, n_groups=6980))
    assert words == "n 6980; 3 no result, 2 no relevant, 10 left out"
    assert len(counted(outcome(0.1))) < 78
