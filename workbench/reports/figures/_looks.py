"""Colours that colour-blind eyes tell apart, and markers beside them."""

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


def colour(style: int) -> RGB:
    """Of a series."""
    return COLOURS[style % len(COLOURS)]


def mark(style: int) -> str:
    """Of a series' points, in a terminal."""
    return MARKS[style % len(MARKS)]


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


def spread(values: list[float | None]) -> tuple[float, float]:
    """The smallest and the largest of some values; 0 and 1 of none."""
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else (0.0, 1.0)


def margins(values: list[float | None], share: float = 0.06) -> tuple[float, float]:
    """`spread` with a margin on both sides."""
    low, high = spread(values)
    more = share * (high - low) or 0.5
    return low - more, high + more
