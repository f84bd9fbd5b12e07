"""What is made in docs/: `python -m tests.make_docs` writes it anew; a test holds it against the code."""

import ast
import tempfile
from pathlib import Path

from textual.binding import Binding

from store import Store
from store.query import rows
from store.schema import VIEWS
from tests.conftest import ROOT
from tui.frame.bar import titled

STORE, ARCHITECTURE, SCREENS = (ROOT / "docs" / f"{name}.md" for name in ("store", "architecture", "screens"))
END = "<!-- end -->"


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


def tree() -> str:
    """Every module with the first sentence of its docstring, folder by folder."""
    lines = ["```"]
    for top in ("store", "workbench", "tui"):
        for folder in sorted({path.parent for path in (ROOT / top).rglob("*.py")}):
            package = (folder / "__init__.py").read_text("utf-8") if (folder / "__init__.py").exists() else ""
            lines.append(f"{folder.relative_to(ROOT).as_posix() + '/':32} {first_sentence(package)}".rstrip())
            for path in sorted(folder.glob("*.py")):
                if path.name != "__init__.py":
                    lines.append(f"    {path.name:28} {first_sentence(path.read_text('utf-8'))}")
    return "\n".join([*lines, "```"])


def first_sentence(source: str) -> str:
    """Of a module's docstring, on one line."""
    text = " ".join((ast.get_docstring(ast.parse(source)) or "").split("\n\n")[0].split())
    return text.partition(". ")[0].rstrip(".")


def keys() -> str:
    """The keys of every screen."""
    from textual.keys import format_key

    from tui.app import Workbench
    from tui.page import Page
    from tui.pages import PAGES as SEEN

    every = [(f"{i} {titled(name)}", SEEN.part(name)) for i, name in enumerate(SEEN.names(), 1)]
    lines = ["| screen | key | does |", "|---|---|---|"]
    for title, of in (*every, ("every screen", Page), ("", Workbench)):
        shared = Page.BINDINGS if issubclass(of, Page) and of is not Page else []
        between = [kind for kind in reversed(of.__mro__) if issubclass(kind, of if of in (Page, Workbench) else Page)]
        own = [b for kind in between for b in kind.__dict__.get("BINDINGS", []) if b not in shared]
        for binding in own:
            assert isinstance(binding, Binding)
            if binding.description and not binding.key.isdigit():
                shown = binding.key_display or " ".join(format_key(key) for key in binding.key.split(","))
                lines.append(
                    f"| {title} | {shown.replace('|', chr(92) + '|')} | {binding.tooltip or binding.description} |"
                )
                title = ""
    return "\n".join(lines)


PAGES = {
    STORE: ("<!-- made from the views: begin -->", views),
    ARCHITECTURE: ("<!-- made from the modules: begin -->", tree),
    SCREENS: ("<!-- made from the keys: begin -->", keys),
}


def filled(page: Path) -> str:
    """A page with its made part put in anew."""
    begin, make = PAGES[page]
    before, _, rest = page.read_text("utf-8").partition(begin)
    return f"{before}{begin}\n\n{make()}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(filled(page), "utf-8")
