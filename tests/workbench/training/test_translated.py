"""Training queries in whole translations."""

import math

import pyarrow as pa
import pytest

from store import LswError
from tests.workbench.training.test_code_switch import triples
from workbench.training.needs import BitextOf, Given
from workbench.training.steps.translated import Translated
from workbench.varieties import Pair

QUERIES = [f"requête {i}" for i in range(400)]


def given(*codes: str, known: int = 400) -> Given:
    return Given(
        {c: pa.table({"source": QUERIES[:known], "target": [f"{c} {i}" for i in range(known)]}) for c in codes}
    )


def test_queries_are_asked_in_one_of_the_varieties() -> None:
    step = Translated.model_validate({"step": "translated", "query_to": ["it", "nl"], "share": 0.5})
    assert step.needs(Pair("fr", "fr")) == {"it": BitextOf("fr", "it"), "nl": BitextOf("fr", "nl")}
    at = given("it", "nl")
    done = step.done(triples([*QUERIES, *QUERIES]), at)
    rows = list(zip(*(done[c].to_pylist() for c in ("query", "query_variety")), strict=True))
    assert rows[:400] == rows[400:]  # a query is translated alike wherever it stands
    assert all(query == (f"{code} {i}" if code != "fr" else QUERIES[i]) for i, (query, code) in enumerate(rows[:400]))
    for code, share in (("fr", 0.5), ("it", 0.25), ("nl", 0.25)):
        n = sum(spoken == code for _, spoken in rows[:400])
        assert abs(n / 400 - share) < 5 * math.sqrt(share * (1 - share) / 400)
    assert at.counts["translated"] == at.counts["translated_it"] + at.counts["translated_nl"]
    assert done["positive"] == triples([*QUERIES, *QUERIES])["positive"]


def test_queries_without_translation_are_told_or_refused() -> None:
    step = Translated.model_validate({"step": "translated", "query_to": ["it"]})
    told: list[str] = []
    at = given("it", known=397)
    at.note = told.append
    done = step.done(triples(QUERIES), at)
    assert done["query_variety"].to_pylist().count("fr") == 3 == at.counts["untranslated"]
    assert told == ["3 of 400 queries keep their wording: no translation is known"]
    with pytest.raises(LswError, match="10 of 400 queries have no translation"):
        step.done(triples(QUERIES), given("it", known=390))


def test_a_budget_of_translations_leaves_the_others_as_they_are() -> None:
    table = given("it").tables["it"].add_column(0, "id", pa.array([f"q{i}" for i in range(400)]))
    right = dict(zip(*(table[name].to_pylist() for name in ("source", "target")), strict=True))
    asked: list[set[str]] = []
    for pairs in (40, 100):
        at = Given({"it": table})
        step = Translated.model_validate({"step": "translated", "query_to": ["it"], "pairs": pairs, "noise": 0.1})
        done = step.done(triples(QUERIES), at).to_pylist()
        new = {old: row["query"] for old, row in zip(QUERIES, done, strict=True) if row["query_variety"] == "it"}
        assert sum(right[old] != text for old, text in new.items()) == pairs / 10  # the wrong ones are another's
        assert at.counts == {
            "pairs": pairs, "words": 4 * pairs, "noisy": pairs // 10, "translated": pairs, "untranslated": 0,
            "beyond_the_budget": 400 - pairs,
        }  # fmt: skip
        asked.append(set(new))
    assert asked[0] < asked[1]
    at = Given({"it": table})
    Translated.model_validate({"step": "translated", "query_to": ["it"], "words": 163}).done(triples(QUERIES), at)
    assert (at.counts["pairs"], at.counts["words"]) == (40, 160)
    with pytest.raises(LswError, match="There are 400 parallel texts, and 401 are asked for"):
        Translated.model_validate({"step": "translated", "query_to": ["it"], "pairs": 401}).done(triples(QUERIES), at)
