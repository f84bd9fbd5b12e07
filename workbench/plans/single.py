"""Plans of one run: `lsw retrieve` on a folder, `lsw import` of a run made elsewhere."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store import LswError, Store, nearest
from store.artifacts import canonical, file_hash
from store.query import rows
from workbench.collections.folder import Folder
from workbench.plans.compiler import Compiler
from workbench.plans.recipe import Named, Plan
from workbench.recipe import schema as recipes
from workbench.stages import KINDS, Stage
from workbench.varieties import variety

MEASURES = ["RR@10", "nDCG@10", "R@1000"]


def retrieval_plan(
    folder: Path,
    name: str,
    system: str,
    query_variety: str,
    document_variety: str,
    depth: int,
    script: str,
    scale: str,
) -> tuple[Plan, str]:
    """One system over one folder, measured if it has judgements. Returns the plan and the run id."""
    query, document = variety(query_variety).code, variety(document_variety).code
    behind = recipes.scale_path(scale)
    said = recipes.read_toml(behind)
    said.pop("fine-tuning", None)
    said |= {
        "title": f"{system}: {query} queries over {document} passages of {name}",
        "collection": {"name": name, "folder": str(folder.resolve())},
        "retrieval": {"pairs": [], "systems": [system], "depth": depth, "script": script},
    }
    recipe = recipes.checked(said, behind)
    compiler = Compiler(recipe, behind.parent)
    run = compiler.run(system, None, query, document)
    if isinstance(compiler.collection, Folder) and compiler.collection.judged:
        compiler.measured(run)
    return _plan("retrieve", scale, recipe, compiler.collection, list(compiler.order.values())), run.key[:12]


def import_plan(
    store: Store,
    file: Path,
    system: str,
    trained_on: str | None,
    query_variety: str,
    document_variety: str | None,
    collection: str | None,
    qrels: Path | None,
) -> tuple[Plan, str]:
    """A run made elsewhere, measured against a collection's judgements or a file of them.

    Raises:
        LswError: the file is not there, both or neither of `collection` and `qrels` are given, or the collection is
            neither in the store nor a folder.
    """
    for path in (file, qrels):
        if path and not path.is_file():
            raise LswError(f"There is no file {path}.")
    if (collection is None) == (qrels is None):
        raise LswError(
            "Say what the run is measured against.", cure="Give --collection NAME, --collection FOLDER or --qrels FILE."
        )
    if trained_on:
        from workbench.varieties import pair

        trained_on = str(pair(trained_on))
    stages: list[Stage] = []
    label: Named
    if qrels:
        name = qrels.stem
        label, source = Judged(name, file_hash(qrels)), _file_qrels(name, qrels)
        stages.append(source)
    elif Path(str(collection)).is_dir():
        folder = Path(str(collection)).resolve()
        recipe = recipes.checked(
            {"title": "import", "collection": {"name": folder.name, "folder": str(folder)},
             "retrieval": {"pairs": [], "systems": []}},
            folder,
        )  # fmt: skip
        compiler = Compiler(recipe, folder)
        source = compiler.qrels()
        if isinstance(compiler.collection, Folder) and query_variety in compiler.collection.query_varieties:
            compiler.queries(query_variety)
        stages += compiler.order.values()
        label = compiler.collection
    else:
        label, source = _stored(store, str(collection), document_variety)
    if source not in stages:
        stages.append(source)
    imported = _stage(
        "import",
        f"import {file.name}",
        {
            "sha256": file_hash(file),
            "system": system,
            "trained_on": trained_on,
            "query_variety": variety(query_variety).code,
            "document_variety": variety(document_variety).code if document_variety else None,
            "collection": label.name,
        },
        {},
        {"file": str(file.resolve())},
    )
    measured = _stage("measure", f"measure {file.name}", {"measures": MEASURES}, {"run": imported, "qrels": source}, {})
    recipe = recipes.checked(
        {"title": f"{system}, imported from {file.name}", "collection": {"name": label.name, "folder": "."},
         "retrieval": {"pairs": [], "systems": []}},
        file,
    )  # fmt: skip
    return _plan("import", None, recipe, label, [*stages, imported, measured]), imported.key[:12]


@dataclass(frozen=True)
class Judged:
    """Stands for a collection of which only judgements are known."""

    name: str
    fingerprint: str


def _file_qrels(name: str, file: Path) -> Stage:
    files = {"qrels": file_hash(file)}
    return _stage(
        "qrels",
        f"read {file.name}",
        {"collection": name, "files": files, "split": "all"},
        {},
        {"file": str(file.resolve())},
    )


def _stored(store: Store, name: str, document_variety: str | None) -> tuple[Judged, Stage]:
    """A collection's judgements as the store has them already.

    Raises:
        LswError: it has none; or some for each variety of passages, and the run's is not said.
    """
    with store.reading() as con:
        found = rows(
            con,
            """
            SELECT s.key, c.name, c.fingerprint, g.parameters, g.summary->>'document_variety' AS variety FROM source s
            JOIN collection c USING (collection) JOIN stage g USING (key)
            WHERE s.collection = ? AND g.kind = 'qrels'
            ORDER BY json_extract_string(g.parameters, '$.split') = 'test' DESC
            """,
            [name],
        )
        known = [r["collection"] for r in rows(con, "SELECT collection FROM collection")]
    if not found:
        raise LswError(
            f"'{name}' is neither a folder nor a collection with judgements in the store.", cure=nearest(name, known)
        )
    said = [json.loads(r["parameters"]) for r in found]
    first = [r for r, p in zip(found, said, strict=True) if p["split"] == said[0]["split"]]
    if len(first) > 1:
        of = {r["key"]: str(r["variety"]) for r in first}
        found = [r for r in first if of[r["key"]] == document_variety]
        if not found:
            raise LswError(
                f"'{name}' has judgements for the passages of each variety.",
                f"They are: {', '.join(sorted(of.values()))}.",
                "Say which were ranked: --document-variety.",
            )
    stage = Stage("qrels", f"read judgements of {name}", json.loads(found[0]["parameters"]), key=found[0]["key"])
    return Judged(found[0]["name"], found[0]["fingerprint"]), stage


def _stage(kind: str, label: str, parameters: dict[str, Any], inputs: dict[str, Stage], local: dict[str, Any]) -> Stage:
    from workbench.plans.compiler import stage_key

    stage = Stage(kind, label, parameters, inputs, local)
    stage.key = stage_key(kind, KINDS[kind][1], parameters, {role: s.key for role, s in inputs.items()})
    return stage


def _plan(name: str, scale: str | None, recipe: recipes.Recipe, collection: Named, stages: list[Stage]) -> Plan:
    digest = hashlib.sha256(canonical([name, scale, sorted(s.key for s in stages)]).encode()).hexdigest()[:12]
    return Plan(digest, name, scale or "-", recipe, collection, stages)
