"""Why a ranking is as it is: what is held against the relevant passage, and by what it was scored."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from store import Store
from tests.tui.driving import compared, drive, ids, text, until
from tui.app import Workbench
from tui.comparing.reasons import lit, parts, wording
from tui.comparing.why import ABOVE, Why, contenders, rival
from tui.comparing.words import NEAR, SAME, beside, marked
from tui.frame.listing import Listing
from tui.frame.panes import Pane
from tui.study import QueryRankings
from workbench.explaining.weights import Match, Word
from workbench.systems._explanation import Explanation, Portion


def shown(*rankings: list[str], labels: dict[str, int]) -> QueryRankings:
    tables = [pa.table({"docno": docnos, "score": [1.0 / (i + 1) for i in range(len(docnos))]}) for docnos in rankings]
    return QueryRankings("q", tables, labels, [{} for _ in rankings])


@given(
    st.lists(st.permutations("abcdefgh"), min_size=2, max_size=2),
    st.integers(0, 8),
    st.sampled_from("abcdefghz"),
)
def test_what_beat_the_relevant_passage_is_above_it_in_the_ranking(
    orders: list[list[str]], depth: int, relevant: str
) -> None:
    rankings = [order[:depth] for order in orders]
    query = shown(*rankings, labels={relevant: 1})
    for run, ranking in enumerate(rankings):
        places = contenders(query, run, relevant)
        assert [p.docno for p in places if p.rank is not None] == [
            ranking[p.rank] for p in places if p.rank is not None
        ]
        assert [p.rank for p in places if p.rank is not None] == sorted(p.rank for p in places if p.rank is not None)
        assert len(places) <= ABOVE + 1 and relevant in [p.docno for p in places]
        at = ranking.index(relevant) if relevant in ranking else len(ranking)
        assert [p.docno for p in places][: min(at, ABOVE)] == ranking[: min(at, ABOVE)]
    held = rival(query, [0, 1], relevant)
    assert held != relevant
    for ranking in reversed(rankings):  # what beat it in the chosen run, else in the other one
        if ranking and ranking[0] != relevant:
            assert held == ranking[0]
            break


def test_parts_stand_beside_each_other_and_differ_as_the_scores_do() -> None:
    def said(value: float, *spans: tuple[int, int], what: str, at: tuple[int, int]) -> Portion:
        return Portion(what, value, (at,), spans)

    one = [said(2.0, (0, 3), what="cat", at=(0, 3)), said(0.5, (4, 7), what="dog", at=(4, 7))]
    two = [
        said(3.0, (8, 11), what="dog", at=(4, 7)), said(1e-6, (0, 2), what="la", at=(8, 10)),
        said(0.25, what="dog", at=(12, 15)),
    ]  # fmt: skip
    explanation = Explanation("BM25 terms", "", {"a": 2.5, "b": 3.25}, {"a": one, "b": two})
    found = parts(explanation, ("a", "b"))
    assert [(p.what, p.values) for p in found] == [
        ("dog", (0.5, 3.0)), ("cat", (2.0, None)), ("dog", (None, 0.25)),
    ]  # fmt: skip
    assert sum(p.difference for p in found) == pytest.approx(3.25 - 2.5, abs=1e-5)
    styles = {(s.start, s.end): str(s.style) for s in lit("cat dog", one, [], None).spans}
    assert styles == {(0, 3): SAME, (4, 7): NEAR}
    assert [(s.start, s.end) for s in lit("cat dog", one, [], one[1]).spans] == [(4, 7)]
    word = Word("cat", 0, 3, False, 1, 2.0)
    assert [(s.start, s.end) for s in lit("cat dog", [], [Match(0, 3, word)], None).spans] == [(0, 3)]


def test_stop_words_are_not_marked_and_rare_ones_most() -> None:
    words = [Word("la", 0, 2, True, 40, 0.0), Word("mort", 3, 7, False, 1, 5.0), Word("guerre", 8, 14, False, 9, 0.5)]
    passage = "la mort et la guerre"
    plain = marked(passage, "la mort guerre", "ca")
    assert {passage[s.start : s.end] for s in plain.spans} == {"la", "mort", "guerre"}
    spans = {passage[s.start : s.end]: str(s.style) for s in marked(passage, "la mort guerre", "ca", words).spans}
    assert spans == {"mort": SAME, "guerre": NEAR}
    line = wording("la mort guerre", words, "la mort")
    looks = {line.plain[s.start : s.end]: str(s.style) for s in line.spans if s.end <= 14}
    assert looks["la"] == "dim" and looks["mort"] == "bold"
    assert "idf mort 5.0, guerre 0.5" in line.plain


@given(st.text("abcé 骑單", max_size=30), st.text("abcé 骑單", max_size=30))
def test_a_word_is_underlined_if_the_other_wording_has_it_not(one: str, other: str) -> None:
    out = beside(one, other)
    assert out.plain == one
    for span in out.spans:
        assert one[span.start : span.end].strip() and one[span.start : span.end] not in other.split()
    assert not beside(one, one).spans


def test_the_view_takes_the_recorded_score_apart(made: Store) -> None:
    """BM25: what is listed of a passage sums to the score that the run recorded, and its terms are lit in the text."""
    pair = ids(made, query_variety="zh") + ids(made, query_variety="yue")

    async def steps(pilot: Pilot[Any], app: Workbench) -> None:
        page = await compared(pilot, app)
        await pilot.press("w")
        why = page.query_one(Why)
        await until(pilot, lambda: why.known)
        assert why.shown is page.shown and page.shown
        for i, listing in ((1, "#above1"), (0, "#above0")):
            page.query_one(listing).focus()
            await pilot.pause()
            said = why.known.said[i]  # type: ignore[union-attr]
            assert said.kind == "BM25 terms"
            for side, docno in (("relevant", why.relevant), ("rival", why.rival)):
                if docno in said.recorded:
                    assert sum(p.value for p in said.portions[docno]) == pytest.approx(said.recorded[docno], abs=1e-4)
                    rank = page.shown.rank[i][docno]
                    assert said.recorded[docno] == pytest.approx(page.shown.scores[i][rank], abs=1e-4)
                drawn = page.query_one(f"#{side}-text").render()
                lit_words = {drawn.plain[s.start : s.end] for s in drawn.spans}  # type: ignore[union-attr]
                wanted = {drawn.plain[a:b] for p in said.portions[docno] if p.value > 0.1 for a, b in p.passage}  # type: ignore[union-attr]
                assert wanted <= lit_words | {""}
            at = page.query_one("#scored", Pane).border_title
            assert f"{said.scores[why.relevant]:.4g} relevant" in str(at)
        # Another passage is held against it; then one part alone is shown.
        page.query_one("#above1", Listing).focus()
        was = why.rival
        await pilot.press("g", "j")
        assert why.rival != was or len(why.lists[1]) < 3
        page.query_one("#parts", Listing).focus()
        await pilot.pause()
        if why.parts and (portion := why.parts[0].portions[0]):
            drawn = page.query_one("#relevant-text").render()
            assert {(s.start, s.end) for s in drawn.spans} == set(portion.passage)  # type: ignore[union-attr]
        # The next query asks anew, and Esc goes back to the rankings.
        before = why.known
        await pilot.press("n")
        await until(pilot, lambda: why.known and why.known is not before)
        assert why.shown is page.shown
        assert text(page, "#wordings").startswith("A ")
        await pilot.press("escape")
        assert not page.has_class("-why") and page.query_one("#queries").has_focus

    drive(made, steps, (160, 48), pair)
