"""Translation by a sequence-to-sequence checkpoint of one's own: NLLB-200, M2M-100, Marian, mT5, ..."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from store import LswError
from workbench.checkpoints.soundness import examine, loading
from workbench.registry import LOCAL
from workbench.talk import Summary
from workbench.translation.base import Desk, Journal, Translator
from workbench.varieties import variety

BATCH = 16


class Seq2Seq(Translator):
    """Any checkpoint that transformers generates with.

    Args:
        checkpoint: a folder of one's own, or owner/name on the hub.
        beams: of the search.
        length: tokens at most, of a text and of its translation.
    """

    checkpoint: Annotated[str, Field(min_length=1), LOCAL]
    beams: Annotated[int, Field(gt=0)] = 4
    length: Annotated[int, Field(gt=0)] = 256

    @property
    def model(self) -> str:
        return self.checkpoint

    def translate(self, texts: dict[str, str], desk: Desk) -> tuple[dict[str, str], Summary]:
        assert desk.checkpoint
        journal = Journal(desk.work / "translations.jsonl")
        distinct = list(dict.fromkeys(texts.values()))
        new = [text for text in distinct if text not in journal.had]
        done = len(distinct) - len(new)
        for some, answers in translated(desk.checkpoint, new, desk.source, desk.target, self.beams, self.length):
            for text, answer in zip(some, answers, strict=True):
                journal.add(text, answer)
            done += len(some)
            desk.progress(done, len(distinct))
        return journal.of(texts), {"generated": len(new)}


def translated(
    checkpoint: Path, texts: list[str], source: str, target: str, beams: int, length: int
) -> Iterator[tuple[list[str], list[str]]]:
    """Translate, some texts at a time, the longest first (so that a memory too small fails at once).

    Args:
        checkpoint: a transformers folder, safetensors; no remote code is run.
        texts: what to translate.
        source, target: varieties, which a checkpoint of many is told (`told`).
        beams: of the search.
        length: tokens at most, of a text and of its translation.

    Yields:
        texts, and their translations.

    Raises:
        LswError: the checkpoint is told varieties, and does not know one of these; or it is not what it says.
    """
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    with loading(checkpoint):
        tokenizer = AutoTokenizer.from_pretrained(checkpoint, trust_remote_code=False)
        model = AutoModelForSeq2SeqLM.from_pretrained(checkpoint, trust_remote_code=False, use_safetensors=True).eval()
    examine(model, tokenizer, checkpoint)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device)
    prefix, options = told(tokenizer, source, target, checkpoint)
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    for start in range(0, len(order), BATCH):
        batch = [texts[i] for i in order[start : start + BATCH]]
        marked = [prefix + text for text in batch]
        inputs = tokenizer(marked, return_tensors="pt", padding=True, truncation=True, max_length=length).to(device)
        with torch.inference_mode():
            ids = model.generate(**inputs, num_beams=beams, do_sample=False, max_new_tokens=length, **options)
        yield batch, [" ".join(text.split()) for text in tokenizer.batch_decode(ids, skip_special_tokens=True)]


def told(tokenizer: Any, source: str, target: str, checkpoint: Path) -> tuple[str, dict[str, int]]:
    """How a checkpoint of many varieties is told which: what is written before each text, and options of generating.

    NLLB by its codes (`cat_Latn`), M2M-100 by `__ca__`, MADLAD by `<2ca>` before the text, Marian of several targets by
    `>>cat<<`. A checkpoint that knows no such words translates what it was made for.

    Args:
        tokenizer: the checkpoint's; told the source, if it is to be.
        source, target: varieties.
        checkpoint: its folder, for the error.

    Raises:
        LswError: it is told varieties, and does not know one of these.
    """
    known = tokenizer.get_vocab()

    def word(code: str, *words: str | None) -> str:
        """The first of these words that the checkpoint knows."""
        first = next((w for w in words if w and w in known), None)
        if first is None:
            raise LswError(
                f"The checkpoint has no code for {variety(code).name} ({code}).",
                f"Looked for {', '.join(repr(w) for w in words if w)} in {checkpoint}.",
                "Choose another checkpoint, or correct `nllb` in varieties.toml.",
            )
        return first

    if "__en__" in known:
        words = [word(code, f"__{code}__") for code in (source, target)]
        tokenizer.src_lang = source
        return "", {"forced_bos_token_id": known[words[1]]}
    if hasattr(tokenizer, "src_lang"):
        words = [word(code, variety(code).nllb) for code in (source, target)]
        tokenizer.src_lang = words[0]
        return "", {"forced_bos_token_id": known[words[1]]}
    if "<2en>" in known:
        return word(target, f"<2{target}>") + " ", {}
    if any(token.startswith(">>") and token.endswith("<<") for token in known):
        code = variety(target).nllb or target
        return word(target, f">>{code}<<", f">>{code.partition('_')[0]}<<", f">>{target}<<") + " ", {}
    return "", {}
