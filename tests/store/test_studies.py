"""Studies as the store has them: found by name or id, with the effects of the most cells."""

import pytest

from store import LswError, Store
from store.studies import study, study_named
from tests.workbench.reports.studies import DOSES, QUERIES, doses, effect, put_study, studied
from workbench.studies.results import StudyResults


def test_a_study_is_found_by_its_name_or_how_its_id_begins(store: Store) -> None:
    with pytest.raises(LswError, match="No study has run"):
        study_named(store)
    first = put_study(store, doses(), {QUERIES: DOSES})
    again = put_study(store, doses(), {QUERIES: DOSES}, started="2026-01-02T00:00:00")
    other = put_study(store, [], {"b": [1]}, name="budget", started="2025-12-31T00:00:00")
    assert study_named(store)["study_id"] == again  # the latest of all
    assert study_named(store, "training_size")["study_id"] == again
    assert study_named(store, "recipes/budget.toml")["study_id"] == other
    assert study_named(store, first)["study_id"] == first
    assert study_named(store, other[:4])["study_id"] == other
    with pytest.raises(LswError, match="begins several") as several:
        study_named(store, first[:5])
    assert first in several.value.detail and again in several.value.detail
    with pytest.raises(LswError, match="Did you mean 'training_size'"):
        study_named(store, "trainingsize")
    row = study_named(store, first)
    assert row["factors"] == {QUERIES: DOSES} and row["analysis"]["factor"] == "queries"
    assert (row["n_cells"], row["done"], row["analysed"]) == (4, 4, 4)


def test_what_is_read_is_what_was_written(store: Store) -> None:
    study_id = put_study(store, doses(), {QUERIES: DOSES}, done=3)
    assert StudyResults.of(store, study_id) == studied(doses(), {QUERIES: DOSES}, done=3)


def test_cells_say_how_far_they_are_and_effects_are_those_of_the_most_cells(store: Store) -> None:
    early = [effect("gain", 0.5, dose=31.0)]
    study_id = put_study(store, early, {QUERIES: [31, 62]}, done=1, cells=2)
    whole, cells, effects = study(store, study_id)
    assert [(cell["cell"], cell["status"], cell["levels"]) for cell in cells] == [
        (0, "done", {QUERIES: 31}), (1, "waiting", {QUERIES: 62})
    ]  # fmt: skip
    assert (whole["done"], whole["analysed"], [row["estimate"] for row in effects]) == (1, 1, [0.5])
    later = [effect("gain", 0.4, dose=31.0), effect("gain", 0.3, dose=62.0), effect("G", why_not="flat")]
    put_study(store, [{**row, "cells": 2} for row in later], {"x": [0]}, name="other", cells=1, done=1)
    with store.writing() as con:  # as a second analysis of the same study leaves them
        con.execute("UPDATE effect SET study_id = ?, cells = 2 WHERE cells = 1 AND study_id <> ?", [study_id, study_id])
    _, _, effects = study(store, study_id)
    assert [(row["effect"], row["estimate"], row["why_not"]) for row in effects] == [
        ("gain", 0.4, None), ("gain", 0.3, None), ("G", None, "flat")
    ]  # fmt: skip
    with pytest.raises(LswError, match="has the id"):
        study(store, "none")
