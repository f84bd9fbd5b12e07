"""What every figure can do: choose effects and say what is drawn, wherever it is drawn."""

from abc import abstractmethod
from dataclasses import dataclass, field

from workbench.registry import Part
from workbench.studies.results import StudyResults


@dataclass(frozen=True)
class Series:
    """Points of one look, and a curve with a band.

    Args:
        style: which colour and marker; the same in every panel.
        x, y: of the points, in coordinates of the panel; `low` and `high` of their intervals, None where there is none,
            empty if there are none at all.
        joined: whether a line goes through the points; `marked`, whether they are seen on it.
        filled: whether there is a bar from 0 to each point instead of a mark.
        counts: how many things each point stands for; empty if one each.
        curve: x, y, and both ends of the band, at each of many places; empty if there is no curve.
    """

    label: str
    style: int
    x: list[float]
    y: list[float]
    low: list[float | None] = field(default_factory=list)
    high: list[float | None] = field(default_factory=list)
    joined: bool = False
    marked: bool = True
    filled: bool = False
    counts: list[int] = field(default_factory=list)
    curve: list[tuple[float, float, float | None, float | None]] = field(default_factory=list)


@dataclass(frozen=True)
class Rule:
    """A line from edge to edge, at a height or (`upright`) at a place; of a series' colour if it has its `style`."""

    at: float
    label: str
    upright: bool = False
    style: int | None = None


@dataclass(frozen=True)
class Note:
    """Words at a place, which they have in their middle."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Axes:
    """A panel with two axes. `ticks` are places and labels on the one below.

    Args:
        widths, heights: both ends of an axis, if they are not to be found from what is drawn.
        square: whether both axes are of one scale, with a line where they are equal.
    """

    title: str
    below: str
    left: str
    series: list[Series]
    ticks: list[tuple[float, str]]
    rules: list[Rule] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    widths: tuple[float, float] | None = None
    heights: tuple[float, float] | None = None
    square: bool = False


@dataclass(frozen=True)
class Cells:
    """A panel of coloured cells (rows x columns) with numbers in them; None where there is none."""

    title: str
    below: str
    left: str
    rows: list[str]
    columns: list[str]
    values: list[list[float | None]]
    texts: list[list[str]]


@dataclass(frozen=True)
class Lines:
    """A panel of effects, one a line: estimate and interval as a mark and as text, an empty one as text alone.

    `groups` are of each line, those of one group together; `holds`, whether its mark is to be seen as one that does.
    """

    title: str
    below: str
    labels: list[str]
    values: list[float | None]
    low: list[float | None]
    high: list[float | None]
    texts: list[str]
    groups: list[str] = field(default_factory=list)
    holds: list[bool] = field(default_factory=list)


Panel = Axes | Cells | Lines


@dataclass(frozen=True)
class Drawing:
    """Panels of one sort, and in words what they show and leave out, and the `method` of intervals and tests.

    `signed` values lie on both sides of a 0 that means something.
    """

    title: str
    caption: str
    method: str
    panels: list[Panel]
    signed: bool = False

    @property
    def words(self) -> str:
        """All that is to be said of it."""
        return ". ".join(filter(None, [self.caption, self.method])) + "."


class Figure(Part):
    """One sort of picture of `StudyResults`."""

    @abstractmethod
    def of(self, results: StudyResults, by: list[str] | None = None) -> Drawing | None:
        """What is to be drawn.

        Args:
            results: the effects to choose from, all of one measure.
            by: names of the factors on the axes (also `trained on`, `system`, `variety`), if they are not to be chosen.

        Returns:
            the drawing; None if none of the effects fits.

        Raises:
            LswError: a name in `by` is of nothing that varies.
        """
