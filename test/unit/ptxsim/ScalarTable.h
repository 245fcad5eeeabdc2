// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One instruction a row: its text with the registers d, a, b, c, their widths in bits, the bits of a, b, c, and the
// bits that d must have. A width of 1 is a predicate, which counts as 1 or 0. All rows of a table run in one kernel.
#ifndef WEFT_TEST_UNIT_PTXSIM_SCALARTABLE_H
#define WEFT_TEST_UNIT_PTXSIM_SCALARTABLE_H

#include "test/unit/ptxsim/SmallKernel.h"

namespace weft::ptxsim {

struct ScalarRow {
  const char *instruction;
  std::array<int, 4> widths; ///< of d, a, b, c; 0: not there
  uint64_t a, b, c, expected;
};

inline std::string declared(char name, int bits, uint64_t value, bool result) {
  if (bits == 0)
    return "";
  std::string type = bits == 1 ? ".pred" : ".b" + std::to_string(bits), text = ".reg " + type + " " + name + ";\n";
  char digits[32];
  std::snprintf(digits, sizeof digits, "0x%llx", static_cast<unsigned long long>(value));
  if (bits == 1 && !result)
    return text + "setp.ne.b64 " + name + ", " + digits + ", 0;\n";
  return result ? text : text + "mov" + type + " " + name + ", " + digits + ";\n";
}

inline std::string rowText(const ScalarRow &row, size_t index) {
  std::string text = "{\n" + declared('d', row.widths[0], 0, true) + declared('a', row.widths[1], row.a, false) +
                     declared('b', row.widths[2], row.b, false) + declared('c', row.widths[3], row.c, false) +
                     ".reg .b64 w;\n" + row.instruction + ";\n";
  if (row.widths[0] == 1)
    text += "selp.b64 w, 1, 0, d;\n";
  else if (row.widths[0] == 64)
    text += "mov.b64 w, d;\n";
  else
    text += "cvt.u64.u" + std::to_string(row.widths[0]) + " w, d;\n";
  return text + "st.global.b64 [%rd0+" + std::to_string(8 * index) + "], w;\n}\n";
}

inline void expectRows(std::span<const ScalarRow> rows) {
  SmallKernel kernel;
  std::string body;
  for (size_t index = 0; index < rows.size(); ++index)
    body += rowText(rows[index], index);
  kernel.expectNone(body, 32);
  for (size_t index = 0; index < rows.size(); ++index) {
    uint64_t got = kernel.buffer[2 * index] | uint64_t(kernel.buffer[2 * index + 1]) << 32;
    EXPECT_EQ(got, rows[index].expected) << rows[index].instruction << std::hex << ", a = " << rows[index].a
                                         << ", b = " << rows[index].b << ", c = " << rows[index].c << ": " << got
                                         << ", not " << rows[index].expected;
  }
}

} // namespace weft::ptxsim

#endif // WEFT_TEST_UNIT_PTXSIM_SCALARTABLE_H
