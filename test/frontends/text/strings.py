# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The strings that every tokenizer fixture is tested on: byte strings, some of them broken UTF-8.

All come from sentences.txt, the lists below and one seed.
"""
import pathlib
import random
import unicodedata2

HERE = pathlib.Path(__file__).parent
SENTENCES = (HERE / "sentences.txt").read_text(encoding="utf-8").splitlines()

# First and last code point of blocks of every kind of script, old, new and not yet in use.
BLOCKS = [
    (0x20, 0x7E), (0xA0, 0xFF), (0x100, 0x24F), (0x250, 0x2AF), (0x2B0, 0x2FF), (0x300, 0x36F), (0x370, 0x3FF),
    (0x400, 0x52F), (0x530, 0x58F), (0x590, 0x5FF), (0x600, 0x6FF), (0x700, 0x74F), (0x780, 0x7BF), (0x7C0, 0x7FF),
    (0x840, 0x85F), (0x8A0, 0x8FF), (0x900, 0x97F), (0x980, 0x9FF), (0xA00, 0xA7F), (0xA80, 0xAFF), (0xB00, 0xB7F),
    (0xB80, 0xBFF), (0xC00, 0xC7F), (0xC80, 0xCFF), (0xD00, 0xD7F), (0xD80, 0xDFF), (0xE00, 0xE7F), (0xE80, 0xEFF),
    (0xF00, 0xFFF), (0x1000, 0x109F), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1200, 0x137F), (0x13A0, 0x13FF),
    (0x1400, 0x167F), (0x1680, 0x169F), (0x16A0, 0x16FF), (0x1700, 0x177F), (0x1780, 0x17FF), (0x1800, 0x18AF),
    (0x1900, 0x19FF), (0x1A00, 0x1AFF), (0x1B00, 0x1BFF), (0x1C00, 0x1CFF), (0x1D00, 0x1DFF), (0x1E00, 0x1EFF),
    (0x1F00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x20CF), (0x20D0, 0x20FF), (0x2100, 0x218F), (0x2190, 0x23FF),
    (0x2400, 0x24FF), (0x2500, 0x27BF), (0x2800, 0x28FF), (0x2C00, 0x2DFF), (0x2E00, 0x2E7F), (0x2E80, 0x2FDF),
    (0x3000, 0x303F), (0x3040, 0x30FF), (0x3100, 0x31BF), (0x3200, 0x33FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xA000, 0xA4CF), (0xA4D0, 0xA6FF), (0xA700, 0xA7FF), (0xA800, 0xABFF), (0xAC00, 0xD7A3), (0xD7B0, 0xD7FF),
    (0xE000, 0xF8FF), (0xF900, 0xFAFF), (0xFB00, 0xFB4F), (0xFB50, 0xFDFF), (0xFE00, 0xFE6F), (0xFE70, 0xFEFF),
    (0xFF00, 0xFFEF), (0xFFF0, 0xFFFD), (0x10000, 0x102FF), (0x10300, 0x105FF), (0x10780, 0x10AFF),
    (0x10D00, 0x10FFF), (0x11000, 0x112FF), (0x11300, 0x115FF), (0x11600, 0x119FF), (0x11A00, 0x11DFF),
    (0x11F00, 0x11FFF), (0x12000, 0x123FF), (0x13000, 0x143FF), (0x16100, 0x16FFF), (0x17000, 0x18CFF),
    (0x1B000, 0x1B2FF), (0x1BC00, 0x1BCAF), (0x1CC00, 0x1CFFF), (0x1D000, 0x1D24F), (0x1D400, 0x1D7FF),
    (0x1DF00, 0x1E8FF), (0x1E900, 0x1EEFF), (0x1F000, 0x1F2FF), (0x1F300, 0x1FAFF), (0x1FB00, 0x1FBFF),
    (0x20000, 0x2A6DF), (0x2A700, 0x2B81F), (0x2B820, 0x2EBFF), (0x2F800, 0x2FA1F), (0x30000, 0x323AF),
    (0xE0000, 0xE01EF), (0xF0000, 0xF00FF), (0x10FF00, 0x10FFFF),
]

HAND_PICKED = [
    "", " ", "  ", "\t", "\n", "\r\n", "\0", "a", "A", "1", ".", "hello", "Hello", "HELLO", "hello world",
    " hello", "hello ", "  hello  world  ", "hello\nworld", "hello\r\nworld\r\n", "hello\tworld", "a b c d e f",
    "don't can't won't it's I'm we're they've he'll she'd o'clock", "DON'T IT'S", "'s 't 're ' '' '''", "a'b'c",
    "don’t it’s", "ſ ſt 'ſ", "x=1,y=2;z=[3,4]", "3.14159 1,000,000 1e-9 0x1F 50% $9.99 €5 £3 ¥100 ₿1", "²³¹ ½ ¾ ⅷ Ⅻ ①⑳",
    "𝟘𝟙𝟚 𝔸𝔹ℂ 𝓗𝓮𝓵𝓵𝓸 𝕳𝖊𝖑𝖑𝖔", "ｆｕｌｌｗｉｄｔｈ ＡＢＣ １２３ ！？", "ﬁ ﬂ ﬀ ﬃ ﬄ ﬅ ﬆ", "Å Å Å", "é é è ê ë", "naïve façade coöperate résumé",
    "İstanbul ISPARTA ıspanak İ", "Straße STRASSE ẞ ß", "ΣΊΣΥΦΟΣ ὈΔΥΣΣΕΎΣ ς σ", "Ǆ ǅ ǆ", "ŉ ǰ ΐ ΰ և ẖ ẗ ẘ ẙ ẚ",
    "你好,世界!", "東京都", "㍿ ㌔ ㋿ ㍻", "ｶﾞｷﾞｸﾞ ガギグ ガギグ", "한국어 한국어 ᄒ ᅡ ᆫ 각", "각 각ᆨ 각 각ᆨ",
    "ภาษาไทย กำลัง", "ลาว ກຳ", "नमस्ते क्षत्रिय ज्ञ", "বাংলা ক্ত", "தமிழ் கொ", "മലയാളം ൺ ന്‍", " සිංහල ශ්‍රී", "ဗမာ မြန်မာ",
    "ខ្មែរ", "བོད་སྐད།", "ᠮᠣᠩᠭᠣᠯ ᠪᠢ᠎ᠡ", "שָׁלוֹם עֲלֵיכֶם", "السَّلَامُ عَلَيْكُمْ", "ﷺ ﷲ ﻼ", "‫right‬ ‪left‬ ⁧iso⁩ \u200f\u200e", "܀ ܐܒܓ",
    "😀", "😀😃😄", "👍🏽 👩‍💻 👨‍👩‍👧‍👦 🏳️‍🌈 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🇫🇷🇩🇪🇯🇵🇫", "1️⃣ #️⃣ *️⃣", "☎ ☎️ ☎︎ ❤️‍🔥", "🫠🫶🏿🪿🫨🫩", "©️ ™️ ®", "a\u0300b\u0301c\u0302", "a\u0301\u0300\u0323",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘", "\u0300", "\u0344\u0345\u1d165", "\u0958\u2126\u212b\ufb1d", "\u1e9b\u0323", "\uff21\u0300", "ª\u0301º", "²\ufe0f",
    "zero\u200bwidth\u200cnon\u200djoin\u2060er\ufeff", "soft\u00adhyphen", "no\u00a0break\u202fspace\u2007x\u3000y", "line\u2028para\u2029x\u0085y\u000by\u000cz",
    "\u180e\u1680", "\x01\x02\x1f\x7f\x80\x9f", "a\x00b\x00c", "\ufffd", "a\ufffdb", "\ufdd0\uffff\U0010ffff", "\ue000\uf8ff\U000f0000",
    "[CLS]", "[SEP] [PAD] [UNK] [MASK]", "The [MASK] sat.", "the[MASK]sat", "[mask] [Mask]", "[ MASK ]", "##ing ##s", "<s> </s> <pad> <unk> <mask>", "The <mask> sat.",
    "The<mask>sat", "  <mask>  ", "<mask><mask>", "a </s></s> b", "<|endoftext|>", "|||EMAIL_ADDRESS|||", "▁", "▁hello▁world", "a ▁ b", "Ġhello Ċ ĉ", "<0x41><0x0A>",
    "newtoken NEWTOKEN newtokens xnewtoken newtoken.", "new word here", "Ünïcödé", "ünïcödé ÜNÏCÖDÉ", "``quoted'' text", "http://user:pw@example.org:80/path/?q=1&r=2#frag",
    "foo_bar fooBar FooBarBaz foo-bar foo.bar foo/bar foo\\bar", "__init__(self, *args, **kwargs) -> None: ...", "\tif x:\n\t\treturn  x\n\n\n\n    y", " ", "                                ",
    "a" * 99, "a" * 100, "a" * 101, "ab" * 200, "é" * 100, "é" * 101, "漢" * 300, "😀" * 60, "x" * 1500, "1" * 400, "." * 400, " " * 300, "\u0301" * 200, "a \u0301" * 30, "antidisestablishmentarianism " * 10,
    "Donaudampfschifffahrtsgesellschaftskapitän", "pneumonoultramicroscopicsilicovolcanoconiosis", "Lopadotemachoselachogaleokranioleipsano", "aAbBcCdDeEfF" * 12, "unaffable", "embeddings",
]

BROKEN = [
    b"\xff", b"\xfe\xff", b"\x80", b"abc\x80def", b"\xc3", b"\xc3(", b"caf\xe9", b"\xe4\xbd", b"\xe4\xbd\xa0\xe5", b"\xf0\x9f\x98", b"\xf0\x9f\x98\x80\xf0\x9f",
    b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xed\xa0\x80", b"\xed\xb0\x80\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"a\xf1\x80\x80\xe1\x80\xc2b\x80c\x80\xbfd",
    b"[MASK]\xff", b"\xff<mask>", b" \xff ", b"\xef\xbb\xbfbom", b"\xff\xfeh\x00i\x00",
]

SPECIALS = ["[MASK]", "[SEP]", "<mask>", "</s>", "<s>", "<pad>", "<unk>", "<|endoftext|>", "newtoken", "NewToken", "|||IP|||", "    ", "ünïcödé"]
CONTROLS = [chr(c) for c in (*range(0x20), 0x7F, 0x85, 0xA0, 0xAD, 0x61C, 0x180E, *range(0x2000, 0x2010), *range(0x2028, 0x2030), *range(0x205F, 0x2070), 0x3000, 0xFEFF, 0xFFF9, 0xFFFD, 0xE0001, 0xE0020)]
MARKS = [chr(c) for c in range(0x300, 0x20000) if unicodedata2.category(chr(c)) in ("Mn", "Mc", "Me")]
COMPOSED = [chr(c) for c in range(0xA0, 0x30000) if unicodedata2.decomposition(chr(c))]
PEOPLE = ["👩", "👨", "🧑", "👧", "👦", "👍", "🙏", "💪"]
EMOJI = [chr(c) for c in (*range(0x1F300, 0x1F650), *range(0x1F680, 0x1F700), *range(0x1F900, 0x1FAFF), *range(0x2600, 0x27C0))]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def some(self, low, high, make):
        return "".join(make() for _ in range(self.random.randint(low, high)))

    def character(self, block=None):
        first, last = block or self.random.choice(BLOCKS)
        return chr(self.random.randint(first, last))

    def words(self):
        words = self.random.choice(SENTENCES).split(" ")
        start = self.random.randrange(len(words))
        text = " ".join(words[start : start + self.random.randint(1, 6)])
        return self.random.choice([str, str, str, str.upper, str.lower, str.title, str.swapcase])(text)

    def mixed(self):
        return self.random.choice([" ", " ", ", ", "", "-", "\n", ". "]).join([self.words(), self.words()])

    def script(self):
        block = self.random.choice(BLOCKS)
        return self.some(1, 12, lambda: self.random.choice([self.character(block)] * 5 + [" ", "a", "."]))

    def emoji(self):
        r = self.random
        kinds = [
            lambda: r.choice(EMOJI), lambda: r.choice(EMOJI) + "\ufe0f", lambda: r.choice(PEOPLE) + chr(r.randint(0x1F3FB, 0x1F3FF)),
            lambda: "\u200d".join(r.choice(PEOPLE) for _ in range(r.randint(2, 4))), lambda: "".join(chr(r.randint(0x1F1E6, 0x1F1FF)) for _ in range(r.randint(1, 5))),
            lambda: r.choice("0123456789#*") + "\ufe0f\u20e3", lambda: " ", lambda: "ok",
        ]
        return self.some(1, 6, lambda: r.choice(kinds)())

    def marked(self):
        return self.some(1, 6, lambda: self.random.choice([self.character((0x61, 0x7A)), self.character(), self.random.choice(COMPOSED)]) + self.some(0, 3, lambda: self.random.choice(MARKS)))

    def formed(self):
        return unicodedata2.normalize(self.random.choice(["NFC", "NFD", "NFKC", "NFKD"]), self.words())

    def controls(self):
        return self.some(1, 8, lambda: self.random.choice([self.random.choice(CONTROLS), self.random.choice(CONTROLS), "a", "b c"]))

    def jamo(self):
        r = self.random
        return self.some(1, 5, lambda: chr(r.randint(0x1100, 0x1112)) + chr(r.randint(0x1161, 0x1175)) + r.choice(["", chr(r.randint(0x11A7, 0x11C3)), "ᆨ", "가", chr(r.randint(0x3131, 0x318E))]))

    def spaced(self):
        return self.some(1, 6, lambda: self.random.choice([" ", "  ", "    ", "\t", "\n", "\n\n", "\r\n", "\u00a0", "\u3000", "x", "word", "1", "."]))

    def special(self):
        return self.some(1, 5, lambda: self.random.choice([self.random.choice(SPECIALS), self.random.choice(SPECIALS), " ", "a", self.words()[:12]]))

    def numbers(self):
        return self.some(1, 6, lambda: self.random.choice([str(self.random.randint(0, 99999)), ".", ",", " ", "-", "%", "e", "x", "٣", "३", "²", "½"]))

    def anything(self):
        return self.some(1, 8, lambda: chr(self.random.choice([self.random.randint(0, 0xD7FF), self.random.randint(0xE000, 0x10FFFF)])))

    def long(self):
        unit = self.random.choice([self.words().replace(" ", ""), self.character(), self.script()]) or "z"
        return (unit * 80)[: self.random.randint(80, 160)]

    def broken(self):
        data = bytearray(self.random.choice([self.mixed, self.emoji, self.script, self.special])().encode("utf-8"))
        for _ in range(self.random.randint(1, 3)):
            at = self.random.randrange(len(data) + 1)
            kind = self.random.randrange(3)
            if kind == 0:
                data[at : at + 1] = b""
            elif kind == 1:
                data[at:at] = bytes([self.random.randint(0x80, 0xFF)])
            else:
                data[at : at + 1] = bytes([self.random.randint(0, 0xFF)])
        return bytes(data)


def all_strings():
    maker = Maker(20240711)
    plan = [
        (maker.mixed, 2200), (maker.script, 2700), (maker.emoji, 500), (maker.marked, 800), (maker.formed, 600), (maker.controls, 500),
        (maker.jamo, 300), (maker.spaced, 500), (maker.special, 700), (maker.numbers, 300), (maker.anything, 700), (maker.long, 60), (maker.broken, 1000),
    ]
    texts = [text.encode("utf-8") for text in HAND_PICKED + SENTENCES] + BROKEN
    for make, count in plan:
        for _ in range(count):
            text = make()
            texts.append(text if isinstance(text, bytes) else text.encode("utf-8"))
    return texts
