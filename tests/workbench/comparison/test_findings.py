"""The words of a closing: yes is said of what is significant after correction, and of nothing else."""

from collections.abc import Sequence
from datetime import datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.rows import ComparisonRow, NotCompared, RunRow
from workbench.comparison.findings import findings
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
    sizes = [(row["family"], sum(other["family"] == row["family"] for other in rows)) for row in rows]
    for row, (_, size) in zip(rows, sizes, strict=True):
        row["family_size"] = size
    rows.sort(key=lambda row: ("gap", "gain", "control", "closure").index(row["contrast"]))
    title = "Trained on Catalan-French, tested on Cantonese-Mandarin"
    about = {"recipe_run_id": "4bc6f4ea1aa6", "scale": "mini", "starts": {}}
    return Results(title, runs, rows, ["RR@10", "AP"], about if record else None, not_made)


TWO = {"yue-zh": "unseen", "ca-fr": "seen"}
SEVEN = dict.fromkeys(("ca-fr", "oc-fr", "af-nl", "yue-zh", "ms-id", "scn-it", "gd-en"), "unseen") | {"ca-fr": "seen"}
THREE = ("ca-fr", "high-only", "mixed")
