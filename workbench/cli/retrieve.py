"""`lsw retrieve` and `lsw import`: one run, made here or elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.console import JsonOption, ScaleOption, StoreOption, opened


def retrieve(
    folder: Annotated[Path, typer.Argument(help="A collection: corpus.jsonl, queries.<variety>.tsv, qrels.tsv.")],
    system: Annotated[str, typer.Option(help="A system or pipeline, as in bm25-4grams or 'rrf(bm25, bge-m3) >> mt5'.")],
    query_variety: Annotated[str, typer.Option(help="Whose queries, as in yue.")],
    document_variety: Annotated[str, typer.Option(help="Whose passages, as in zh.")],
    depth: Annotated[int, typer.Option(min=1, max=1_000_000, help="Results a query.")] = 1000,
    script: Annotated[
        str, typer.Option(help="'as written', or 'simplified': Traditional and Simplified Chinese reconciled.")
    ] = "as written",
    name: Annotated[
        str | None, typer.Option(help="What the store calls the collection.  [default: FOLDER's name]")
    ] = None,
    scale: ScaleOption = "mini",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """One system on one's own collection, recorded. Prints the run id."""
    from workbench.cli.runs import print_run
    from workbench.cli.watch import Watcher
    from workbench.engine.execute import execute
    from workbench.plans.retrieve import retrieval_plan

    plan, run = retrieval_plan(
        folder, name or folder.resolve().name, system, query_variety, document_variety, depth, script, scale
    )
    at = opened(store)
    with Watcher(plan.title) as watcher:
        execute(plan, at, watcher)
    print_run(at, run.run_id, as_json)


def import_run(
    file: Annotated[Path, typer.Argument(help="A run in TREC's six columns.", metavar="RUN.trec")],
    system: Annotated[str, typer.Option(help="What made it, as in 'bge-m3 >> mt5'.")],
    query_variety: Annotated[str, typer.Option(help="Whose queries, as in yue.")],
    document_variety: Annotated[str | None, typer.Option(help="Whose passages, as in zh.")] = None,
    collection: Annotated[
        str | None, typer.Option(help="A collection in the store, or a folder: its judgements and queries.")
    ] = None,
    qrels: Annotated[Path | None, typer.Option(help="Judgements, instead of a collection.")] = None,
    trained_on: Annotated[str | None, typer.Option(help="The pair it was trained on, as in ca-fr.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record a run made elsewhere, and measure it. Prints the run id."""
    from workbench.cli.runs import print_run
    from workbench.cli.watch import Watcher
    from workbench.engine.execute import execute
    from workbench.plans.import_run import import_plan

    at = opened(store)
    plan, run = import_plan(at, file, system, trained_on, query_variety, document_variety, collection, qrels)
    with Watcher(plan.title) as watcher:
        execute(plan, at, watcher)
    print_run(at, run.run_id, as_json)
