"""`lsw compare`: any runs of the store, with a baseline, each with each, or gain with gain."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from store import LswError, Store, nearest
from store.query import run, topics
from store.rows import RunRow
from workbench.comparison.compared import Combination, Compared, Sides, compared
from workbench.comparison.paired import Evaluations
from workbench.comparison.results import Results
from workbench.comparison.words import not_made
from workbench.evaluation.measures import SCHEMA, of_runs, parsed
from workbench.significance.outcomes import Method
from workbench.significance.paired_tests import TESTS
from workbench.significance.resampling import Progress

SHAPES = ("baseline", "pairs", "closure")


def compare_runs(
    store: Store,
    names: list[str],
    measures: list[str],
    method: Method,
    note: Callable[[str], Any],
    shape: str = "baseline",
    progress: Progress | None = None,
) -> Results:
    """Compare runs, each comparison over the queries that its own runs share; those of one measure are one family (of a
    closure: both gains, and the closure).

    Args:
        store: where the runs are.
        names: run ids or their beginnings.
        measures: ir_measures names, recorded or not.
        method: test, correction and the rest.
        note: told what a reader must know (queries left out).
        shape: `baseline` (each with the first), `pairs` (each with each; always so for Tukey's test) or `closure`
            (of four runs BASE TUNED BASE TUNED: both gains, and the first minus the second).
        progress: told how many resamples are done.

    Raises:
        LswError: too few runs, an unknown name, no query in common, no judgements, a closure by a family-wise test.
    """
    if shape not in SHAPES:
        raise LswError(f"Unknown shape '{shape}'.", cure=nearest(shape, SHAPES))
    wanted = 4 if shape == "closure" else 2
    if len(names) < wanted or (shape == "closure" and len(names) > wanted):
        raise LswError(
            "Give at least two runs." if wanted == 2 else "Closure takes four runs.",
            cure="The baseline first: `lsw compare RUN RUN`."
            if wanted == 2
            else "Low-resource queries first: `lsw compare --closure BASE TUNED BASE TUNED`.",
        )
    for measure in measures:
        parsed(measure)
    runs = [run(store, name) for name in names]
    ids = [r["run_id"] for r in runs]
    if len(set(ids)) < len(ids):
        raise LswError("A run is named twice.", ", ".join(ids))
    family_wise = TESTS.part(method.test).family_wise
    if shape == "closure" and family_wise:
        raise LswError(
            f"The test '{method.test}' compares pairs of runs; a closure is made of four.",
            cure="Choose another: --test t.",
        )
    if shape == "baseline" and family_wise:
        shape = "pairs"
    known: dict[str, str] = {}
    for collection in dict.fromkeys(r["collection"] for r in runs):
        known = topics(store, collection) | known
    evaluations = evaluated(store, runs, measures)
    if shape == "closure":
        wanted_comparisons = closures(runs)
    else:
        couples = combinations(runs, 2) if shape == "pairs" else [(runs[0], other) for other in runs[1:]]
        wanted_comparisons = [difference(baseline, other) for baseline, other in couples]
    every = compared(evaluations, wanted_comparisons, known, method, progress)
    if not every.rows:
        raise LswError("These runs have no query in common.", ", ".join(ids))
    for words in left_out(every):
        note(words)
    means = np.nanmean(evaluations.values, axis=0)
    judged = (~np.isnan(evaluations.values)).all(axis=2).sum(axis=0)
    for r, values, count in zip(runs, means, judged, strict=True):
        r["judged"] = int(count)
        r["means"] = dict(zip(measures, map(float, values), strict=True))
    return Results("", runs, every.rows, measures, not_made=every.not_made)


def left_out(compared: Compared) -> list[str]:
    """What every reader must know of queries that were not used, in words."""
    out = []
    for row in compared.rows:
        if row["left_out"] and row["measure"] == compared.rows[0]["measure"]:
            out.append(
                f"{row['run_id']} against {row['baseline_run_id']}: {row['left_out']} queries are not in every run, or"
                f" were never asked, and are left out; n = {row['n']}."
            )
    return list(dict.fromkeys([*out, *(not_made(row) for row in compared.not_made)]))


def difference(baseline: RunRow, other: RunRow) -> Combination:
    """One run against a baseline."""
    return Combination(
        (Sides((other["run_id"],), (baseline["run_id"],)),), other["run_id"], baseline["run_id"], other["system"],
        "difference", other["trained_on"], other["query_variety"],
        f"{other['query_variety']}-{other['document_variety']}" if other["document_variety"] else None,
    )  # fmt: skip


def closures(runs: list[RunRow]) -> list[Combination]:
    """The gain on low-resource queries, the gain on high-resource ones, and the first minus the second.

    Args:
        runs: the base and the tuned run of the low-resource queries, then of the high-resource ones.
    """
    base_low, low, base_high, high = runs
    text = f"{low['query_variety']}-{high['query_variety']}"
    gains = [
        replace(difference(base, tuned), contrast="gain", family="gain", pair=text)
        for base, tuned in ((base_low, low), (base_high, high))
    ]
    sides = Sides((low["run_id"], base_high["run_id"]), (base_low["run_id"], high["run_id"]))
    return [
        *gains,
        Combination(
            (sides,), low["run_id"], base_low["run_id"], low["system"], "closure", low["trained_on"], None, text,
            "closure", gap=Sides((base_high["run_id"],), (base_low["run_id"],)),
        ),
    ]  # fmt: skip


def evaluated(store: Store, runs: list[RunRow], measures: list[str]) -> Evaluations:
    """The runs' values.

    Raises:
        LswError: a run has no judgements.
    """
    ids = [r["run_id"] for r in runs]
    with store.reading() as con:
        values = of_runs(con, ids, measures).cast(SCHEMA)
        queries, unasked = (
            con.sql(f"SELECT {columns} FROM {table} WHERE run_id IN (SELECT unnest(?::TEXT[]))", params=[ids])
            .to_arrow_table()
            for columns, table in (("run_id, qid, retrieved, highest", "evaluated"), ("run_id, qid", "unasked"))
        )  # fmt: skip
    unjudged = set(ids) - set(queries["run_id"].unique().to_pylist())
    if unjudged:
        raise LswError(
            f"Run {sorted(unjudged)[0]} has no judgements, so it has no {measures[0]}.",
            cure="Import it with --collection or --qrels, or add qrels.tsv to its collection's folder.",
        )
    return Evaluations.of(values, queries, unasked, ids, measures)
