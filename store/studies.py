"""What the store has of studies: grids of recipe runs, how far each cell is, and the effects found."""

import json
from typing import Any, cast

from store.errors import LswError, nearest
from store.layout import Store
from store.query import rows
from store.rows import CellRow, EffectRow, StudyRow


def studies(store: Store) -> list[StudyRow]:
    """All studies, the one begun last first."""
    with store.reading() as con:
        return [_parsed(row) for row in rows(con, "SELECT * FROM studies ORDER BY begun_at DESC NULLS LAST, study_id")]


def run_as(store: Store) -> dict[str, str]:
    """The study of each recipe run that ran its grid or analysed it, and made no runs of its own."""
    with store.reading() as con:
        found = con.execute(
            """
            WITH own AS (SELECT key, study_id FROM studies UNION SELECT key, study_id FROM effect)
            SELECT recipe_run_id, min(study_id) FROM recipe_stages JOIN own USING (key) GROUP BY ALL
            """
        ).fetchall()
    return dict(found)


def study_named(store: Store, name: str | None = None) -> StudyRow:
    """A study: its row of the view `studies`.

    Args:
        store: where it is.
        name: its id, or how that begins; a study's name: the one begun last; None: the one begun last of all.

    Raises:
        LswError: there is none, or several ids begin so.
    """
    known = studies(store)
    if not known:
        raise LswError(f"No study has run in {store.folder}.", cure="Begin with: lsw study run training_size")
    wanted = name.removesuffix(".toml").rpartition("/")[2] if name else None
    matching = [row for row in known if wanted in (None, row["study"], row["study_id"])][:1]
    matching = matching or [row for row in known if wanted and row["study_id"].startswith(wanted)]
    if not matching:
        hint = nearest(str(wanted), {row["study"] for row in known})
        cure = f"{hint} Or the beginning of a study's id: lsw sql 'SELECT * FROM studies'.".strip()
        raise LswError(f"No study in {store.folder} is called '{name}'.", cure=cure)
    if len(matching) > 1:
        ids = ", ".join(f"{row['study_id']} ({row['study']})" for row in matching)
        raise LswError(f"'{name}' begins several ids of studies.", ids, "Give more digits.")
    return matching[0]


def study(store: Store, study_id: str) -> tuple[StudyRow, list[CellRow], list[EffectRow]]:
    """A study, its cells in the order of the grid with their status, and its effects in the order of a table.

    Effects that were not made are among them, with `why_not`; `levels` and `detail` are JSON, as text.

    Raises:
        LswError: the store does not have it.
    """
    with store.reading() as con:
        own = rows(con, "SELECT * FROM studies WHERE study_id = ?", [study_id])
        cells = rows(con, "SELECT * FROM study_cells WHERE study_id = ? ORDER BY cell", [study_id])
        effects = rows(  # of the table, which has an order
            con,
            "FROM effect WHERE key = (SELECT any_value(key) FROM effects WHERE study_id = ?) ORDER BY rowid",
            [study_id],
        )
    if not own:
        raise LswError(f"No study in {store.folder} has the id '{study_id}'.")
    for cell in cells:
        cell["levels"] = json.loads(cell["levels"] or "{}")
    return _parsed(own[0]), cast("list[CellRow]", cells), cast("list[EffectRow]", effects)


def _parsed(row: dict[str, Any]) -> StudyRow:
    """With its JSON read."""
    read = {name: json.loads(row[name] or "{}") for name in ("analysis", "factors")}
    return cast("StudyRow", {**row, **read})
