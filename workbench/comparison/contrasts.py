"""The three contrasts of a recipe, each paired by qid: gap, gain, closure.

- gap: low-resource queries against high-resource queries, same system.
- gain: fine-tuned against base, same queries.
- closure: gain on low minus gain on high.
"""

from dataclasses import dataclass
from typing import NamedTuple

from workbench.comparison.paired import Combination
from workbench.varieties import pair


class RunName(NamedTuple):
    """Whose run it is; `trained_on` is a pair, or None for a base model."""

    system: str
    trained_on: str | None
    query_variety: str
    document_variety: str


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
    baseline: RunName
    run: RunName
    plus: tuple[RunName, ...]
    minus: tuple[RunName, ...]


def declared(runs: list[RunName], pairs: list[str], names: list[str]) -> list[Contrast]:
    """The comparisons that a set of runs allows, in the order of a closing table: the family of the correction."""
    have = set(runs)
    out = []
    for text in pairs:
        on = pair(text)
        low, high = on.low, on.high
        for system, trained in dict.fromkeys((s, t) for s, t, _, d in runs if d == high):
            at_low, at_high = (RunName(system, trained, query, high) for query in (low, high))
            base_low, base_high = (RunName(system, None, query, high) for query in (low, high))
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


def combinations(contrasts: list[Contrast], run_ids: dict[RunName, str]) -> list[Combination]:
    """The contrasts in terms of run ids, each with its columns of the view `comparisons`."""
    return [
        Combination(
            plus=tuple(run_ids[name] for name in c.plus),
            minus=tuple(run_ids[name] for name in c.minus),
            run_id=run_ids[c.run],
            baseline_run_id=run_ids[c.baseline],
            contrast=c.name,
            system=c.system,
            trained_on=c.trained_on,
            variety=c.variety,
            pair=c.pair,
        )
        for c in contrasts
    ]
