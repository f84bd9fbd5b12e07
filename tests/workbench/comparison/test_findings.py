"""The words of a closing: yes is said of what is significant after correction, and of nothing else."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from store.rows import ComparisonRow, NotCompared, RunRow
from workbench.comparison.results import Results

Key = tuple[str, str, str | None, str]
"""Contrast, system, training, and the variety or, of a closure, the pair."""

SYSTEMS = ("bm25", "bge-m3", "colbert-xm", "bge-m3 >> mt5")
TRAINED = SYSTEMS[1:]


def study(
    pairs: dict[str, str],
    trainings: Sequence[str] = ("ca-fr",),
    shown: dict[Key, float] | None = None,
    control: str | None = None,
    seeds: int = 1,
    systems: Sequence[str] = SYSTEMS,
    trained: Sequence[str] = TRAINED,
    record: bool = True,
    lacking: Sequence[Key] = (),
) -> Results:
    """A recipe's results, made up: differences are .001 and not significant but for those that are `shown`.

    Args:
        pairs: whether each was `seen` or `unseen` in training; of `bm25` and untrained systems no matter.
        trainings: what each of `trained` was trained on.
        shown: differences that are significant.
        control: the training that others are held against.
        seeds: models of each training.
        lacking: comparisons that could not be made.
    """
    rows: list[ComparisonRow] = []
    not_made: list[NotCompared] = []
    runs: list[RunRow] = []

    def run_id(system: str, training: str | None, query: str) -> str:
        return f"{system}/{training}/{query}"

    def add(contrast: str, system: str, training: str | None, pair: str, variety: str | None, other: str) -> None:
        key = contrast, system, training, variety or pair
        low = variety or pair.split("-")[0]
        about: dict[str, Any] = {
            "contrast": contrast, "system": system, "trained_on": training, "variety": variety, "pair": pair,
            "baseline_run_id": other, "run_id": run_id(system, training, low), "measure": "RR@10", "n": 196,
            "left_out": 0, "primary": False,
            "family": f"{contrast} on {pairs[pair]} pairs" if trainings else contrast,
        }  # fmt: skip
        if key in lacking:
            not_made.append(NotCompared(**{**about, "n": 0, "left_out": 196, "why_not": "no query in common"}))
            return
        delta = (shown or {}).get(key, 0.001)
        models = seeds if training else 1
        figures: dict[str, Any] = {
            "n_groups": 98, "no_result": 0, "no_relevant": 0, "mean_baseline": 0.5, "mean": 0.5 + delta, "delta": delta,
            "ci_low": delta - 0.02, "ci_high": delta + 0.02, "confidence": 0.95, "interval": "percentile",
            "effect_size": delta / 0.1, "detectable": 0.031, "test": "randomisation", "resamples": 100_000,
            "p_value": 0.001 if key in (shown or {}) else 0.5, "correction": "holm", "family_size": 1,
            "p_corrected": 0.012 if key in (shown or {}) else 0.8, "wins": 40, "ties": 120, "losses": 36, "seed": 42,
            "models": models, "model_deviation": 0.004 if models > 1 else None,
            "share_closed": 0.25 if contrast == "closure" else None,
            "share_low": 0.1 if contrast == "closure" else None, "share_high": 0.4 if contrast == "closure" else None,
        }  # fmt: skip
        rows.append(ComparisonRow(**about, **figures))

    for pair, system in product(pairs, systems):
        low, high = pair.split("-")
        for training in (None, *(trainings if system in trained else ())):
            for query, seed in product((low, high), range(seeds if training else 1)):
                runs.append(
                    RunRow(
                        run_id=run_id(system, training, query) + (f"/{seed}" if seed else ""), recipe="r",
                        recipe_run_id="4bc6f4ea1aa6", scale="mini", collection="c", system=system, trained_on=training,
                        query_variety=query, document_variety=high, depth=10, n_queries=196, status="done",
                        started_at=datetime(2026, 1, 1), seconds=1.0, key="k", seed=seed, judged=196,
                        means=dict.fromkeys(("RR@10", "AP"), 0.512 + 0.01 * seed),
                    )
                )  # fmt: skip
            add("gap", system, training, pair, low, run_id(system, training, high))
            if training is None:
                continue
            for query in (low, high):
                add("gain", system, training, pair, query, run_id(system, None, query))
                if control and training != control:
                    add("control", system, training, pair, query, run_id(system, control, query))
            add("closure", system, training, pair, None, run_id(system, None, low))
    sizes = Counter(row["family"] for row in rows)
    for row in rows:
        row["family_size"] = sizes[row["family"]]
    rows.sort(key=lambda row: ("gap", "gain", "control", "closure").index(row["contrast"]))
    title = "Trained on Catalan-French, tested on Cantonese-Mandarin"
    about = {"recipe_run_id": "4bc6f4ea1aa6", "scale": "mini", "starts": {}}
    return Results(title, runs, rows, ["RR@10", "AP"], about if record else None, not_made)


TWO = {"yue-zh": "unseen", "ca-fr": "seen"}
SEVEN = dict.fromkeys(("ca-fr", "oc-fr", "af-nl", "yue-zh", "ms-id", "scn-it", "gd-en"), "unseen") | {"ca-fr": "seen"}
THREE = ("ca-fr", "high-only", "mixed")


def told(results: Results, detail: int = 3) -> dict[str, str]:
    """Question and answer by contrast."""
    return {each["contrast"]: f"{each['question']} {each['answer']}" for each in results.findings(detail)}


def test_nothing_is_said_of_what_is_not_significant() -> None:
    answers = told(study(TWO))
    assert answers == {
        "gap": "Are low-resource queries harder before training? yue and ca: not shown."
        " Smallest difference detectable with 80% power: .031.",
        "gain": "Did training on ca-fr help? yue (unseen) and ca (seen): not shown."
        " Smallest difference detectable with 80% power: .031.",
        "closure": "Did a gap close? Not shown. Smallest difference detectable with 80% power: .031.",
    }


def test_that_training_helped_is_not_that_the_low_resource_variety_did() -> None:
    gains: dict[Key, float] = {("gain", "bge-m3", training, "ca"): 0.05 for training in ("ca-fr", "high-only")}
    answers = told(study(TWO, ("ca-fr", "high-only"), gains, control="high-only"))
    assert "ca (seen): yes with bge-m3 (ca-fr, high-only) +.050." in answers["gain"]
    assert answers["control"].startswith("More than high-only? yue and ca: not shown.")
    more = told(study(TWO, ("ca-fr", "high-only"), {**gains, ("control", "bge-m3", "ca-fr", "ca"): 0.03}, "high-only"))
    assert more["control"] == "More than high-only? yue: not shown. ca: yes with bge-m3 +.030; not shown with" \
        " colbert-xm, bge-m3 >> mt5."  # fmt: skip
    alone = told(study(TWO, shown={("gain", "bge-m3", "ca-fr", "ca"): 0.05}))
    assert alone["gain"].endswith("No control says whether its low-resource queries did it.")
    assert "No control" not in answers["gain"]


def test_losses_are_said_as_losses() -> None:
    answers = told(
        study(
            TWO,
            shown={("gain", "bge-m3 >> mt5", "ca-fr", "yue"): -0.043, ("gain", "colbert-xm", "ca-fr", "fr"): -0.034},
        )
    )
    assert "yue (unseen): not shown; worse with bge-m3 >> mt5 -.043." in answers["gain"]
    assert "High-resource queries: worse with colbert-xm on fr -.034." in answers["gain"]
    better: dict[Key, float] = {("gap", "bm25", None, "yue"): 0.05, ("gap", "bge-m3", None, "yue"): -0.06}
    assert "yue: yes with bge-m3 -.060; easier with bm25 +.050; not shown with" in told(study(TWO, shown=better))["gap"]


def test_gaps_are_those_before_training() -> None:
    after: dict[Key, float] = {("gap", system, "ca-fr", "ca"): -0.3 for system in TRAINED}
    assert "yes" not in told(study(TWO, shown=after))["gap"]
    results = study(TWO, shown=after)
    published = replace(results, comparisons=[row for row in results.comparisons if row["trained_on"]])
    assert "ca: yes with bge-m3 -.300" in told(published)["gap"] and "before" not in told(published)["gap"]


def test_no_language_is_called_low_resource_that_is_not() -> None:
    gaps: dict[Key, float] = {("gap", system, None, "en"): -0.2 for system in SYSTEMS}
    [finding] = study(("en-zh",), (), gaps, trained=()).findings()
    assert finding["question"] == "Are queries in another language than the passages' harder?"


def test_many_pairs_are_spoken_of_together() -> None:
    gaps: dict[Key, float] = {
        ("gap", system, None, pair.split("-")[0]): -0.1 - 0.01 * i
        for i, (pair, system) in enumerate(product(SEVEN, SYSTEMS))
    }
    [finding] = study(SEVEN, (), gaps, trained=()).findings()
    assert (finding["contrast"], finding["question"]) == ("gap", "Are low-resource queries harder?")
    assert finding["answer"] == "7 pairs: yes with all 28 cases, bm25 on ca -.100 to bge-m3 >> mt5 on gd -.370."
    some = told(study(SEVEN, (), {key: delta for key, delta in gaps.items() if key[3] != "ms"}, trained=()))
    assert "7 pairs: yes with 24 of 28 cases" in some["gap"]
    gains: dict[Key, float] = {("gain", "bge-m3", "ca-fr", "ca"): 0.05, ("gain", "bge-m3", "ca-fr", "oc"): 0.04}
    answer = told(study(SEVEN, shown=gains))["gain"]
    assert "ca (seen): yes with bge-m3 +.050" in answer
    assert "6 unseen pairs: yes with bge-m3 on oc +.040." in answer


def test_a_closed_gap_is_said_in_the_words_of_its_verdict() -> None:
    both: dict[Key, float] = {("gain", "bge-m3", "ca-fr", "ca"): 0.08, ("closure", "bge-m3", "ca-fr", "ca-fr"): 0.07}
    results = study(TWO, shown=both)
    [closed] = [each for each in results.closings() if each["verdict"] != "not shown"]
    assert told(results)["closure"] == f"Did a gap close? Yes. bge-m3: {closed['words']}."
    assert told(results, 2)["closure"] == "Did a gap close? Yes. Closed: ca-fr with bge-m3."
    assert told(results, 0)["closure"] == "Did a gap close? Yes. Closed: 1 of 6."
    alone = told(study(TWO, shown={("closure", "bge-m3", "ca-fr", "ca-fr"): 0.07}))["closure"]
    assert alone.startswith("Did a gap close? Not shown. bge-m3: the ca-fr gap is smaller; neither a gain")


KEYS = [
    (contrast, system, training, variety)
    for system, training in product(TRAINED, THREE)
    for contrast, variety in product(("gain", "control"), ("yue", "zh", "ca", "fr"))
]


@given(st.dictionaries(st.sampled_from(KEYS), st.sampled_from((-0.05, 0.04)), max_size=12), st.integers(0, 3))
def test_yes_is_said_where_a_low_resource_gain_is_significant_and_nowhere_else(
    shown: dict[Key, float], detail: int
) -> None:
    results = study(TWO, THREE, shown, control="high-only")
    answers = told(results, detail)
    for contrast in ("gain", "control"):
        for variety in ("yue", "ca"):
            rows = [row for row in results.comparisons if (row["contrast"], row["variety"]) == (contrast, variety)]
            better, worse = (
                [row for row in rows if row["p_corrected"] < 0.05 and row["delta"] * sign > 0] for sign in (1, -1)
            )
            of_place = [
                sentence for sentence in answers[contrast].split("? ")[1].split(". ")
                if variety in sentence.partition(":")[0].replace(" and ", " ").split()
            ]  # fmt: skip
            [sentence] = of_place
            assert ("yes " in sentence) == bool(better) and ("not shown" in sentence.split(";")[0]) == (not better)
            assert (("worse" if contrast == "gain" else "less") in sentence) == bool(worse)
            named = {str(row["trained_on"]) for row in better + worse} if detail else set()
            if detail == 3 and 0 < len({row["system"] for row in better}) <= 3:
                assert all(name in sentence for name in named)
