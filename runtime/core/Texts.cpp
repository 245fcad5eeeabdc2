// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Texts begin, share, go back, end, are saved and restored. What continues them is in TextStep.cpp.
#include "runtime/core/Texts.h"

#include "runtime/core/States.h"

namespace weft::runtime {

weft_status failNoTexts(const char *function) {
  return fail(kBadArgument, Place("%s", function), "make them with weft_texts_new", "texts or a result is null");
}

weft_status findText(const char *function, const weft_texts &texts, weft_text number, TextRow *&text) {
  text = texts.pages.find(number);
  if (text)
    return WEFT_OK;
  return fail(kBadArgument, Place("%s", function),
              "pass what weft_text_begin, weft_text_fork or weft_text_restore gave",
              "there is no text %lld: it never began, or it ended", static_cast<long long>(number));
}

static weft_status checkLength(const char *function, const TextRow &text, int64_t length) {
  if (length >= 0 && length <= text.length)
    return WEFT_OK;
  return fail(kBadArgument, Place("%s", function), "weft_text_length tells how many there are",
              "the length is %lld, the text has %lld tokens", static_cast<long long>(length),
              static_cast<long long>(text.length));
}

namespace {
/// What weft_texts_new finds in a model.
struct PagedModel {
  const EntryPlan *prefill, *decode;
  int32_t pagesDim; ///< of the model's state_dims
  int64_t pages, pageLength, blocks, vocabulary, rows, tokens;
};

const weft_abi_tensor *findTensor(const weft_abi_tensor *tensors, int32_t count, const char *name) {
  for (int32_t i = 0; i < count; ++i)
    if (strcmp(tensors[i].name, name) == 0)
      return &tensors[i];
  return nullptr;
}

weft_status failUnpaged(const char *why) {
  return fail(kBadArgument, Place("weft_texts_new"), "compile the model with --cache-page, for pages of so many tokens",
              "the model does not keep texts in pages: %s", why);
}

/// The largest extent of one of the tensor's dimensions in the session.
int64_t mostOf(const EntryPlan &plan, const weft_abi_tensor &tensor, int32_t axis) {
  int32_t dim = dimOf(tensor.shape[axis]);
  return dim < 0 ? tensor.shape[axis] : plan.maxDims[dim];
}

weft_status findEntry(weft_session &session, const char *name, const EntryPlan *&plan) {
  const weft_abi_model &code = *session.model->descriptor;
  for (int32_t e = 0; e < code.entry_count; ++e)
    if (strcmp(code.entries[e].name, name) == 0)
      plan = &session.plans[size_t(e)];
  if (!plan)
    return failUnpaged("it has no entries prefill and decode");
  for (const char *input : {kTokens, kPlaces, kPagesOfTexts}) {
    const weft_abi_tensor *tensor = findTensor(plan->entry->inputs, plan->entry->input_count, input);
    if (!tensor || tensor->rank != 2 || tensor->dtype != WEFT_I64)
      return failUnpaged("its entries take no block_table");
  }
  const weft_abi_tensor *scores = findTensor(plan->entry->outputs, plan->entry->output_count, kScores);
  if (!scores || scores->rank != 2 || dimOf(scores->shape[1]) >= 0 || scores->dtype != WEFT_F32)
    return failUnpaged("its entries give no logits");
  return WEFT_OK;
}

weft_status findPages(weft_session &session, PagedModel &model) {
  const weft_abi_model &code = *session.model->descriptor;
  if (code.state_count == 0)
    return failUnpaged("it keeps nothing");
  model.pagesDim = dimOf(code.states[0].shape[0]);
  model.pageLength = code.states[0].rank > 1 ? code.states[0].shape[1] : 0;
  for (int32_t i = 0; i < code.state_count; ++i) {
    const weft_abi_state &state = code.states[i];
    if (state.rank < 2 || dimOf(state.shape[0]) < 0 || dimOf(state.shape[0]) != model.pagesDim || state.fills ||
        state.shape[1] != model.pageLength || model.pageLength < 1)
      return failUnpaged("not all that it keeps lies in pages of one length");
  }
  int32_t dim = model.decode->stateDims[model.pagesDim];
  if (dim < 0)
    return failUnpaged("decode keeps nothing");
  model.pages = model.decode->maxDims[dim];
  return WEFT_OK;
}

weft_status examine(weft_session &session, PagedModel &model) {
  if (weft_status status = findEntry(session, "prefill", model.prefill))
    return status;
  if (weft_status status = findEntry(session, "decode", model.decode))
    return status;
  if (weft_status status = findPages(session, model))
    return status;
  const weft_abi_entry &entry = *model.prefill->entry;
  const weft_abi_tensor &tokens = *findTensor(entry.inputs, entry.input_count, kTokens);
  const weft_abi_tensor &table = *findTensor(entry.inputs, entry.input_count, kPagesOfTexts);
  model.vocabulary = findTensor(entry.outputs, entry.output_count, kScores)->shape[1];
  model.rows = mostOf(*model.prefill, tokens, 0);
  model.tokens = mostOf(*model.prefill, tokens, 1);
  model.blocks = mostOf(*model.prefill, table, 1);
  return WEFT_OK;
}
} // namespace

} // namespace weft::runtime

using namespace weft::runtime;

weft_status weft_texts_new(weft_session *session, weft_texts **texts) {
  static const char *const kFunction = "weft_texts_new";
  if (texts)
    *texts = nullptr;
  if (!session || !texts)
    return fail(kBadArgument, Place("%s", kFunction), "make a session first", "session or texts is null");
  Turn turn(*session);
  if (!turn)
    return failBusy(kFunction);
  if (weft_status status = checkDevice(*session, kFunction))
    return status;
  PagedModel model = {};
  if (weft_status status = examine(*session, model))
    return status;
  Owned<weft_texts> made(Owned<weft_texts>::create(*session, model.pages, model.pageLength));
  if (!made || !made->pages.start(model.pages, model.pageLength))
    return failOutOfMemory("the list of pages", uint64_t(model.pages) * (sizeof(int64_t) + sizeof(int32_t)));
  made->longest = model.blocks * model.pageLength;
  made->vocabulary = model.vocabulary;
  made->mostRows = model.rows;
  made->mostTokens = model.tokens;
  made->contents.hold(model.pagesDim);
  *texts = made.release();
  return WEFT_OK;
}

void weft_texts_free(weft_texts *texts) { Owned<weft_texts>::destroy(texts); }

weft_status weft_texts_describe(const weft_texts *texts, weft_texts_info *info) {
  if (!texts || !info)
    return failNoTexts("weft_texts_describe");
  const TextPages &pages = texts->pages;
  *info = {pages.pageLength,
           pages.pageCount,
           pages.freeCount,
           pages.textCount,
           texts->longest,
           texts->vocabulary,
           texts->contents.bytesOfToken() * uint64_t(pages.pageLength)};
  return WEFT_OK;
}

weft_status weft_text_begin(weft_texts *texts, weft_text *text) {
  if (!texts || !text)
    return failNoTexts("weft_text_begin");
  TextRow *row = texts->pages.begin();
  if (!row)
    return failOutOfMemory("a text", sizeof(TextRow));
  *text = row->number;
  return WEFT_OK;
}

weft_status weft_text_fork(weft_texts *texts, weft_text text, int64_t length, weft_text *fork) {
  static const char *const kFunction = "weft_text_fork";
  if (!texts || !fork)
    return failNoTexts(kFunction);
  TextRow *from;
  if (weft_status status = findText(kFunction, *texts, text, from))
    return status;
  if (weft_status status = checkLength(kFunction, *from, length))
    return status;
  TextRow *to = texts->pages.begin();
  from = texts->pages.find(text); // texts may have moved
  if (to && texts->pages.share(*from, length, *to)) {
    *fork = to->number;
    return WEFT_OK;
  }
  if (to)
    texts->pages.end(*to);
  return failOutOfMemory("a text", uint64_t(from->count) * sizeof(int64_t));
}

weft_status weft_text_cut(weft_texts *texts, weft_text text, int64_t length) {
  static const char *const kFunction = "weft_text_cut";
  if (!texts)
    return failNoTexts(kFunction);
  TextRow *row;
  if (weft_status status = findText(kFunction, *texts, text, row))
    return status;
  if (weft_status status = checkLength(kFunction, *row, length))
    return status;
  texts->pages.cut(*row, length);
  return WEFT_OK;
}

weft_status weft_text_end(weft_texts *texts, weft_text text) {
  static const char *const kFunction = "weft_text_end";
  if (!texts)
    return failNoTexts(kFunction);
  TextRow *row;
  if (weft_status status = findText(kFunction, *texts, text, row))
    return status;
  texts->pages.end(*row);
  return WEFT_OK;
}

weft_status weft_text_length(const weft_texts *texts, weft_text text, int64_t *length) {
  static const char *const kFunction = "weft_text_length";
  if (!texts || !length)
    return failNoTexts(kFunction);
  TextRow *row;
  if (weft_status status = findText(kFunction, *texts, text, row))
    return status;
  *length = row->length;
  return WEFT_OK;
}
