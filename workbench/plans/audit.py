"""Plans of audits of translations that a store has: `lsw audit`."""

import hashlib
import json
from pathlib import Path
from typing import Any

from store import LswError, Store
from store.artifacts import canonical, file_hash
from store.query import Row, rows
from workbench.plans.compiler import audit_stage, stage_key
from workbench.plans.recipe import Plan
from workbench.plans.single import Judged
from workbench.recipe import schema as recipes
from workbench.stages import KINDS, Stage
from workbench.translation.services import SERVICES
from workbench.varieties import pair


def _known(row: Row, inputs: dict[str, Stage] | None = None) -> Stage:
    """A stage that the store has done."""
    return Stage(row["kind"], row["kind"], json.loads(row["parameters"]), inputs or {}, key=row["key"])


def sets(store: Store, wanted: str | None, translator: str | None) -> list[Stage]:
    """The sets of test translations in a store, as done stages with the queries they were made from.

    Raises:
        LswError: there are none, or none such.
    """
    with store.reading() as con:
        found = rows(con, "SELECT * FROM stages WHERE kind IN ('translate', 'queries') AND status = 'done'")
    by_key = {row["key"]: row for row in found}
    out = []
    for row in found:
        source = by_key.get(json.loads(row["inputs"]).get("source", ""))
        if row["kind"] != "translate" or not source or json.loads(source["parameters"])["split"] != "test":
            continue
        stage = _known(row, {"source": _known(source)})
        p = stage.parameters
        if translator in (None, p["translator"]) and wanted in (None, f"{p['target_variety']}-{p['source_variety']}"):
            out.append(stage)
    if not out:
        said = " ".join(filter(None, [translator, wanted]))
        raise LswError(
            f"The store has no {said + ' ' if said else ''}translations of test queries.",
            cure="Run a recipe with a pair, as in `lsw recipe run zero_shot_yue_zh`.",
        )
    return out


def audit_plan(
    store: Store,
    translation: Stage,
    measure: str,
    back: str | None,
    checkpoint: Path | None,
    reference: Path | None,
    confidence: float,
    seed: int,
) -> tuple[Plan, Stage]:
    """The audit of one set over every base system that was asked both wordings. Returns the plan and its audit."""
    p = translation.parameters
    runs, measured = _runs(store, translation, measure)
    new: list[Stage] = []

    def add(
        kind: str, label: str, parameters: dict[str, Any], inputs: dict[str, Stage], local: dict[str, Any]
    ) -> Stage:
        stage = Stage(kind, label, parameters, inputs, local)
        stage.key = stage_key(kind, KINDS[kind][1], parameters, {role: s.key for role, s in inputs.items()})
        new.append(stage)
        return stage

    inputs = _there(store, translation)
    if reference:
        if not reference.is_file():
            raise LswError(f"There is no file {reference}.", cure="Give a file of qid, tab, text.")
        parameters = {"collection": p["target_variety"], "from": reference.name, "sha256": file_hash(reference),
                      "variety": p["target_variety"], "split": "reference"}  # fmt: skip
        inputs["reference"] = add("reference", "read references", parameters, {}, {"file": str(reference.resolve())})
    if back:
        said: dict[str, Any] = {"translator": back, "source_variety": p["target_variety"],
                                "target_variety": p["source_variety"]}  # fmt: skip
        how = recipes.Translation()
        given = {"translation": translation}
        local: dict[str, Any] = {}
        if back == "seq2seq":
            if not checkpoint or not checkpoint.is_dir():
                raise LswError("Translating back by seq2seq needs a model.", cure="Give its folder: --checkpoint DIR.")
            files = {f.name: file_hash(f) for f in sorted(checkpoint.iterdir()) if f.is_file()}
            model = add("checkpoint", "read model", {"files": files}, {}, {"folder": str(checkpoint.resolve())})
            given["model"] = model
            said |= {"beams": how.beams, "length": how.length}
        elif back in SERVICES:
            local = {"rate": how.rate, "retries": how.retries, "timeout": how.timeout, "url": how.url}
        inputs["back"] = add("back", f"translate {p['target_variety']} back ({back})", said, given, local)
    kind, label, parameters, every = audit_stage(
        translation, inputs, runs, measured, {"measure": measure, "confidence": confidence, "seed": seed}
    )
    audit = add(kind, label, parameters, every, {})
    digest = hashlib.sha256(canonical(["audit", sorted(s.key for s in new)]).encode()).hexdigest()[:12]
    collection = translation.inputs["source"].parameters["collection"]
    recipe = recipes.checked(
        {"title": label, "collection": {"name": collection, "folder": "."}, "retrieval": {"pairs": [], "systems": []}},
        Path(),
    )
    with store.reading() as con:
        known = rows(con, "SELECT name, fingerprint FROM collection WHERE name = ? ORDER BY first_seen", [collection])
    label_of = Judged(collection, known[0]["fingerprint"]) if known else Judged(collection, "")
    return Plan(digest, "audit", "-", recipe, label_of, new), audit


def _there(store: Store, translation: Stage) -> dict[str, Stage]:
    """What the store has already: parallel queries to hold translations against, and the set translated back."""
    p, source = translation.parameters, translation.inputs["source"].parameters
    with store.reading() as con:
        found = rows(
            con,
            """
            SELECT * FROM stages WHERE status = 'done' AND (
                (kind = 'back' AND inputs->>'translation' = ?)
                OR (kind = 'queries' AND parameters->>'collection' = ? AND parameters->>'variety' = ?
                    AND parameters->>'split' = 'test' AND ? <> 'collection')
            ) ORDER BY started_at
            """,
            [translation.key, source["collection"], p["target_variety"], p["translator"]],
        )
    return {"back" if row["kind"] == "back" else "reference": _known(row) for row in found}


def _runs(store: Store, translation: Stage, measure: str) -> tuple[list[dict[str, str]], dict[str, Stage]]:
    """Runs of base systems with the translations and with their sources, and the stages that measured them."""
    p = translation.parameters
    on = pair(f"{p['target_variety']}-{p['source_variety']}")
    with store.reading() as con:
        found = rows(
            con,
            """
            SELECT r.run_id, r.system, r.query_variety, s.inputs, m.* EXCLUDE (inputs)
            FROM runs r JOIN stages s USING (key)
            JOIN stages m ON m.kind = 'measure' AND m.status = 'done' AND m.inputs->>'run' = r.key
            WHERE r.trained_on IS NULL AND r.document_variety = ? AND r.query_variety IN (?, ?)
              AND list_contains(CAST(m.parameters->'$.measures' AS VARCHAR[]), ?)
            ORDER BY m.started_at
            """,
            [on.high, on.low, on.high, measure],
        )
    by_system: dict[str, dict[str, Row]] = {}
    source = translation.inputs["source"].key
    for row in found:
        keys = set(json.loads(row["inputs"]).values())
        side = "low" if translation.key in keys else "high" if source in keys else None
        if side and (row["query_variety"] == (on.low if side == "low" else on.high)):
            by_system.setdefault(row["system"], {})[side] = row
    both = {s: sides for s, sides in sorted(by_system.items()) if len(sides) == 2}
    runs = [{"system": s, **{side: row["run_id"] for side, row in sides.items()}} for s, sides in both.items()]
    return runs, {row["run_id"]: _known(row) for sides in both.values() for row in sides.values()}
