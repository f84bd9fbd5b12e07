"""What is offered while SQL is written. In the texts `|` is the cursor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.sql.completing import Wanted, completions, wanted
from tui.sql.tokens import tokens

VIEWS = {
    "runs": {"run_id": "varchar", "system": "varchar", "query_variety": "varchar"},
    "measures": {"run_id": "varchar", "measure": "varchar", "qid": "varchar", "value": "double"},
    "rankings": {"qid": "varchar", "docno": "varchar", "rank": "integer"},
}
VALUES = {("measures", "measure"): ["RR@10", "nDCG@10"], ("runs", "system"): ["bm25", "it's"]}


def at(text: str) -> tuple[str, int]:
    cursor = text.index("|")
    return text.replace("|", "", 1), cursor


def offered(text: str) -> list[str]:
    return [one.text for one in completions(*at(text), VIEWS, VALUES)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("SEL|", ["SELECT"]),
        ("select * from |", ["runs", "measures", "rankings"]),
        ("SELECT * FROM runs, m|", ["measures"]),
        ("SELECT * FROM runs JOIN r|", ["runs", "rankings"]),
        ("SELECT | FROM runs", ["run_id", "system", "query_variety"]),
        ("SELECT r.| FROM measures m JOIN runs AS r USING (run_id)", ["run_id", "system", "query_variety"]),
        ("SELECT m.q| FROM measures m JOIN runs r ON true", ["qid"]),
        ("SELECT * FROM measures m JOIN runs r USING (r|)", ["run_id"]),
        ("SELECT qid, v| FROM measures", ["value"]),
        ("SELECT avg(v|) FROM measures", ["value"]),
        ("SELECT * FROM runs WHERE variety|", ["query_variety"]),
        ("SELECT avg(value) AS mean FROM measures ORDER BY me|", ["mean", "measure", "measures", "median("]),
        ("SELECT * FROM measures WHERE qi|", ["qid"]),
        ("SELECT * FROM (SELECT q| FROM rankings)", ["qid", "query_variety"]),
        ("WITH best AS (SELECT 1) SELECT * FROM b|", ["best"]),
        ("select * from runs wh|", ["where"]),
        ("SELECT * FROM runs ORDER BY system de|", ["desc"]),
        ("SELECT count(*) FR|", ["FROM"]),
        ("SELECT 1; SELECT * FROM runs WHERE sy|", ["system"]),
        ("SELECT * FROM measures WHERE measure = |", ["'RR@10'", "'nDCG@10'"]),
        ("SELECT * FROM measures WHERE measure = '|", ["'RR@10'", "'nDCG@10'"]),
        ("SELECT * FROM measures m WHERE m.measure <> 'N|' AND true", ["'nDCG@10'"]),
        ("SELECT * FROM measures WHERE measure NOT IN ('RR@10', '|", ["'RR@10'", "'nDCG@10'"]),
        ("SELECT * FROM runs WHERE system = 'it|", ["'it''s'"]),
    ],
)
def test_what_may_come_is_offered(text: str, first: list[str]) -> None:
    assert offered(text)[: len(first)] == first


@pytest.mark.parametrize(
    "text",
    ["-- sy|", "-- sy |", "/* sy|", "SELECT 1|", "SELECT 'sy|", "SELECT sy|s FROM runs", "FROM runs AS se|", "|"],
)
def test_nothing_is_offered_where_nothing_is_known(text: str) -> None:
    assert offered(text) == []


def test_columns_of_the_statement_come_before_others_and_functions() -> None:
    assert offered("SELECT ra| FROM rankings") == ["rank", "rankings", "rank(", "range("]
    others = completions(*at("SELECT va| FROM rankings"), VIEWS, VALUES)
    assert [(one.text, one.kind) for one in others] == [
        ("var_samp(", "function"),
        ("value", "column"),
        ("query_variety", "column"),
    ]


def test_values_are_wanted_of_the_column_that_is_compared() -> None:
    assert wanted(*at("SELECT * FROM runs r WHERE r.SYSTEM = 'b|'"), VIEWS) == Wanted("runs", "system", "b")
    assert wanted(*at("SELECT * FROM runs WHERE system LIKE '|"), VIEWS) == Wanted("runs", "system", "")
    assert wanted(*at("SELECT '|"), VIEWS) is None


SQL = st.lists(
    st.sampled_from(
        ["SELECT", "FROM", "WHERE", "runs", "r", "measures", ".", ",", "(", ")", "=", "'", "'b", '"', "IN", "AS", "--",
         "/*", "*/", "\n", " ", ";", "USING", "BY", "system", "點", "é", "1", "$$", "\\", "WITH", "\ud800", "\0"]
    )
).map(" ".join)  # fmt: skip


@given(SQL | st.text(), st.integers(-3, 60))
def test_no_text_is_too_odd(text: str, cursor: int) -> None:
    wanted(text, cursor, VIEWS)
    inside = max(0, min(cursor, len(text)))
    for one in completions(text, cursor, VIEWS, VALUES):
        assert 0 <= one.start <= inside <= one.end <= inside + 1  # only what is being written is replaced
        assert text[one.start : inside].lstrip("'").casefold() in one.name.casefold().replace("'", "''")


@given(SQL | st.text())
def test_tokens_are_the_text_in_order(text: str) -> None:
    end = 0
    for word in tokens(text):
        assert end <= word.start <= word.end
        assert text[word.start : word.end] == word.text
        end = word.end
