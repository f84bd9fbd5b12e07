"""The three contrasts of a recipe, each paired by qid: gap, gain, closure.

- gap: low-resource queries against high-resource queries, same system.
- gain: fine-tuned against base, same queries.
- closure: gain on low minus gain on high.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.statistics import compare
from workbench.varieties import pair

Run = tuple[str, str | None, str, str]
"""system, trained_on, query variety, document variety"""


@dataclass(frozen=True)
class Contrast:
    """One comparison to make. `plus` and `minus` are runs whose values are added and subtracted, two or four in all.

    `baseline` and `run` are the two runs it is filed under.
    """

    name: str
    system: str
    trained_on: str | None
    variety: str | None
    pair: str
    baseline: Run
    run: Run
    plus: tuple[Run, ...]
    minus: tuple[Run, ...]


def declared(runs: list[Run], pairs: list[str], names: list[str]) -> list[Contrast]:
    """The comparisons that a set of runs allows, in the order of a closing table: the family of the correction."""
    have = set(runs)
    out = []
    for text in pairs:
        on = pair(text)
        low, high = on.low, on.high
        for system, trained in dict.fromkeys((s, t) for s, t, _, d in runs if d == high):
            at_low, at_high = (system, trained, low, high), (system, trained, high, high)
            base_low, base_high = (system, None, low, high), (system, None, high, high)
            if "gap" in names and {at_low, at_high} <= have:
                out.append(Contrast("gap", system, trained, low, text, at_high, at_low, (at_low,), (at_high,)))
            if trained is None:
                continue
            if "gain" in names:
                for tuned, base in ((at_low, base_low), (at_high, base_high)):
                    if {tuned, base} <= have:
                        out.append(Contrast("gain", system, trained, tuned[2], text, base, tuned, (tuned,), (base,)))
            if "closure" in names and {at_low, at_high, base_low, base_high} <= have:
                out.append(
                    Contrast(
                        "closure", system, trained, None, text, base_low, at_low,
                        (at_low, base_high), (base_low, at_high),
                    )
                )  # fmt: skip
    return out


def evaluate(
    contrasts: list[Contrast],
    values: dict[Run, dict[str, float]],
    run_ids: dict[Run, str],
    topics: dict[str, str],
    measure: str,
    settings: dict[str, Any],
) -> list[dict[str, Any]]:
    """Compare; all contrasts together are one family.

    Args:
        contrasts: what to compare.
        values: of one measure, by run and qid.
        run_ids: of each run.
        topics: of each qid.
        measure: its name.
        settings: test, correction, resamples, confidence, seed.

    Returns:
        rows of the store's `comparison` table.
    """
    qids = sorted(topics)
    arrays = {run: np.array([v.get(q, 0.0) for q in qids]) for run, v in values.items()}
    if not contrasts:
        return []
    differences = np.stack(
        [sum(arrays[r] for r in c.plus) - sum(arrays[r] for r in c.minus) for c in contrasts], axis=1
    )
    found = compare(differences, [topics[q] for q in qids], **settings)
    rows = []
    for i, c in enumerate(contrasts):
        # For closure the two means are the gain on high and the gain on low.
        mean = arrays[c.plus[0]].mean() - (arrays[c.minus[0]].mean() if c.name == "closure" else 0)
        effect = found.effect_size[i]
        rows.append(
            {
                "contrast": c.name,
                "system": c.system,
                "trained_on": c.trained_on,
                "variety": c.variety,
                "pair": c.pair,
                "baseline_run_id": run_ids[c.baseline],
                "run_id": run_ids[c.run],
                "measure": measure,
                "n": found.n,
                "n_groups": found.n_units,
                "mean_baseline": float(mean - found.delta[i]),
                "mean": float(mean),
                "delta": float(found.delta[i]),
                "ci_low": float(found.low[i]),
                "ci_high": float(found.high[i]),
                "confidence": settings["confidence"],
                "effect_size": None if np.isnan(effect) else float(effect),
                "test": settings["test"],
                "resamples": found.resamples,
                "p_value": float(found.p[i]),
                "correction": settings["correction"],
                "family_size": len(contrasts),
                "p_corrected": float(found.p_corrected[i]),
                "wins": int(found.wins[i]),
                "ties": int(found.ties[i]),
                "losses": int(found.losses[i]),
                "seed": settings["seed"],
            }
        )
    return rows
