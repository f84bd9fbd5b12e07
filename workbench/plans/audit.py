"""`lsw audit`: audits of translations that a store has."""

import json
import os
from pathlib import Path

from store import LswError, Store
from store.artifacts import file_hash
from store.query import rows
from store.rows import Row
from workbench.checkpoints.resolve import file_hashes
from workbench.graph import Graph, Kind, Label, Plan, Stage
from workbench.plans import translation
from workbench.plans.alone import AUDIT
from workbench.recipe.schema import Audit
from workbench.stages import KINDS
from workbench.stages.audit import BothRuns
from workbench.stages.checkpoint import ReadCheckpoint
from workbench.stages.queries import ReadQueries
from workbench.stages.reference import ReadReference
from workbench.stages.translate import Translate
from workbench.translation import TRANSLATORS
from workbench.varieties import Pair

NAME, SCALE = AUDIT, "-"


def _recorded(row: Row, inputs: dict[str, Stage] | None = None) -> Stage:
    """A stage that the store has done, as far as others read it."""
    parameters = json.loads(row["parameters"])
    work: Kind
    if row["kind"] == Translate.name:
        name = parameters["translator"]
        translator = TRANSLATORS.part(name).model_construct(translator=name)
        varieties = {side: parameters[side] for side in ("source_variety", "target_variety")}
        work = Translate.model_construct(translator=translator, **varieties)
    elif row["kind"] == ReadQueries.name:
        about = {name: parameters[name] for name in ("collection", "variety", "split")}
        work = ReadQueries.model_construct(origin={}, **about)
    else:
        work = KINDS.part(row["kind"]).model_construct()
    return Stage(work, row["kind"], inputs or {}, key=row["key"])


def sets(store: Store, wanted: str | None, translator: str | None) -> list[Stage]:
    """The sets of test translations in a store, as done stages with the queries they were made from.

    Args:
        store: where.
        wanted: a pair, as in `yue-zh`; None for all.
        translator: its name; None for all.

    Raises:
        LswError: there are none, or none such.
    """
    with store.reading() as con:
        done = rows(con, "SELECT * FROM stages WHERE kind IN ('translate', 'queries') AND status = 'done'")
    by_key = {row["key"]: row for row in done}
    stages = []
    for row in done:
        source = by_key.get(json.loads(row["inputs"]).get("source", ""))
        if row["kind"] != Translate.name or not source or json.loads(source["parameters"])["split"] != "test":
            continue
        p = json.loads(row["parameters"])
        if translator in (None, p["translator"]) and wanted in (None, f"{p['target_variety']}-{p['source_variety']}"):
            stages.append(_recorded(row, {"source": _recorded(source)}))
    if not stages:
        which = " ".join(filter(None, [translator, wanted]))
        raise LswError(
            f"The store has no {which + ' ' if which else ''}translations of test queries.",
            cure="Run a recipe with a pair, as in `lsw recipe run zero_shot_yue_zh`.",
        )
    return stages


def audit_plan(
    store: Store,
    there: Stage,
    how: Audit,
    reference: Path | None,
) -> tuple[Plan, Stage]:
    """The audit of one set over every base system that was asked both wordings.

    Args:
        store: where.
        there: one of `sets`.
        how: the measure, a recorded one, whose loss is correlated with quality; confidence and seed of the interval;
            what translates back, or None: what the store has of that, if anything.
        reference: a file of qid, tab, text; None: parallel queries, if the store has some.

    Returns:
        the plan, and its audit.

    Raises:
        LswError: a file or a model is not there.
    """
    work, source = there.work, there.inputs["source"].work
    assert isinstance(work, Translate) and isinstance(source, ReadQueries)
    graph = Graph()
    runs, measured = _runs(store, there, work, how.measure)
    extra = _there(store, there, work, source)
    if reference:
        if not reference.is_file():
            raise LswError(f"There is no file {reference}.", cure="Give a file of qid, tab, text.")
        texts = ReadReference(variety=work.target_variety, sha256=file_hash(reference), file=reference.resolve())
        extra["reference"] = graph.add(texts, "read references")
    if back := how.back:
        model = {}
        if back.model:
            folder = Path(os.path.expanduser(back.model)).resolve()
            if not folder.is_dir():
                raise LswError(
                    f"Translating back by {back.translator} needs a model.", cure="Give its folder: --checkpoint DIR."
                )
            model["model"] = graph.add(ReadCheckpoint(contents=file_hashes(folder), folder=folder), "read model")
        extra["back"] = translation.back(graph, back, there, model)
    audit = translation.audit(graph, there, extra, runs, measured, how)
    with store.reading() as con:
        named = "SELECT name, fingerprint FROM collection WHERE name = ? ORDER BY first_seen"
        known = rows(con, named, [source.collection])
    label = Label(source.collection, known[0]["fingerprint"] if known else "")
    resolved = {"title": audit.label, "collection": {"name": source.collection}}
    return Plan(NAME, SCALE, audit.label, resolved, label, graph.stages), audit


def _there(store: Store, there: Stage, work: Translate, source: ReadQueries) -> dict[str, Stage]:
    """What the store has already: parallel queries to hold translations against, and the set translated back."""
    with store.reading() as con:
        done = rows(
            con,
            """
            SELECT * FROM stages WHERE status = 'done' AND (
                (kind = 'back' AND inputs->>'translation' = ?)
                OR (kind = 'queries' AND parameters->>'collection' = ? AND parameters->>'variety' = ?
                    AND parameters->>'split' = 'test' AND NOT ?)
            ) ORDER BY started_at
            """,
            [there.key, source.collection, work.target_variety, work.translator.parallel],
        )
    return {"back" if row["kind"] == "back" else "reference": _recorded(row) for row in done}


def _runs(store: Store, there: Stage, work: Translate, measure: str) -> tuple[list[BothRuns], dict[str, Stage]]:
    """Runs of base systems with the translations and with their sources, and the stages that measured them."""
    on = Pair(work.target_variety, work.source_variety)
    with store.reading() as con:
        done = rows(
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
    source = there.inputs["source"].key
    for row in done:
        keys = set(json.loads(row["inputs"]).values())
        side = "low" if there.key in keys else "high" if source in keys else None
        if side and (row["query_variety"] == (on.low if side == "low" else on.high)):
            by_system.setdefault(row["system"], {})[side] = row
    both = {system: sides for system, sides in sorted(by_system.items()) if len(sides) == 2}
    runs = [BothRuns(system=s, **{side: row["run_id"] for side, row in sides.items()}) for s, sides in both.items()]
    return runs, {row["run_id"]: _recorded(row) for sides in both.values() for row in sides.values()}
