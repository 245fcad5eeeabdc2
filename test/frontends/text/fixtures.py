# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tokenizers as the encoder families have them, small, trained on sentences.txt: name -> tokenizer.json as a dict."""
import base64
import io
import json
import os
import tempfile

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from strings import SENTENCES

os.environ["TOKENIZERS_PARALLELISM"] = "false"
CORPUS = SENTENCES + [s.lower() for s in SENTENCES] + [s.upper() for s in SENTENCES[:20]]


def as_dict(tokenizer):
    return json.loads(tokenizer.to_str())


def protobuf_fields(data):
    """(number, value) of each field of a protocol buffer; enough to reach the character map."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        kind = key & 7
        if kind == 0:
            yield key >> 3, varint()
            continue
        size = varint() if kind == 2 else {1: 8, 5: 4}[kind]
        yield key >> 3, data[at : at + size]
        at += size


def character_map(rule=None, table=None):
    """The precompiled character map of one of SentencePiece's rules, or of a table of replacements."""
    options = {"normalization_rule_name": rule}
    if table:
        with tempfile.NamedTemporaryFile("w", suffix=".tsv", delete=False, encoding="utf-8") as file:
            for source, target in table:
                hexes = [" ".join(f"{ord(c):X}" for c in text) for text in (source, target)]
                file.write("\t".join(hexes) + "\n")
        options = {"normalization_rule_tsv": file.name}
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a compiler turns a program", "into another program"] * 50), model_writer=model,
        vocab_size=30, hard_vocab_limit=False, num_threads=1, minloglevel=2, **options)
    spec = next(value for number, value in protobuf_fields(model.getvalue()) if number == 3)
    return next(value for number, value in protobuf_fields(spec) if number == 2)


SMALL_TABLE = [("ﬁ", "fi"), ("ﬂ", "fl"), ("…", "..."), ("\u00a0", " "), ("\t", " "), ("\n", " "), ("½", " 1/2"), ("Ａ", "A"),
               ("e\u0301", "é"), ("a\u0308", "ä"), ("㎏", "kg"), ("“", '"'), ("”", '"'), ("\u200b", ""), ("ª", "a"), ("가", "ga")]


def bert_cased():
    """As multilingual cased BERT: trained WordPiece, accents and case kept."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=60))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=1500, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_tokens([AddedToken("newtoken", single_word=True), AddedToken("new word", lstrip=True, rstrip=True), "Ünïcödé"])
    tokenizer.enable_truncation(24, strategy="longest_first")
    tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")
    return as_dict(tokenizer)


def byte_level(vocab_size, special_tokens, prefix_space=False, normalizer=None, **model):
    tokenizer = Tokenizer(models.BPE(**model))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=special_tokens, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def roberta():
    tokenizer = byte_level(1200, [], prefix_space=False)
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", AddedToken("<mask>", lstrip=True)])
    ids = {name: tokenizer.token_to_id(name) for name in ("<s>", "</s>")}
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", ids["</s>"]), ("<s>", ids["<s>"]), trim_offsets=True, add_prefix_space=False)
    value = as_dict(tokenizer)
    value["model"]["merges"] = [" ".join(pair) for pair in value["model"]["merges"]]  # as old files have them
    return value


def gpt2():
    tokenizer = byte_level(900, ["<|endoftext|>"], prefix_space=True)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    return as_dict(tokenizer)


def modernbert():
    tokenizer = byte_level(1100, ["[UNK]", "[CLS]", "[SEP]", "[PAD]", AddedToken("[MASK]", lstrip=True)], normalizer=normalizers.NFC())
    tokenizer.add_tokens([AddedToken("|||IP|||", normalized=True)] + [AddedToken(" " * n, normalized=True) for n in range(2, 9)])
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", cls), ("[SEP]", sep)])
    return as_dict(tokenizer)


def pattern_bpe():
    """Byte-level BPE behind an expression of its own and single digits, as newer models have it."""
    tokenizer = byte_level(1000, ["<|endoftext|>"], ignore_merges=True)
    pattern = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<|endoftext|> $A", pair="<|endoftext|> $A <|endoftext|>:1 $B:1", special_tokens=[("<|endoftext|>", 0)])])
    return as_dict(tokenizer)


def unigram(normalizer, pre_tokenizer, special_tokens, vocab_size, unk="<unk>"):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    trainer = trainers.UnigramTrainer(vocab_size=vocab_size, special_tokens=special_tokens, unk_token=unk, show_progress=False, seed_size=20000)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def template(tokenizer, single, pair, names):
    tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=[(name, tokenizer.token_to_id(name)) for name in names])
    return as_dict(tokenizer)


def xlm_roberta():
    metaspace = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer = unigram(normalizers.Precompiled(character_map("nmt_nfkc")), metaspace, ["<s>", "<pad>", "</s>", "<unk>"], 1100)
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    tokenizer.decoder = decoders.Metaspace()
    return template(tokenizer, "<s> $A </s>", "<s> $A </s> </s> $B </s>", ["<s>", "</s>"])


def camembert():
    normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " "), normalizers.Precompiled(character_map(table=SMALL_TABLE))])
    tokenizer = unigram(normalizer, pre_tokenizers.Metaspace(prepend_scheme="first"), ["<s>", "<pad>", "</s>", "<unk>", "<mask>"], 700)
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    value = template(tokenizer, "<s> $A </s>", "<s> $A </s> </s> $B </s>", ["<s>", "</s>"])
    value["added_tokens"][3]["normalized"] = True
    return value


def albert():
    steps = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(),
             normalizers.Precompiled(character_map(table=SMALL_TABLE)), normalizers.Replace(Regex(" {2,}"), " ")]
    tokenizer = unigram(normalizers.Sequence(steps), pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]), ["<pad>", "<unk>", "[CLS]", "[SEP]"], 800)
    tokenizer.add_special_tokens([AddedToken("[MASK]", lstrip=True)])
    tokenizer.decoder = decoders.Metaspace()
    return template(tokenizer, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", ["[CLS]", "[SEP]"])


def byte_fallback_unigram():
    """Unigram that spells what it does not know in bytes; the whole text is one piece."""
    tokenizer = unigram(normalizers.NFKC(), pre_tokenizers.Metaspace(split=False), ["<pad>", "</s>", "<unk>"], 1000)
    value = as_dict(tokenizer)
    value["model"]["vocab"] += [[f"<0x{byte:02X}>", -20.0] for byte in range(256)]
    value["model"]["byte_fallback"] = True
    value["decoder"] = json.loads(decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]).__getstate__())
    return value


def byte_fallback_bpe():
    """BPE over characters with blanks as ▁ and bytes for the unknown, without a pre-tokenizer."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    trainer = trainers.BpeTrainer(vocab_size=700, special_tokens=["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)], show_progress=False, limit_alphabet=120)
    words = pre_tokenizers.Metaspace()
    tokenizer.train_from_iterator([piece for text in CORPUS for piece, _ in words.pre_tokenize_str(text)], trainer)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    return template(tokenizer, "<s> $A", "<s> $A <s>:1 $B:1", ["<s>"])


def word_end_bpe():
    """BPE with an end-of-word suffix and unknown characters, as CLIP and GPT-1 have it."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase(), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation("contiguous")])
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=["<unk>"], end_of_word_suffix="</w>", show_progress=False, limit_alphabet=90)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.decoder = decoders.BPEDecoder("</w>")
    return as_dict(tokenizer)


def prefix_bpe():
    """BPE with a prefix on what goes on, and unknown runs fused."""
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]", continuing_subword_prefix="##", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["[UNK]"], continuing_subword_prefix="##", show_progress=False, limit_alphabet=60)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return as_dict(tokenizer)


def word_level():
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordLevelTrainer(vocab_size=600, special_tokens=["[PAD]", "[UNK]"], show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.enable_padding(direction="left", pad_to_multiple_of=4)
    tokenizer.enable_truncation(10, direction="left")
    return as_dict(tokenizer)


ALL = {
    "bert-cased": bert_cased, "roberta": roberta, "gpt2": gpt2, "modernbert": modernbert, "pattern-bpe": pattern_bpe, "xlm-roberta": xlm_roberta,
    "camembert": camembert, "albert": albert, "byte-fallback-unigram": byte_fallback_unigram, "byte-fallback-bpe": byte_fallback_bpe,
    "word-end-bpe": word_end_bpe, "prefix-bpe": prefix_bpe, "word-level": word_level,
}
