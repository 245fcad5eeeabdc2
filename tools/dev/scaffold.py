# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What new_pass, new_op and new_arch share: names in their spellings, new files, entries in files that are there."""
import os
import re
import sys

import tree

HEADER = f"// {tree.LICENSE_LINE}\n// {tree.SPDX_LINE}\n"


def words(name):
    """fuse-rope, fuse_rope and FuseRope -> ["fuse", "rope"]."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)
    if not parts or not re.fullmatch(r"[A-Za-z][\w-]*", name):
        sys.exit(f"'{name}' is not a name: use words such as fuse-rope")
    return [part.lower() for part in parts]


def camel(name):
    return "".join(word.capitalize() for word in words(name))


def kebab(name):
    return "-".join(words(name))


def snake(name):
    return "_".join(words(name))


class Scaffold:
    """Collects what is to be written, refuses to overwrite, then writes all or nothing."""

    def __init__(self, root):
        self.root = root
        self.contents = {}

    def text(self, path):
        if path not in self.contents:
            if not os.path.exists(os.path.join(self.root, path)):
                sys.exit(f"{path} is not there: is the name of the folder right?")
            self.contents[path] = tree.read(self.root, path)
        return self.contents[path]

    def create(self, path, text):
        if os.path.exists(os.path.join(self.root, path)):
            sys.exit(f"{path} is there already: choose another name")
        self.contents[path] = text

    def insert(self, path, text, before=None):
        """Adds text before the last line that matches `before`, or at the end."""
        old = self.text(path)
        matches = list(re.finditer(before, old, re.M)) if before else []
        at = matches[-1].start() if matches else len(old)
        self.contents[path] = old[:at] + text + old[at:]

    def insert_sorted(self, path, line, pattern):
        """Adds a line among the lines that match `pattern`, in their order."""
        old = self.text(path)
        matches = list(re.finditer(pattern, old, re.M))
        if not matches:
            sys.exit(f"{path} has no line like the one to add")
        after = next((match for match in matches if match[0] > line), None)
        at = after.start() if after else matches[-1].end() + 1
        self.contents[path] = old[:at] + line + "\n" + old[at:]

    def write(self):
        for path, text in self.contents.items():
            target = os.path.join(self.root, path)
            verb = "changed" if os.path.exists(target) else "wrote"
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "w", encoding="utf-8") as file:
                file.write(text)
            print(f"{verb} {path}")
