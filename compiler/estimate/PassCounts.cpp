// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What stands in the main loop of a PTX text. Opcodes and their suffixes: PTX ISA 8.3, chapter 9.
#include "compiler/estimate/KernelModel.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <regex>
#include <set>

namespace weft {
namespace {

constexpr int kWarp = 32, kWarpgroup = 128;

bool isMatrix(const PtxInstruction &instruction) {
  return instruction.is("mma.sync") || instruction.is("wgmma.mma_async");
}

/// Bits behind the last dot of a type: "f32" has 32, "bf16x2" has 32.
int bitsOf(const std::string &opcode) {
  static const std::regex kType(R"(\.(?:bf|tf|[bfus])(\d+)(x2)?(?=\.|$))");
  int bits = 32;
  for (std::sregex_iterator match(opcode.begin(), opcode.end(), kType), end; match != end; ++match)
    bits = std::stoi((*match)[1]) * ((*match)[2].matched ? 2 : 1);
  return bits;
}

/// Bytes that one thread loads or stores: type times vector.
double bytesOf(const PtxInstruction &instruction) {
  int vector = instruction.has(".v8") ? 8 : instruction.has(".v4") ? 4 : instruction.has(".v2") ? 2 : 1;
  return vector * bitsOf(instruction.opcode) / 8.0;
}

/// m64n128k16: M·N·K.
double shapeOf(const std::string &opcode) {
  static const std::regex kShape(R"(m(\d+)n(\d+)k(\d+))");
  std::smatch match;
  if (!std::regex_search(opcode, match, kShape))
    return 0;
  return std::stod(match[1]) * std::stod(match[2]) * std::stod(match[3]);
}

MatrixType matrixTypeOf(const PtxInstruction &instruction) {
  if (instruction.has(".e4m3") || instruction.has(".e5m2"))
    return MatrixType::Fp8;
  if (instruction.has(".tf32"))
    return MatrixType::Tf32;
  if (instruction.has(".s8") || instruction.has(".u8"))
    return MatrixType::Byte;
  return instruction.has(".f64") ? MatrixType::Double : MatrixType::Half;
}

/// "32768", "0x10"; nullopt: no number.
std::optional<double> numberOf(const std::string &word) {
  static const std::regex kNumber(R"(0[xX][0-9a-fA-F]+|\d+)");
  if (!std::regex_match(word, kNumber))
    return std::nullopt;
  return static_cast<double>(std::stoll(word, nullptr, 0));
}

/// Registers that are set to one number alone.
std::map<std::string, double> constantsOf(const PtxKernelText &kernel) {
  std::map<std::string, double> constants;
  std::set<std::string> isSet;
  for (const PtxInstruction &instruction : kernel.body) {
    size_t comma = instruction.operands.find(',');
    if (comma == std::string::npos)
      continue;
    std::string name = instruction.operands.substr(0, comma);
    std::string value = instruction.operands.substr(
        std::min(instruction.operands.find_first_not_of(" \t", comma + 1), instruction.operands.size()));
    std::optional<double> number = instruction.is("mov.") ? numberOf(value) : std::nullopt;
    if (isSet.insert(name).second && number)
      constants[name] = *number;
    else
      constants.erase(name);
  }
  return constants;
}

bool isSpecial(const PtxInstruction &instruction) {
  for (std::string_view name :
       {"ex2.", "lg2.", "sin.", "cos.", "rcp.", "rsqrt.", "sqrt.", "tanh.", "div.full", "div.approx", "div.rn.f32"})
    if (instruction.is(name))
      return true;
  return false;
}

/// Arithmetic of f32, or of two halves at once.
bool isFloat(const PtxInstruction &instruction) {
  for (std::string_view name : {"add.", "sub.", "mul.", "fma.", "mad.", "min.", "max.", "neg.", "abs."})
    if (instruction.is(name))
      return instruction.has("f32") || instruction.has("f16");
  return false;
}

class Counter {
public:
  Counter(PassCounts &counts, const std::map<std::string, double> &constants, int32_t threads)
      : counts(counts), constants(constants), threads(threads), warps(std::ceil(double(threads) / kWarp)) {}

  void add(const PtxInstruction &instruction) {
    counts.issueSlots += warps;
    if (isMatrix(instruction))
      addMatrix(instruction);
    else if (isSpecial(instruction))
      counts.specialOps += threads * (instruction.has("16x2") ? 2 : 1);
    else if (isFloat(instruction))
      counts.floatOps += threads;
    else
      addMemory(instruction);
  }

  bool hasUnknownBytes() const { return hasBulk && !isExpected; }

private:
  void addMatrix(const PtxInstruction &instruction) {
    double groups = instruction.is("wgmma") ? std::max(1.0, double(threads) / kWarpgroup) : warps;
    counts.matrixInstructions += groups;
    counts.matrixFlops[static_cast<int>(matrixTypeOf(instruction))] += 2 * groups * shapeOf(instruction.opcode);
  }

  void addMemory(const PtxInstruction &instruction) {
    bool moves = instruction.is("ld.") || instruction.is("st.") || instruction.is("atom.") || instruction.is("red.");
    if (instruction.is("cp.async.bulk")) {
      hasBulk |= !instruction.has("_group") && !instruction.has("prefetch");
    } else if (instruction.is("cp.async.c")) {
      static const std::regex kSize(R"(\]\s*,\s*\[[^\]]*\]\s*,\s*(0x[0-9a-fA-F]+|\d+))");
      std::smatch match;
      bool isKnown = std::regex_search(instruction.operands, match, kSize);
      counts.globalBytes += threads * (isKnown ? std::stod(match[1]) : 16);
    } else if (instruction.is("mbarrier") && instruction.has("expect_tx")) {
      addExpected(instruction);
    } else if (instruction.is("ldmatrix") || instruction.is("stmatrix")) {
      counts.sharedBytes += threads * 4.0 * (instruction.has(".x4") ? 4 : instruction.has(".x2") ? 2 : 1);
    } else if (moves && instruction.has(".shared")) {
      counts.sharedBytes += threads * bytesOf(instruction);
    } else if (moves && !instruction.has(".param") && !instruction.has(".local") && !instruction.has(".const")) {
      counts.globalBytes += threads * bytesOf(instruction);
    }
  }

  /// One thread of the block says how many bytes the bulk copies of this pass bring: the last operand.
  void addExpected(const PtxInstruction &instruction) {
    size_t begin = instruction.operands.find_last_of(", \t");
    std::string word = instruction.operands.substr(begin == std::string::npos ? 0 : begin + 1);
    std::optional<double> bytes = numberOf(word);
    if (auto known = constants.find(word); !bytes && known != constants.end())
      bytes = known->second;
    counts.globalBytes += bytes.value_or(0);
    isExpected |= bytes.has_value();
  }

  PassCounts &counts;
  const std::map<std::string, double> &constants;
  double threads, warps;
  bool hasBulk = false, isExpected = false;
};

/// The loop whose pass the kernel is judged by: the innermost one with the most matrix instructions, else the innermost
/// one that moves most; null: no loop does either.
const PtxLoop *mainLoop(const PtxKernelText &kernel, const std::vector<PtxLoop> &loops) {
  auto count = [&](const PtxLoop &loop, auto test) {
    return std::ranges::count_if(loop, [&](size_t at) { return test(kernel.body[at]); });
  };
  auto moves = [](const PtxInstruction &instruction) {
    return instruction.is("ld.") || instruction.is("st.") || instruction.is("cp.async") || isFloat(instruction);
  };
  for (bool isForMatrix : {true, false}) {
    const PtxLoop *best = nullptr;
    int64_t most = 0;
    for (const PtxLoop &loop : loops) { // inner ones first: a loop around the best one is no better for holding it
      bool holdsBest = best && std::ranges::includes(loop, *best);
      int64_t now = isForMatrix ? count(loop, isMatrix) : count(loop, moves);
      if (now > most && !holdsBest) {
        best = &loop;
        most = now;
      }
    }
    if (best)
      return best;
  }
  return nullptr;
}

/// A loop that copies for others to compute with: where one warp group loads and the rest multiply.
const PtxLoop *producerLoop(const PtxKernelText &kernel, const std::vector<PtxLoop> &loops, const PtxLoop &main) {
  auto copies = [&](size_t at) { return kernel.body[at].is("cp.async.bulk.tensor"); };
  if (std::ranges::any_of(main, copies))
    return nullptr;
  for (const PtxLoop &loop : loops)
    if (std::ranges::any_of(loop, copies) && !std::ranges::includes(loop, main))
      return &loop;
  return nullptr;
}

void addLines(PassCounts &counts, const PtxKernelText &kernel, const PtxLoop &members, int32_t threads) {
  std::map<std::string, double> constants = constantsOf(kernel);
  Counter counter(counts, constants, threads);
  for (size_t at : members)
    counter.add(kernel.body[at]);
  counts.hasUnknownBytes |= counter.hasUnknownBytes();
}

} // namespace

double PassCounts::flops() const { return std::accumulate(matrixFlops.begin(), matrixFlops.end(), 0.0) + 2 * floatOps; }

PassCounts countPass(const PtxKernelText &kernel, int32_t threads) {
  PassCounts counts;
  if (kernel.body.empty())
    return counts;
  std::vector<PtxLoop> loops = kernel.loops();
  const PtxLoop *main = mainLoop(kernel, loops);
  counts.isLoop = main != nullptr;
  PtxLoop members = main ? *main : PtxLoop(kernel.body.size());
  if (!main)
    std::iota(members.begin(), members.end(), 0);
  const PtxLoop *producer = main ? producerLoop(kernel, loops, *main) : nullptr;
  // Registers are handed over only where warp groups have roles: one of them loads.
  bool hasRoles = producer && std::ranges::any_of(kernel.body, [](const auto &i) { return i.is("setmaxnreg"); });
  addLines(counts, kernel, members, hasRoles ? std::max(threads - kWarpgroup, kWarpgroup) : threads);
  if (producer) {
    PassCounts copied;
    addLines(copied, kernel, *producer, 1);
    counts.globalBytes += copied.globalBytes;
    counts.hasUnknownBytes |= copied.hasUnknownBytes;
  }
  counts.firstLine = kernel.body[members.front()].line;
  counts.lastLine = kernel.body[members.back()].line;
  return counts;
}

} // namespace weft
