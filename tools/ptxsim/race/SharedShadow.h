// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Who touched each word of a block's shared memory last, and whether that was ordered before who touches it now.
#ifndef WEFT_TOOLS_PTXSIM_RACE_SHAREDSHADOW_H
#define WEFT_TOOLS_PTXSIM_RACE_SHAREDSHADOW_H

#include "tools/ptxsim/race/Ordering.h"

#include <optional>

namespace weft::ptxsim {

/// One access to shared memory.
struct SharedAccess {
  static constexpr int kAllLanes = 32;
  static constexpr int kAnyLane = 63; // whose order among the lanes of its warp is not looked at

  uint32_t address;
  uint32_t bytes;
  int warp;       // whose knowledge counts
  int agent;      // who accesses: the warp, or an asynchronous agent
  int lane;       // 0 to 31, or kAllLanes
  uint32_t clock; // of the agent
  uint32_t line;  // of the PTX
};

/// Two accesses without an edge between them.
struct Conflict {
  enum Kind { Race, MissingFence };
  Kind kind;
  uint32_t address; // of the word
  bool otherWrote;
  int otherAgent, otherLane;
  uint32_t otherLine;
};

/// Words of 4 bytes. Of a word, the last writer is kept, and every agent that read since; a byte of it that was written
/// before another byte of it is forgotten, so that a conflict of narrow stores may be missed, never invented.
class SharedShadow {
public:
  SharedShadow(uint32_t bytes, Ordering &ordering);

  std::optional<Conflict> read(const SharedAccess &access);

  /// `unchanged`: the store writes what is there already, which no order can change; other writers are no conflict.
  std::optional<Conflict> write(const SharedAccess &access, bool unchanged = false);

  /// Forgets a range: memory whose order is not checked (atomics, mbarrier objects).
  void forget(uint32_t address, uint32_t bytes);

private:
  struct Stamp { // who touched which bytes of a word, when and where
    uint64_t agent : 10, lane : 6, mask : 4, clock : 23, line : 21;
  };
  struct Word {
    Stamp writer;     // mask 0: nobody
    uint32_t readers; // 0: nobody, else the number of a list of readers, plus 1
  };
  struct Reader {
    Stamp stamp;
    uint32_t next; // as in Word::readers
  };

  template <typename Visit> std::optional<Conflict> visit(const SharedAccess &access, Visit each);
  bool ordered(const SharedAccess &access, Stamp stamp) const;
  void addReader(Word &word, Stamp stamp);
  void dropReaders(Word &word);

  Ordering &ordering;
  std::vector<Word> words;
  std::vector<Reader> readers;
  uint32_t freeReaders = 0;
};

} // namespace weft::ptxsim

#endif
