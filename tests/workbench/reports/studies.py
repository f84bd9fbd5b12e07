"""Small studies in a real store, made by hand: of doses, of two factors, of genres, of a prediction."""

import json
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from store import Store
from store.ingest import Context, ingest
from store.rows import EffectRow
from tests.store.conftest import artifact
from workbench.studies.results import StudyResults

DOSES = [0, 31, 62, 124, 248]
QUERIES = "training.ca-fr.queries"


def effect(name: str, estimate: float | None = None, half: float | None = None, **more: Any) -> EffectRow:
    """A row of `effect`; its interval is as wide on both sides."""
    at, detail = more.pop("at", {}), more.pop("detail", {})
    row = {
        "effect": name, "measure": "RR@10", "system": "bge-m3", "trained_on": None, "query_variety": None,
        "document_variety": None, "levels": json.dumps(at), "dose": None, "estimate": estimate,
        "ci_low": None if half is None or estimate is None else estimate - half,
        "ci_high": None if half is None or estimate is None else estimate + half,
        "confidence": 0.95 if half is not None else None, "unit": "RR@10", "n": 196, "n_groups": 98, "models": 3,
        "test": None, "p_value": None, "correction": None, "family": None, "family_size": None, "p_corrected": None,
        "why_not": None, "detail": json.dumps(detail),
    } | more  # fmt: skip
    return EffectRow(**row)  # type: ignore[typeddict-item]


def after(p: float, size: int) -> dict[str, Any]:
    """Of a randomisation test, after Holm."""
    return {"test": "randomisation", "p_value": p / size, "correction": "holm", "family": "f", "family_size": size, "p_corrected": p}  # fmt: skip


def doses(
    varieties: tuple[str, ...] = ("ca", "fr"), trainings: tuple[str, ...] = ("ca-fr", "high-only")
) -> list[EffectRow]:
    """A curve that reaches .05 on ca, and nothing elsewhere."""
    out = []
    for variety in varieties:
        for training in trainings:
            whose = {"trained_on": training, "query_variety": variety, "document_variety": "fr"}
            top = 0.05 if (variety, training) == ("ca", "ca-fr") else 0.004
            out.append(effect("gain", 0.0, dose=0.0, **whose, models=0))
            for dose in DOSES[1:]:
                gain = top * (1 - np.exp(-dose / 60))
                p = 0.001 if gain > 0.04 else 0.6
                out.append(effect("gain", gain, 0.015, dose=float(dose), **whose, **after(p, 4)))
            for dose in np.linspace(0, 248, 25):
                out.append(effect("curve", top * (1 - np.exp(-dose / 60)), 0.01, dose=float(dose), **whose))
            reached = top > 0.01
            more = {"unit": "queries", **whose}
            out.append(effect("minimum effective dose", 124.0, 62.0, **more) if reached
                       else effect("minimum effective dose", why_not="not reached", **more))  # fmt: skip
            out.append(effect("G", top, 0.02, **whose) if reached else effect("G", why_not="flat", **whose))
    return out


def grid(related: tuple[str, ...] = ("yes", "no")) -> list[EffectRow]:
    """Layers x varieties x related or not: cell means, and an interaction."""
    out = []
    for kin in related:
        for layers in (0, 1, 2):
            for count in (1, 2, 4):
                at = {"systems.bge-m3.layers": layers, "varieties": count, "related": kin}
                out.append(effect("cell mean", 0.2 + 0.05 * layers + 0.01 * layers * count, 0.02, at=at))
    out.append(effect("main", 0.05, 0.01, at={"systems.bge-m3.layers": "linear"}, **after(0.002, 3)))
    out.append(
        effect(
            "interaction", -0.012, 0.02, at={"systems.bge-m3.layers": "linear", "varieties": "log2"}, **after(0.3, 3)
        )
    )
    out.append(effect("omega squared", 0.12, at={"systems.bge-m3.layers": "linear"}))
    return out


def genres() -> list[EffectRow]:
    out = []
    for how in ("first", "MaxP", "FirstP"):
        for trained in (None, "ca-fr"):
            out.append(effect("mean", {"first": 0.3, "MaxP": 0.4, "FirstP": 0.35}[how] + 0.02 * bool(trained), 0.03,
                              trained_on=trained, query_variety="ca", at={"retrieval.cut": how}))  # fmt: skip
    out.append(effect("difference in differences", -0.01, 0.02, trained_on="ca-fr", query_variety="ca",
                      at={"retrieval.cut": "MaxP"}, **after(0.4, 2)))  # fmt: skip
    return out


def prediction(low: float) -> list[EffectRow]:
    return [
        effect("coefficient", 0.03, 0.01, at={"feature": "4-gram Jaccard"}, **after(0.01, 2)),
        effect("coefficient", why_not="the feature chrf is not there", at={"feature": "chrf"}),
        effect("R squared (leave one pair out)", low + 0.1, 0.1, unit=""),
    ]


def studied(
    effects: list[EffectRow], factors: dict[str, list[Any]], name: str = "training_size", done: int = 4, cells: int = 4,
    started: str = "2026-01-01T00:00:00", analysis: str = "dose-response", analysed: int | None = None,
) -> StudyResults:  # fmt: skip
    """A study with its effects, as a store would give it."""
    study_id = (name.encode().hex() * 8)[:10] + started[8:10]
    settings, key = {"analysis": analysis, "factor": "queries", "smallest_difference": 0.01}, (study_id * 6)[:64]
    seen = (done if analysed is None else analysed) if effects else None
    return StudyResults(
        {"study_id": study_id, "study": name, "title": f"What {name} finds", "scale": "mini", "analysis": settings, "factors": factors,
         "n_cells": cells, "done": done, "analysed": seen,
         "begun_at": datetime.fromisoformat(started) if done else None, "key": key},
        [{"study_id": study_id, "cell": i, "position": cells - i, "levels": {f: o[i % len(o)] for f, o in factors.items()},
          "recipe_run_id": f"{study_id}-{i}", "status": "done" if i < done else "waiting",
          "started_at": datetime.fromisoformat(started) if i < done else None, "seconds": None} for i in range(cells)],
        [{**row, "study_id": study_id, "cells": seen or 0, "analysis": analysis, "key": key} for row in effects],
    )  # fmt: skip


def put_study(store: Store, effects: list[EffectRow], factors: dict[str, list[Any]], **more: Any) -> str:
    """The same in a store, as a stage leaves it. Returns its study_id."""
    some = studied(effects, factors, **more)
    study_id, key = some.study["study_id"], some.study["key"]
    started = more.get("started", "2026-01-01T00:00:00")

    def rows(of: list[Any], columns: tuple[str, ...]) -> pa.Table:
        written = ("analysis", "factors") if "factors" in columns else ("levels",) if "position" in columns else ()
        return pa.Table.from_pylist(
            [{c: json.dumps(row[c]) if c in written else row[c] for c in columns} for row in of]
        )  # fmt: skip

    tables = {
        "study": rows([some.study], ("study_id", "study", "title", "scale", "analysis", "factors", "n_cells", "key")),
        "study_cell": rows([{**cell, "key": key} for cell in some.cells],
                           ("study_id", "cell", "position", "levels", "recipe_run_id", "key")),
    }  # fmt: skip
    if effects:
        tables["effect"] = rows(some.effects, tuple(some.effects[0]))
    artifact(store, key, kind="study", started=started, **tables)
    with store.writing() as con:
        for cell in some.cells:
            if cell["status"] == "done":
                con.execute(
                    "INSERT INTO recipe_run (recipe_run_id, recipe, scale, status, started_at) VALUES (?, 'r', 'mini', 'done', ?)",
                    [cell["recipe_run_id"], started],
                )
        ingest(con, store, key, Context(None))
    return study_id
