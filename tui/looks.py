"""How runs, gains, losses and judgements look: told apart by colour-blind eyes too, in dark and light themes.

Styles have names (`won`, `run.a`), which a console resolves, so that what is drawn follows the theme. The hues are
Okabe and Ito's (2008), lighter on a dark ground and darker on a light one; a terminal's own colours where the theme
has only these.
"""

from rich.console import Console
from rich.theme import Theme as Styles
from textual.theme import Theme

RUNS = ("run.a", "run.b", "run.c", "run.d")
"""Of each letter; none is the hue of won or lost."""

_NAMES = (*RUNS, "won", "lost", "bar", "sign")
_DARK = ("#56b4e9", "#d8a0c8", "#f0e442", "#b8b8b8", "#2fbf94", "#f0804a", "#8a93a0", "bold #f0e442")
_LIGHT = ("#0067a3", "#8c3a74", "#665c00", "#595959", "#00795a", "#b34700", "#78818c", "bold #665c00")
_ANSI = ("cyan", "bright_blue", "yellow", "white", "green", "red", "bright_black", "bold yellow")


def styles(theme: Theme) -> Styles:
    """The named styles of a theme."""
    looks = _ANSI if theme.ansi else _DARK if theme.dark else _LIGHT
    return Styles(dict(zip(_NAMES, looks, strict=True)))


def wear(console: Console, theme: Theme, first: bool) -> None:
    """Let a console know the styles of a theme, in place of those of the theme before."""
    if not first:
        console.pop_theme()
    console.push_theme(styles(theme))


def run(i: int) -> str:
    """The style of a run, by its place."""
    return RUNS[i % len(RUNS)]
