"""New models of the true architectures, small, on one shared vocabulary: XLM-R and X-MOD."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.pretraining.averaged import averaged
from workbench.varieties import table as varieties

UNSPOKEN = ("ar", "da", "de", "es", "fa", "hi", "mul", "pl", "pt", "ru", "sv", "tr", "vi")
"""Varieties that X-MOD is made no adapter for: the mini collection has none of them."""
EXTRA = ("▁query:", "▁document:", "▁relevant:", "▁yes", "▁no")
"""Pieces of the reranker's prompt and answers, one token each."""


def pieces(vocabulary: Path) -> tuple[list[tuple[str, float]], bytes]:
    """Pieces with their log-probabilities, and the normaliser's table, of a sentencepiece model."""
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(vocabulary.read_bytes())
    return [(p.piece, p.score) for p in proto.pieces][3:], proto.normalizer_spec.precompiled_charsmap


def xlmr_tokenizer(vocabulary: Path, length: int) -> Any:
    """XLM-R's own tokenizer class on our pieces."""
    from transformers import XLMRobertaTokenizer

    known, charsmap = pieces(vocabulary)
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    return XLMRobertaTokenizer(
        vocab=[*special, *known, ("<mask>", 0.0)], _spm_precompiled_charsmap=charsmap, model_max_length=length
    )


def mt5_tokenizer(vocabulary: Path, length: int) -> Any:
    """mT5's own tokenizer class (T5's) on our pieces, with `EXTRA`."""
    from transformers import T5Tokenizer

    known, charsmap = pieces(vocabulary)
    have = {piece for piece, _ in known}
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    return T5Tokenizer(
        vocab=[*special, *known, *((piece, -1.0) for piece in EXTRA if piece not in have)],
        _spm_precompiled_charsmap=charsmap,
        extra_ids=0,
        model_max_length=length,
    )


def _encoder_config(size: dict[str, int], tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": size["width"],
        "num_hidden_layers": size["layers"],
        "num_attention_heads": size["heads"],
        "intermediate_size": size["inner"],
        "hidden_dropout_prob": 0.0,  # no text is seen often enough to be learnt by heart
        "attention_probs_dropout_prob": 0.0,
        "max_position_embeddings": size["length"] + 2,
        "type_vocab_size": 1,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }


def _begin(model: Any, vectors: Any) -> None:
    """Make an encoder one that gives each token's own vector, nearly; what else it is to do, training says.

    A token's vector stands in all dimensions but the last, which takes what it lacks of unit length: so the norms that
    follow keep long vectors long, and two tokens of short ones are alike, whichever they are.

    Args:
        model: XLM-R or X-MOD, its weights at random.
        vectors: tokens x (width - 1).
    """
    import torch

    body = model.embeddings
    words = body.word_embeddings.weight
    size = words.shape[1] ** 0.5 * model.config.initializer_range
    with torch.no_grad():
        shared = vectors / vectors.norm(dim=1).max()
        words[:, :-1] = shared * size
        words[:, -1] = (1 - (shared**2).sum(dim=1)).clip(min=0).sqrt() * size
        words[:4] = 0  # <s>, <pad>, </s>, <unk>
        words[[0, 2], -1] = size
        body.position_embeddings.weight.mul_(0.1)
        body.token_type_embeddings.weight.zero_()
        for name, weight in model.encoder.layer.named_parameters():
            if name.endswith("output.dense.weight"):
                weight.mul_(0.1)


def biencoder(vocabulary: Path, size: dict[str, int], crops: pa.Table, seed: int, out: Path) -> None:
    """An XLM-R bi-encoder (mean pooling, unit vectors) as a sentence-transformers folder.

    Args:
        vocabulary: sentencepiece model.
        size: width, inner, layers, heads, length.
        crops, seed: what the vectors of tokens are learnt from, see `averaged`.
        out: folder.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from transformers import XLMRobertaConfig, XLMRobertaModel

    tokenizer = xlmr_tokenizer(vocabulary, size["length"])
    backbone = out / "backbone"
    model = XLMRobertaModel(XLMRobertaConfig(**_encoder_config(size, tokenizer)), add_pooling_layer=False)
    _begin(model, averaged(tokenizer, crops, size["width"] - 1, seed))
    last = model.encoder.layer[-1].output.LayerNorm
    torch.nn.init.zeros_(last.weight[-1:])  # what vectors lack of unit length says nothing in their mean
    model.save_pretrained(backbone)
    tokenizer.save_pretrained(backbone)
    transformer = Transformer(str(backbone), max_seq_length=size["length"])
    SentenceTransformer(
        modules=[transformer, Pooling(size["width"], pooling_mode="mean"), Normalize()]
    ).save_pretrained(str(out / "checkpoint"), create_model_card=False)


def multivector(vocabulary: Path, size: dict[str, int], crops: pa.Table, seed: int, out: Path) -> None:
    """An X-MOD multi-vector encoder with an adapter for every variety of the table.

    Args:
        vocabulary: sentencepiece model.
        size: width, inner, layers, heads, length, dimensions (of a token vector).
        crops, seed: what the vectors of tokens are learnt from, see `averaged`.
        out: folder.
    """
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.base.modules.dense import Dense
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
    from torch.nn import Identity
    from transformers import XmodConfig, XmodModel

    tokenizer = xlmr_tokenizer(vocabulary, size["length"])
    languages = sorted({v.xmod[0] for v in varieties().values() if v.code not in UNSPOKEN})
    config = XmodConfig(
        **_encoder_config(size, tokenizer), languages=languages, default_language="en_XX", adapter_reduction_factor=4
    )
    backbone = out / "backbone"
    model = XmodModel(config, add_pooling_layer=False)
    _begin(model, averaged(tokenizer, crops, size["width"] - 1, seed))
    model.save_pretrained(backbone)
    tokenizer.save_pretrained(backbone)
    transformer = Transformer(str(backbone), max_seq_length=size["length"])
    projection = Dense(
        size["width"],
        size["dimensions"],
        bias=False,
        activation_function=Identity(),
        module_input_name="token_embeddings",
    )
    MultiVectorEncoder(
        modules=[transformer, projection, MultiVectorMask(), Normalize(module_input_name="token_embeddings")]
    ).save_pretrained(str(out / "checkpoint"), create_model_card=False)
