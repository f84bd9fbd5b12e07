"""`lsw import`: a run made elsewhere, measured against judgements that are here."""

import json
from pathlib import Path
from typing import Any

from store import LswError, Store, nearest
from store.artifacts import file_hash
from store.query import rows
from workbench.collections.base import collection_name
from workbench.collections.folder import Folder
from workbench.graph import Graph, Label, Named, Plan, Stage
from workbench.plans.alone import IMPORT
from workbench.recipe.schema import Measures
from workbench.stages.imported import ImportRun
from workbench.stages.measure import Measure
from workbench.stages.qrels import ReadQrels
from workbench.stages.queries import ReadQueries
from workbench.varieties import pair, variety

NAME, SCALE = IMPORT, "-"


def import_plan(
    store: Store,
    file: Path,
    system: str,
    trained_on: str | None,
    query_variety: str,
    document_variety: str | None,
    collection: str | None,
    qrels: Path | None,
) -> tuple[Plan, Stage]:
    """A run made elsewhere, measured against a collection's judgements or a file of them.

    Args:
        store: where judgements may be.
        file: the run.
        system, trained_on, query_variety, document_variety: whose run it is.
        collection: the name of one in the store, or a folder.
        qrels: a file of judgements.

    Returns:
        the plan, and the stage that makes the run.

    Raises:
        LswError: the file is not there, both or neither of `collection` and `qrels` are given, or the collection is
            neither in the store nor a folder; the system has no name.
    """
    for path in (file, qrels):
        if path and not path.is_file():
            raise LswError(f"There is no file {path}.")
    if (collection is None) == (qrels is None):
        raise LswError(
            "Say what the run is measured against.", cure="Give --collection NAME, --collection FOLDER or --qrels FILE."
        )
    if not system.strip() or not system.isprintable():
        raise LswError(f"The name of a system, {system!r}, cannot be shown.", cure="Give it another: --system NAME.")
    query = variety(query_variety).code
    document = variety(document_variety).code if document_variety else None
    graph = Graph()
    label: Named
    if qrels:
        label, judgements = _file(graph, qrels)
    elif Path(str(collection)).is_dir():
        label, judgements = _folder(graph, Path(str(collection)).resolve(), query)
    else:
        label, judgements = _stored(store, str(collection), document)
    work = ImportRun(
        sha256=file_hash(file),
        system=system,
        trained_on=str(pair(trained_on)) if trained_on else None,
        query_variety=query,
        document_variety=document,
        collection=label.name,
        file=file.resolve(),
    )
    run = graph.add(work, f"import {file.name}")
    graph.add(Measure(measures=Measures().names), f"measure {file.name}", {"run": run, "qrels": judgements})
    title = f"{system}, imported from {file.name}"
    resolved = {"title": title, "collection": {"name": label.name}}
    return Plan(NAME, SCALE, title, resolved, label, graph.stages, runs=(run,)), run


def _file(graph: Graph, qrels: Path) -> tuple[Named, Stage]:
    """A file of judgements; its name is the collection's."""
    collection_name(qrels.stem)
    digest = file_hash(qrels)
    origin = {"files": {"qrels": digest}}
    work = ReadQrels(collection=qrels.stem, origin=origin, split="all", file=qrels.resolve())
    return Label(qrels.stem, digest), graph.add(work, f"read {qrels.name}")


def _folder(graph: Graph, folder: Path, query: str) -> tuple[Named, Stage]:
    """A folder's judgements, and its queries in the run's variety if it has some."""
    source = Folder(folder.name, folder)
    about: dict[str, Any] = {"collection": source.name, "split": "test", "source": source}
    judgements = ReadQrels(**about, origin=source.origin("qrels", "", "test"))
    stage = graph.add(judgements, "read test judgements")
    if query in source.query_varieties:
        queries = ReadQueries(**about, origin=source.origin("queries", query, "test"), variety=query)
        graph.add(queries, f"read {query} test queries")
    return source, stage


def _stored(store: Store, name: str, document_variety: str | None) -> tuple[Named, Stage]:
    """A collection's judgements as the store has them already.

    Raises:
        LswError: it has none; or some for each variety of passages, and the run's is not said.
    """
    with store.reading() as con:
        judged = rows(
            con,
            """
            SELECT s.key, c.name, c.fingerprint, g.parameters, g.summary->>'document_variety' AS variety FROM source s
            JOIN collection c USING (collection) JOIN stage g USING (key)
            WHERE s.collection = ? AND g.kind = 'qrels'
            ORDER BY json_extract_string(g.parameters, '$.split') = 'test' DESC
            """,
            [name],
        )
        known = [row["collection"] for row in rows(con, "SELECT collection FROM collection")]
    if not judged:
        raise LswError(
            f"'{name}' is neither a folder nor a collection with judgements in the store.", cure=nearest(name, known)
        )
    splits = [json.loads(row["parameters"])["split"] for row in judged]
    first = [row for row, split in zip(judged, splits, strict=True) if split == splits[0]]
    if len(first) > 1:
        varieties = sorted(str(row["variety"]) for row in first)
        first = [row for row in first if str(row["variety"]) == document_variety]
        if not first:
            raise LswError(
                f"'{name}' has judgements for the passages of each variety.",
                f"They are: {', '.join(varieties)}.",
                "Say which were ranked: --document-variety.",
            )
    if store.artifacts.check(first[0]["key"]).state != "complete":
        raise LswError(
            f"The judgements of '{name}' are damaged or gone.", cure="Type `lsw store check`, or --qrels FILE."
        )
    parameters = json.loads(first[0]["parameters"])
    work = ReadQrels.model_construct(collection=parameters["collection"], origin={}, split=parameters["split"])
    stage = Stage(work, f"read judgements of {name}", key=first[0]["key"])
    return Label(first[0]["name"], first[0]["fingerprint"]), stage
