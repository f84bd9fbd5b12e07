"""Published figures beside ours.

`recipes/reference/litschko2023.csv`: RR@10 of a cross-encoder trained on English alone (`before`) and on code-switched
English, where both are given (Litschko, Artemova and Plank, arXiv 2305.05295).

`recipes/reference/chari2025.csv`: RR@10 and R@1000 on mMARCO v2 dev/small before (`base`) and after (`finetuned`)
training on Afrikaans queries over Dutch passages, read off the vector figures of the repository of Chari, MacAvaney
and Ounis (ECIR 2025, arXiv 2503.22508).
"""

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store import LswError, Store
from store.query import rows
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


@dataclass(frozen=True)
class Theirs:
    """A collection that figures are published on.

    Args:
        sources: how the source of each variety's texts begins; the variety's name in ir_datasets follows.
        split: whose queries are asked.
        queries, passages: how many it has.
        wordings: how the place of queries that were translated for it begins; their variety follows.
    """

    sources: str
    split: str
    queries: int
    passages: int
    wordings: str = ""


COLLECTIONS = {
    "mmarco/v2 dev/small": Theirs(
        "irds:mmarco/v2/",
        "dev/small",
        6_980,
        8_841_823,
        "hf://datasets/andreaschari/mmarco-lt/queries/dev_small/",
    ),
    "mmarco dev/small": Theirs("irds:mmarco/", "dev/small", 6_980, 8_841_823),
}
"""By their names in the files; sizes as the MS MARCO passage ranking task has them."""


@dataclass(frozen=True)
class Grounds:
    """What a store knows of the collections of its runs.

    Args:
        made: by collection and recipe run, the collection as that recipe describes it, and the `translator` of its
            queries.
        passages: how many, by collection and variety.
    """

    made: dict[tuple[str, str], Row] = field(default_factory=dict)
    passages: dict[tuple[str, str], int] = field(default_factory=dict)

    def of(self, run: RunRow) -> Row:
        """How a run's collection is described; of an imported run as by others on it; empty if nobody does."""
        collection = run["collection"]
        own = self.made.get((collection, run.get("recipe_run_id") or ""), {})
        others = (about for (name, _), about in self.made.items() if name == collection)
        return own or next(({**about, "translator": None} for about in others), {})


def grounds(store: Store) -> Grounds:
    """What the store knows of the collections of its runs; nothing of a store that is not there."""
    if not store.exists():
        return Grounds()
    with store.reading() as con:
        described = rows(
            con,
            """
            SELECT DISTINCT r.collection, r.recipe_run_id, p.resolved->'$.collection' AS first,
                p.resolved->'$.collections' AS others, p.resolved->>'$.translation.translator' AS translator
            FROM runs r JOIN recipe_runs p USING (recipe_run_id)
            """,
        )
        counted = rows(
            con,
            """
            SELECT coalesce(c.collection, s.parameters->>'collection') AS collection,
                s.parameters->>'variety' AS variety,
                max((s.summary->>'passages')::BIGINT) AS passages
            FROM stage s LEFT JOIN source c USING (key) WHERE s.kind = 'passages' GROUP BY ALL
            """,
        )
    made = {}
    for row in described:
        first, others = json.loads(row["first"] or "{}"), json.loads(row["others"] or "{}") or {}
        name = row["collection"].partition("@")[0]  # other content under a name is filed under the name and a hash
        for at in (first, *others.values()):
            if at.get("name") == name and (at.get("sources") or at.get("folder")):
                made[row["collection"], row["recipe_run_id"]] = {**at, "translator": row["translator"]}
                break
    sizes = {(row["collection"], row["variety"]): row["passages"] for row in counted if row["passages"] is not None}
    return Grounds(made, sizes)


def why_not(figure: Row, run: RunRow, known: Grounds) -> str:
    """Why a run cannot be held against a published figure: it is of another collection; empty if it is of the same."""
    theirs = COLLECTIONS[figure["collection"]]
    count = run.get("n_queries")
    passages = known.passages.get((run["collection"], run["document_variety"] or ""))
    reason = _other(theirs, run, known.of(run))
    cut = figure["measure"].rpartition("@")[2]
    if not reason and count != theirs.queries:
        reason = "not all of its queries"
    if not reason and passages not in (None, theirs.passages):
        reason = "not all of its passages"
    if not reason and cut.isdigit() and run["depth"] < int(cut):
        return f"ranked to {run['depth']} only, which {figure['measure']} does not bear"
    if not reason:
        return ""
    ours = [f"{count:,} queries"] if count is not None else []
    ours += [f"{passages:,} passages"] if passages is not None else []
    of = f"the {theirs.queries:,} and {theirs.passages:,} of {figure['collection']}"
    return f"{reason}, {' and '.join(ours)} against {of}" if ours else reason


def _other(theirs: Theirs, run: RunRow, at: Row) -> str:
    """In what a run's collection is another, by where its texts are from."""
    if not at:
        return "nothing says where its texts are from"
    if at.get("folder"):
        return "texts of a folder"
    if at.get("sample"):
        return "a sample"
    if at.get("pages"):
        return "passages joined to pages"
    if at.get("splits", {}).get("test") != theirs.split:
        return "another split"
    low, high = run["query_variety"], run["document_variety"] or ""
    if at["sources"].get(high) != _source(theirs, high):
        return "other passages"
    if low in at["sources"]:
        return "" if at["sources"][low] == _source(theirs, low) else "other queries"
    own = at.get("queries", {}).get("test", {}).get(low)
    alike = theirs.wordings and own == f"{theirs.wordings}{low}.tsv" and at["translator"] in (None, "collection")
    return "" if alike else "queries translated otherwise"


def _source(theirs: Theirs, code: str) -> str | None:
    try:
        return f"{theirs.sources}{variety(code).ir_datasets or code}"
    except LswError:  # passages in several varieties have a code of their own
        return None


def beside(figures: list[Row], runs: list[RunRow], known: Grounds) -> list[Row]:
    """Each published figure, and ours where it is of the same collection: the newest base and fine-tuned runs.

    What was trained is of one recipe, since another may call another training so; of several seeds ours is the mean.

    Args:
        figures: as `published` gives them.
        runs: as `store.query.runs` gives them, newest first.
        known: of the same store.

    Returns:
        the figures' rows with gain, our_base, our_finetuned, our_gain (None where there is no such run), our_data
        (collection and scale of our runs) and comparable (None where there is none of ours).
    """
    out, named = [], _named(runs)
    for figure in figures:
        every = [_figures(two, figure["measure"]) for two in _of(figure, named, known, same=True)]
        there = [(row["our_base"] is not None) + (row["our_finetuned"] is not None) for row in every]
        ours = every[there.index(max(there))] if there else NONE
        comparable = True if ours["our_data"] else None
        gain = figure["finetuned"] - figure["base"]
        out.append({**figure, "gain": gain, **ours, "comparable": comparable, "why_not": ""})
    return out


NONE: Row = {"our_base": None, "our_finetuned": None, "our_gain": None, "our_data": None}
"""Where there is none of ours."""


def apart(figures: list[Row], runs: list[RunRow], known: Grounds) -> list[Row]:
    """Ours of the same names on other collections: not comparable, and so in rows without a published figure.

    Args:
        figures, runs, known: as of `beside`.

    Returns:
        rows as of `beside`, whose base, finetuned and gain are None, with `why_not`: those of one collection and
        scale together, in the order of the figures. `collection` is the published one, which they are not of.
    """
    out: dict[tuple[Any, ...], Row] = {}
    named = _named(runs)
    for figure in figures:
        for two in _of(figure, named, known, same=False):
            ours = _figures(two, figure["measure"])
            if ours["our_base"] is None and ours["our_finetuned"] is None:
                continue
            reasons = dict.fromkeys(why_not(figure, run, known) for some in two for run in some)
            what = (figure.get(name) for name in ("system", "trained_on", "before", "query_variety", "measure"))
            nothing = {"base": None, "finetuned": None, "gain": None, "comparable": False}
            row = {**figure, **nothing, **ours, "why_not": "; ".join(reasons)}
            out.setdefault((*what, figure.get("document_variety"), ours["our_data"]), row)
    groups = list(dict.fromkeys((row["our_data"], row["why_not"]) for row in out.values()))
    return sorted(out.values(), key=lambda row: groups.index((row["our_data"], row["why_not"])))


Name = tuple[str, str | None, str, str | None]
"""System, what it was trained on, varieties of queries and passages."""
Two = tuple[list[RunRow], list[RunRow]]
"""Base and fine-tuned."""


def _named(runs: list[RunRow]) -> dict[Name, list[RunRow]]:
    """Runs by their names, newest first."""
    out: dict[Name, list[RunRow]] = {}
    for run in runs:
        name = run["system"], run["trained_on"], run["query_variety"], run["document_variety"]
        out.setdefault(name, []).append(run)
    return out


def _of(figure: Row, named: dict[Name, list[RunRow]], known: Grounds, same: bool) -> list[Two]:
    """The newest runs that a figure names, of each collection and scale: on the same collection, or on others."""
    low = figure["query_variety"]
    over = figure.get("document_variety") or variety(low).high or low
    alike: dict[tuple[str, str | None], Two] = {}
    for at, on in enumerate((figure.get("before") or None, figure["trained_on"])):
        for run in named.get((figure["system"], on, low, over), []):
            if (not why_not(figure, run, known)) == same:
                alike.setdefault((run["collection"], run["scale"]), ([], []))[at].append(run)
    return [_newest(*two) for two in alike.values()]


def _figures(some: Two, measure: str) -> Row:
    base, tuned = (_mean(runs, measure) for runs in some)
    data = dict.fromkeys(f"{r['collection']} ({r['scale'] or 'imported'})" for runs in some for r in runs)
    gain = None if base is None or tuned is None else tuned - base
    return {"our_base": base, "our_finetuned": tuned, "our_gain": gain, "our_data": ", ".join(data) or None}


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


def warning(beside: list[Row], apart: list[Row]) -> str:
    """What a reader must know of the two lists before reading on."""
    whose: dict[str, list[str]] = {}
    for row in beside:
        whose.setdefault(row.get("source", SOURCE), []).append(row["collection"])
    theirs = "; ".join(f"{', '.join(dict.fromkeys(some))} ({source})" for source, some in whose.items())
    same = ", ".join(dict.fromkeys(row["our_data"] for row in beside if row["our_data"])) or "no such run"
    others = ", ".join(dict.fromkeys(row["our_data"] for row in apart))
    told = f" Apart, since they are of other collections and cannot be compared: {others}." if others else ""
    return f"Published: {theirs}. Ours on the same collection: {same}.{told}"
