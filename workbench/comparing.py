"""`lsw compare`: any runs of the store against a baseline."""

from collections.abc import Callable
from typing import Any

import numpy as np

from store import LswError, Store, nearest
from store.query import rows, run
from workbench.evaluation import per_query
from workbench.recipe import Measures
from workbench.statistics import compare


def compare_runs(
    store: Store,
    names: list[str],
    measures: list[str],
    test: str,
    correction: str,
    resamples: int,
    confidence: float,
    seed: int,
    note: Callable[[str], Any],
) -> list[dict[str, Any]]:
    """Compare runs with the first, per measure; the comparisons of one measure are one family.

    Args:
        store: where the runs are.
        names: run ids or their beginnings, the baseline first.
        measures: ir_measures names; those that were not recorded are computed from the rankings.
        test, correction, resamples, confidence, seed: as in a recipe.
        note: told what a reader must know (queries left out).

    Returns:
        rows like the view `comparisons`, with the runs' labels.

    Raises:
        LswError: fewer than two runs, an unknown name, no query in common, no judgements.
    """
    if len(names) < 2:
        raise LswError("Give at least two runs.", cure="The baseline first: `lsw compare RUN RUN`.")
    for value, known in (
        (test, ("randomisation", "t", "wilcoxon")),
        (correction, ("holm", "bonferroni", "bh", "none")),
    ):
        if value not in known:
            raise LswError(f"Unknown name '{value}'.", cure=nearest(value, known))
    Measures(names=measures)
    found = [run(store, name) for name in names]
    if len({r["run_id"] for r in found}) < len(found):
        raise LswError("A run is named twice.", ", ".join(r["run_id"] for r in found))
    out = []
    for measure in measures:
        values = [_values(store, r, measure) for r in found]
        qids = sorted(set.intersection(*(set(v) for v in values)))
        if not qids:
            raise LswError("These runs have no query in common.", ", ".join(r["run_id"] for r in found))
        left = len(set.union(*(set(v) for v in values))) - len(qids)
        if left:
            note(f"{measure}: {left} queries are not in every run and are left out.")
        topics = _topics(store, found[0]["collection"])
        array = np.array([[v[q] for v in values] for q in qids])
        result = compare(
            array[:, 1:] - array[:, :1], [topics.get(q, q) for q in qids], test, correction, resamples, confidence, seed
        )
        for i, r in enumerate(found[1:]):
            effect = result.effect_size[i]
            out.append(
                {
                    "baseline_run_id": found[0]["run_id"],
                    "baseline": _label(found[0]),
                    "run_id": r["run_id"],
                    "label": r["system"] + (f" ({r['trained_on']})" if r["trained_on"] else ""),
                    "variety": f"{r['query_variety']} over {r['document_variety']}",
                    "measure": measure,
                    "n": result.n,
                    "n_groups": result.n_units,
                    "mean_baseline": float(array[:, 0].mean()),
                    "mean": float(array[:, i + 1].mean()),
                    "delta": float(result.delta[i]),
                    "ci_low": float(result.low[i]),
                    "ci_high": float(result.high[i]),
                    "confidence": confidence,
                    "effect_size": None if np.isnan(effect) else float(effect),
                    "test": test,
                    "resamples": result.resamples,
                    "p_value": float(result.p[i]),
                    "correction": correction,
                    "family_size": len(found) - 1,
                    "p_corrected": float(result.p_corrected[i]),
                    "wins": int(result.wins[i]),
                    "ties": int(result.ties[i]),
                    "losses": int(result.losses[i]),
                    "seed": seed,
                }
            )
    return out


def _label(r: dict[str, Any]) -> str:
    trained = f" ({r['trained_on']})" if r["trained_on"] else ""
    return f"{r['system']}{trained}, {r['query_variety']} over {r['document_variety']}"


def _values(store: Store, r: dict[str, Any], measure: str) -> dict[str, float]:
    with store.reading() as con:
        known = rows(con, "SELECT qid, value FROM measures WHERE run_id = ? AND measure = ?", [r["run_id"], measure])
        if known:
            return {row["qid"]: row["value"] for row in known}
        ranking = con.sql(
            "SELECT qid, docno, score FROM rankings WHERE run_id = ?", params=[r["run_id"]]
        ).to_arrow_table()
        # Judgements of the queries that this run was asked, not of other splits.
        qrels = con.sql(
            """
            SELECT qid, docno, label FROM qrels WHERE collection = ? AND
                (qid IN (SELECT qid FROM scored_queries WHERE run_id = ?)
                 OR NOT EXISTS (SELECT 1 FROM scored_queries WHERE run_id = ?))
            """,
            params=[r["collection"], r["run_id"], r["run_id"]],
        ).to_arrow_table()
    if not len(qrels):
        raise LswError(f"Run {r['run_id']} has no judgements, so it has no {measure}.")
    return {row["qid"]: row["value"] for row in per_query(ranking, qrels, [measure]).to_pylist()}


def _topics(store: Store, collection: str) -> dict[str, str]:
    with store.reading() as con:
        found = rows(con, "SELECT DISTINCT qid, topic FROM queries WHERE collection = ?", [collection])
    return {row["qid"]: row["topic"] for row in found}
