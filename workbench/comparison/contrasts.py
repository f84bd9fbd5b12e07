"""The three contrasts of a recipe, each paired by qid: gap, gain, closure.

- gap: low-resource queries against high-resource queries, same system.
- gain: fine-tuned against base, same queries.
- closure: gain on low minus gain on high.
"""

from dataclasses import dataclass

from workbench.comparison.paired import Combination
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


def combinations(contrasts: list[Contrast], run_ids: dict[Run, str]) -> list[Combination]:
    """The contrasts in terms of run ids, each with its columns of the view `comparisons`."""
    return [
        Combination(
            tuple(run_ids[r] for r in c.plus),
            tuple(run_ids[r] for r in c.minus),
            {
                "contrast": c.name,
                "system": c.system,
                "trained_on": c.trained_on,
                "variety": c.variety,
                "pair": c.pair,
                "baseline_run_id": run_ids[c.baseline],
                "run_id": run_ids[c.run],
            },
        )
        for c in contrasts
    ]
