// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/core/StatePages.h"

#include "runtime/core/States.h"
#include "runtime/cuda/DeviceSession.h"

namespace weft::runtime {

void StatePages::hold(int32_t pagesDim) {
  forgetStates(session);
  for (int32_t d = 0; d < code().state_dim_count; ++d)
    session.newExtents[d] = d == pagesDim ? pages : session.stateExtents[d];
  holdExtents(session, session.newExtents.get());
}

uint64_t StatePages::bytesOfRow(int32_t state) const {
  return bytesOf(code().states[state], session.stateExtents.get()) / uint64_t(pages * pageLength);
}

uint64_t StatePages::bytesOfToken() const {
  uint64_t bytes = 0;
  for (int32_t i = 0; i < code().state_count; ++i)
    bytes += bytesOfRow(i);
  return bytes;
}

/// What no call has touched is zeros, and need not be there.
weft_status StatePages::readRows(int32_t state, const PagePart &part, void *to, const Place &place) {
  uint64_t row = bytesOfRow(state), bytes = row * uint64_t(part.count),
           offset = row * uint64_t(part.page * pageLength + part.first);
  if (session.device)
    return session.device->readState(state, offset, to, bytes, place);
  const Reservation &memory = session.states[size_t(state)];
  if (offset + bytes <= memory.bytes)
    memcpy(to, memory.begin + offset, bytes);
  else
    memset(to, 0, bytes);
  return WEFT_OK;
}

weft_status StatePages::writeRows(int32_t state, const PagePart &part, const void *from, const Place &place) {
  uint64_t row = bytesOfRow(state), bytes = row * uint64_t(part.count),
           offset = row * uint64_t(part.page * pageLength + part.first),
           all = bytesOf(code().states[state], session.stateExtents.get());
  if (session.device)
    return session.device->writeState(state, offset, from, bytes, all, place);
  Reservation &memory = session.states[size_t(state)];
  if (weft_status status = growMemory(session, memory, all, kStateMemory, place))
    return status;
  memcpy(memory.begin + offset, from, bytes);
  return WEFT_OK;
}

weft_status StatePages::read(const PagePart &part, char *to, int64_t tokens, int64_t at, const Place &place) {
  for (int32_t i = 0; i < code().state_count; ++i) {
    uint64_t row = bytesOfRow(i);
    if (weft_status status = readRows(i, part, to + row * uint64_t(at), place))
      return status;
    to += row * uint64_t(tokens);
  }
  return WEFT_OK;
}

weft_status StatePages::write(const PagePart &part, const char *from, int64_t tokens, int64_t at, const Place &place) {
  for (int32_t i = 0; i < code().state_count; ++i) {
    uint64_t row = bytesOfRow(i);
    if (weft_status status = writeRows(i, part, from + row * uint64_t(at), place))
      return status;
    from += row * uint64_t(tokens);
  }
  return WEFT_OK;
}

weft_status StatePages::copy(int64_t from, int64_t to, int64_t tokens, const Place &place) {
  uint64_t bytes = bytesOfToken() * uint64_t(tokens);
  Array<char> rows(bytes);
  if (!rows)
    return failOutOfMemory("a page", bytes);
  if (weft_status status = read({from, 0, tokens}, rows.get(), tokens, 0, place))
    return status;
  return write({to, 0, tokens}, rows.get(), tokens, 0, place);
}

} // namespace weft::runtime
