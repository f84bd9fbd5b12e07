"""How systems are combined, as PyTerrier writes it: `rrf(bm25-4grams, bge-m3) >> mt5`, `0.5 * bm25 + 2 * bge-m3`.

As in Python, `*` binds before `+`, `+` before `>>`.
"""

import math
import re
from dataclasses import dataclass

from store import LswError, nearest

SUM = "sum"
FUSIONS = ("rrf",)
"""Fusions that are written as a function of runs; `SUM` is written with `+`."""
K = 60
"""Of reciprocal rank fusion, as Cormack et al. (2009) set it."""
DEEPEST = 16
"""Brackets within brackets at most."""
_TOKEN = re.compile(r"\s*(?:(>>|[()+*,])|([^\s()+*,>]+))")
_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE]-?\d+)?")


@dataclass(frozen=True)
class Name:
    """A system by itself."""

    system: str

    def __str__(self) -> str:
        return self.system


@dataclass(frozen=True)
class Fused:
    """Runs made into one: `rrf`, or the weighted sum of their scores."""

    method: str
    parts: tuple["Pipeline", ...]
    weights: tuple[float, ...]

    def __str__(self) -> str:
        if self.method != SUM:
            return f"{self.method}({', '.join(map(str, self.parts))})"
        terms = (_weight(w) + _bracketed(part) for w, part in zip(self.weights, self.parts, strict=True))
        return " + ".join(terms)


@dataclass(frozen=True)
class Then:
    """Stages, each over what the one before it found."""

    stages: tuple["Pipeline", ...]

    def __str__(self) -> str:
        return " >> ".join(map(_bracketed, self.stages))

    @property
    def before(self) -> "Pipeline":
        """All stages but the last."""
        return self.stages[0] if len(self.stages) == 2 else Then(self.stages[:-1])


Pipeline = Name | Fused | Then


def _bracketed(part: Pipeline) -> str:
    plain = isinstance(part, Name) or (isinstance(part, Fused) and part.method != SUM)
    return str(part) if plain else f"({part})"


def _weight(weight: float) -> str:
    return "" if weight == 1 else f"{weight!r}".removesuffix(".0").replace("e+", "e") + " * "


def pipeline(text: str) -> Pipeline:
    """Read a pipeline; `str` of it is the one way in which it is recorded, spaces and brackets made alike.

    Args:
        text: as a user writes it. The order of what is fused is kept: it changes the name, and no ranking.

    Raises:
        LswError: it cannot be read, with the place; or it has a fusion that is not known.
    """
    return _Reader(text).whole()


def systems(of: Pipeline) -> list[str]:
    """The systems that a pipeline names, in order."""
    if isinstance(of, Name):
        return [of.system]
    return [name for part in (of.parts if isinstance(of, Fused) else of.stages) for name in systems(part)]


def shaped(of: Pipeline) -> list[str]:
    """The systems whose training makes the pipeline a trained one: its last stage, of a fusion each part's."""
    if isinstance(of, Name):
        return [of.system]
    parts = of.parts if isinstance(of, Fused) else of.stages[-1:]
    return [name for part in parts for name in shaped(part)]


class _Reader:
    """Reads from left to right; `at` is the place of the next token in the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, int]] = []
        end = 0
        while text[end:].strip():
            found = _TOKEN.match(text, end)
            if not found:
                raise self._fault("a single '>'", end + len(text[end:]) - len(text[end:].lstrip()), "Write '>>'.")
            self.tokens.append((found[1] or found[2], found.start(found.lastindex or 0)))
            end = found.end()
        self.at = self.depth = 0

    def whole(self) -> Pipeline:
        read = self._then()
        if self.at < len(self.tokens):
            raise self._expected("'>>', '+' or the end")
        return read

    def _then(self) -> Pipeline:
        stages = [self._sum()]
        while self._next(">>"):
            stages.append(self._sum())
        if len(stages) == 1:
            return stages[0]
        flat = [s for stage in stages for s in (stage.stages if isinstance(stage, Then) else (stage,))]
        return Then(tuple(flat))

    def _sum(self) -> Pipeline:
        began = self.at
        terms = [self._term()]
        while self._next("+"):
            terms.append(self._term())
        if len(terms) == 1:
            weight, part = terms[0]
            if weight is not None:
                cure = f"It changes no order: write {part}, or add another, as in 0.5 * bm25 + 2 * bge-m3."
                raise self._fault("a weight without a sum", self._place(began), cure)
            return part
        flat: list[tuple[float, Pipeline]] = []
        for weight, part in terms:
            inner = weight in (None, 1.0) and isinstance(part, Fused) and part.method == SUM
            flat += list(zip(part.weights, part.parts, strict=True)) if inner else [(weight or 1.0, part)]  # type: ignore[union-attr]
        return self._fused(SUM, [part for _, part in flat], [weight for weight, _ in flat], began)

    def _term(self) -> tuple[float | None, Pipeline]:
        if self._weighs():
            weight = self._number()
            self._next("*")
            return weight, self._one()
        part = self._one()
        return (self._number() if self._next("*") else None), part

    def _weighs(self) -> bool:
        after = self.tokens[self.at + 1][0] if self.at + 1 < len(self.tokens) else ""
        return after == "*" and bool(_NUMBER.fullmatch(self._word()))

    def _number(self) -> float:
        word, place = self._word(), self._place(self.at)
        if not _NUMBER.fullmatch(word):
            raise self._expected("a number")
        weight = float(word)
        if not (0 < weight < math.inf):
            raise self._fault(f"the weight {word}", place, "A weight is a finite number above 0.")
        self.at += 1
        return weight

    def _one(self) -> Pipeline:
        began, word = self.at, self._word()
        if self._next("("):
            inner = self._inside()
            self._close("'>>', '+' or ')'")
            return inner
        if not word or word in (">>", ")", "+", "*", ","):
            raise self._expected("a system")
        self.at += 1
        if not self._next("("):
            return Name(word)
        if word not in FUSIONS:
            raise self._fault(
                f"the unknown fusion '{word}'",
                self._place(began),
                f"{nearest(word, FUSIONS)} A weighted sum is written 0.5 * bm25 + 2 * bge-m3.",
            )
        parts = [self._inside()]
        while self._next(","):
            parts.append(self._inside())
        self._close("',' or ')'")
        return self._fused(word, parts, [1.0] * len(parts), began)

    def _fused(self, method: str, parts: list[Pipeline], weights: list[float], began: int) -> Fused:
        if len(parts) < 2:
            raise self._fault(f"'{method}' of a single run", self._place(began), "Name two or more.")
        twice = next((part for i, part in enumerate(parts) if part in parts[:i]), None)
        if twice is not None:
            raise self._fault(f"'{twice}' twice in one fusion", self._place(began), "Name each once.")
        return Fused(method, tuple(parts), tuple(weights))

    def _inside(self) -> Pipeline:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._fault("too many brackets", self._place(self.at), f"At most {DEEPEST} within one another.")
        inner = self._then()
        self.depth -= 1
        return inner

    def _word(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def _next(self, word: str) -> bool:
        found = self._word() == word
        self.at += found
        return found

    def _close(self, otherwise: str) -> None:
        if not self._next(")"):
            raise self._expected(otherwise)

    def _place(self, token: int) -> int:
        return self.tokens[token][1] if token < len(self.tokens) else len(self.text.rstrip())

    def _expected(self, what: str) -> LswError:
        word = self._word()
        found = f"'{word}'" if word else "the end"
        return self._fault(f"{found} where {what} should be", self._place(self.at), "As in 'rrf(bm25, bge-m3) >> mt5'.")

    def _fault(self, what: str, place: int, cure: str) -> LswError:
        shown = self.text if len(self.text) <= 80 else f"{self.text[:80]}..."
        return LswError(f"'{shown}' is no pipeline: {what}, at character {place + 1}.", cure=cure)
