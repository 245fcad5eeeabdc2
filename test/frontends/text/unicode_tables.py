#!/usr/bin/env python3
# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes frontends/text/CharacterTables.inc: the character classes that the reference tokenizer really uses.

PyPI `tokenizers` is built from several libraries, each of another Unicode version (8.0 for categories, 9.0 for
normal forms, the newest for regular expressions). Identical ids need its classes, so this script asks the library
itself about every code point. Run: unicode_tables.py > frontends/text/CharacterTables.inc
"""
import base64
import ctypes
import ctypes.util
import json
import pathlib
import sys
import unicodedata  # of Python 3.11: Unicode 14, as in PCRE2 10.42

import unicodedata2
from tokenizers import Regex, normalizers, pre_tokenizers

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def ranges(predicate):
    """Closed ranges of the code points for which the predicate holds; surrogates join the ranges around them."""
    found = []
    for c in CODE_POINTS:
        if not predicate(chr(c)):
            continue
        if found and (found[-1][1] == c - 1 or (found[-1][1] == 0xD7FF and c == 0xE000)):
            found[-1][1] = c
        else:
            found.append([c, c])
    return found


def splits_off(pre_tokenizer):
    """True where the character between two letters becomes a piece of its own."""
    return lambda c: len(pre_tokenizer.pre_tokenize_str("a" + c + "a")) == 3


def removed(pre_tokenizer):
    return lambda c: not pre_tokenizer.pre_tokenize_str(c)


def matches(pattern):
    return removed(pre_tokenizers.Split(Regex(pattern), "removed"))


def vanishes(normalizer):
    return lambda c: normalizer.normalize_str("a" + c) == "a"


clean = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False)
strip = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
word = pre_tokenizers.Whitespace()

CLASSES = [
    ("Other", "Removed by clean_text: categories Cc, Cf and Co, without tab and line ends", vanishes(clean)),
    ("NonspacingMark", "Category Mn, removed with the accents of BertNormalizer", vanishes(strip)),
    ("CombiningMark", "Category M, removed by StripAccents", vanishes(normalizers.StripAccents())),
    ("Punctuation", "ASCII punctuation and category P",
     splits_off(pre_tokenizers.Punctuation(behavior="isolated"))),
    ("Numeric", "Categories Nd, Nl and No", splits_off(pre_tokenizers.Digits(individual_digits=True))),
    ("Letter", "\\\\p{L} of patterns", matches(r"\p{L}")),
    ("Number", "\\\\p{N} of patterns", matches(r"\p{N}")),
    ("Word", "\\\\w of patterns", lambda c: len(word.pre_tokenize_str("a" + c)) == 1 and
     word.pre_tokenize_str("a" + c)[0][0] == "a" + c),
]


def newer_than_pcre2(pattern):
    is_match = matches(pattern)
    return lambda c: unicodedata.category(c) == "Cn" and is_match(c)


NEWCOMERS = [
    ("NewLetter", r"\p{L}"), ("NewNumber", r"\p{N}"), ("NewDigit", r"\d"), ("NewWord", r"\w"),
]


def normalizer_newcomers():
    """Characters with a decomposition or a combining class that the reference's Unicode 9.0 tables lack."""
    nfkd, nfd = normalizers.NFKD(), normalizers.NFD()

    def differs(c):
        if unicodedata2.normalize("NFKD", c) != nfkd.normalize_str(c):
            return True
        # A class below 240 moves before U+0345 (240); one above 1 lets U+0334 (1) pass.
        return any(unicodedata2.normalize("NFD", s) != nfd.normalize_str(s) for s in ("\u0345" + c, c + "\u0334"))

    return differs


def utf8proc():
    library = ctypes.CDLL(ctypes.util.find_library("utf8proc"))
    library.utf8proc_tolower.restype = ctypes.c_int32
    library.utf8proc_grapheme_break.restype = ctypes.c_bool
    return library


def extends_grapheme():
    """Characters that go on a grapheme in the reference but begin one in utf8proc.

    After fullwidth A (3 bytes) and a mark (2 bytes) such a character makes the grapheme too long to be replaced as one,
    which would drop the mark.
    """
    fixture = pathlib.Path(__file__).parent / "fixtures" / "xlm-roberta.json"
    value = json.loads(fixture.read_text(encoding="utf-8"))["normalizer"]["precompiled_charsmap"]
    normalizer, library = normalizers.Precompiled(base64.b64decode(value)), utf8proc()

    def is_extension(c):
        if ord(c) < 0x300 or not library.utf8proc_grapheme_break(0x41, ord(c)):
            return False
        return normalizer.normalize_str("\uff21\u0300" + c) == "A\u0300" + normalizer.normalize_str(c)

    return is_extension


def lowercase_exceptions():
    library = utf8proc()
    lower = normalizers.Lowercase()
    for c in CODE_POINTS:
        mapped = lower.normalize_str(chr(c))
        if mapped != chr(library.utf8proc_tolower(c)):
            assert len(mapped) == 1 or c == 0x130, hex(c)
            if c != 0x130:  # two characters: in the code
                yield c, ord(mapped)


def show(name, comment, found):
    print(f"/// {comment}.\nstatic constexpr CodePointRange k{name}[] = {{")
    line = "   "
    for first, last in found:
        item = f" {{0x{first:X}, 0x{last:X}}},"
        if len(line) + len(item) > 120:
            print(line)
            line = "   "
        line += item
    print(line + "\n};\n")


def main():
    assert unicodedata.unidata_version == "14.0.0", "run with Python 3.11"
    print("""// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Written by test/frontends/text/unicode_tables.py; do not edit. Closed ranges, ascending.
// clang-format off
""")
    for name, comment, predicate in CLASSES:
        show(name, comment, ranges(predicate))
        print(name, file=sys.stderr)
    for name, pattern in NEWCOMERS:
        show(name, f"{pattern} of patterns, where PCRE2 10.42 knows no character", ranges(newer_than_pcre2(pattern)))
    show("NewToNormalForms", "Decompose or reorder in later Unicode versions than that of the normal forms",
         ranges(normalizer_newcomers()))
    show("NewExtension", "Go on a grapheme, which utf8proc 2.8 does not know yet", ranges(extends_grapheme()))
    show("Lowercase", "Lower case that utf8proc 2.8 does not know yet, as pairs {from, to}", lowercase_exceptions())
    print("// clang-format on")


main()
