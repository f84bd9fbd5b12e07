"""A study on one screen: how far the grid is, what was found in words, and its first figure if there is room."""

from dataclasses import replace
from itertools import product

from rich.console import Console, Group, RenderableType
from rich.text import Text

from workbench.reports.figures import FIGURES
from workbench.reports.figures._terminal import drawn
from workbench.reports.study.base import StudyReport
from workbench.studies.findings import told_apart
from workbench.studies.results import StudyResults
from workbench.studies.words import STAR, basis, method_words

WIDTH, LINES = 80, 44
"""Of a closing. The rest of a screen of 80 x 48 is for what to type next."""
PICTURES = (14, 11, 9)
"""Lines of a figure's panel, as there is room."""


class Screen(StudyReport):
    """No more than a screen of 80 x 48; what there is no room for is counted."""

    def of(self, results: StudyResults) -> RenderableType:
        measure = results.measures[0] if results.measures else ""
        about = ", ".join(filter(None, [measure, f"{results.study['scale']} scale", results.analysis]))
        head = Group(
            Text(f"{results.title} ({about})", "bold"),
            *([Text(f"Grid: {grid}")] if (grid := results.grid()) else []),
            Text(f"{results.progress()}."),
        )
        if not results.effects:
            return Group(head, Text("No effect has been estimated."))
        rows = [row for row in results.effects if row["measure"] == measure]
        said = ". ".join(filter(None, [basis(rows), method_words(rows), STAR]))
        foot = Text(f"{said}. `lsw study results {results.study['study_id']} --format table` has everything.", "dim")
        room = LINES - _height(head) - _height(foot)
        first, others = told_apart(results)
        whole = [*first, *others]
        for sentences, height in product((whole, first), PICTURES):
            if (picture := _picture(results, height)) is None:
                break
            words = _fitting(whole, sentences, room - _height(picture) - 1)
            if words is not None:
                return Group(head, words, Text(), picture, foot)
        shorter = (_fitting(whole, whole[:count], room) for count in range(len(whole), -1, -1))
        return Group(head, next((words for words in shorter if words is not None), Text()), foot)


def _fitting(whole: list[str], sentences: list[str], room: int) -> RenderableType | None:
    """Sentences, and how many of the whole they leave out; None if they have no room."""
    left = len(whole) - len(sentences)
    lines = [Text(f"- {sentence}") for sentence in sentences]
    words = Group(*lines, *([Text(f"- and {left} more in the tables")] if left else []))
    return words if len(lines) <= room and _height(words) <= room else None


def _picture(results: StudyResults, height: int) -> RenderableType | None:
    """The first panel of the first figure that the effects fit."""
    for name in FIGURES.names():
        if (drawing := FIGURES.part(name)().of(results)) and drawing.panels:
            count = len(drawing.panels)
            more = f"; panel 1 of {count}: `lsw study figure {name}` draws all" if count > 1 else ""
            one = replace(drawing, title="", caption=drawing.caption + more, method="", panels=drawing.panels[:1])
            return drawn(one, WIDTH, height)
    return None


def _height(part: RenderableType) -> int:
    """Its lines."""
    return len(Console(width=WIDTH, color_system=None).render_lines(part))
