"""Effects against dose: points with intervals, the fitted curve with its band, the smallest dose that has an effect."""

from math import asinh

from store.rows import EffectRow
from workbench.reports.figures._choice import OF_RUNS, chosen, drawable, grouped, places, shared, told, varied
from workbench.reports.figures.base import Axes, Drawing, Figure, Panel, Rule, Series
from workbench.studies.results import StudyResults
from workbench.studies.words import FITTED, asked, at_most, detail, levels, method_words, short

EFFECTIVE = "minimum effective dose"
SMALLEST = ("smallest_difference", "smallest difference", "smallest", "d")
"""Under what an analysis keeps the smallest difference that matters."""
FITTED_TO = ("gain", "mean")
"""What a fitted curve is of, if there is one."""
WIDE = 4
"""Between the smallest and the largest dose above 0 from which the axis is drawn by asinh."""


class Curve(Figure):
    """One look for each training, one panel for each variety, system and level of other factors; where there is one
    training alone, one look for each level of the first factor."""

    def of(self, results: StudyResults, by: list[str] | None = None) -> Drawing | None:
        rows = [row for row in drawable(results) if row.get("dose") is not None]
        rows = chosen(rows, FITTED_TO, lambda some: len({row.get("dose") for row in some}) > 1)
        if not rows:
            return None
        effect, factor, measure = rows[0]["effect"], results.dose, rows[0]["measure"]
        every = [row for row in results.effects if row["measure"] == measure]
        apart = [name for name in varied(rows, results) if name != factor]
        looks = ["trained on"] if "trained on" in apart else [name for name in apart if name not in OF_RUNS][:1]
        titles = dict.fromkeys(["variety", *(name for name in apart if name not in looks)])

        def look(row: EffectRow) -> str:
            return told(places(row, results), looks, results.factors)

        def panel(row: EffectRow) -> str:
            return told(places(row, results), titles, results.factors)

        def whose(row: EffectRow) -> tuple[object, ...]:
            at = frozenset((name, level) for name, level in levels(row).items() if name != factor)
            return row.get("system"), asked(row), row.get("trained_on"), at

        of = grouped(every, whose)
        fitted = [row for row in every if row["effect"] == FITTED and effect in FITTED_TO]
        styles = {at: i for i, at in enumerate(grouped(rows, look))}
        doses = {row["dose"] for row in rows if row["dose"] is not None}
        scale = _Scale(sorted(doses | {min(row["dose"] or 0.0 for row in fitted or rows)}))
        smallest = _smallest(results, every) if effect == "gain" else None
        name = short(factor, results.factors)
        panels: list[Panel] = []
        for title, own in grouped(rows, panel).items():
            series, rules = [], [Rule(smallest, f"d = {smallest:g}")] if smallest is not None else []
            for at, points in grouped(own, look).items():
                same = of[whose(points[0])]
                curve = [row for row in same if row["effect"] == FITTED] if fitted else []
                label = at or points[0].get("trained_on") or effect
                series.append(_series(label, styles[at], len(styles), points, curve, scale))
                rules += [
                    Rule(scale(row["estimate"]), _upright(row), True, styles[at])
                    for row in same if row["effect"] == EFFECTIVE and row.get("estimate") is not None
                ]  # fmt: skip
            panels.append(Axes(title, name, f"{effect}, {measure}", series, scale.ticks, rules))
        words = [f"points: {effect} in {measure}"]
        if about := shared([{**row, "dose": None} for row in rows], results):
            words[0] += f" ({about})"
        if fitted:
            words.append("line: the fitted curve with its band")
        if scale.unit:
            words.append(f"{name} by asinh({name} / {scale.unit:g})")
        words += _counts(rows, every)
        if alike := sum(row["effect"] == effect and row.get("dose") is None for row in drawable(results)):
            words.append(f"the same at every {name}, and not shown: {alike}")
        return Drawing(results.title, "; ".join(words), method_words(rows), panels, signed=True)


class _Scale:
    """From doses to places: by asinh of doses in units of the smallest above 0, if they span much."""

    def __init__(self, doses: list[float]) -> None:
        above = [dose for dose in doses if dose > 0]
        self.unit = above[0] if above and above[-1] / above[0] > WIDE else 0.0
        self.ticks = [(self(dose), f"{dose:,.12g}") for dose in doses]
        self.width = self.ticks[-1][0] - self.ticks[0][0]

    def __call__(self, dose: float | None) -> float:
        return asinh((dose or 0.0) / self.unit) if self.unit else float(dose or 0.0)


def _series(
    label: str, style: int, of: int, points: list[EffectRow], curve: list[EffectRow], scale: _Scale
) -> Series:  # fmt: skip
    """Points a hair beside each other, so that intervals at one dose can be told apart."""
    aside = (style - (of - 1) / 2) * 0.012 * scale.width
    points, curve = (sorted(some, key=lambda row: row["dose"] or 0.0) for some in (points, curve))
    return Series(
        label=label,
        style=style,
        x=[scale(row["dose"]) + aside for row in points],
        y=[row["estimate"] or 0.0 for row in points],
        low=[row.get("ci_low") for row in points],
        high=[row.get("ci_high") for row in points],
        joined=not curve,
        curve=[
            (scale(row["dose"]), row["estimate"], row.get("ci_low"), row.get("ci_high"))
            for row in curve if row["estimate"] is not None
        ],
    )  # fmt: skip


def _upright(row: EffectRow) -> str:
    return f"{EFFECTIVE} {'at most ' if at_most(row) else ''}{row['estimate'] or 0.0:,.12g}"


def _smallest(results: StudyResults, rows: list[EffectRow]) -> float | None:
    """The smallest difference that matters, as the analysis or a dose's detail has it."""
    known = [results.study["analysis"], *(detail(row) for row in rows if row["effect"] == EFFECTIVE)]
    found = (each[name] for each in known for name in SMALLEST if isinstance(each.get(name), int | float))
    return next((float(value) for value in found), None)


def _counts(rows: list[EffectRow], every: list[EffectRow]) -> list[str]:
    """In how many curves there is a smallest dose, and how many points there are not."""
    words, effective = [], [row for row in every if row["effect"] == EFFECTIVE]
    if effective:
        reached = sum(row.get("estimate") is not None for row in effective)
        words.append(f"upright: {EFFECTIVE}, there for {reached} of {len(effective)}")
        upper = sum(bool(at_most(row)) for row in effective)
        words += [f"at most, as smaller doses are not there: {upper}"] if upper else []
    lacking = sum(row["effect"] == rows[0]["effect"] and row.get("estimate") is None for row in every)
    return words + ([f"points that could not be estimated and are not shown: {lacking}"] if lacking else [])
