"""`lsw inspect`: two models of a scale or of the store, and the texts that they are looked at by."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store import LswError, Store, nearest
from store.artifacts import short
from store.query import rows
from store.rows import Row
from workbench.graph import Kind, Plan, Stage
from workbench.inspection.layers import inspected
from workbench.plans import sources
from workbench.plans.alone import INSPECT
from workbench.plans.planner import Planner
from workbench.recipe.load import checked, read_toml, scale_path
from workbench.stages import KINDS
from workbench.stages.finetune import Finetune
from workbench.stages.inspect import Inspect
from workbench.stages.interpolate import Interpolate
from workbench.systems import SYSTEMS
from workbench.systems.base import System
from workbench.varieties import MIXED, table, variety

NAME = INSPECT


@dataclass(frozen=True)
class Chosen:
    """A model: what it is called, the system that it is a model of, and the stage that has it."""

    name: str
    system: System
    stage: Stage


def inspection_plan(
    store: Store,
    models: tuple[str, str],
    scale: str,
    collection: str | None,
    varieties: list[str],
    kinds: list[str],
    split: str,
    settings: dict[str, Any],
) -> tuple[Plan, Stage]:
    """Two models beside each other.

    Args:
        store: that has the trained ones.
        models: each a system of the scale (its base), the key of a trained or interpolated model, or a run id, of which
            it is what encodes the queries; keys and ids as they begin.
        scale: its name, or a file.
        collection: of the scale, or a folder; None: the scale's own.
        varieties: of the texts; all that the collection has if there are none.
        kinds: `queries`, `passages`, or both.
        split: whose queries, and the passages judged for them.
        settings: of the stage.

    Returns:
        the plan, and its stage.

    Raises:
        LswError: an unknown name; a model whose layers are not inspected; no texts.
    """
    behind = scale_path(scale)
    plan = Planner(checked(_values(read_toml(behind), collection), behind), behind.parent)
    first, second = (_model(plan, store, name) for name in models)
    if first.stage.key == second.stage.key:
        raise LswError(f"'{models[0]}' and '{models[1]}' are the same model.", cure="Name two.")
    texts = _texts(plan, [variety(code).code for code in varieties], kinds, split)
    codes = {role.partition(".")[2] for role in texts if "." in role}
    work = Inspect(
        name_a=first.name, name_b=second.name, ranker_a=first.system, ranker_b=second.system,
        script=plan.script(*sorted(codes)), **settings,
    )  # fmt: skip
    title = f"inspect {first.name} and {second.name}"
    stage = plan.graph.add(work, title, {"model_a": first.stage, "model_b": second.stage, **texts})
    resolved = {"title": title, "collection": {"name": plan.tested.name}}
    return Plan(NAME, scale, title, resolved, plan.tested, plan.graph.stages), stage


def _values(values: dict[str, Any], collection: str | None) -> dict[str, Any]:
    """A recipe that retrieves nothing, over the collection that is meant."""
    values.pop("fine-tuning", None)
    values |= {"title": NAME, "retrieval": {"pairs": [], "systems": ["bm25"], "script": "simplified"}}
    known = values.get("collections", {})
    if collection is None:
        return values
    if collection in known:
        return values | {"collection": known[collection]}
    folder = Path(collection).expanduser()
    if not folder.is_dir():
        names = [values["collection"]["name"], *known]
        if collection == names[0]:
            return values
        raise LswError(f"There is no collection '{collection}', and no such folder.", cure=nearest(collection, names))
    return values | {"collection": {"name": folder.resolve().name, "folder": str(folder.resolve())}}


def _model(plan: Planner, store: Store, name: str) -> Chosen:
    """The model that is meant.

    Raises:
        LswError: there is none, or several; or its layers are not inspected.
    """
    systems = plan.recipe.systems
    if name in systems:
        return Chosen(name, inspected(systems[name], name), sources.base_model(plan, name))
    models, runs = _kept(store)
    found = {row["key"]: row for row in models if row["key"].startswith(name)}
    of_runs = {row["run_id"]: row for row in runs if row["run_id"].startswith(name)}
    if len(found) + len(of_runs) > 1:
        begun = ", ".join([*(short(key) for key in found), *of_runs])
        raise LswError(f"'{name}' begins several keys of models and ids of runs.", begun, "Give more digits.")
    if found:
        [row] = found.values()
        return _chosen(store, row, row, short(row["key"]))
    if of_runs:
        [run] = of_runs.values()
        by_key = {row["key"]: row for row in models}
        key = json.loads(run["inputs"]).get("model")
        if key is None:
            system = json.loads(run["parameters"]).get("ranker", {}).get("architecture", run["system"])
            raise LswError(f"The run {run['run_id']} has no model: it is by {system}.", cure="Name another run.")
        if key in by_key:
            return _chosen(store, by_key[key], run, short(key))
        return _chosen(store, {"key": key, "kind": "checkpoint"}, run, str(run["system"]).split(" >> ")[-1])
    known = [*systems, *(short(row["key"]) for row in models)]
    raise LswError(
        f"There is no model '{name}' at this scale or in {store.folder}.",
        cure=f"{nearest(name, known)} Give a system, a model_key of the view finetunes, or a run id.".strip(),
    )


def _kept(store: Store) -> tuple[list[Row], list[Row]]:
    """The models that were made here, and the runs; none of a store that is not there yet."""
    if not store.exists():
        return [], []
    with store.reading() as con:
        models = rows(
            con,
            "SELECT key, kind, parameters, inputs FROM stages WHERE kind IN (?, ?) AND status = 'done'"
            " AND parameters->>'ranker' IS NOT NULL ORDER BY started_at",
            [Finetune.name, Interpolate.name],
        )
        runs = rows(con, "SELECT r.run_id, r.system, s.parameters, s.inputs FROM runs r JOIN stages s USING (key)")
    return models, runs


def _chosen(store: Store, model: Row, described: Row, name: str) -> Chosen:
    """A model of the store, of the system that the parameters of a stage describe."""
    if store.artifacts.check(model["key"]).state != "complete":
        raise LswError(
            f"The files of the model {short(model['key'])} are not whole in {store.folder}.",
            cure="Run its recipe again: it is made anew.",
        )
    settings = json.loads(described["parameters"])["ranker"]
    part = SYSTEMS.part(settings["architecture"])
    own = {key: value for key, value in settings.items() if key in part.model_fields}
    system = inspected(part.model_validate(own | {"checkpoint": name}), name)
    work: Kind = KINDS.part(model["kind"]).model_construct()
    return Chosen(name, system, Stage(work, model["kind"], key=model["key"]))


def _texts(plan: Planner, wanted: list[str], kinds: list[str], split: str) -> dict[str, Stage]:
    """Queries and passages by role, `KIND.CODE`, and the judgements that choose the passages.

    Raises:
        LswError: the collection has none in two varieties.
    """
    of, codes = plan.tested, wanted or [code for code in table() if code != MIXED]
    asked = [code for code in codes if _has(plan, "queries", code, split)]
    read = [code for code in codes if "passages" in kinds and of.judged and _has(plan, "passages", code, split)]
    # One unnamed file of passages would be read as every variety.
    origins = [json.dumps(of.origin("passages", code, split), sort_keys=True) for code in read]
    read = read if len(set(origins)) == len(origins) else []
    lacking = [code for code in wanted if code not in (*asked, *read)]
    if lacking or max(len(asked) if "queries" in kinds else 0, len(read)) < 2:
        which = ", ".join(lacking) or "two varieties"
        raise LswError(
            f"Collection '{of.name}' has no parallel {' or '.join(kinds)} in {which}.",
            f"It has {split} queries in {', '.join(asked) or 'none'}; passages in {', '.join(read) or 'none'}.",
            "Name another with --collection, or others with --varieties.",
        )
    texts: dict[str, Stage] = {}
    if "queries" in kinds and len(asked) >= 2:
        texts |= {f"queries.{code}": sources.queries(plan, code, split) for code in asked}
    if len(read) >= 2:
        texts |= {f"passages.{code}": sources.passages(plan, code, "test") for code in read}
        texts |= {"topics": sources.queries(plan, asked[0], split)} if asked else {}
        texts["qrels"] = sources.qrels(plan, read[0], split)
    return texts


def _has(plan: Planner, part: str, code: str, split: str) -> bool:
    """Whether the collection has a part in a variety."""
    of = plan.tested
    try:
        if part == "queries":
            return of.has_queries(code) and bool(of.origin(part, code, split))
        return bool(of.origin(part, code, split))
    except LswError:
        return False
