// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// New tokens of some texts: pages for them first, then calls of prefill and decode for the parts of one length each, so
// that no row is padded and a text's bits depend on its own tokens alone. Where something fails, every text is as it
// was: what the calls wrote lies beyond the texts' ends.
#include "runtime/core/Texts.h"

namespace weft::runtime {
namespace {

class TextStep {
public:
  TextStep(weft_texts &texts, const weft_text_part *parts, size_t count, float *scores)
      : texts(texts), parts(parts), count(count), scores(scores) {}

  weft_status run(uint64_t bytes);

private:
  weft_status check(uint64_t bytes);
  weft_status checkPart(size_t part);
  weft_status takePages();
  weft_status splitPage(size_t part);
  void giveBack();
  weft_status runGroup(size_t first, size_t rows);
  weft_status call(size_t rows, int64_t tokens, int64_t blocks);
  void fill(size_t rows, int64_t tokens, int64_t blocks);

  static Place place() { return Place("weft_texts_step"); }

  weft_texts &texts;
  const weft_text_part *parts;
  size_t count;
  float *scores;
  Array<TextRow *> rows; ///< of each part
  Array<int64_t> shared; ///< the page that the part's text had in place of its own copy; -1: none
  Array<size_t> group;   ///< the parts of a call
  Array<bool> isDone;
  Array<int64_t> ids, at, table; ///< a call's inputs
  Array<float> results;
};

weft_status TextStep::checkPart(size_t part) {
  const weft_text_part &given = parts[part];
  if (weft_status status = findText("weft_texts_step", texts, given.text, rows[part]))
    return status;
  if (given.count < 1 || !given.tokens)
    return fail(kBadArgument, place(), "leave a text out that has no new tokens", "part %zu has no tokens", part);
  for (size_t other = 0; other < part; ++other)
    if (rows[other] == rows[part])
      return fail(kBadArgument, place(), "give a text's tokens in one part", "parts %zu and %zu are of one text", other,
                  part);
  const TextRow &text = *rows[part];
  if (given.count > texts.longest - text.length)
    return fail(kStateFull, place(), "cut or end the text, or compile the model for longer ones (--shape blocks=1..N)",
                "text %lld has %lld tokens and would have %lld more, of %lld at most",
                static_cast<long long>(given.text), static_cast<long long>(text.length),
                static_cast<long long>(given.count), static_cast<long long>(texts.longest));
  if (given.count > texts.mostTokens)
    return fail(kDimOutOfBounds, place(), "give the tokens in several steps",
                "part %zu has %lld tokens, a call takes %lld at most", part, static_cast<long long>(given.count),
                static_cast<long long>(texts.mostTokens));
  return WEFT_OK;
}

weft_status TextStep::check(uint64_t bytes) {
  uint64_t need = uint64_t(count) * uint64_t(texts.vocabulary) * sizeof(float);
  if (count && (!parts || !scores))
    return fail(kBadArgument, place(), "pass what the parts are and where scores go", "parts or scores is null");
  if (bytes < need)
    return fail(kBufferUnfit, place(), "weft_texts_info tells the vocabulary", "scores has %llu bytes, it needs %llu",
                static_cast<unsigned long long>(bytes), static_cast<unsigned long long>(need));
  rows = Array<TextRow *>(count);
  shared = Array<int64_t>(count);
  group = Array<size_t>(count);
  isDone = Array<bool>(count);
  if (!rows || !shared || !group || !isDone)
    return failOutOfMemory("the list of parts", count * sizeof(TextRow *));
  int64_t wanted = 0;
  for (size_t part = 0; part < count; ++part) {
    if (weft_status status = checkPart(part))
      return status;
    shared[part] = -1;
    wanted += texts.pages.pagesFor(*rows[part], parts[part].count);
    if (!texts.pages.reserve(*rows[part], parts[part].count))
      return failOutOfMemory("the list of a text's pages", uint64_t(rows[part]->count) * sizeof(int64_t));
  }
  if (wanted <= texts.pages.freeCount)
    return WEFT_OK;
  return fail(kPagesOut, place(), "end or cut a text, or make a session with more pages",
              "the new tokens need %lld pages of %lld tokens, %lld of %lld are free", static_cast<long long>(wanted),
              static_cast<long long>(texts.pages.pageLength), static_cast<long long>(texts.pages.freeCount),
              static_cast<long long>(texts.pages.pageCount));
}

/// A text that writes to a page of several gets a copy.
weft_status TextStep::splitPage(size_t part) {
  TextRow &text = *rows[part];
  int64_t from, to;
  if (!texts.pages.splitLast(text, from, to))
    return WEFT_OK;
  shared[part] = from;
  Turn turn(texts.session);
  if (!turn)
    return failBusy("weft_texts_step");
  return texts.contents.copy(from, to, text.length % texts.pages.pageLength, place());
}

weft_status TextStep::takePages() {
  for (size_t part = 0; part < count; ++part) {
    if (weft_status status = splitPage(part))
      return status;
    texts.pages.extend(*rows[part], parts[part].count);
  }
  return WEFT_OK;
}

void TextStep::giveBack() {
  for (size_t part = count; part-- > 0;) {
    texts.pages.trim(*rows[part]);
    if (shared[part] >= 0)
      texts.pages.joinLast(*rows[part], shared[part]);
  }
}

weft_status TextStep::run(uint64_t bytes) {
  if (weft_status status = checkDevice(texts.session, "weft_texts_step"))
    return status;
  if (weft_status status = check(bytes))
    return status;
  weft_status status = takePages();
  for (size_t first = 0; !status && first < count; ++first) {
    if (isDone[first])
      continue;
    size_t members = 0;
    for (size_t part = first; part < count && members < size_t(texts.mostRows); ++part)
      if (!isDone[part] && parts[part].count == parts[first].count) {
        isDone[part] = true;
        group[members++] = part;
      }
    status = runGroup(first, members);
  }
  if (status) {
    giveBack();
    return status;
  }
  for (size_t part = 0; part < count; ++part)
    rows[part]->length += parts[part].count;
  return WEFT_OK;
}

/// The parts in `group`, which are as long as the one that is first.
weft_status TextStep::runGroup(size_t first, size_t members) {
  int64_t tokens = parts[first].count, blocks = 0;
  for (size_t i = 0; i < members; ++i)
    blocks = rows[group[i]]->count > blocks ? rows[group[i]]->count : blocks;
  size_t elements = members * size_t(tokens);
  ids = Array<int64_t>(elements);
  at = Array<int64_t>(elements);
  table = Array<int64_t>(members * size_t(blocks));
  results = Array<float>(members * size_t(texts.vocabulary));
  if (!ids || !at || !table || !results)
    return failOutOfMemory("the inputs of a step", elements * 2 * sizeof(int64_t));
  fill(members, tokens, blocks);
  if (weft_status status = call(members, tokens, blocks))
    return status;
  size_t row = size_t(texts.vocabulary);
  for (size_t i = 0; i < members; ++i)
    memcpy(scores + group[i] * row, &results[i * row], row * sizeof(float));
  return WEFT_OK;
}

/// What a row's table has beyond its text's pages is never seen.
void TextStep::fill(size_t members, int64_t tokens, int64_t blocks) {
  for (size_t i = 0; i < members; ++i) {
    const TextRow &text = *rows[group[i]];
    memcpy(&ids[i * size_t(tokens)], parts[group[i]].tokens, size_t(tokens) * sizeof(int64_t));
    for (int64_t t = 0; t < tokens; ++t)
      at[i * size_t(tokens) + size_t(t)] = text.length + t;
    memcpy(&table[i * size_t(blocks)], text.pages, size_t(text.count) * sizeof(int64_t));
  }
}

weft_status TextStep::call(size_t members, int64_t tokens, int64_t blocks) {
  int64_t batch = int64_t(members);
  auto tensor = [&](const char *name, void *data, int64_t columns, int32_t dtype, uint64_t element) {
    weft_tensor made = {};
    made.name = name;
    made.data = data;
    made.bytes = uint64_t(batch) * uint64_t(columns) * element;
    made.dtype = dtype;
    made.rank = 2;
    made.shape[0] = batch;
    made.shape[1] = columns;
    return made;
  };
  weft_tensor inputs[] = {tensor(kTokens, ids.get(), tokens, WEFT_I64, sizeof(int64_t)),
                          tensor(kPlaces, at.get(), tokens, WEFT_I64, sizeof(int64_t)),
                          tensor(kPagesOfTexts, table.get(), blocks, WEFT_I64, sizeof(int64_t))};
  weft_tensor output = tensor(kScores, results.get(), texts.vocabulary, WEFT_F32, sizeof(float));
  return weft_run(&texts.session, tokens == 1 ? "decode" : "prefill", inputs, 3, &output, 1);
}

} // namespace
} // namespace weft::runtime

using namespace weft::runtime;

weft_status weft_texts_step(weft_texts *texts, const weft_text_part *parts, size_t count, float *scores,
                            uint64_t bytes) {
  if (!texts)
    return failNoTexts("weft_texts_step");
  return TextStep(*texts, parts, count, scores).run(bytes);
}
