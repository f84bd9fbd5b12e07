"""`lsw audit`: are the translations good, and do queries lose by bad ones?"""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.console import (
    JsonOption,
    StoreOption,
    data,
    grid,
    one_of,
    opened,
    out,
    print_json,
    refused,
    talk,
)

if TYPE_CHECKING:
    from store import Store
    from workbench.recipe.schema import Audit


def audit(
    on: Annotated[str | None, typer.Argument(help="A pair, as in yue-zh.  [all]", metavar="[PAIR]")] = None,
    translator: Annotated[str | None, typer.Option(help="Only this translator's, as in google.  [all]")] = None,
    back: Annotated[
        str | None,
        typer.Option(help="Translate back by apertium, google, seq2seq, ... and compare with the sources (chrF)."),
    ] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="The model of --back seq2seq.")] = None,
    reference: Annotated[Path | None, typer.Option(help="What they should be: a file of qid, tab, text.")] = None,
    measure: Annotated[
        str | None, typer.Option(help="A recorded measure, whose loss is correlated with quality.  [RR@10]")
    ] = None,
    confidence: Annotated[float | None, typer.Option(min=0.5, max=0.999, help="Of the interval.  [0.95]")] = None,
    worst: Annotated[int, typer.Option(min=0, help="The worst translations to show.")] = 10,
    seed: Annotated[int | None, typer.Option(help="Of the bootstrap.  [42]")] = None,
    form: Annotated[str, typer.Option("--format", help="table, json or csv.")] = "table",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Translations in the store: quality, language, signs of faults, and what bad ones cost.

    chrF, BLEU and TER where a reference is known (--reference FILE, or parallel queries); chrF of the round trip with
    --back. Spearman's correlation of each query's quality with its loss (value on the high-resource query minus value
    on the low-resource one), for each base system, with a bootstrap interval over topics. Recorded in the views
    `audits` and `translation_costs`. A recipe does the same with a section [audit].
    """
    from workbench.cli.watch import Watcher
    from workbench.engine.execute import execute
    from workbench.plans.audit import audit_plan, sets
    from workbench.varieties import pair

    one_of(form, ("table", "json", "csv"), "format")
    form = "json" if as_json else form
    returning = back and {"translator": back} | ({"checkpoint": str(checkpoint)} if checkpoint else {})
    how = settled({"back": returning, "measure": measure, "confidence": confidence, "seed": seed})
    at = opened(store)
    keys = []
    for there in sets(at, str(pair(on)) if on else None, translator):
        plan, stage = audit_plan(at, there, how, reference)
        with Watcher(plan.title) as watcher:
            execute(plan, at, watcher)
        keys.append(stage.key)
    audits = [_read(at, key, worst) for key in keys]
    if form == "json":
        print_json(audits)
    elif form == "csv":
        rows = [row for one in audits for row in one["translations"]]
        writer = csv.DictWriter(data(), list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        for one in audits:
            _show(one, how.measure)


def settled(options: dict[str, Any]) -> "Audit":
    """How to audit, by what the command line says.

    Raises:
        LswError: a setting is missing, unknown or wrong.
    """
    from pydantic import ValidationError

    from store import LswError
    from workbench.recipe.schema import Audit

    try:
        return Audit.model_validate({name: value for name, value in options.items() if value is not None})
    except ValidationError as error:
        fault = error.errors()[0]
        if fault["type"] == "lsw":
            raise LswError(fault["ctx"]["title"], cure=fault["ctx"]["cure"]) from None
        if fault["type"] not in ("missing", "extra_forbidden"):
            raise refused(error) from None
        option, by = fault["loc"][-1], f"Translating back by {options['back']['translator']}"
        if fault["type"] == "missing":
            raise LswError(f"{by} needs a {option}.", cure=f"Give it: --{option} DIR, or a name on the hub.") from None
        raise LswError(f"{by} takes no {option}.", cure=f"Leave out --{option}.") from None


def _read(at: "Store", key: str, worst: int) -> dict[str, Any]:
    """What an audit left in the store."""
    import json

    from store.query import rows

    with at.reading() as con:
        [stage] = rows(con, "SELECT summary FROM stages WHERE key = ?", [key])
        each = rows(
            con,
            """
            SELECT a.qid, a.translator, a.source_variety, a.target_variety, t.source_text, t.text, a.chrf, a.bleu,
                a.ter, a.round_trip_chrf, a.language, a.confidence, a.signs
            FROM audits a JOIN translations t USING (translation_id) WHERE a.key = ?
            ORDER BY coalesce(a.chrf, a.round_trip_chrf, 100), a.signs = '', a.qid
            """,
            [key],
        )
        costs = rows(con, "SELECT * EXCLUDE (key) FROM translation_costs WHERE key = ? ORDER BY quality, system", [key])
    summary = json.loads(stage["summary"])
    return {"summary": summary, "costs": costs, "worst": each[:worst], "translations": each}


def _show(audit: dict[str, Any], measure: str) -> None:
    first, summary = audit["translations"][0], audit["summary"]
    names = {"references": "references", "chrf": "chrF", "bleu": "BLEU", "ter": "TER",
             "round_trip_chrf": "round trip chrF", "identified": "in its language"}  # fmt: skip
    about = grid(
        f"{first['target_variety']} from {first['source_variety']}, {first['translator']}", "", title="Translations"
    )
    about.add_row("translations", str(summary["translations"]))
    for name, words in names.items():
        if name in summary:
            value = summary[name]
            about.add_row(words, f"{value:.1%}" if name == "identified" else f"{value:g}")
    if "identified" not in summary:
        about.add_row("in its language", f"not known: lingua has no {first['target_variety']}")
    for name, value in summary.items():
        if name.startswith("sign_"):
            about.add_row(name.removeprefix("sign_"), str(value))
    out().print(about)
    if audit["costs"]:
        table = grid("system", "quality", "rho", "interval", "n", "topics", title="Spearman: quality against loss")
        for row in audit["costs"]:
            none = row["rho"] is None
            table.add_row(
                row["system"], row["quality"].replace("_", " "), "-" if none else f"{row['rho']:+.2f}",
                "-" if none else f"[{row['ci_low']:+.2f}, {row['ci_high']:+.2f}]", str(row["n"]), str(row["n_groups"]),
            )  # fmt: skip
        out().print(table)
        row = audit["costs"][0]
        talk().print(
            f"Loss in {row['measure']}; {row['confidence']:.0%} bootstrap interval over topics. Below 0: the worse the"
            " translation, the more is lost. An interval that holds 0 shows nothing. Not corrected for their number."
        )
    else:
        talk().print(
            f"No correlation: give --reference or --back, and run a recipe that asks both wordings and has {measure}."
        )
    if audit["worst"]:
        table = grid("qid", "chrF", "signs", "translation", "source", title="The worst")
        for row in audit["worst"]:
            score = row["chrf"] if row["chrf"] is not None else row["round_trip_chrf"]
            table.add_row(
                row["qid"], "-" if score is None else f"{score:.0f}", row["signs"], row["text"], row["source_text"]
            )
        out().print(table)
