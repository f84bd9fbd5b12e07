"""The closing of a recipe: one screen, and on it what the comparisons say."""

import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from tests.workbench.comparison.test_findings import SEVEN, THREE, TRAINED, TWO, Key, study
from workbench.comparison.results import Results
from workbench.comparison.words import bracket, signed, significant
from workbench.reports.json import Json
from workbench.reports.screen import Screen
from workbench.reports.table import Table

SYSTEMS = ("bm25", "bm25-4grams", *TRAINED)
COLUMNS = {"gap", "gain", "closure", "low", "high"}
NEXT = 4
"""Lines of the screen that are for what to type next."""


def lines(results: Results, width: int = 80) -> list[str]:
    console = Console(file=io.StringIO(), width=width, highlight=False, markup=False)
    console.print(Screen().of(results))
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined, no-any-return]


def every(pairs: Sequence[str], trainings: Sequence[str]) -> list[Key]:
    """All comparisons that there may be."""
    keys: list[Key] = []
    for pair, system in product(pairs, SYSTEMS):
        low, high = pair.split("-")
        keys.append(("gap", system, None, low))
        for training in trainings if system in TRAINED else ():
            keys += [("gap", system, training, low), ("closure", system, training, pair)]
            keys += [(contrast, system, training, on) for contrast in ("gain", "control") for on in (low, high)]
    return keys


def found(pairs: dict[str, str], trainings: Sequence[str] = THREE, share: float = 0.5, seeds: int = 3) -> Results:
    """A study of which a share of the comparisons is significant, each difference its own."""
    random = Random(7)
    shown = {key: random.choice((-1, 1)) * (0.02 + 0.001 * i) for i, key in enumerate(every(list(pairs), trainings))}
    some = {key: delta for key, delta in shown.items() if random.random() < share}
    control = "high-only" if "high-only" in trainings else None
    return study(pairs, trainings, some, control, seeds, SYSTEMS)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(
    ("pairs", "trainings"),
    [(TWO, THREE), (TWO, ("ca-fr",)), (SEVEN, THREE), (SEVEN, ("ca-fr",)), (SEVEN, ()), ({"ca-fr": "seen"}, THREE)],
    ids=["two pairs, controls", "two pairs", "seven, controls", "seven", "seven, nothing trained", "one pair"],
)
def test_the_closing_fits_one_screen(pairs: dict[str, str], trainings: Sequence[str], share: float) -> None:
    printed = lines(found(pairs, trainings, share))
    assert len(printed) <= 48 - NEXT
    assert max(map(len, printed)) <= 80
    assert printed[1].startswith("Are low-resource queries harder")


@settings(max_examples=20)
@given(
    st.integers(1, 12), st.integers(0, 6), st.integers(1, 2), st.floats(0, 1),
    st.lists(st.sampled_from(["bm25", "rrf(bm25-4grams, bge-m3) >> mt5", "a", "b" * 40, "c", "d", "e"]),
             min_size=1, max_size=7, unique=True),
)  # fmt: skip
def test_whatever_its_shape_it_fits_and_names_what_it_leaves_out(
    n_pairs: int, n_trainings: int, seeds: int, share: float, systems: list[str]
) -> None:
    pairs = {pair: "seen" for pair in [*SEVEN, "en-zh", "en-fa", "en-ru", "af-en", "nl-en"][:n_pairs]}
    trainings = [f"training-{i}" for i in range(n_trainings)]
    random = Random(1)
    shown = {
        (contrast, system, training, pair.split("-")[0]): -0.05
        for contrast, system, training, pair in product(("gap", "gain"), systems, [None, *trainings], pairs)
        if random.random() < share
    }
    results = study(pairs, trainings, shown, None, seeds, systems, systems)
    printed = lines(results)
    assert len(printed) <= 48 - NEXT and max(map(len, printed)) <= 80
    text = " ".join(" ".join(printed).split())
    left_out = re.findall(r"No room here for: (.*?)\. `lsw recipe results 4bc6f4ea1aa6` has everything", text)
    split = [line.split() for line in printed if line]
    heads = [words for words in split if words[0] in COLUMNS and set(words[1:]) & set(pairs)]
    columns = {head[0] for head in heads} or COLUMNS
    shown_pairs = set(heads[0][1:]) if heads else {words[0] for words in split} & set(pairs)
    expected = ({"gap", "low", "high"} if not trainings else COLUMNS) - columns | (set(pairs) - shown_pairs)
    named = {word for word in ", ".join(left_out).split(", ") if word and not word.endswith(" rows")}
    assert named == expected


def test_a_row_has_the_figures_of_its_comparisons_and_stars_where_they_are_significant() -> None:
    results = found(TWO)
    block, printed = "", {}
    for line in lines(results):
        if line.startswith(tuple(TWO)):
            block, system = line.split()[0], ""
        elif block and line.startswith("gap ="):
            break
        elif block:
            name = re.split(r"  +\S*\.\d", line)[0].rstrip()
            system = system if name.startswith("  ") else name
            printed[block, system, name.strip() if name.startswith("  ") else None] = line
    assert len(printed) == 28
    by = {(r["contrast"], r["pair"], r["system"], r["trained_on"], r["variety"]): r for r in results.comparisons}
    for (pair, system, trained), line in printed.items():
        low, high = pair.split("-")
        figures = re.findall(r"[+-]\d*\.\d{3}\*?(?![\],])", line.replace("[", "[ "))
        wanted = []
        for contrast, variety in (("gap", low), ("gain", low), ("control", low), ("closure", None)):
            if row := by.get((contrast, pair, system, trained, variety)):
                wanted.append(signed(row["delta"]) + "*" * significant(row))
                if contrast == "gain":
                    assert bracket(row) in line and "±.004" in line
        assert [f for f in figures if f in wanted] == wanted, line
        gain = by.get(("gain", pair, system, trained, high))
        assert bool(re.search(r"\.\d{3} +\.\d{3}\*", line)) == bool(gain and significant(gain)), line


def test_the_caption_says_what_a_star_holds_for() -> None:
    text = " ".join(" ".join(lines(found(TWO))).split())
    for words in (
        "gain = trained - base, on low; control = trained - high-only, on low; closure = gain on low - on high",
        "[95% bootstrap interval, each by itself]; mean of 3 models ± deviation",
        "*: p < .05, paired randomisation test, Holm over gap 14 + 14, gain 18 + 18, control 12 + 12, closure 9 + 9,"
        " seen + unseen pairs; at high: of its gain. n = 196 queries in 98 topics.",
    ):
        assert words in text, words
    assert "No room" not in text and "control" not in " ".join(lines(found(TWO, ("ca-fr",), 0.0, 1)))
    robust = " ".join(" ".join(lines(found(SEVEN, ()))).split())
    assert "gap = low - high. *: p < .05, paired randomisation test, Holm over gap 35. n = 196" in robust
    rows = [{**row, "correction": "none", "no_result": i} for i, row in enumerate(found(TWO, ("ca-fr",)).comparisons)]
    other = " ".join(" ".join(lines(replace(found(TWO, ("ca-fr",)), comparisons=rows))).split())  # type: ignore[arg-type]
    assert "paired randomisation test, uncorrected;" in other and f"up to {len(rows) - 1} without result" in other


def test_what_could_not_be_compared_is_a_dash_and_counted() -> None:
    gone: list[Key] = [("gain", "bge-m3", "ca-fr", "yue"), ("closure", "bge-m3", "ca-fr", "yue-zh")]
    results = study(TWO, lacking=gone)
    printed = lines(results)
    row = printed[next(i for i, line in enumerate(printed) if line.startswith("bge-m3 ")) + 1]
    assert row.split()[0] == "ca-fr" and row.split().count("-") == 2
    text = " ".join(" ".join(printed).split())
    assert "-: 2 comparisons could not be made. `lsw recipe results 4bc6f4ea1aa6` has everything" in text


def test_many_pairs_stand_side_by_side() -> None:
    results = found(SEVEN, ())
    printed = lines(results)
    heads = [line.split()[0] for line in printed if line.split()[1:] == list(SEVEN)]
    assert heads == ["gap", "low", "high"]
    at = next(i for i, line in enumerate(printed) if line.startswith("gap "))
    for line, system in zip(printed[at + 1 :], SYSTEMS, strict=False):
        gaps = [row for row in results.comparisons if row["system"] == system]
        assert line.split()[-7:] == [signed(row["delta"]) + "*" * significant(row) for row in gaps]


def test_a_recipe_that_compares_nothing_shows_its_means() -> None:
    results = replace(study(TWO), comparisons=[])
    text = " ".join(" ".join(lines(results)).split())
    assert "bge-m3 .512 .512 ca-fr .512 .512" in text and "n = 196 queries" in text and "*" not in text


def test_comparisons_without_a_recipe_are_the_tables() -> None:
    results = study(TWO, record=False)

    def text(report: Screen | Table) -> str:
        console = Console(file=io.StringIO(), width=160)
        console.print(report.of(results))
        return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]

    assert text(Screen()) == text(Table())


def test_json_has_the_words_too() -> None:
    results = found(TWO)
    told = json.loads(Json().of(results))["findings"]
    assert told == results.findings() and [each["contrast"] for each in told] == ["gap", "gain", "control", "closure"]


def test_a_gain_that_two_pairs_share_marks_the_mean_of_both() -> None:
    results = study({"oc-fr": "unseen", "ca-fr": "seen"}, shown={("gain", "bge-m3", "ca-fr", "fr"): -0.05})
    once = [r for r in results.comparisons if (r["contrast"], r["pair"], r["variety"]) != ("gain", "oc-fr", "fr")]
    printed = lines(replace(results, comparisons=once))
    starred = [line.split()[:3] for line in printed if re.search(r"\.512\*", line)]
    assert starred == [["ca-fr", ".512", ".512*"]] * 2


def test_a_part_of_a_pipeline_that_nobody_measured_makes_no_means_uneven() -> None:
    results = study({"ca-fr": "seen"})
    part = {**results.runs[0], "system": "part", "run_id": "part", "means": {}, "judged": 0}
    other = {**results.runs[0], "system": "other", "run_id": "other", "judged": 195}
    for runs, uneven in (([part], False), ([part, other], True)):
        printed = " ".join(" ".join(lines(replace(results, runs=[*results.runs, *runs]))).split())  # type: ignore[list-item]
        assert ("Means are over each run's own queries" in printed) == uneven


def test_a_gain_is_marked_where_only_high_resource_queries_were_asked() -> None:
    results = study({"ca-fr": "seen"}, shown={("gain", "bge-m3", "ca-fr", "fr"): 0.05})
    runs = [run for run in results.runs if run["query_variety"] == "fr"]
    gains = [row for row in results.comparisons if (row["contrast"], row["variety"]) == ("gain", "fr")]
    printed = lines(replace(results, runs=runs, comparisons=gains))
    assert [line.split()[:2] for line in printed if re.search(r"\.512\*", line)] == [["ca-fr", ".512*"]]
