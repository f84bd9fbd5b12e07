"""Tokenizers of the shipped models, held against transformers' own."""

from pathlib import Path

import pytest

from store import LswError
from workbench.collections.folder import MINI
from workbench.similarity.tokenizers import MARK, tokenizer, tokenizer_file

MODELS = MINI.parent / "models"
TEXTS = [
    line.split("\t")[1]
    for path in sorted(MINI.glob("queries.*.tsv"))
    for line in path.read_text("utf-8").splitlines()[:25]
]


@pytest.mark.parametrize("name", ["bge-m3", "colbert-xm", "mt5"])
def test_pieces_are_those_of_transformers(name: str) -> None:
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(MODELS / name, local_files_only=True)
    ours, quick = tokenizer(MODELS / name), tokenizer_file(MODELS / name / "tokenizer.json")
    pieces = [theirs.convert_tokens_to_ids(theirs.tokenize(text)) for text in TEXTS]
    assert ours.pieces(TEXTS) == quick.pieces(TEXTS) == pieces
    assert ours.unknown == quick.unknown == theirs.unk_token_id
    assert ours.blank == quick.blank == {theirs.convert_tokens_to_ids(MARK)}
    assert ours.pieces([]) == quick.pieces([]) == []


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LswError, match="cannot be read") as caught:
        tokenizer(tmp_path)
    assert "save_pretrained" in caught.value.cure
    (tmp_path / "tokenizer.json").write_text("{}", "utf-8")
    with pytest.raises(LswError, match="cannot be read"):
        tokenizer_file(tmp_path / "tokenizer.json")
