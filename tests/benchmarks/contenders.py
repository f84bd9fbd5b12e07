"""What is timed, each in a process of its own: `python -m tests.benchmarks.contenders NAME ARGUMENTS`.

Prints one JSON object: seconds of the work, peak memory of the process in MB, and what came out. Imports and warming up
are not in the seconds.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MEASURES = ["RR@10", "nDCG@10", "R@1000"]
Result = tuple[float, dict[str, Any]]


def lsw(run: str, qrels: str, store: str) -> Result:
    """What `lsw import` does: hash, validate, order, keep, insert, measure."""
    import duckdb
    import ir_measures
    import pandas
    import pyarrow.csv
    import pyarrow.parquet

    from store import Store
    from store.query import runs
    from workbench.engine.execute import execute
    from workbench.plans.import_run import import_plan

    assert duckdb and ir_measures and pandas and pyarrow.csv and pyarrow.parquet
    at = Store(Path(store))
    start = time.perf_counter()
    plan, imported = import_plan(at, Path(run), "made", None, "yue", "zh", None, Path(qrels))
    execute(plan, at, Silent())
    means = next(r["means"] for r in runs(at) if r["run_id"] == imported.run_id)
    return time.perf_counter() - start, means


class Silent:
    """An observer that says nothing."""

    def begin(self, *_: Any) -> None: ...
    def progress(self, *_: Any) -> None: ...
    def note(self, *_: Any) -> None: ...
    def end(self, *_: Any) -> None: ...


def ir_measures(run: str, qrels: str, _: str) -> Result:
    """Read and evaluate."""
    import ir_measures as im

    wanted = [im.parse_measure(m) for m in MEASURES]
    start = time.perf_counter()
    means = im.calc_aggregate(wanted, im.read_trec_qrels(qrels), im.read_trec_run(run))
    return time.perf_counter() - start, {str(m): v for m, v in means.items()}


def pyterrier(run: str, qrels: str, _: str) -> Result:
    """Read and evaluate."""
    import pyterrier as pt
    from ir_measures import parse_measure

    start = time.perf_counter()
    means = pt.Evaluate(pt.io.read_results(run), pt.io.read_qrels(qrels), [parse_measure(m) for m in MEASURES])
    return time.perf_counter() - start, {str(m): float(v) for m, v in means.items()}


def ranx(run: str, qrels: str, _: str) -> Result:
    """Read and evaluate; compiled beforehand on a run of one line."""
    from ranx import Qrels, Run, evaluate

    names = ["mrr@10", "ndcg@10", "recall@1000"]
    evaluate(Qrels({"q": {"d": 1}}), Run({"q": {"d": 1.0}}), names)
    start = time.perf_counter()
    means = evaluate(Qrels.from_file(qrels, kind="trec"), Run.from_file(run, kind="trec"), names, make_comparable=True)
    return time.perf_counter() - start, dict(zip(MEASURES, map(float, means.values()), strict=True))


def stored(store: str) -> Result:
    """Evaluate every run of a store for three measures that it has not recorded."""
    from store import Store
    from store.query import runs
    from workbench.evaluation.measures import of_runs, parsed

    at = Store(Path(store))
    ids = [r["run_id"] for r in runs(at)]
    parsed("AP")
    start = time.perf_counter()
    with at.reading() as con:
        values = of_runs(con, ids, ["RR@100", "nDCG@100", "R@100"])
    return time.perf_counter() - start, {"runs": len(ids), "values": len(values)}


def randomisation(queries: str, systems: str, resamples: str) -> Result:
    """Every pair of systems in three measures, under the same sign flips; twice, to see that p is the same."""
    import numpy as np

    from tests.benchmarks.data import make_values
    from workbench.significance.resampling import flips

    values, weights = pairs(int(queries), int(systems))
    start = time.perf_counter()
    p, _ = flips(values, weights, int(resamples), 42)
    seconds = time.perf_counter() - start
    again, _ = flips(values, weights, int(resamples), 42)
    assert np.array_equal(p, again) and make_values(3, 2).shape == (3, 2, 3)
    return seconds, {"comparisons": len(p), "smallest p": float(p.min())}


def compare(queries: str, systems: str, resamples: str) -> Result:
    """The same with intervals, effect sizes, Holm's correction and what could have been detected."""
    from workbench.significance.corrections import CORRECTIONS
    from workbench.significance.intervals import INTERVALS
    from workbench.significance.outcomes import Method
    from workbench.significance.outcomes import compare as whole
    from workbench.significance.paired_tests import TESTS

    values, weights = pairs(int(queries), int(systems))
    names = [str(i) for i in range(len(values))]
    method = Method(resamples=int(resamples))
    assert TESTS.part(method.test) and CORRECTIONS.part(method.correction) and INTERVALS.part(method.interval)
    start = time.perf_counter()
    outcomes = whole(values, names, weights, method=method)
    return time.perf_counter() - start, {"comparisons": len(outcomes.p)}


def pairs(queries: int, systems: int) -> tuple[Any, Any]:
    """Values (queries x 3 systems) and every pair of systems of one measure."""
    from itertools import combinations

    import numpy as np

    from tests.benchmarks.data import make_values

    cube = make_values(queries, systems)
    of_two = list(combinations(range(systems), 2))
    one = np.zeros((systems, len(of_two)))
    for column, (a, b) in enumerate(of_two):
        one[[a, b], column] = -1, 1
    return cube.transpose(0, 2, 1).reshape(queries, -1), np.kron(np.eye(3), one)


def ranx_fisher(queries: str, resamples: str) -> Result:
    """One pair, one measure; compiled beforehand."""
    from ranx.statistical_tests.fisher_randomization_test import fisher_randomization_test

    from tests.benchmarks.data import make_values

    values = make_values(int(queries), 2)[:, :, 0].copy()
    fisher_randomization_test(values[:5, 0], values[:5, 1], n_permutations=10)
    start = time.perf_counter()
    p, _ = fisher_randomization_test(values[:, 0], values[:, 1], n_permutations=int(resamples))
    return time.perf_counter() - start, {"p": float(p)}


def scipy_permutation(queries: str, resamples: str) -> Result:
    """One pair, one measure."""
    import numpy as np
    from scipy import stats

    from tests.benchmarks.data import make_values

    values = make_values(int(queries), 2)[:, :, 0]
    d = values[:, 1] - values[:, 0]
    start = time.perf_counter()
    p = stats.permutation_test(
        (d, np.zeros_like(d)), lambda a, b, axis: np.mean(a - b, axis=axis), permutation_type="samples",
        n_resamples=int(resamples), vectorized=True, batch=100,
    ).pvalue  # fmt: skip
    return time.perf_counter() - start, {"p": float(p)}


ALL: dict[str, Callable[..., Result]] = {
    f.__name__: f
    for f in (lsw, ir_measures, pyterrier, ranx, stored, randomisation, compare, ranx_fisher, scipy_permutation)
}

if __name__ == "__main__":
    seconds, result = ALL[sys.argv[1]](*sys.argv[2:])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
    print(json.dumps({"seconds": seconds, "megabytes": peak, "result": result}))
