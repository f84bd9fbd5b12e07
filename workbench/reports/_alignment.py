"""How the tokens of one text go over to those of another, drawn as a matrix."""

from typing import TYPE_CHECKING

from store.rows import Row

if TYPE_CHECKING:
    from rich.text import Text

SHADES = " ░▒▓█"
_SPACE = "▁"  # sentencepiece's, at the beginning of a word


def drawn(rows: list[Row], weight: str = "weight") -> "Text":
    """A line for each low-resource token, a column for each of the other wording, whose tokens stand above it.

    A cell is the darker, the larger the share of the line's weight that goes there, against the largest share of all;
    at the end of a line, where most of it goes, and its share.

    Args:
        rows: of the view `alignments`, of one model and text, by both positions.
        weight: the column that is drawn: `weight`, or `weight_before` training.
    """
    from rich.cells import cell_len, set_cell_size
    from rich.text import Text

    source, target = (
        {r[f"{side}_position"]: _shown(r[f"{side}_token"]) for r in rows} for side in ("source", "target")
    )
    shares = {i: dict.fromkeys(target, 0.0) for i in source}
    for row in rows:
        shares[row["source_position"]][row["target_position"]] = float(row[weight])
    totals = {i: sum(some.values()) or 1.0 for i, some in shares.items()}
    of = {i: {j: share / totals[i] for j, share in some.items()} for i, some in shares.items()}
    most = max(share for some in of.values() for share in some.values()) or 1.0
    width = max(map(cell_len, source.values()))
    out, tall = Text(), max(map(len, target.values()))
    for line in range(tall):
        letters = [f"{word:>{tall}}"[line] for word in target.values()]
        out.append(" " * width + " " + "".join(set_cell_size(letter, 2) for letter in letters) + "\n", "dim")
    for i, word in source.items():
        best = max(target, key=lambda j: (of[i][j], -j))
        cells = "".join(SHADES[round(share / most * (len(SHADES) - 1))] * 2 for share in of[i].values())
        out.append(set_cell_size(word, width), "bold").append(" ").append(cells, "on grey15")
        out.append(f" {target[best]} {of[i][best]:.2f}\n")
    return out


def _shown(token: str) -> str:
    """A token as it is read; one that is the mark of a word's beginning alone, as the mark."""
    return token.replace(_SPACE, "") or _SPACE
