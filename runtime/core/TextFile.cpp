// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A text as bytes: a head, then for each state of the model the rows of all of the text's tokens, in order. Pages do
// not show.
#include "runtime/core/Texts.h"

namespace weft::runtime {
namespace {

struct TextHead {
  char magic[8];         ///< "WEFTTEXT"
  uint32_t version;      ///< 1
  uint32_t states;       ///< of the model
  uint64_t bytesOfToken; ///< of all states
  int64_t length;        ///< tokens
};
constexpr char kMagic[8] = {'W', 'E', 'F', 'T', 'T', 'E', 'X', 'T'};
constexpr uint32_t kVersion = 1;

TextHead headOf(const weft_texts &texts, int64_t length) {
  TextHead head = {};
  memcpy(head.magic, kMagic, sizeof(kMagic));
  head.version = kVersion;
  head.states = uint32_t(texts.session.model->descriptor->state_count);
  head.bytesOfToken = texts.contents.bytesOfToken();
  head.length = length;
  return head;
}

/// Each page's share of a text.
template <class Visit> weft_status forEachPart(const TextRow &text, int64_t length, int64_t pageLength, Visit visit) {
  for (int64_t at = 0; at < length; at += pageLength) {
    int64_t left = length - at;
    PagePart part = {text.pages[at / pageLength], 0, left < pageLength ? left : pageLength};
    if (weft_status status = visit(part, at))
      return status;
  }
  return WEFT_OK;
}

/// The head of what `buffer` holds, if that is a text of this model that fits a session.
weft_status readHead(const weft_texts &texts, const void *buffer, uint64_t bytes, TextHead &head) {
  static const char *const kHelp = "pass all that weft_text_save wrote, for this model";
  Place place("weft_text_restore");
  if (bytes < sizeof(TextHead))
    return fail(kNoText, place, kHelp, "%llu bytes are no text", static_cast<unsigned long long>(bytes));
  memcpy(&head, buffer, sizeof(head));
  TextHead want = headOf(texts, head.length);
  if (memcmp(head.magic, want.magic, sizeof(kMagic)) != 0 || head.version != want.version)
    return fail(kNoText, place, kHelp, "the buffer does not begin as a text does");
  if (head.states != want.states || head.bytesOfToken != want.bytesOfToken)
    return fail(kNoText, place, kHelp,
                "the text is of a model that keeps %llu bytes of a token in %u arrays, this one %llu in %u",
                static_cast<unsigned long long>(head.bytesOfToken), head.states,
                static_cast<unsigned long long>(want.bytesOfToken), want.states);
  if (head.length < 0 || head.length > texts.longest)
    return fail(kStateFull, place, "compile the model for longer texts (--shape blocks=1..N)",
                "the text has %lld tokens, of %lld at most", static_cast<long long>(head.length),
                static_cast<long long>(texts.longest));
  if ((bytes - sizeof(TextHead)) / want.bytesOfToken < uint64_t(head.length))
    return fail(kNoText, place, kHelp, "the buffer ends within the text");
  return WEFT_OK;
}

} // namespace
} // namespace weft::runtime

using namespace weft::runtime;

weft_status weft_text_bytes(const weft_texts *texts, weft_text text, uint64_t *bytes) {
  static const char *const kFunction = "weft_text_bytes";
  if (!texts || !bytes)
    return failNoTexts(kFunction);
  TextRow *row;
  if (weft_status status = findText(kFunction, *texts, text, row))
    return status;
  *bytes = sizeof(TextHead) + uint64_t(row->length) * texts->contents.bytesOfToken();
  return WEFT_OK;
}

weft_status weft_text_save(const weft_texts *texts, weft_text text, void *buffer, uint64_t bytes) {
  static const char *const kFunction = "weft_text_save";
  uint64_t need;
  if (!buffer)
    return failNoTexts(kFunction);
  if (weft_status status = weft_text_bytes(texts, text, &need))
    return status;
  if (bytes < need)
    return fail(kBufferUnfit, Place("%s", kFunction), "weft_text_bytes tells the size",
                "the buffer has %llu bytes, the text needs %llu", static_cast<unsigned long long>(bytes),
                static_cast<unsigned long long>(need));
  Turn turn(texts->session);
  if (!turn)
    return failBusy(kFunction);
  if (weft_status status = checkDevice(texts->session, kFunction))
    return status;
  const TextRow &row = *texts->pages.find(text);
  TextHead head = headOf(*texts, row.length);
  memcpy(buffer, &head, sizeof(head));
  StatePages contents = texts->contents;
  char *rows = static_cast<char *>(buffer) + sizeof(head);
  return forEachPart(row, row.length, texts->pages.pageLength, [&](const PagePart &part, int64_t at) {
    return contents.read(part, rows, row.length, at, Place("%s", kFunction));
  });
}

weft_status weft_text_restore(weft_texts *texts, const void *buffer, uint64_t bytes, weft_text *text) {
  static const char *const kFunction = "weft_text_restore";
  if (!texts || !buffer || !text)
    return failNoTexts(kFunction);
  TextHead head;
  if (weft_status status = readHead(*texts, buffer, bytes, head))
    return status;
  Turn turn(texts->session);
  if (!turn)
    return failBusy(kFunction);
  if (weft_status status = checkDevice(texts->session, kFunction))
    return status;
  TextRow *row = texts->pages.begin();
  if (!row || !texts->pages.reserve(*row, head.length)) {
    if (row)
      texts->pages.end(*row);
    return failOutOfMemory("a text", uint64_t(head.length) * sizeof(int64_t));
  }
  int64_t wanted = texts->pages.pagesFor(*row, head.length);
  if (wanted > texts->pages.freeCount) {
    texts->pages.end(*row);
    return fail(kPagesOut, Place("%s", kFunction), "end or cut a text, or make a session with more pages",
                "the text needs %lld pages, %lld are free", static_cast<long long>(wanted),
                static_cast<long long>(texts->pages.freeCount));
  }
  texts->pages.extend(*row, head.length);
  const char *rows = static_cast<const char *>(buffer) + sizeof(head);
  weft_status status = forEachPart(*row, head.length, texts->pages.pageLength, [&](const PagePart &part, int64_t at) {
    return texts->contents.write(part, rows, head.length, at, Place("%s", kFunction));
  });
  if (status) {
    texts->pages.end(*row);
    return status;
  }
  row->length = head.length;
  *text = row->number;
  return WEFT_OK;
}
