// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of formats. Places are in bits from the start of a block; a byte's lowest bit comes first.
#include "frontends/gguf/BlockFormat.h"

#include <algorithm>

namespace weft::gguf {
namespace {

using enum Real::Type;

/// ggml's kvalues_iq4nl: 16 levels, denser around zero.
constexpr float kNonLinear[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
/// E2M1 of the Open Compute Project's Microscaling Formats 1.0.
constexpr float kMicroscaling[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, 0, -0.5f, -1, -1.5f, -2, -3, -4, -6};

/// 32 elements in 16 bytes: the low halves hold the first 16, the high halves the others; blocks of them in a row.
constexpr BitField halves(uint16_t first, uint16_t blocks = 1) {
  return {first, 4, 0, {{{16, 8}, {2, 4}, {blocks, 128}}}};
}
/// 64 elements in 32 bytes, four times.
constexpr BitField halvesOf64(uint16_t first) { return {first, 4, 0, {{{32, 8}, {2, 4}, {4, 256}}}}; }
/// 128 elements in 32 bytes, a quarter of a byte each, twice.
constexpr BitField quarters(uint16_t first, uint8_t shift = 0) {
  return {first, 2, shift, {{{32, 8}, {4, 2}, {2, 256}}}};
}
/// 256 elements in 32 bytes: bit b of each byte belongs to elements 32 · b and up.
constexpr BitField bits(uint16_t first, uint8_t shift) { return {first, 1, shift, {{{32, 8}, {8, 1}, {}}}}; }
/// One after the other.
constexpr BitField row(uint16_t first, uint8_t width, uint16_t count, uint16_t step, uint8_t shift = 0) {
  return {first, width, shift, {{{count, step}, {}, {}}}};
}

/// Q4_K and Q5_K: eight scales and eight minima of six bits in the twelve bytes from bit 32 on. The low four bits of
/// the first four lie in bytes 0 to 3 (4 to 7), of the last four in bytes 8 to 11; the high two above the first ones.
constexpr Integers kSixBitScales = {.low = {32, 4, 0, {{{4, 8}, {2, 64}, {}}}},
                                    .high = {36, 2, 4, {{{4, 8}, {2, 2}, {}}}}};
constexpr Integers kSixBitMinima = {.low = {64, 4, 0, {{{4, 8}, {2, 36}, {}}}},
                                    .high = {68, 2, 4, {{{4, 8}, {2, 2}, {}}}}};

constexpr BlockFormat kFormats[] = {
    {.name = "F32", .id = 0, .elements = 1, .bytes = 4, .scale = {F32, 0}},
    {.name = "F16", .id = 1, .elements = 1, .bytes = 2, .scale = {F16, 0}},
    {.name = "Q4_0", .id = 2, .elements = 32, .bytes = 18, .scale = {F16, 0}, .code = {halves(16), {}, 8}},
    {.name = "Q4_1",
     .id = 3,
     .elements = 32,
     .bytes = 20,
     .scale = {F16, 0},
     .code = {halves(32)},
     .minimum = {F16, 2},
     .sign = 1},
    {.name = "Q5_0",
     .id = 6,
     .elements = 32,
     .bytes = 22,
     .scale = {F16, 0},
     .code = {halves(48), row(16, 1, 32, 1, 4), 16}},
    {.name = "Q5_1",
     .id = 7,
     .elements = 32,
     .bytes = 24,
     .scale = {F16, 0},
     .code = {halves(64), row(32, 1, 32, 1, 4)},
     .minimum = {F16, 2},
     .sign = 1},
    {.name = "Q8_0",
     .id = 8,
     .elements = 32,
     .bytes = 34,
     .scale = {F16, 0},
     .code = {.low = row(16, 8, 32, 8), .isSigned = true}},
    {.name = "Q2_K",
     .id = 10,
     .elements = 256,
     .bytes = 84,
     .scale = {F16, 80},
     .code = {quarters(128)},
     .group = 16,
     .subScale = {row(0, 4, 16, 8)},
     .minimum = {F16, 82},
     .subMinimum = {row(4, 4, 16, 8)}},
    {.name = "Q3_K",
     .id = 11,
     .elements = 256,
     .bytes = 110,
     .scale = {F16, 108},
     .code = {quarters(256), bits(0, 2), 4},
     .group = 16,
     .subScale = {{768, 4, 0, {{{8, 8}, {2, 4}, {}}}}, {832, 2, 4, {{{4, 8}, {4, 2}, {}}}}, 32}},
    {.name = "Q4_K",
     .id = 12,
     .elements = 256,
     .bytes = 144,
     .scale = {F16, 0},
     .code = {halvesOf64(128)},
     .group = 32,
     .subScale = kSixBitScales,
     .minimum = {F16, 2},
     .subMinimum = kSixBitMinima},
    {.name = "Q5_K",
     .id = 13,
     .elements = 256,
     .bytes = 176,
     .scale = {F16, 0},
     .code = {halvesOf64(384), bits(128, 4)},
     .group = 32,
     .subScale = kSixBitScales,
     .minimum = {F16, 2},
     .subMinimum = kSixBitMinima},
    {.name = "Q6_K",
     .id = 14,
     .elements = 256,
     .bytes = 210,
     .scale = {F16, 208},
     .code = {{0, 4, 0, {{{64, 8}, {2, 4}, {2, 512}}}}, quarters(1024, 4), 32},
     .group = 16,
     .subScale = {.low = row(1536, 8, 16, 8), .isSigned = true}},
    {.name = "IQ4_NL",
     .id = 20,
     .elements = 32,
     .bytes = 18,
     .scale = {F16, 0},
     .code = {.low = halves(16), .table = kNonLinear}},
    {.name = "IQ4_XS",
     .id = 23,
     .elements = 256,
     .bytes = 136,
     .scale = {F16, 0},
     .code = {.low = halves(64, 8), .table = kNonLinear},
     .group = 32,
     .subScale = {row(32, 4, 8, 4), row(16, 2, 8, 2, 4), 32}},
    {.name = "BF16", .id = 30, .elements = 1, .bytes = 2, .scale = {BF16, 0}},
    {.name = "MXFP4",
     .id = 39,
     .elements = 32,
     .bytes = 17,
     .scale = {E8M0, 0},
     .code = {.low = halves(8), .table = kMicroscaling}},
};

/// Numbers that ggml gives to formats that Weft does not read.
constexpr std::pair<uint32_t, const char *> kOthers[] = {
    {9, "Q8_1"},   {15, "Q8_K"},  {16, "IQ2_XXS"}, {17, "IQ2_XS"}, {18, "IQ3_XXS"}, {19, "IQ1_S"},
    {21, "IQ3_S"}, {22, "IQ2_S"}, {24, "I8"},      {25, "I16"},    {26, "I32"},     {27, "I64"},
    {28, "F64"},   {29, "IQ1_M"}, {34, "TQ1_0"},   {35, "TQ2_0"},
};

} // namespace

std::span<const BlockFormat> blockFormats() { return kFormats; }

const BlockFormat *findBlockFormat(uint32_t id) {
  auto found = std::ranges::find(kFormats, id, &BlockFormat::id);
  return found == std::end(kFormats) ? nullptr : found;
}

std::string blockFormatName(uint32_t id) {
  if (const BlockFormat *format = findBlockFormat(id))
    return format->name;
  auto found = std::ranges::find(kOthers, id, &std::pair<uint32_t, const char *>::first);
  return found == std::end(kOthers) ? "" : found->second;
}

} // namespace weft::gguf
