// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What pages hold: in each state of a session, [pages, tokens of a page, …], a row for each token of a page.
#ifndef WEFT_RUNTIME_CORE_STATEPAGES_H
#define WEFT_RUNTIME_CORE_STATEPAGES_H

#include "runtime/core/Session.h"

namespace weft::runtime {

/// Some tokens of a page.
struct PagePart {
  int64_t page, first, count;
};

class StatePages {
public:
  /// For states that all are pages of `pageLength` tokens, `pages` of them.
  StatePages(weft_session &session, int64_t pages, int64_t pageLength)
      : session(session), pages(pages), pageLength(pageLength) {}

  /// The session's states have so many pages from now on, which hold nothing.
  void hold(int32_t pagesDim);

  /// Of all states.
  uint64_t bytesOfToken() const;
  /// The rows of some tokens of a text, which are its tokens from `at` on. The buffer has the rows of all of its
  /// `tokens`, state by state.
  weft_status read(const PagePart &part, char *to, int64_t tokens, int64_t at, const Place &place);
  weft_status write(const PagePart &part, const char *from, int64_t tokens, int64_t at, const Place &place);
  /// The first tokens of one page into another, in all states.
  weft_status copy(int64_t from, int64_t to, int64_t tokens, const Place &place);

private:
  const weft_abi_model &code() const { return *session.model->descriptor; }
  uint64_t bytesOfRow(int32_t state) const;
  weft_status readRows(int32_t state, const PagePart &part, void *to, const Place &place);
  weft_status writeRows(int32_t state, const PagePart &part, const void *from, const Place &place);

  weft_session &session;
  int64_t pages, pageLength;
};

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_STATEPAGES_H
