# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""MiniLM against float64 over padded batches, for every code variant; and whether threads, neighbours in the batch and
padding leave every bit as it is. Run by benchmarks/accuracy."""

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import checks, command, model
from .peers import Setting
from .peers import weft as weft_peer
from .weft_runtime import INCOMPATIBLE, Session, WeftError

VARIANTS = ["v4", "v3", "portable"]
THREADS = [1, 2]
OUTPUTS = ["last_hidden_state", "sentence_embedding"]
BOUND = 1e-5  # relative RMS against float64

# Rows and longest row; the padded length is that or, in every second case of one row, more.
FULL = [(1, n) for n in (1, 2, 3, 7, 15, 16, 17, 31, 64, 127, 129, 255, 384, 511, 512)]
FULL += [(2, 2), (2, 33), (2, 512), (5, 5), (5, 100), (5, 384), (8, 16), (8, 257), (8, 512)]
FULL += [(32, 24), (32, 128), (32, 512)]
QUICK = [(1, 1), (1, 2), (1, 17), (1, 64), (1, 512), (2, 33), (2, 200), (5, 50), (8, 64), (32, 96)]
ROWS_ALONE = {True: 3, False: 8}  # of each batch, by quick

SENTENCES = [
    "The loom keeps the warp taut while the weft passes over and under.",
    "How many threads does a bolt of linen hold?",
    "Compilers turn a description of what is wanted into a plan for getting it.",
    "2 + 2 = 4, and 0.1 + 0.2 is nearly 0.3.",
    "Der Schuss läuft quer zur Kette durch das ganze Gewebe.",
    "La trame traverse la chaîne d'un bord à l'autre.",
    "横糸は縦糸の間を通ります。",
    "Уток проходит между нитями основы.",
    "Shuttle!",
    "",
]
PARAGRAPH = " ".join(SENTENCES[:4])


@dataclass(frozen=True)
class Case:
    name: str
    feed: dict[str, np.ndarray]

    @property
    def lengths(self) -> np.ndarray:
        return self.feed["attention_mask"].sum(axis=1)


def padded(rows: list[list[int]], width: int, pad: int) -> dict[str, np.ndarray]:
    ids = np.full((len(rows), width), pad, np.int64)
    mask = np.zeros_like(ids)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}


def random_case(rows: int, longest: int, index: int, cfg: dict) -> Case:
    """Token ids from the whole vocabulary; lengths from 1 to `longest`, both of which occur where there is room."""
    draw = np.random.default_rng([rows, longest])
    lengths = draw.integers(1, longest + 1, rows)
    lengths[-1] = 1
    lengths[0] = longest
    more = int(draw.integers(1, 40)) if rows == 1 and index % 2 else 0
    width = min(longest + more, cfg["max_position_embeddings"])
    ids = [draw.integers(0, cfg["vocab_size"], length).tolist() for length in lengths]
    return Case(f"random ids, {rows} x {longest}" + (f" in {width}" if width > longest else ""),
                padded(ids, width, cfg["pad_token_id"]))


def sentence_cases(folder: Path, cfg: dict) -> list[Case]:
    """Real text through the model's tokenizer: a batch of sentences, and a paragraph that reaches the longest input."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(cfg["max_position_embeddings"])

    def case(name: str, texts: list[str]) -> Case:
        rows = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
        return Case(name, padded(rows, max(len(row) for row in rows), cfg["pad_token_id"]))

    long = [PARAGRAPH * 2, PARAGRAPH * 20]
    return [case(f"sentences, {len(SENTENCES)} rows", SENTENCES), case("paragraphs, 2 rows", long)]


@dataclass
class Subject:
    """A code variant, and what was found for it."""

    variant: str
    sessions: dict[int, Session]  # by threads
    hidden: int
    errors: dict[str, float] = field(default_factory=lambda: dict.fromkeys(OUTPUTS, 0.0))
    worst_row: dict[str, float] = field(default_factory=lambda: dict.fromkeys(OUTPUTS, 0.0))
    worst_case: dict[str, str] = field(default_factory=dict)
    threads: list[int] = field(default_factory=lambda: [0, 0])  # differing, compared
    mixes: list[int] = field(default_factory=lambda: [0, 0])

    def run(self, feed: dict[str, np.ndarray], threads: int = 1) -> dict[str, np.ndarray]:
        shape = feed["input_ids"].shape
        outputs = {
            "last_hidden_state": np.full((*shape, self.hidden), np.nan, np.float32),
            "sentence_embedding": np.full((shape[0], self.hidden), np.nan, np.float32),
        }
        self.sessions[threads].bind(feed, outputs)()
        return outputs


def subjects(where: Setting, cfg: dict) -> list[Subject]:
    library, artifact = weft_peer.runtime(where), weft_peer.artifact(where)
    made = []
    for variant in VARIANTS:
        try:
            sessions = {threads: Session(library, artifact, threads, variant) for threads in THREADS}
        except WeftError as error:
            if error.status != INCOMPATIBLE:
                raise SystemExit(str(error)) from error
            print(f"{variant} is left out: this processor lacks it", file=sys.stderr)
            continue
        made.append(Subject(variant, sessions, cfg["hidden_size"]))
    return made


def larger(one: float, other: float) -> float:
    """The larger; NaN if one is NaN, which max() may drop."""
    return float(np.maximum(one, other))


def compare(subject: Subject, case: Case, outputs: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    mask = case.feed["attention_mask"]
    masks = {"last_hidden_state": mask, "sentence_embedding": np.ones(len(mask), np.int64)}
    for name, array in outputs.items():
        error = model.relative_rms(array, expected[name], masks[name])
        if not error <= subject.errors[name]:
            subject.worst_case[name] = case.name
        subject.errors[name] = larger(subject.errors[name], error)
        for row in range(len(mask)):
            alone = slice(row, row + 1)
            row_error = model.relative_rms(array[alone], expected[name][alone], masks[name][alone])
            subject.worst_row[name] = larger(subject.worst_row[name], row_error)


def count(tally: list[int], same: bool) -> None:
    tally[0] += not same
    tally[1] += 1


def same_row(one: dict, row: int, other: dict, other_row: int, length: int) -> bool:
    """Whether a row's real tokens and its embedding have the same bits."""
    hidden = [run["last_hidden_state"][at, :length].tobytes() for run, at in ((one, row), (other, other_row))]
    embedding = [run["sentence_embedding"][at].tobytes() for run, at in ((one, row), (other, other_row))]
    return hidden[0] == hidden[1] and embedding[0] == embedding[1]


def compare_bits(subject: Subject, case: Case, outputs: dict[str, np.ndarray], most_rows: int, longest: int) -> None:
    rows, width = case.feed["input_ids"].shape
    lengths = case.lengths
    for threads in THREADS[1:]:
        other = subject.run(case.feed, threads)
        count(subject.threads, all(outputs[name].tobytes() == other[name].tobytes() for name in OUTPUTS))
    # Each row alone, without padding.
    for row in sorted({*range(min(rows, most_rows - 1)), rows - 1}):
        alone = {name: np.ascontiguousarray(array[row : row + 1, : lengths[row]]) for name, array in case.feed.items()}
        count(subject.mixes, same_row(outputs, row, subject.run(alone), 0, lengths[row]))
    # The rows in another order, with more padding.
    more = ((0, 0), (0, min(5, longest - width)))
    other = subject.run({name: np.pad(array[::-1], more) for name, array in case.feed.items()})
    for row in range(rows):
        count(subject.mixes, same_row(outputs, row, other, rows - 1 - row, lengths[row]))


def table(made: list[Subject]) -> str:
    rows = [["", "output", "rel. RMS", "worst row", "worst case"]]
    for subject in made:
        for name in OUTPUTS:
            numbers = [f"{subject.errors[name]:.2e}", f"{subject.worst_row[name]:.2e}"]
            rows.append([subject.variant, name, *numbers, subject.worst_case.get(name, "none")])
    return checks.aligned(rows)


def results(made: list[Subject]) -> list[checks.Check]:
    found = []
    for subject in made:
        for name in OUTPUTS:
            what = f"{subject.variant}: relative RMS of {name}"
            found.append(checks.at_most(what, subject.errors[name], BOUND, form=".1e"))
        found.append(checks.none_of(f"{subject.variant}: same bits for 1 and 2 threads", *subject.threads))
        found.append(checks.none_of(f"{subject.variant}: same bits for any batch mix and padding", *subject.mixes))
    return found


def main() -> int:
    description = "Compares the real MiniLM with float64 PyTorch on padded batches, and its bits with its own."
    args = command.check_parser("accuracy", description).parse_args()
    where = command.setting(args)
    cfg = model.config(where.model)
    longest = cfg["max_position_embeddings"]
    made = subjects(where, cfg)
    reference = model.Reference(where.model)
    cases = [random_case(*shape, index, cfg) for index, shape in enumerate(QUICK if args.quick else FULL)]
    cases += sentence_cases(where.model, cfg)
    start = time.perf_counter()
    for case in cases:
        print(f"{time.perf_counter() - start:5.1f} s  {case.name}", file=sys.stderr, flush=True)
        hidden = reference(case.feed)
        embedding = model.sentence_embedding(hidden, case.feed["attention_mask"])
        expected = {"last_hidden_state": hidden, "sentence_embedding": embedding}
        for subject in made:
            outputs = subject.run(case.feed)
            compare(subject, case, outputs, expected)
            compare_bits(subject, case, outputs, ROWS_ALONE[args.quick], longest)
    print(f"{len(cases)} padded batches of 1 to {max(len(case.lengths) for case in cases)} rows, lengths 1 to "
          f"{max(case.lengths.max() for case in cases)}, against PyTorch in float64; the largest of all:")
    print(table(made))
    return checks.finish(results(made), args.json)


if __name__ == "__main__":
    command.run(main)
