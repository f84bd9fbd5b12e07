"""How runs, gains, losses and judgements look: told apart by colour-blind eyes too, in dark and light themes.

Styles have names (`won`, `run.a`), which a console resolves, so that what is drawn follows the theme. The hues were
searched for: in each of three colour blindnesses (Machado, Oliveira and Fernandes 2009) any two are 25 apart at least
(CIE76), and each has a contrast of 3 with its ground. A terminal's own colours where the theme has only these.
"""

from rich.console import Console
from rich.theme import Theme as Styles
from textual.theme import Theme

RUNS = ("run.a", "run.b", "run.c", "run.d")
"""Of each letter; none is the hue of won or lost."""

_NAMES = (*RUNS, "won", "lost", "bar", "sign")
_DARK = ("#3c76e6", "#f19dee", "#e6e854", "#888888", "#1fe38f", "#e55735", "#8a93a0", "bold #e6e854")
_LIGHT = ("#1746af", "#ad3b82", "#7b7919", "#353535", "#308954", "#66290e", "#78818c", "bold #7b7919")
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
