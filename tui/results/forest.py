"""Intervals on a common scale, one a line."""

from rich.text import Text

from workbench.comparison.words import signed

LEAST = 12
"""Columns of a scale below which none is drawn."""


class Scale:
    """From the least to the largest of some values, 0 among them.

    Args:
        values: estimates and ends of intervals; None where there is none.
    """

    def __init__(self, values: list[float | None]) -> None:
        known = [0.0, *(value for value in values if value is not None)]
        low, high = min(known), max(known)
        more = 0.04 * (high - low) or 0.5
        self.low, self.high = low - more * (low < 0), high + more * (high > 0 or low == 0)

    def column(self, value: float, width: int) -> int:
        """Where a value stands on so many columns."""
        return max(0, min(width - 1, round((value - self.low) / (self.high - self.low) * (width - 1))))

    @property
    def words(self) -> str:
        """Its ends."""
        return f"{signed(self.low, 2)} to {signed(self.high, 2)}"

    def mark(self, value: float | None, low: float | None, high: float | None, style: str, width: int) -> Text:
        """An estimate with its interval; an interval that is all on one side of 0 is drawn heavy.

        Args:
            value, low, high: None where there is none.
            style: of the mark.
            width: columns.
        """
        track = [" "] * width
        if width < LEAST:
            return Text("")
        track[self.column(0.0, width)] = "┊"
        if low is not None and high is not None:
            first, last = self.column(low, width), self.column(high, width)
            heavy = low > 0 or high < 0
            track[first : last + 1] = ("━" if heavy else "─") * (last - first + 1)
        out = Text("".join(track), "dim" if value is None else "")
        if value is not None:
            at = self.column(value, width)
            out = Text("".join([*track[:at], "●", *track[at + 1 :]]))
            ends = [at] if low is None or high is None else [self.column(low, width), self.column(high, width), at]
            out.stylize(style, min(ends), max(ends) + 1)
        return out


def legend(width: int) -> Text:
    """What the marks are, as far as there is room."""
    told = ("┊ 0", "● difference", "━ interval without 0", "─ with 0")
    out = ""
    for words in told:
        out = f"{out}  {words}" if len(out) + len(words) + 2 <= width else out
    return Text(out.strip(), "dim")
