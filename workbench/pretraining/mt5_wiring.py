"""An mT5 that begins by looking for equal tokens, small enough to be trained on the mini collection."""

import math
from pathlib import Path

from workbench.pretraining.initialise import EXTRA, mt5_tokenizer, xlmr_tokenizer


def mt5(vocabulary: Path, size: dict[str, int], encoder: Path, texts: list[str], out: Path) -> None:
    """An mT5 whose first layer already looks for equal tokens.

    From random weights mT5 needs far more text than the mini collection has to discover that equal tokens in query
    and passage matter. So it starts there: token content is the bi-encoder's; the first encoder layer's heads attend
    from a token to an equal or similar one elsewhere, or else to the `Query:` token, and flag which it was; the
    decoder reads the flags, weighted by inverse document frequency, as the difference between `yes` and `no`.
    All weights are then trained.

    Args:
        vocabulary: sentencepiece model.
        size: width, layers, heads, length.
        encoder: bi-encoder checkpoint on the same vocabulary.
        texts: passages, for document frequencies.
        out: folder.
    """
    import torch
    from safetensors.torch import load_file
    from transformers import MT5Config, MT5ForConditionalGeneration

    from workbench.systems.mt5 import answers

    tokenizer = mt5_tokenizer(vocabulary, size["length"])
    width, heads, head = size["width"], size["heads"], 64
    model = MT5ForConditionalGeneration(
        MT5Config(
            vocab_size=len(tokenizer),
            d_model=width,
            d_kv=head,
            d_ff=width * 2,
            num_layers=size["layers"],
            num_decoder_layers=1,
            num_heads=heads,
            dropout_rate=0.0,
            decoder_start_token_id=tokenizer.pad_token_id,
        )
    )
    # Dimensions of a token's embedding: content, flags (written by layer 1), idf, document, sink, constant.
    content, flag, asked = width - 32, width - 22, width - 6
    idf, document, sink, constant = width - 4, width - 3, width - 2, width - 1
    norm = math.sqrt(width - 4.0)
    match, threshold = 12.0, 9.0  # attention logits of an equal token, and of the sink
    theirs = load_file(encoder / "model.safetensors")["embeddings.word_embeddings.weight"].float()
    theirs = theirs - theirs.mean(0)
    axes = torch.linalg.svd(theirs, full_matrices=False)[2][:content]
    their_ids = xlmr_tokenizer(vocabulary, size["length"]).get_vocab()
    with torch.no_grad():
        e = model.shared.weight
        e.normal_()
        for piece, index in tokenizer.get_vocab().items():
            if piece in their_ids and index > 2:
                e[index, :content] = axes @ theirs[their_ids[piece]]
        e[:, content:] = 0
        e[:, :content] *= norm / e[:, :content].norm(dim=1, keepdim=True)
        e[:, constant] = 1
        frequency = torch.zeros(len(tokenizer))
        for row in tokenizer(texts)["input_ids"]:
            frequency[list(set(row))] += 1
        rarity = torch.log(len(texts) / (frequency + 0.5)).clip(min=0)
        e[:, idf] = 4 * rarity / rarity.max()
        e[:3, idf] = 0
        for piece in EXTRA:
            e[tokenizer.convert_tokens_to_ids(piece), idf] = 0
        query = tokenizer.convert_tokens_to_ids(EXTRA[0])
        e[query] = 0
        e[query, sink], e[query, constant] = norm, 1
        e[tokenizer.convert_tokens_to_ids(EXTRA[1]), document] = norm

        attention = model.encoder.block[0].layer[0].SelfAttention
        for weight, scale in ((attention.q, 0.1), (attention.k, 0.1), (attention.v, 0.3), (attention.o, 0.3)):
            weight.weight.mul_(scale)
        attention.relative_attention_bias.weight.mul_(0.1)
        attention.relative_attention_bias.weight[0] = -20  # a token does not match itself
        for h in range(heads - 1):
            first, last = h * head, h * head + head - 1
            view = torch.linalg.qr(torch.randn(content, content))[0][: head - 1]
            view *= math.sqrt(match / (norm**2 * (head - 1) / content))
            for projection in (attention.q, attention.k):
                projection.weight[first : last + 1] = 0
                projection.weight[first:last, :content] = view
            attention.q.weight[last, constant] = 3
            attention.k.weight[last, sink] = threshold / 3 / norm
            attention.v.weight[first] = 0
            attention.v.weight[first, constant], attention.v.weight[first, sink] = 1, -1 / norm
            attention.o.weight[:, first] = 0
            attention.o.weight[flag + h, first] = 1.5
        first = (heads - 1) * head
        attention.relative_attention_bias.weight[:, heads - 1] = -15
        attention.relative_attention_bias.weight[17:, heads - 1] = 0  # keys that come later
        for projection in (attention.q, attention.k, attention.v):
            projection.weight[first : first + head] *= 0.1
            projection.weight[first] = 0
        attention.q.weight[first, constant] = 3
        attention.k.weight[first, document] = 12 / 3 / norm
        attention.v.weight[first, document] = 1 / norm
        attention.o.weight[:, first] = 0
        attention.o.weight[asked, first] = 3
        for block in [*model.encoder.block, *model.decoder.block]:
            block.layer[-1].DenseReluDense.wo.weight.mul_(0.3)

        yes, no = answers(tokenizer)
        direction = (e[yes] - e[no]) / (e[yes] - e[no]).norm()
        reading = model.decoder.block[0].layer[1].EncDecAttention
        reading.q.weight.mul_(0.3)
        reading.k.weight.mul_(0.3)
        for h in range(heads):
            row = h * head
            for projection in (reading.q, reading.k, reading.v):
                projection.weight[row] = 0
            reading.q.weight[row, constant] = 1
            reading.k.weight[row, idf], reading.k.weight[row, asked] = 1, 3
            reading.v.weight[row, flag : flag + heads - 1] = 1
            reading.o.weight[:, row] = direction * 2
        e[tokenizer.pad_token_id] -= direction * 6  # where decoding starts: few equal tokens mean no
        model.decoder.final_layer_norm.weight.fill_(0.1)
    model.save_pretrained(out / "checkpoint")
    tokenizer.save_pretrained(out / "checkpoint")
