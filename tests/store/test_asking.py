"""A user's own SQL: where it is wrong, that it can be stopped, values of columns."""

import time
from threading import Timer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import Store
from store.asking import Refused, Running, Stopped, place, select_arrow, values
from store.rebuild import rebuild
from tests.store.conftest import a_run, artifact


@pytest.mark.parametrize(
    ("sql", "at"),
    [
        ("SELECT nothing FROM runs", "nothing"),
        ("SELECT 1,\n  '點解', nothing\nFROM runs", "nothing"),
        ("SELECT " + "system, " * 60 + "nothing, " + "system, " * 60 + "1 FROM runs", "nothing"),
        ("SELECT run_id FROM nowhere", "nowhere"),
        ("SELECT 1\nFROM runs\nWHER system = 'a'", "system"),
        ("SELECT nofunction(1)", "nofunction"),
    ],
)
def test_an_error_says_line_and_column(store: Store, sql: str, at: str) -> None:
    with pytest.raises(Refused) as error:
        select_arrow(store, sql, 10)
    assert error.value.place
    line, column = error.value.place
    assert sql.split("\n")[line - 1][column - 1 :].startswith(at)


@settings(max_examples=30)
@given(st.text(), st.text())
def test_a_place_is_within_the_text_or_there_is_none(sql: str, message: str) -> None:
    for said in (message, f"{message}\nLINE 1: {message}\n        ^"):
        at = place(sql, said)
        assert at is None or 1 <= at[0] <= sql.count("\n") + 1


def test_a_long_statement_is_stopped(store: Store) -> None:
    running = Running()
    Timer(0.2, running.stop).start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        select_arrow(store, "SELECT count(*) FROM range(1000000000000)", 10, running)
    assert time.monotonic() - began < 10
    with pytest.raises(Stopped):  # one that was stopped does not begin
        select_arrow(store, "SELECT 1", 10, running)


def test_values_are_those_of_the_column_and_bounded(store: Store) -> None:
    for i in range(1, 6):
        artifact(store, f"{i:x}" * 64, **a_run(f"{i:x}" * 64))
    rebuild(store)
    assert values(store, "runs", "system") == (["bm25"], False)
    ids, more = values(store, "runs", "run_id", most=3)
    assert (len(ids), more) == (3, True)
    assert values(store, "runs", "run_id", "2") == (["2" * 12], False)
    assert values(store, "runs", "nothing") == values(store, 'no"where', "system") == ([], False)
