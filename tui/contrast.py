"""What the strip over the rankings says of two to four runs: the numbers, the method, and a verdict in words."""

from rich.text import Text

from store.rows import ComparisonRow
from tui.listing import WIDE
from tui.study import LETTERS, ComparedRuns, label
from workbench.comparison.results import basis, family, method_words, p_text, signed, significant

COLOURS = ("cyan", "magenta", "yellow", "green")


def letter(run: int) -> Text:
    """A run's letter, in its colour."""
    return Text(LETTERS[run], f"bold {COLOURS[run]}")


def verdict(row: ComparisonRow, recorded: ComparisonRow | None, run: int) -> str:
    """What may be said of B against A. A recipe's own family, where the difference was declared, has the last word."""
    who = LETTERS[run]
    if row["delta"] == 0:
        return f"{who} and A have the same mean."
    way = "higher" if row["delta"] > 0 else "lower"
    alone = f"p {p_text(row['p_corrected'])}, {family(row)}"
    if recorded is None:
        if significant(row):
            return f"{who} is significantly {way} than A: {alone}."
        return f"{who} is {way} than A, not significantly: {alone}."
    whole = f"p {p_text(recorded['p_corrected'])}, {family(recorded)}, as {recorded.get('recipe')} declared"
    if significant(recorded):
        return f"{who} is significantly {way} than A: {whole}."
    if significant(row):
        return f"{who} is {way} than A, not significantly: {whole} ({alone} alone)."
    return f"{who} is {way} than A, not significantly: {whole}."


def strip(comparison: ComparedRuns, chosen: int, width: int) -> Text:
    """The contrast in a few lines, one for each run.

    Args:
        found: the comparison.
        chosen: the run whose differences the queries are sorted by.
        width: terminal cells there are.
    """
    named = max(len(label(r)) for r in comparison.runs)
    named = min(named, 34 if width < WIDE else 48)
    means = comparison.paired.values.mean(axis=0)[:, 0]
    lines = []
    for i, run in enumerate(comparison.runs):
        name = Text(label(run))
        name.truncate(named, overflow="ellipsis", pad=True)
        line = Text.assemble("▸" if i == chosen else " ", letter(i), " ", name, f" {means[i]:.4f}")
        if i:
            row = comparison.rows[i - 1]
            line.append(f" {signed(row['delta'])}", "bold")
            line.append(f" [{signed(row['ci_low'])}, {signed(row['ci_high'])}]")
            if row["effect_size"] is not None:
                line.append(f" d {signed(row['effect_size'], 2)}")
            if width >= WIDE:
                line.append(f"  p {p_text(row['p_corrected'])}")
                line.append(f"  won {row['wins']}, tied {row['ties']}, lost {row['losses']}")
            else:
                line.append(f" {row['wins']}/{row['ties']}/{row['losses']}")
        else:
            line.append(f" {comparison.choice.measure}", "bold")
            line.append("  baseline")
        lines.append(line)
    row = comparison.rows[chosen - 1]
    lines.append(Text(" " + verdict(row, comparison.recorded[chosen - 1], chosen), "italic"))
    about = f" {method_words([row])}; {basis(row)}"
    if comparison.paired.left_out:
        about += f"; {comparison.paired.left_out} queries not in every run left out"
    lines.append(Text(about, "dim"))
    for line in lines:
        line.truncate(max(1, width), overflow="ellipsis")
    return Text("\n").join(lines)
