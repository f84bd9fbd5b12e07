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

    Args:
        figures: as `published` gives them.
        runs: as `store.query.runs` gives them, newest first.

    Returns:
        the figures' rows with gain, our_base, our_finetuned, our_gain (None where there is no such run) and our_data
        (collection and scale of our runs).
    """
    alike: dict[tuple[str, str | None], dict[tuple[Any, ...], RunRow]] = {}
    for run in runs:
        newest = alike.setdefault((run["collection"], run["scale"]), {})
        newest.setdefault((run["system"], run["trained_on"], run["query_variety"], run["document_variety"]), run)
    out = []
    for row in figures:
        low = row["query_variety"]
        over = row.get("document_variety") or variety(low).high or low
        pair = [(row["system"], on, low, over) for on in (row.get("before") or None, row["trained_on"])]
        # Both of one collection and scale: where there are both, then where the published figures are from.
        choices = [(on, [newest.get(key) for key in pair]) for (on, _), newest in alike.items()]
        where = row["collection"].split()[0].replace("/", "-")
        known = [(len([r for r in some if r]), on == where, some) for on, some in choices]
        newest_two = max(known, key=lambda k: k[:2], default=(0, False, [None, None]))[2]
        base, tuned = (run["means"].get(row["measure"]) if run else None for run in newest_two)
        data = dict.fromkeys(f"{r['collection']} ({r['scale'] or 'imported'})" for r in newest_two if r)
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


def warning(rows: list[Row]) -> str:
    """What a reader must know before the two are held against each other."""
    whose: dict[str, list[str]] = {}
    for row in rows:
        whose.setdefault(row.get("source", SOURCE), []).append(row["collection"])
    theirs = "; ".join(f"{', '.join(dict.fromkeys(some))} ({source})" for source, some in whose.items())
    ours = ", ".join(dict.fromkeys(row["our_data"] for row in rows if row["our_data"])) or "no such run"
    return f"Published: {theirs}. Ours: {ours}. Only figures on the same collection can be compared."
