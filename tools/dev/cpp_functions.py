# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""C++ text -> its function bodies with their lengths, by braces alone.

Comments and literals are blanked first. A brace opens a function when what stands before it, since the last `;`,
`{` or `}`, ends like a parameter list; it opens a room to look into when it says namespace, class, struct or extern.
"""
import re
from collections import namedtuple

Function = namedtuple("Function", "name first_line lines")

LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'|'
    r'^[ \t]*#(?:\\\n|[^\n])*', re.S | re.M)
CONTAINER = re.compile(r"^(?:template\s*<.*>\s*)?(?:(?:inline|typedef|static|export)\s+)*"
                       r"(namespace|class|struct|union|enum|extern)\b", re.S)
BODY = re.compile(r"\)\s*(?:const|noexcept|override|final|mutable|try|&&?|->[^(){}]*|\s)*$", re.S)
NAME = re.compile(r"([~\w:]+|operator\s*[^\s\w(]+|operator\s*\(\))\s*\(")


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def closing(text, opening):
    """Index of the brace that closes the one at `opening`."""
    depth = 0
    for match in re.compile(r"[{}]").finditer(text, opening):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.start()
    return len(text) - 1


def name_of(head):
    match = NAME.search(head)
    return match[1] if match else "?"


def functions(source):
    text = LITERAL.sub(blank, source)
    found = []
    index = 0
    head_start = 0
    head_before_brace = ""
    while index < len(text):
        character = text[index]
        if character in ";}":
            head_start, head_before_brace = index + 1, ""
        elif character == "{":
            head = (head_before_brace + text[head_start:index]).strip()
            end = closing(text, index)
            if CONTAINER.match(head) and not BODY.search(head):
                head_start = index + 1
            elif BODY.search(head):
                indent = len(text[head_start:index]) - len(text[head_start:index].lstrip())
                first = text.count("\n", 0, head_start + indent)
                found.append(Function(name_of(head), first + 1, text.count("\n", 0, end) - first + 1))
                index, head_start, head_before_brace = end, end + 1, ""
            else:
                # An initializer, as in `x = {…}` or in a constructor's `: member{…} {`: the head goes on behind it.
                head_before_brace = head + ("()" if "(" in head and "=" not in head else "")
                index, head_start = end, end + 1
        index += 1
    return found
