"""`lsw varieties`: what is known of varieties and their relatives."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.console import JsonOption, StoreOption, grid, opened, out, print_json, talk

if TYPE_CHECKING:
    from pathlib import Path

    from store.rows import Row

TEXTS = ("jaccard-4", "chrf", "ldnd")
DISTANCES = ("genetic", "geographic", "syntactic", "phonological", "inventory", "featural")


def varieties(
    code: Annotated[str, typer.Argument(help="A variety's code; all varieties if there is none.")] = "",
    as_json: JsonOption = False,
    store: StoreOption = None,
) -> None:
    """Varieties: script, family, who knows them; of one its relatives, how far they are, its pieces a word.

    Distances are 0 (the same) to 1, by URIEL, over what is known of both; chrF is 0 to 100. Texts are the test queries
    of the mini collection, as they are written. With --store DIR also what was measured there of its pairs.
    """
    from workbench.similarity import known

    if not code:
        rows = known.varieties()
        print_json(rows) if as_json else _list(rows)
        return
    about = known.of(code)
    measured = _measured(store, about["pairs"]) if store else []
    if as_json:
        print_json(about | ({"measured": measured} if store else {}))
        return
    _one(about)
    if store:
        _in_store(measured)


def _list(rows: list[dict[str, Any]]) -> None:
    columns = (
        "code",
        "name",
        "script",
        "family",
        "pairs",
        "google",
        "nllb",
        "apertium",
        "X-MOD",
        "lingua",
        "CC-100 MB",
    )
    table = grid(*columns)
    for row in rows:
        table.add_row(
            row["code"], row["name"], row["script"], row["family"], " ".join(row["pairs"]) or "-",
            *(row[name] or "-" for name in ("google", "nllb", "apertium", "xmod")),
            "yes" if row["lingua"] else "-", _number(row["cc100_megabytes"], 0),
        )  # fmt: skip
    out().print(table)
    talk().print(
        f"{len(rows)} varieties. X-MOD: its own adapter in the published models. One of them: lsw varieties ca"
    )


def _one(about: dict[str, Any]) -> None:
    instead = f"none; {about['xmod_instead']} stands in" if about["xmod_instead"] else "none"
    facts = {
        "script": about["script"],
        "family": about["family"],
        "pairs": ", ".join(about["pairs"]) or "-",
        "ir_datasets": about["ir_datasets"] or "-",
        "Google": about["google"] or "-",
        "NLLB-200": about["nllb"] or "-",
        "Apertium": about["apertium"] or "-",
        "X-MOD, published": about["xmod"] or instead,
        "lingua": "knows it" if about["lingua"] else "takes it for another",
        "CC-100": f"{about['cc100_megabytes']:,.0f} MB" if about["cc100_megabytes"] else "no size known",
        "ISO 639-3": about["iso_639_3"] or "-",
    }
    table = grid(about["code"], about["name"])
    for name, value in facts.items():
        table.add_row(name, value)
    out().print(table)
    out().print()
    table = grid("tokenizer", "pieces a word", "unknown", "queries")
    for row in about["tokenizers"]:
        shares = _number(row["fertility"], 2), _number(row["unknown"], 3)
        table.add_row(row["tokenizer"], *shares, str(row["queries"]))
    out().print(table)
    out().print()
    table = grid("relative", "name", "family", *TEXTS, "queries")
    for row in about["relatives"]:
        numbers = [_number(row[name], 1 if name == "chrf" else 3) for name in TEXTS]
        table.add_row(row["code"], row["name"], row["family"], *numbers, str(row["queries"]))
    out().print(table)
    out().print()
    table = grid("relative", *DISTANCES)
    for row in about["relatives"]:
        table.add_row(row["code"], *(_number(row[name], 3) for name in DISTANCES))
    out().print(table)
    talk().print("-: not known. genetic to featural: URIEL by lang2vec 1.1.2 (CC BY-SA 4.0).")


def _measured(store: "Path | None", pairs: list[str]) -> "list[Row]":
    """What a store has of some pairs."""
    from store.query import rows

    with opened(store).reading() as con:
        return rows(
            con,
            """
            SELECT collection, low || '-' || high AS pair, feature, tokenizer, value, n, source, why_not, key
            FROM similarities WHERE list_contains(?, low || '-' || high) AND source NOT LIKE 'URIEL%'
            ORDER BY ALL
            """,
            [pairs],
        )


def _in_store(rows: "list[Row]") -> None:
    from store.artifacts import short

    table = grid("collection", "pair", "feature", "tokenizer", "value", "n", "source", "stage")
    for row in rows:
        table.add_row(
            row["collection"], row["pair"], row["feature"], row["tokenizer"] or "-",
            row["why_not"] or _number(row["value"], 4), f"{row['n']:,}", row["source"], short(row["key"]),
        )  # fmt: skip
    out().print(table)
    talk().print(f"{len(rows)} measured in this store.")


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"
