"""Published figures beside ours.

`recipes/reference/litschko2023.csv`: RR@10 of a cross-encoder trained on English alone (`before`) and on code-switched
English, where both are given (Litschko, Artemova and Plank, arXiv 2305.05295).

`recipes/reference/chari2025.csv`: RR@10 and R@1000 on mMARCO v2 dev/small before (`base`) and after (`finetuned`)
training on Afrikaans queries over Dutch passages, read off the vector figures of the repository of Chari, MacAvaney
and Ounis (ECIR 2025, arXiv 2503.22508).
"""

import csv
from pathlib import Path
from typing import Any

from store.rows import Row, RunRow
from workbench.varieties import variety

FILE = Path(__file__).parents[2] / "recipes" / "reference" / "chari2025.csv"
SOURCE = "Chari, MacAvaney and Ounis, ECIR 2025"
OTHERS = {"litschko2023.csv": "Litschko, Artemova and Plank, 2023"}
"""Other files beside it, and whose figures they hold."""


def published(path: Path = FILE) -> list[Row]:
    """Rows with system, trained_on, collection, query_variety, measure, base, finetuned; of some files also
    document_variety (else the relative's) and before: the training that `base` is of (else none)."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {**row, "base": float(row["base"]), "finetuned": float(row["finetuned"])} for row in csv.DictReader(file)
        ]


def every() -> list[Row]:
    """The figures of all publications, each with its `source`."""
    others = (({"source": source}, published(FILE.parent / name)) for name, source in OTHERS.items())
    rows = [({"source": SOURCE}, published()), *others]
    return [row | about for about, some in rows for row in some]


def beside(figures: list[Row], runs: list[RunRow]) -> list[Row]:
    """Each published figure with ours: the newest base and fine-tuned runs of one collection and scale.

    What was trained is of one recipe, since another may call another training so; of several seeds ours is the mean.

    Args:
        figures: as `published` gives them.
        runs: as `store.query.runs` gives them, newest first.

    Returns:
        the figures' rows with gain, our_base, our_finetuned, our_gain (None where there is no such run) and our_data
        (collection and scale of our runs).
    """
    alike: dict[tuple[str, str | None], dict[tuple[Any, ...], list[RunRow]]] = {}
    for run in runs:
        every = alike.setdefault((run["collection"], run["scale"]), {})
        name = run["system"], run["trained_on"], run["query_variety"], run["document_variety"]
        every.setdefault(name, []).append(run)
    out = []
    for row in figures:
        low = row["query_variety"]
        over = row.get("document_variety") or variety(low).high or low
        pair = [(row["system"], on, low, over) for on in (row.get("before") or None, row["trained_on"])]
        # Both of one collection and scale: where there are both, then where the published figures are from.
        choices = [(on, _newest(*(every.get(key, []) for key in pair))) for (on, _), every in alike.items()]
        where = row["collection"].split()[0].replace("/", "-")
        known = [(len([some for some in two if some]), on == where, two) for on, two in choices]
        newest_two = max(known, key=lambda k: k[:2], default=(0, False, ([], [])))[2]
        base, tuned = (_mean(some, row["measure"]) for some in newest_two)
        data = dict.fromkeys(f"{r['collection']} ({r['scale'] or 'imported'})" for some in newest_two for r in some)
        out.append(
            {
                **row,
                "gain": row["finetuned"] - row["base"],
                "our_base": base,
                "our_finetuned": tuned,
                "our_gain": None if base is None or tuned is None else tuned - base,
                "our_data": ", ".join(data) or None,
            }
        )
    return out


def _newest(base: list[RunRow], tuned: list[RunRow]) -> tuple[list[RunRow], list[RunRow]]:
    """The newest run of each, of a trained one that of each seed, both of one recipe: of the newest that has both."""

    def of(runs: list[RunRow], recipe: str | None) -> list[RunRow]:
        seeds: dict[int | None, RunRow] = {}
        for run in runs:
            if run.get("recipe") == recipe:
                seeds.setdefault(run.get("seed"), run)
        return list(seeds.values())

    trained = bool(base and base[0]["trained_on"])
    recipes = [run.get("recipe") for run in tuned or (base if trained else [])]
    both = [recipe for recipe in recipes if of(base, recipe)] if trained else []
    recipe = next(iter(both or recipes), None)
    return of(base, recipe) if trained else base[:1], of(tuned, recipe)


def _mean(runs: list[RunRow], measure: str) -> float | None:
    """Over seeds; None if there is no run, or one that has no such figure."""
    figures = [run["means"].get(measure) for run in runs]
    return sum(f for f in figures if f is not None) / len(figures) if figures and None not in figures else None


def warning(rows: list[Row]) -> str:
    """What a reader must know before the two are held against each other."""
    whose: dict[str, list[str]] = {}
    for row in rows:
        whose.setdefault(row.get("source", SOURCE), []).append(row["collection"])
    theirs = "; ".join(f"{', '.join(dict.fromkeys(some))} ({source})" for source, some in whose.items())
    ours = ", ".join(dict.fromkeys(row["our_data"] for row in rows if row["our_data"])) or "no such run"
    return f"Published: {theirs}. Ours: {ours}. Only figures on the same collection can be compared."
