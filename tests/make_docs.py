"""What is made in docs/: `python -m tests.make_docs` writes it anew; a test holds it against the code."""

import tempfile
from pathlib import Path

from store import Store
from store.query import rows
from store.schema import VIEWS
from tests.conftest import ROOT

BEGIN, END = "<!-- made from the views: begin -->", "<!-- end -->"
STORE = ROOT / "docs" / "store.md"


def views() -> str:
    """Each view, what one row of it is, and its columns with their types."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store")
        store.create()
        with store.reading() as con:
            columns = rows(
                con,
                """SELECT c.table_name AS view, c.column_name AS name, c.data_type AS type
                   FROM duckdb_columns() c JOIN duckdb_views() v ON v.view_name = c.table_name
                   WHERE NOT v.internal ORDER BY c.table_name, c.column_index""",
            )
    lines = ["| view | one row for each | columns |", "|---|---|---|"]
    for view, meaning in VIEWS.items():
        named = ", ".join(f"`{row['name']}` {row['type'].lower()}" for row in columns if row["view"] == view)
        lines.append(f"| `{view}` | {meaning.removeprefix('a ').removeprefix('an ')} | {named} |")
    return "\n".join(lines)


def filled(text: str, part: str) -> str:
    """A page with its made part put in anew."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{part}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    STORE.write_text(filled(STORE.read_text("utf-8"), views()), "utf-8")
