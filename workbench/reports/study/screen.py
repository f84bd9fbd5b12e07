"""A study on one screen: how far the grid is, what was found in words, and its first figure if there is room."""

from dataclasses import replace

from rich.console import Console, Group, RenderableType
from rich.text import Text

from workbench.reports.figures import FIGURES
from workbench.reports.figures._terminal import drawn
from workbench.reports.study.base import StudyReport
from workbench.studies.findings import findings
from workbench.studies.results import StudyResults
from workbench.studies.words import STAR, basis, method_words

WIDTH, LINES = 80, 44
"""Of a closing. The rest of a screen of 80 x 48 is for what to type next."""
PICTURE = 14
"""Lines of a figure's panel."""


class Screen(StudyReport):
    """No more than a screen of 80 x 48; what there is no room for is counted."""

    def of(self, results: StudyResults) -> RenderableType:
        measure = results.measures[0] if results.measures else ""
        about = ", ".join(filter(None, [measure, f"{results.study['scale']} scale", results.analysis]))
        head = Group(
            Text(f"{results.title} ({about})", "bold"),
            Text(f"Grid: {results.grid()}"),
            Text(f"{results.progress()}."),
        )
        if not results.effects:
            return Group(head, Text("No effect has been estimated."))
        rows = [row for row in results.effects if row["measure"] == measure]
        said = ". ".join(filter(None, [basis(rows), method_words(rows), STAR]))
        foot = Text(f"{said}. `lsw study results {results.study['study_id']} --format table` has everything.", "dim")
        sentences = findings(results)
        room = LINES - _height(head) - _height(foot)
        lines, left = list[Text](), 0
        for i, sentence in enumerate(sentences):
            line = Text(f"- {sentence}")
            room -= _height(line)
            if room < (i < len(sentences) - 1):  # of the line that counts the others
                left = len(sentences) - i
                break
            lines.append(line)
        more = [Text(f"- and {left} more")] if left else []
        words = Group(head, *lines, *more)
        picture = None if left else _picture(results)
        if picture and sum(map(_height, (words, picture, foot))) < LINES:
            return Group(words, Text(), picture, foot)
        return Group(words, foot)


def _picture(results: StudyResults) -> RenderableType | None:
    """The first panel of the first figure that the effects fit."""
    for name in FIGURES.names():
        if (drawing := FIGURES.part(name)().of(results)) and drawing.panels:
            count = len(drawing.panels)
            more = f"; panel 1 of {count}: `lsw study figure {name}` draws all" if count > 1 else ""
            one = replace(drawing, title="", caption=drawing.caption + more, method="", panels=drawing.panels[:1])
            return drawn(one, WIDTH, PICTURE)
    return None


def _height(part: RenderableType) -> int:
    """Its lines."""
    return len(Console(width=WIDTH, color_system=None).render_lines(part))
