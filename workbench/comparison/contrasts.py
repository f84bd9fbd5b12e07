"""The contrasts of a recipe, each paired by qid over its own runs: gap, gain, closure, control.

- gap: low-resource queries against high-resource queries, same system.
- gain: fine-tuned against base, same queries.
- closure: gain on low minus gain on high.
- control: fine-tuned against fine-tuned as long on high-resource wordings alone, same queries. A gain without it says
  that training helped, not that training on the low-resource variety did.
"""

from dataclasses import dataclass
from typing import NamedTuple

from workbench.comparison.compared import Combination, Sides
from workbench.varieties import pair


class RunName(NamedTuple):
    """Whose runs they are; `trained_on` names a training, or is None for a base model. A run for each trained model."""

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
    family: str
    baseline: RunName
    run: RunName
    plus: tuple[RunName, ...]
    minus: tuple[RunName, ...]

    @property
    def what(self) -> tuple[str, tuple[RunName, ...], tuple[RunName, ...]]:
        """The same for equal comparisons, whatever pair they are filed under."""
        return self.name, self.plus, self.minus


def declared(
    runs: list[RunName],
    pairs: list[str],
    names: list[str],
    trainings: dict[str, list[str]] | None = None,
    control: str | None = None,
) -> list[Contrast]:
    """The comparisons that a set of runs allows, in the order of a closing table, equal ones once.

    Two pairs with one high-resource variety have one gain on it: it is filed under the pair that was trained on, else
    under the first. A pair of one variety twice has no gap. A family is a contrast; where something was trained, pairs
    that it saw and others are families apart: those of the training itself, or, of a training that has no pair of two
    varieties and of base models, of any.

    Args:
        runs: that there are.
        pairs: in order.
        names: of the contrasts that are wanted.
        trainings: the pairs that each training saw, by its name; one that is not there is called by its pair.
        control: the training that the others are held against.
    """
    saw = {t: (trainings or {}).get(t, [t]) for t in (run.trained_on for run in runs) if t}
    every = [contrast for text in pairs for contrast in _of_pair(runs, text, names, saw, control)]
    once: dict[tuple[str, tuple[RunName, ...], tuple[RunName, ...]], Contrast] = {}
    for contrast in sorted(every, key=lambda c: c.pair not in saw.get(c.trained_on or "", ())):
        once.setdefault(contrast.what, contrast)
    return [contrast for contrast in every if once[contrast.what] is contrast]


def _of_pair(
    runs: list[RunName], text: str, names: list[str], saw: dict[str, list[str]], control: str | None
) -> list[Contrast]:
    on, have = pair(text), set(runs)
    low, high = on.low, on.high
    out = []
    between_two = {t for t, pairs in saw.items() if any(pair(p).low != pair(p).high for p in pairs)}
    by_any = {seen for pairs in saw.values() for seen in pairs}
    for system, trained in dict.fromkeys((s, t) for s, t, _, d in runs if d == high):
        at_low, at_high = (RunName(system, trained, query, high) for query in (low, high))
        base_low, base_high = (RunName(system, None, query, high) for query in (low, high))
        seen = text in (saw[trained] if trained in between_two else by_any)
        of = "" if not saw else " on seen pairs" if seen else " on unseen pairs"
        if "gap" in names and {at_low, at_high} <= have and low != high:
            out.append(Contrast("gap", system, trained, low, text, f"gap{of}", at_high, at_low, (at_low,), (at_high,)))
        if trained is None:
            continue
        if "gain" in names:
            for tuned, base in ((at_low, base_low), (at_high, base_high)):
                if {tuned, base} <= have:
                    on_variety, family = tuned.query_variety, f"gain{of}"
                    out.append(
                        Contrast("gain", system, trained, on_variety, text, family, base, tuned, (tuned,), (base,))
                    )
        if "control" in names and control and trained != control:
            for query in (low, high):
                tuned, held = RunName(system, trained, query, high), RunName(system, control, query, high)
                if {tuned, held} <= have:
                    out.append(
                        Contrast(
                            "control", system, trained, query, text, f"control{of}", held, tuned, (tuned,), (held,)
                        )
                    )
        if "closure" in names and {at_low, at_high, base_low, base_high} <= have and low != high:
            plus, minus = (at_low, base_high), (base_low, at_high)
            out.append(Contrast("closure", system, trained, None, text, f"closure{of}", base_low, at_low, plus, minus))
    return out


def combinations(
    contrasts: list[Contrast], run_ids: dict[RunName, list[str]], primary: str | None = None
) -> list[Combination]:
    """The contrasts in terms of run ids, each with its columns of the view `comparisons`.

    Args:
        contrasts: as `declared`.
        run_ids: of each name, one for each trained model, in the order of their seeds.
        primary: the contrast that was declared so.
    """

    def one(name: RunName, model: int) -> str:
        ids = run_ids[name]
        return ids[model if len(ids) > 1 else 0]

    out = []
    for c in contrasts:
        models = max(len(run_ids[name]) for name in c.plus + c.minus)
        sides = tuple(
            Sides(*(tuple(one(name, model) for name in names) for names in (c.plus, c.minus)))
            for model in range(models)
        )
        gap = None
        if c.name == "closure":
            gap = Sides((one(c.plus[1], 0),), (one(c.minus[0], 0),))
        out.append(
            Combination(
                models=sides,
                run_id=one(c.run, 0),
                baseline_run_id=one(c.baseline, 0),
                contrast=c.name,
                system=c.system,
                trained_on=c.trained_on,
                variety=c.variety,
                pair=c.pair,
                family=c.family,
                primary=c.name == primary,
                gap=gap,
            )
        )
    return out
