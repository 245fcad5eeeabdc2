// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PTX text, ours or another compiler's, as instructions with labels: what a static model has to know of it, and no
// more.
#ifndef WEFT_COMPILER_ESTIMATE_PTXTEXT_H
#define WEFT_COMPILER_ESTIMATE_PTXTEXT_H

#include "frontends/diagnostic/Diagnostic.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace weft {

struct PtxInstruction {
  std::string opcode;    ///< "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"
  std::string operands;  ///< as they stand there
  std::string predicate; ///< "%p1", "!%p1"; empty: none
  int line = 0;          ///< in the text, from 1

  bool is(std::string_view prefix) const { return opcode.starts_with(prefix); }
  /// Whether what stands behind it is reached through a jump alone.
  bool isEnd() const { return predicate.empty() && (is("bra") || is("ret") || is("exit") || is("trap")); }
  bool has(std::string_view part) const { return opcode.find(part) != std::string::npos; }
};

/// The positions of a loop's instructions, in order; a natural loop of the control flow, which may lie in pieces.
using PtxLoop = std::vector<size_t>;

/// The first entry of a PTX file.
struct PtxKernelText {
  std::string name;
  std::string target;       ///< "sm_90a"
  int32_t threads = 0;      ///< of .reqntid, else of .maxntid; 0: neither
  int64_t sharedBytes = 0;  ///< of arrays with a size in shared memory
  int32_t maxRegisters = 0; ///< of .maxnreg; 0: none
  std::vector<PtxInstruction> body;
  std::map<std::string, size_t> labels;    ///< the position of the instruction behind a label
  std::map<std::string, int> registerBits; ///< of registers by the names that they begin with: "%rd" has 64

  /// The loops, smaller ones first, so that inner ones come before those around them.
  std::vector<PtxLoop> loops() const;
};

/// W0624: there is no entry in the text.
Result<PtxKernelText> readPtx(const std::string &text, const std::string &place);

/// The 32-bit registers that are alive at once at most, by data flow over the text: ptxas needs about as many, and some
/// more for addresses and moves.
int32_t liveRegisters(const PtxKernelText &kernel);

} // namespace weft

#endif // WEFT_COMPILER_ESTIMATE_PTXTEXT_H
