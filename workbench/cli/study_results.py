"""`lsw study results` and `lsw study figure`: what a study found, in words, tables and pictures."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.console import JsonOption, StoreOption, opened, out, put, talk

if TYPE_CHECKING:
    from store import Store

StudyName = Annotated[
    str | None,
    typer.Argument(
        help="A study's id or how it begins, or a study: its latest.  [default: the latest]", show_default=False
    ),
]
StudyFormatOption = Annotated[
    str, typer.Option("--format", help="screen, table, json, csv, latex, or a report of a plug-in.")
]


def results(
    name: StudyName = None,
    store: StoreOption = None,
    form: StudyFormatOption = "screen",
    as_json: JsonOption = False,
) -> None:
    """What a study found: how far its grid is, and every effect with its interval and test."""
    from store.studies import study_named
    from workbench.reports.study import STUDY_REPORTS

    form = "json" if as_json else STUDY_REPORTS.known(form)
    at = opened(store)
    show_study(at, study_named(at, name)["study_id"], form)


def show_study(at: "Store", study_id: str, form: str) -> None:
    """Print a study on stdout in one of the formats."""
    from workbench.reports.study import STUDY_REPORTS
    from workbench.studies.results import StudyResults

    found = STUDY_REPORTS.part(form)().of(StudyResults.of(at, study_id))
    if isinstance(found, str):
        put(found)
    else:
        out().print(found)


def figure(
    kind: Annotated[str, typer.Argument(help="curve, interaction, heat-map, forest, or one of a plug-in.")],
    name: StudyName = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="FILE.svg or FILE.pdf.  [default: the terminal]", show_default=False),
    ] = None,
    effect: Annotated[str | None, typer.Option(help="The effect that is drawn.  [the first that fits]")] = None,
    system: Annotated[str | None, typer.Option(help="One system alone.  [all]")] = None,
    training: Annotated[str | None, typer.Option(help="One training alone.  [all]")] = None,
    variety: Annotated[str | None, typer.Option(help="Queries of one variety alone.  [all]")] = None,
    measure: Annotated[str | None, typer.Option(help="The measure.  [the study's first]")] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(help="A factor (also 'trained on', system, variety) on an axis; may be repeated."),
    ] = None,
    store: StoreOption = None,
) -> None:
    """Draw the effects of a study: in the terminal, or with --to for a paper (pip install 'lsw-workbench[plots]')."""
    from store import LswError
    from store.studies import study_named
    from workbench.reports.figures import FIGURES
    from workbench.reports.figures._terminal import drawn
    from workbench.reports.figures._vector import form_of, written
    from workbench.studies.results import StudyResults

    sort = FIGURES.part(kind)()
    if to:
        form_of(to)
    at = opened(store)
    whole = StudyResults.of(at, study_named(at, name)["study_id"])
    wanted = {"effect": effect, "system": system, "trained_on": training, "query_variety": variety, "measure": measure}
    some = whole.only(**wanted)
    drawing = sort.of(some, by)
    if drawing is None:
        fitting = [other for other in FIGURES.names() if FIGURES.part(other)().of(some)]
        which = f"They can be drawn as: {', '.join(fitting)}." if fitting else "Nothing of it can be drawn yet."
        effects = ", ".join(dict.fromkeys(row["effect"] for row in some.effects)) or "none"
        raise LswError(
            f"No effect of the study {whole.study['study']} can be drawn as '{kind}'.",
            f"Its effects: {effects}; {whole.progress()}.",
            which,
        )
    if to:
        written(drawing, to)
        talk().print(f"{to}: {drawing.title}\n{drawing.words}")
    else:
        out().print(drawn(drawing, out().width if sys.stdout.isatty() else 80))
