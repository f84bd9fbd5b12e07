"""Colours that colour-blind eyes tell apart, and markers beside them."""

from typing import Literal

RGB = tuple[int, int, int]

COLOURS: list[RGB] = [
    (0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233),
]  # fmt: skip
"""Okabe and Ito 2008, without black and yellow, which one of two backgrounds swallows."""
MARKS = ["●", "■", "▲", "◆", "○", "□", "△"]
"""In a terminal; `SHAPES` in a file. There is one more than there are colours, so that 42 looks differ."""
SHAPES = ["o", "s", "^", "D", "v", "P", "X"]
DASHES = ["-", "--", "-.", ":"]

LOW_TO_HIGH: list[RGB] = [(0, 32, 77), (124, 123, 120), (255, 234, 70)]
"""Of values on one side of 0: cividis (Nunez et al. 2018), by three of its colours."""
BELOW_AND_ABOVE: list[RGB] = [(179, 88, 6), (247, 247, 247), (84, 39, 136)]
"""Of values on both sides of 0: ColorBrewer's PuOr, by three of its colours."""


WON, LOST, TIED, HERE, GREY = -1, -2, -3, -4, -5
"""Looks that mean something: what a query did, the query that is pointed to; and one without a hue."""
_MEANT: dict[int, tuple[RGB, str, str]] = {
    WON: ((0, 158, 115), "▲", "^"), LOST: ((213, 94, 0), "▼", "v"), TIED: ((128, 128, 128), "●", "o"),
    HERE: ((0, 0, 0), "◉", "o"), GREY: ((128, 128, 128), "△", "^"),
}  # fmt: skip
RUNS = (0, 3, 4, GREY)
"""Of compared runs, the baseline's first: none has the hue of won or lost."""
Ground = Literal["dark", "light"] | None
"""What is drawn on; None if that is not known, as in a terminal."""
_TOWARDS: dict[Ground, tuple[int, float]] = {"dark": (255, 0.25), "light": (0, 0.3), None: (0, 0.0)}


def colour(style: int, ground: Ground = None) -> RGB:
    """Of a series; lighter on a dark ground and darker on a light one, if that is known."""
    rgb = _MEANT[style][0] if style in _MEANT else COLOURS[style % len(COLOURS)]
    end, share = _TOWARDS[ground]
    red, green, blue = (round(c + (end - c) * share) for c in rgb)
    return red, green, blue


def mark(style: int) -> str:
    """Of a series' points, in a terminal."""
    return _MEANT[style][1] if style in _MEANT else MARKS[style % len(MARKS)]


def shape(style: int) -> str:
    """Of a series' points, in a file."""
    return _MEANT[style][2] if style in _MEANT else SHAPES[style % len(SHAPES)]


def shade(value: float, low: float, high: float, signed: bool) -> RGB:
    """The colour of a cell: between the ends of a scale, `signed` ones about 0."""
    scale = BELOW_AND_ABOVE if signed else LOW_TO_HIGH
    if signed:
        most = max(abs(low), abs(high)) or 1.0
        low, high = -most, most
    at = (value - low) / (high - low) * 2 if high > low else 1.0
    first = min(int(at), 1)
    a, b = scale[first : first + 2]
    red, green, blue = (round(x + (y - x) * (at - first)) for x, y in zip(a, b, strict=True))
    return red, green, blue


def ink(ground: RGB) -> RGB:
    """Black or white, whichever is read better on a ground (WCAG's relative luminance)."""
    linear = [(c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4) for c in ground]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return (0, 0, 0) if luminance > 0.179 else (255, 255, 255)
