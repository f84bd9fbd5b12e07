"""`lsw compare`: any runs of the store, with a baseline, each with each, or gain with gain."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

from store import LswError, Store, nearest
from store.query import run, topics
from store.rows import RunRow
from workbench.comparison.paired import Combination, Paired, compared
from workbench.comparison.results import Results
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
    """Compare runs, per measure; the comparisons of one measure are one family.

    Args:
        store: where the runs are.
        names: run ids or their beginnings.
        measures: ir_measures names, recorded or not.
        method: test, correction and the rest.
        note: told what a reader must know (queries left out).
        shape: `baseline` (each with the first), `pairs` (each with each; always so for Tukey's test) or `closure`
            (of four runs BASE TUNED BASE TUNED: the first gain minus the second).
        progress: told how many resamples are done.

    Raises:
        LswError: too few runs, an unknown name, no query in common, no judgements.
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
    paired = paired_values(store, runs, measures)
    if paired.left_out:
        note(f"{paired.left_out} queries are not in every run and are left out.")
    if shape == "baseline" and TESTS.part(method.test).family_wise:
        shape = "pairs"
    if shape == "closure":
        base_low, low, base_high, high = runs
        wanted_comparisons = [closure(base_low, low, base_high, high)]
    else:
        couples = combinations(runs, 2) if shape == "pairs" else [(runs[0], other) for other in runs[1:]]
        wanted_comparisons = [difference(baseline, other) for baseline, other in couples]
    rows = compared(paired, wanted_comparisons, topics(store, runs[0]["collection"]), method, progress)
    means = paired.values.mean(axis=0)
    for r, values in zip(runs, means, strict=True):
        r["means"] = dict(zip(measures, map(float, values), strict=True))
    return Results("", runs, rows, measures)


def difference(baseline: RunRow, other: RunRow) -> Combination:
    """One run against a baseline."""
    return Combination(
        (other["run_id"],), (baseline["run_id"],), other["run_id"], baseline["run_id"], other["system"], "difference",
        other["trained_on"], other["query_variety"],
        f"{other['query_variety']}-{other['document_variety']}" if other["document_variety"] else None,
    )  # fmt: skip


def closure(base_low: RunRow, low: RunRow, base_high: RunRow, high: RunRow) -> Combination:
    """The gain on low-resource queries minus the gain on high-resource ones."""
    return Combination(
        (low["run_id"], base_high["run_id"]), (base_low["run_id"], high["run_id"]), low["run_id"], base_low["run_id"],
        low["system"], "closure", low["trained_on"], low["query_variety"],
        f"{low['query_variety']}-{high['query_variety']}",
    )  # fmt: skip


def paired_values(store: Store, runs: list[RunRow], measures: list[str]) -> Paired:
    """The runs' values, paired by qid.

    Raises:
        LswError: a run has no judgements, or no query is in all of them.
    """
    ids = [r["run_id"] for r in runs]
    with store.reading() as con:
        values = of_runs(con, ids, measures).cast(SCHEMA)
        queries = con.sql(
            "SELECT run_id, qid, retrieved, highest FROM evaluated WHERE run_id IN (SELECT unnest(?::TEXT[]))",
            params=[ids],
        ).to_arrow_table()
    unjudged = set(ids) - set(queries["run_id"].unique().to_pylist())
    if unjudged:
        raise LswError(
            f"Run {sorted(unjudged)[0]} has no judgements, so it has no {measures[0]}.",
            cure="Import it with --collection or --qrels, or add qrels.tsv to its collection's folder.",
        )
    paired = Paired.of(values, queries, ids, measures)
    if not paired.qids:
        raise LswError("These runs have no query in common.", ", ".join(ids))
    return paired
