"""One vocabulary for the mini models: short chunks from the word's start, which relatives share."""

import math
import re
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

MARK = "▁"
"""Stands before a word, where sentencepiece has a space."""
KEPT = ":"
"""Punctuation that is no space: the reranker's prompt has it."""
_JOINING = "·‧・"
"""Left out without a space: Catalan's l·l is one word."""
_STROKES = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe"})
"""Letters whose stroke is no accent to Unicode."""
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_RUN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]+|[^\W_\u3400-\u4dbf\u4e00-\u9fff]+")
_HAN_BLOCKS = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0xAC00, 0xD7A4), (0xD800, 0xF900))
"""Ideographs, Hangul syllables, surrogates and private use: they are what they are."""


def folded(text: str) -> str:
    """Text without case and accents (NFKC); punctuation and signs become spaces, invisible characters nothing."""
    text = "".join("" if c in _JOINING else c for c in text)
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).translate(_STROKES)
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not "\u0300" <= c <= "\u036f")
    return "".join(_sign(c) for c in unicodedata.normalize("NFC", bare))


def _sign(character: str) -> str:
    kind = unicodedata.category(character)
    if kind == "Cf":
        return ""
    return " " if (kind[0] in "PSZ" or kind == "Cc") and character != KEPT else character


def rules() -> Iterable[tuple[int, str]]:
    """Each code point of the basic plane that `folded` changes, and what it becomes."""
    for point in range(1, 0x10000):
        if any(low <= point < high for low, high in _HAN_BLOCKS) or unicodedata.category(chr(point)) == "Cn":
            continue
        target = folded(chr(point))
        if target != chr(point):
            yield point, target


def chunks(word: str, length: int) -> list[str]:
    """A word cut from its start into pieces of so many letters, the first with the mark."""
    cut = [word[i : i + length] for i in range(0, len(word), length)]
    return [MARK + cut[0], *cut[1:]]


def score(piece: str) -> float:
    """Such that of all ways to cut a word the fewest pieces win, then the longest, with one of these first.

    A piece of n letters has -1 + .01 n^2, and .002 n more at the start of a word; the mark alone -.5.
    """
    letters = piece.removeprefix(MARK)
    if not letters:
        return -0.5
    return -1 + 0.01 * len(letters) ** 2 + (0.002 * len(letters) if piece != letters else 0.0)


def chosen(texts: Iterable[str], size: int, length: int, han_pairs: int) -> list[tuple[str, float]]:
    """The pieces of a vocabulary and their scores.

    Args:
        texts: what to learn from.
        size: pieces at most, single characters included.
        length: letters of a piece at most.
        han_pairs: pairs of Han characters at most: those that stand together more than by chance.
    """
    words: Counter[str] = Counter()
    runs: Counter[str] = Counter()
    for text in texts:
        for run in _RUN.findall(folded(text)):
            (runs if _HAN.match(run) else words)[run] += 1
    singles: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    for run, n in runs.items():
        for i, character in enumerate(run):
            singles[character] += n
            if i:
                pairs[run[i - 1 : i + 1]] += n
    total = sum(singles.values())
    bound = {
        pair: n * math.log(n * total / (singles[pair[0]] * singles[pair[1]])) for pair, n in pairs.items() if n > 1
    }
    pieces: Counter[str] = Counter()
    letters: set[str] = set()
    for word, n in words.items():
        letters.update(word)
        for piece in chunks(word, length):
            pieces[piece] += n
        for i in range(1, min(length, len(word))):
            pieces[MARK + word[:i]] += n
    always = [MARK, KEPT, *sorted(letters), *sorted(singles)]
    for piece in always:
        pieces.pop(piece, None)
    kept = [(piece, score(piece)) for piece in always]
    best = sorted((pair for pair in bound if bound[pair] > 0), key=lambda p: (-bound[p], p))[:han_pairs]
    for place, pair in enumerate(best):
        kept.append((pair, score(pair) + 0.01 * (1 - place / len(best))))
    room = max(0, size - len(kept))
    common = sorted(pieces, key=lambda p: (-pieces[p], p))[:room]
    return kept + [(piece, score(piece)) for piece in common]


def vocabulary(texts: list[str], size: int, piece_length: int, han_pairs: int, out: Path) -> None:
    """Leave `vocabulary.model`, a sentencepiece unigram model whose scores make the rule of `score`."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2

    pieces = chosen(texts, size, piece_length, han_pairs)
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "rules.tsv"
        lines = (f"{point:X}\t{' '.join(f'{ord(c):X}' for c in target)}\n" for point, target in rules())
        table.write_text("".join(lines), "utf-8")
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["a b"]),
            model_prefix=str(Path(folder) / "folding"),
            model_type="char",
            vocab_size=6,
            normalization_rule_tsv=str(table),
            num_threads=1,
            bos_id=-1,
            pad_id=0,
            eos_id=1,
            unk_id=2,
            minloglevel=2,
        )
        proto = sentencepiece_model_pb2.ModelProto()
        proto.ParseFromString((Path(folder) / "folding.model").read_bytes())
    special = list(proto.pieces)[:3]
    del proto.pieces[:]
    proto.pieces.extend(special)
    for piece, value in pieces:
        proto.pieces.add(piece=piece, score=value)
    (out / "vocabulary.model").write_bytes(proto.SerializeToString(deterministic=True))
