"""Translation by Apertium: rules and dictionaries, offline, the same every time."""

import shutil
import subprocess

from store import LswError
from workbench.talk import Summary
from workbench.translation.base import Desk, Translator
from workbench.varieties import Variety, variety

PACKAGES = "apertium apertium-fra-cat apertium-oci-fra apertium-afr-nld apertium-ind-zlm"
"""Of Debian and Ubuntu, for the pairs of lsw that Apertium has."""


class Apertium(Translator):
    """The program of that name, in one of its directions."""

    def translate(self, texts: dict[str, str], desk: Desk) -> tuple[dict[str, str], Summary]:
        answers = translated(list(texts.values()), desk.source, desk.target)
        return dict(zip(texts, answers, strict=True)), {"version": version()}

    def seconds(self, texts: int) -> float:
        return 1.0 + texts * 0.005


def mode(source: str, target: str) -> str:
    """Apertium's name of a direction, as in `fra-cat`.

    Raises:
        LswError: Apertium is not installed, or has no such direction here.
    """
    if shutil.which("apertium") is None:
        raise LswError("Apertium is not installed.", cure=f"On Debian or Ubuntu: sudo apt install {PACKAGES}")
    low, high = variety(source), variety(target)
    listed = subprocess.run(["apertium", "-l"], capture_output=True, text=True, check=False).stdout.split()
    name = f"{low.apertium}-{high.apertium}"
    if low.apertium is None or high.apertium is None or name not in listed:
        raise LswError(
            f"Apertium does not translate {_named(low)} to {_named(high)} here.",
            f"Installed: {', '.join(listed) or 'nothing'}.",
            f"On Debian or Ubuntu: sudo apt install {PACKAGES}",
        )
    return name


def _named(v: Variety) -> str:
    return f"{v.name} ({v.code})"


def version() -> str:
    """Of the program; its dictionaries have their own, which it does not tell."""
    output = subprocess.run(["apertium", "-V"], capture_output=True, text=True, check=False)
    return " ".join((output.stdout + output.stderr).split())


def translated(texts: list[str], source: str, target: str) -> list[str]:
    """Translate, each text by itself; unknown words are left as they are, unmarked.

    Raises:
        LswError: as `mode`, or Apertium fails.
    """
    direction = mode(source, target)
    if not texts:
        return []
    # Apertium takes an empty line for the end of a sentence, so texts do not run into each other.
    answers = _run(direction, "\n\n".join(" ".join(text.split()) for text in texts)).split("\n\n")
    if len(answers) != len(texts):  # a text that it broke, or joined to the next
        answers = [_run(direction, text) for text in texts]
    # Some directions mark unknown words in spite of -u.
    return [
        " ".join(answer.split() if "*" in text else answer.replace("*", "").split())
        for text, answer in zip(texts, answers, strict=True)
    ]


def _run(direction: str, text: str) -> str:
    done = subprocess.run(["apertium", "-u", direction], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise LswError(f"Apertium {direction} failed.", reason, exit_code=1)
    return done.stdout.strip("\n")
