"""`lsw compare`: any runs of the store, with a baseline, each with each, or gain with gain."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from store import LswError, Store, nearest
from store.query import run, topics
from workbench.comparison.paired import TUKEY, Combination, Paired, Row, compared
from workbench.comparison.results import Results
from workbench.evaluation.measures import SCHEMA, of_runs, parsed
from workbench.significance.resampling import Progress
from workbench.significance.statistics import CORRECTIONS, INTERVALS, TESTS


@dataclass(frozen=True)
class How:
    """How to compare, as in a recipe's [comparison].

    Raises:
        LswError: an unknown name.
    """

    test: str = "randomisation"
    correction: str = "holm"
    interval: str = "percentile"
    resamples: int = 100_000
    confidence: float = 0.95
    seed: int = 42

    def __post_init__(self) -> None:
        for value, known in (
            (self.test, (*TESTS, TUKEY)),
            (self.correction, CORRECTIONS),
            (self.interval, INTERVALS),
        ):
            if value not in known:
                raise LswError(f"Unknown name '{value}'.", cure=nearest(value, known))


def compare_runs(
    store: Store,
    names: list[str],
    measures: list[str],
    how: How,
    note: Callable[[str], Any],
    shape: str = "baseline",
    progress: Progress | None = None,
) -> Results:
    """Compare runs, per measure; the comparisons of one measure are one family.

    Args:
        store: where the runs are.
        names: run ids or their beginnings.
        measures: ir_measures names, recorded or not.
        how: test, correction and the rest.
        note: told what a reader must know (queries left out).
        shape: `baseline` (each with the first), `pairs` (each with each; always so for Tukey's test) or `closure`
            (of four runs BASE TUNED BASE TUNED: the first gain minus the second).
        progress: told how many resamples are done.

    Raises:
        LswError: too few runs, an unknown name, no query in common, no judgements.
    """
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
    found = [run(store, name) for name in names]
    ids = [r["run_id"] for r in found]
    if len(set(ids)) < len(ids):
        raise LswError("A run is named twice.", ", ".join(ids))
    paired = pair(store, found, measures)
    if paired.left_out:
        note(f"{paired.left_out} queries are not in every run and are left out.")
    if how.test == TUKEY and shape == "baseline":
        shape = "pairs"
    if shape == "closure":
        base_low, low, _, high = found
        made = [Combination((ids[1], ids[2]), (ids[0], ids[3]), {**_about(low, base_low), "contrast": "closure"})]
        made[0].about["pair"] = f"{low['query_variety']}-{high['query_variety']}"
    else:
        couples = combinations(found, 2) if shape == "pairs" else [(found[0], other) for other in found[1:]]
        made = [Combination((b["run_id"],), (a["run_id"],), _about(b, a)) for a, b in couples]
    settings = {name: getattr(how, name) for name in How.__dataclass_fields__}
    rows = compared(paired, made, topics(store, found[0]["collection"]), settings, progress)
    means = paired.values.mean(axis=0)
    with_means = [
        {**r, "means": dict(zip(measures, map(float, row), strict=True))} for r, row in zip(found, means, strict=True)
    ]
    return Results("", with_means, rows, measures)


def pair(store: Store, runs: list[Row], measures: list[str]) -> Paired:
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


def _about(r: Row, baseline: Row) -> Row:
    return {
        "contrast": "difference",
        "system": r["system"],
        "trained_on": r["trained_on"],
        "variety": r["query_variety"],
        "pair": f"{r['query_variety']}-{r['document_variety']}" if r["document_variety"] else None,
        "baseline_run_id": baseline["run_id"],
        "run_id": r["run_id"],
    }
