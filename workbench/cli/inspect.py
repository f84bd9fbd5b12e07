"""`lsw inspect`: two models beside each other, layer by layer."""

import csv
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.console import (
    JsonOption,
    ScaleOption,
    StoreOption,
    data,
    grid,
    one_of,
    opened,
    out,
    print_json,
    talk,
)

if TYPE_CHECKING:
    from store import Store

SHOWN = 5
"""Layers of a table at most: the first, the last, and some between them."""

LAST = 10**9
"""Where what follows the last layer is put."""

Model = Annotated[
    str, typer.Argument(help="A system (bge-m3), the key of a trained model (view finetunes), or a run id.")
]


def inspect(
    first: Model,
    second: Model,
    collection: Annotated[
        str | None, typer.Option(help="One of the scale's collections, or a folder.  [default: the scale's own]")
    ] = None,
    varieties: Annotated[str, typer.Option(help="Of the texts, as in ca,fr,en.  [default: all]")] = "",
    texts: Annotated[str, typer.Option(help="queries, passages or both.")] = "both",
    split: Annotated[str, typer.Option(help="Whose texts: test, dev or train.")] = "test",
    most: Annotated[int, typer.Option(min=4, max=100_000, help="Texts at most, drawn by the seed.")] = 2_000,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999, help="Of the intervals.")] = 0.95,
    folds: Annotated[int, typer.Option(min=2, max=100, help="Of the probe.")] = 5,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Of draws, bootstrap and folds.")] = 42,
    scale: ScaleOption = "mini",
    form: Annotated[str, typer.Option("--format", help="table, json or csv.")] = "table",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Two models beside each other: which weights differ, and how alike the vectors of parallel texts are.

    By module: how far weights are apart. By layer and variety, on the mean vector of each text: CKA (1: the same up to
    rotation and scale), the cosine with its other wording less that with other texts, how often its other wording is
    the nearest of all, and how often a probe reads its variety off it. Recorded in the view `inspections`.
    """
    from workbench.cli.watch import Watcher
    from workbench.engine.execute import execute
    from workbench.plans.inspect import inspection_plan
    from workbench.stages.inspect import KINDS_OF_TEXT

    one_of(form, ("table", "json", "csv"), "format")
    one_of(texts, (*KINDS_OF_TEXT, "both"), "kind of texts")
    one_of(split, ("test", "dev", "train"), "split")
    form = "json" if as_json else form
    at = opened(store)
    codes = [code.strip() for code in varieties.split(",") if code.strip()]
    kinds = list(KINDS_OF_TEXT) if texts == "both" else [texts]
    settings = {"most": most, "confidence": confidence, "folds": folds, "seed": seed}
    plan, stage = inspection_plan(at, (first, second), scale, collection, codes, kinds, split, settings)
    for kind in kinds:
        if not any(role.startswith(f"{kind}.") for role in stage.inputs):
            talk().print(f"{kind} left out: the collection has none in two varieties.", style="yellow")
    with Watcher(plan.title) as watcher:
        execute(plan, at, watcher)
    found = _read(at, stage.key)
    if form == "json":
        print_json(found)
    elif form == "csv":
        writer = csv.DictWriter(data(), list(found["rows"][0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(found["rows"])
    else:
        _show(found, stage.work.name_a, stage.work.name_b)  # type: ignore[attr-defined]


def _read(at: "Store", key: str) -> dict[str, Any]:
    """What an inspection left in the store."""
    import json

    from store.query import rows

    with at.reading() as con:
        [stage] = rows(con, "SELECT summary FROM stages WHERE key = ?", [key])
        found = rows(con, "SELECT * EXCLUDE (key) FROM inspections WHERE key = ?", [key])
    order = {name: i for i, name in enumerate(dict.fromkeys(row["variety"] for row in found))}
    found.sort(key=lambda row: (row["texts"] or "", row["aspect"], LAST if row["layer"] is None else row["layer"],
                                order[row["variety"]]))  # fmt: skip
    return {"summary": json.loads(stage["summary"]), "rows": found}


def _show(found: dict[str, Any], a: str, b: str) -> None:
    every = found["rows"]
    talk().print(f"A is {a}, B is {b}.")
    _weights([row for row in every if row["aspect"].startswith("weight")])
    for kind in ("queries", "passages"):
        if some := [row for row in every if row["texts"] == kind]:
            _layers(kind, some, (a, b))
    talk().print(_explained(every), soft_wrap=True)
    refused = [row for row in every if row["why_not"] and row["aspect"] != "weight-cosine"]
    for what in dict.fromkeys(
        f"{r['aspect']} of {r['module'] or r['texts'] or 'all'}: {r['why_not']}" for r in refused
    ):
        talk().print(f"Not compared, {what}", style="yellow")


def _weights(every: list[dict[str, Any]]) -> None:
    """How far modules are apart."""
    by = {(row["layer"], row["module"]): {} for row in every if row["module"]}  # type: ignore[var-annotated]
    for row in every:
        if row["module"]:
            by[row["layer"], row["module"]][row["aspect"]] = row
    if not by:
        return
    table = grid("layer", "module", "weights", "|B - A| / |A|", "cosine", title="Weights")
    for (layer, module), rows in sorted(by.items(), key=lambda item: LAST if item[0][0] is None else item[0][0]):
        change, cosine = rows["weight-change"], rows["weight-cosine"]
        table.add_row(
            "-" if layer is None else str(layer), module, f"{change['n']:,}", _number(change["value"]),
            _number(cosine["value"], 6),
        )  # fmt: skip
    out().print(table)
    talk().print("Frobenius norms. Layer 0 are the embeddings; -, what follows the last layer.")


def _layers(kind: str, every: list[dict[str, Any]], names: tuple[str, str]) -> None:
    """What layers make of the texts of one kind."""
    by = {
        (row["aspect"], row["layer"], row["variety"], row["against"], row["model_a"], row["model_b"]): row
        for row in every
    }
    against = {row["variety"]: row["against"] for row in every if row["against"]}
    codes = list(dict.fromkeys(row["variety"] for row in every if row["variety"]))
    layers = sorted({row["layer"] for row in every if row["layer"] is not None})
    shown = sorted({layers[round(i * (len(layers) - 1) / (SHOWN - 1))] for i in range(SHOWN)})
    each, topics = every[0]["n"], every[0]["n_groups"]

    def of(
        aspect: str, layer: int | None, code: str | None, model: int | None, beside: str | None = None
    ) -> dict[str, Any]:
        pair = names if model is None else (names[model], None)
        found: dict[str, Any] = by.get((aspect, layer, code, beside, *pair), {})
        return found

    def two(aspect: str, layer: int | None, code: str | None, beside: str | None = None) -> list[str]:
        both = [_number(of(aspect, layer, code, model, beside).get("value")) for model in (0, 1)]
        row = of(aspect, layer, code, None, beside)
        if row.get("ci_low") is None:
            return [*both, "-"]
        return [*both, f"{row['value']:+.3f} [{row['ci_low']:+.3f}, {row['ci_high']:+.3f}]"]

    title = f"{kind.capitalize()}: {each} in each of {len(codes)} varieties, {topics} topics"
    first = grid(
        "layer", "variety", "CKA A, B", "against", "A", "B", "B - A", title=f"{title}. CKA, parallel less other"
    )
    second = grid(
        "layer", "variety", "against", "nearest A", "nearest B", "CKA A", "CKA B", "probe A", "probe B",
        title=f"{title}. Nearest there and back, CKA across, probe",
    )  # fmt: skip
    for layer in (*shown, None):
        called = "out" if layer is None else str(layer)
        second.add_row(called, "all", "-", *"----", *two("probe", layer, None)[:2])
        for code in codes:
            other, probe = against.get(code), two("probe", layer, code)[:2]
            alike = _number(of("cka", layer, code, None).get("value"), 4)
            if other is None:
                first.add_row(called, code, alike, *"----")
                second.add_row(called, code, "-", *"----", *probe)
                continue
            there, back = (two(aspect, layer, code, other)[:2] for aspect in ("translation", "translation-back"))
            inside = [_number(of("cka", layer, code, model, other).get("value")) for model in (0, 1)]
            first.add_row(called, code, alike, other, *two("alignment", layer, code, other))
            near = [f"{x} {y}" for x, y in zip(there, back, strict=True)]
            second.add_row(called, code, other, *near, *inside, *probe)
    for table in (first, second):
        out().print(table)
        out().print()
    if shown != layers:
        talk().print(f"Layers {', '.join(map(str, shown))} of {len(layers)}: --format csv has all.")


def _explained(every: list[dict[str, Any]]) -> str:
    """What the columns are, on lines of 80 letters."""
    sure = next((row["confidence"] for row in every if row["confidence"]), 0)
    guess = ", ".join(
        f"{1 / len({row['variety'] for row in every if row['texts'] == kind and row['variety']}):.3f} of {kind}"
        for kind in dict.fromkeys(row["texts"] for row in every if row["texts"])
    )
    return "\n".join(
        (
            "Out: what retrieval compares, a text's vector or the mean of its tokens'.",
            "CKA A, B: 1 where vectors are the same up to rotation and scale, about 0 where",
            "they have nothing in common; CKA A, CKA B: of two varieties in one model.",
            "A, B: cosine with the other wording less the mean with texts of other topics;",
            f"B - A with its {sure:.0%} bootstrap interval over topics, each by itself, not",
            "corrected for their number. Nearest: how often the other wording is the nearest",
            "of all, there and back. Probe: how often a variety is read off a vector; a guess",
            f"is right in {guess}.",
        )
    )


def _number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
