"""What the strip over the rankings says of two to four runs: the numbers, the method, and a verdict in words."""

from rich.style import Style
from rich.text import Text

from store.rows import ComparisonRow
from tui.frame.looks import run as look
from tui.frame.rows import WIDE, shortened
from tui.study import LETTERS, ComparedRuns, label
from workbench.comparison.words import bracket, family, method_words, p_text, signed, significant

NARROW = 60
"""Columns of a terminal from which all figures have room."""


def letter(run: int) -> Text:
    """A run's letter, in its colour."""
    text = Text(LETTERS[run], look(run))
    text.stylize("bold")
    return text


def _opens(action: str, **looks: bool) -> Style:
    """Of what opens a picker at a click."""
    return Style(meta={"@click": f"screen.{action}"}, **looks)  # type: ignore[arg-type]


def verdict(row: ComparisonRow, recorded: ComparisonRow | None, run: int) -> str:
    """What may be said of B against A: no more than both the test at hand and a recipe's own, if it declared one, say.

    Where they differ both are shown, the stricter first.
    """
    who = LETTERS[run]
    if row["delta"] == 0:
        return f"{who} and A have the same mean."
    way = "higher" if row["delta"] > 0 else "lower"
    results = [(row["p_corrected"], significant(row), f"p {p_text(row['p_corrected'])}, {family(row)}, here")]
    if recorded is not None:
        over = f" over {recorded['models']} models" if recorded["models"] > 1 else ""
        words = f"p {p_text(recorded['p_corrected'])}, {family(recorded)}, as {recorded.get('recipe')} declared{over}"
        results.append((recorded["p_corrected"], significant(recorded), words))
    else:
        results[0] = (*results[0][:2], results[0][2].removesuffix(", here"))
    words = "; ".join(words for _, _, words in sorted(results, reverse=True))
    if all(holds for _, holds, _ in results):
        return f"{who} is significantly {way} than A: {words}."
    return f"{who} is {way} than A, not significantly: {words}."


def _shallow(comparison: ComparedRuns) -> str:
    """Which runs have fewer passages a query than the measure looks at: theirs is not what a deeper run's is."""
    cutoff = comparison.choice.measure.rpartition("@")[2]
    short = [
        f"{LETTERS[i]} has {run['depth']} passages a query at most" for i, run in enumerate(comparison.runs)
        if cutoff.isdigit() and run["depth"] < int(cutoff)
    ]  # fmt: skip
    return f"; {', '.join(short)}" if short else ""


def counted(row: ComparisonRow) -> str:
    """How many queries a comparison rests on and what became of the others, in few words."""
    topics = f" in {row['n_groups']} topics" if row["n_groups"] != row["n"] else ""
    return (
        f"n {row['n']}{topics}; {row['no_result']} no result, {row['no_relevant']} no relevant,"
        f" {row['left_out']} left out"
    )


def strip(comparison: ComparedRuns, chosen: int, width: int, short: bool = False) -> Text:
    """The contrast in a few lines, one for each run; names give way to figures, which are never cut.

    Args:
        comparison: the runs.
        chosen: the run whose differences the queries are sorted by.
        width: terminal cells there are.
        short: whether there is room for few lines.
    """
    lines = []
    for i, run in enumerate(comparison.runs):
        row = comparison.rows[(i or chosen) - 1]
        figures = Text(f" {row['mean'] if i else row['mean_baseline']:.4f}")
        if i:
            figures.append(f" {signed(row['delta'])}", "bold")
            figures.append(f" {bracket(row)}")
            if row["effect_size"] is not None and width >= NARROW:
                figures.append(f" d {signed(row['effect_size'], 2)}")
            if width >= WIDE:
                figures.append(f"  p {p_text(row['p_corrected'])}")
                figures.append(f"  won {row['wins']}, tied {row['ties']}, lost {row['losses']}")
            elif width >= NARROW:
                figures.append(f" {row['wins']}/{row['ties']}/{row['losses']}")
        else:
            figures.append(" ").append(comparison.choice.measure, _opens("measure", bold=True))
            figures.append("  baseline")
        lines.append((i, label(run), figures))
    widest = max(figures.cell_len for _, _, figures in lines)
    named = min(max(len(name) for _, name, _ in lines), 48, max(6, width - 3 - widest))
    shown = []
    for i, name, figures in lines:
        text = Text(shortened(name, named).ljust(named), _opens(f"run({i})"))
        shown.append(Text.assemble("▸" if i == chosen else " ", letter(i), " ", text, figures))
    row = comparison.rows[chosen - 1]
    shown.append(Text(verdict(row, comparison.recorded[chosen - 1], chosen), "italic"))  # as many lines as it takes
    listed = len(comparison.qids)
    about = counted(row) + (f"; {listed} in all runs listed" if listed != row["n"] else "") + _shallow(comparison)
    method = Text(method_words([row]), _opens("test", dim=True))
    rest = [Text.assemble((f"{about}; ", "dim"), method)] if short else [Text(about, "dim"), method]
    for line in rest:
        line.truncate(max(1, width), overflow="ellipsis")
        shown.append(line)
    return Text("\n").join(shown)
