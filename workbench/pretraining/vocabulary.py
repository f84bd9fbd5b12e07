"""One vocabulary for the mini models."""

import re
from pathlib import Path

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")


def vocabulary(texts: list[str], size: int, piece_length: int, out: Path) -> None:
    """Train a unigram vocabulary (Kudo 2018, arXiv 1804.10959), case-folded.

    Pieces are short, so that relatives share them, and a Han character is always a piece by itself, so that a query
    and a passage are cut alike.

    Args:
        texts: what to learn from.
        size: pieces.
        piece_length: characters of a piece at most.
        out: folder that will hold `vocabulary.model`.
    """
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([_HAN.sub(r" \g<0> ", text) for text in texts]),
        model_prefix=str(out / "vocabulary"),
        vocab_size=size,
        character_coverage=1.0,
        max_sentencepiece_length=piece_length,
        normalization_rule_name="nmt_nfkc_cf",
        num_threads=1,  # the same pieces every time
        bos_id=-1,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        minloglevel=2,
    )
    (out / "vocabulary.vocab").unlink()
