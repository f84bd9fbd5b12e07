"""Fonts of figures in files: matplotlib's own, and one of this machine for Han characters, of which that has none."""

import logging
import re
from pathlib import Path

USUAL = "DejaVu Sans"
_HAN = re.compile(r"[\u2e80-\u2fdf\u3005-\u3007\u3400-\u9fff\uf900-\ufaff]|[\U00020000-\U0003ffff]")
_KNOWN = (
    "Noto Sans CJK SC", "Noto Sans CJK TC", "Noto Sans CJK", "Source Han Sans",
    "WenQuanYi", "Droid Sans Fallback", "PingFang", "Hiragino Sans", "Heiti",
    "Microsoft YaHei", "SimHei", "SimSun", "MingLiU", "AR PL", "Noto Serif CJK", "Arial Unicode",
)  # fmt: skip
_FILES = re.compile(
    r"cjk|han(sans|serif)|wqy|droidsansfallback|pingfang|hiragino|heiti|msyh|simhei|simsun|mingliu", re.I
)
NONE_FOR_HAN = "No font on this machine has Han characters: they are boxes in PDF; in SVG, where no viewer has one."
"""What is to be said, with the cure."""
CURE = "Install one, such as the system's package fonts-noto-cjk, and write the figure again."


def families(text: str) -> tuple[list[str], str]:
    """The fonts that a figure is written in, and what is to be said of them; empty if all of it can be read.

    Args:
        text: all words of the figure.
    """
    if not _HAN.search(text):
        return [USUAL], ""
    from matplotlib import font_manager

    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # it tells of weights that are as good
    manager = font_manager.fontManager
    for path in map(Path, font_manager.findSystemFonts()):  # fonts that came after matplotlib listed them, too
        if _FILES.search(path.name) and str(path) not in {entry.fname for entry in manager.ttflist}:
            manager.addfont(path)
    names = dict.fromkeys(entry.name for known in _KNOWN for entry in manager.ttflist if entry.name.startswith(known))
    return [USUAL, *names][:4], "" if names else f"{NONE_FOR_HAN} {CURE}"
