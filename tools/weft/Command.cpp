// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
#include "tools/weft/Command.h"

#include <algorithm>
#include <charconv>
#include <cstdarg>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <unistd.h>

namespace weft::cli {

int fail(const Diagnostic &error) {
  std::string text = error.format();
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", text.c_str());
  return isInternalError(error) ? kOurMistake : kUsersMistake;
}

std::string format(const char *pattern, ...) {
  va_list arguments, again;
  va_start(arguments, pattern);
  va_copy(again, arguments);
  std::string text(std::vsnprintf(nullptr, 0, pattern, arguments), '\0');
  std::vsnprintf(text.data(), text.size() + 1, pattern, again);
  va_end(arguments);
  va_end(again);
  return text;
}

std::string printableBytes(double bytes) {
  for (const char *unit : {"bytes", "kB", "MB", "GB"}) {
    if (bytes < 1000 || std::string_view(unit) == "GB")
      return format(std::string_view(unit) == "bytes" || bytes >= 100 ? "%.0f %s" : "%.1f %s", bytes, unit);
    bytes /= 1000;
  }
  return "";
}

std::string printableSeconds(double seconds) {
  if (seconds < 1e-3)
    return format("%.0f us", seconds * 1e6);
  return seconds < 1 ? format("%.*f ms", seconds < 0.1 ? 2 : 1, seconds * 1e3) : format("%.2f s", seconds);
}

Result<void> writeFileWhole(const std::string &path, std::string_view bytes) {
  auto failed = [&](const std::string &why) {
    return Diagnostic{"W0509", "the file cannot be written: " + why, path,
                      "check the folder, its permissions and the disk"};
  };
  std::string temporary = path + ".part" + std::to_string(getpid());
  std::ofstream file(temporary, std::ios::binary);
  if (!file)
    return failed(std::strerror(errno));
  file.write(bytes.data(), bytes.size());
  file.close();
  if (file && std::rename(temporary.c_str(), path.c_str()) == 0)
    return {};
  std::string why = std::strerror(errno);
  std::remove(temporary.c_str());
  return failed(why);
}

// ---- Values ----

static bool parseExtent(std::string_view text, int64_t &value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 1;
}

Result<Bounds> parseBounds(const std::string &text) {
  Bounds bounds;
  auto failed = [&](const std::string &what) {
    return Diagnostic{"W0504", what, "--shape " + text, "write --shape batch=1..64,sequence=128"};
  };
  for (const std::string &item : CLI::detail::split(text, ',')) {
    size_t equals = item.find('=');
    if (equals == std::string::npos || equals == 0)
      return failed("'" + item + "' is not NAME=EXTENT or NAME=MIN..MAX");
    std::string name = item.substr(0, equals), range = item.substr(equals + 1);
    size_t dots = range.find("..");
    DimBounds parsed;
    bool valid = parseExtent(range.substr(0, dots), parsed.min) &&
                 parseExtent(dots == std::string::npos ? range : range.substr(dots + 2), parsed.max);
    if (!valid || parsed.min > parsed.max)
      return failed("'" + range + "' is no extent of at least 1 and no range of two, smaller first");
    if (!bounds.emplace(name, parsed).second)
      return failed("'" + name + "' is given twice");
  }
  return bounds;
}

/// What others call things, and how they are chosen here.
struct Meaning {
  std::string_view word, option, value;
};
static constexpr Meaning kMeanings[] = {
    {"amx", "--target", "amx"},
    {"avx512", "--target", "v4"},
    {"avx-512", "--target", "v4"},
    {"vnni", "--target", "v4-vnni"},
    {"zen4", "--target", "v4-bf16"},
    {"avx512vnni", "--target", "v4-vnni"},
    {"v4", "--target", "v4"},
    {"x86-64-v4", "--target", "v4"},
    {"avx2", "--target", "v3"},
    {"v3", "--target", "v3"},
    {"x86-64-v3", "--target", "v3"},
    {"generic", "--target", "portable"},
    {"sse2", "--target", "portable"},
    {"x86-64", "--target", "portable"},
    {"portable", "--target", "portable"},
    {"hopper", "--target", "nvptx:sm_90a"},
    {"h100", "--target", "nvptx:sm_90a"},
    {"h200", "--target", "nvptx:sm_90a"},
    {"a100", "--target", "nvptx:sm_80"},
    {"ampere", "--target", "nvptx:sm_80"},
    {"sm90", "--target", "nvptx:sm_90a"},
    {"sm80", "--target", "nvptx:sm_80"},
    {"host", "--target", "native"},
    {"native", "--target", "native"},
    {"f32", "--dtype", "f32"},
    {"fp32", "--dtype", "f32"},
    {"float32", "--dtype", "f32"},
    {"float", "--dtype", "f32"},
    {"f16", "--dtype", "f16"},
    {"fp16", "--dtype", "f16"},
    {"float16", "--dtype", "f16"},
    {"half", "--dtype", "f16"},
    {"bf16", "--dtype", "bf16"},
    {"bfloat16", "--dtype", "bf16"},
    {"int8", "--weights", "int8"},
    {"i8", "--weights", "int8"},
    {"8bit", "--weights", "int8"},
    {"q8", "--weights", "q8_0"},
    {"q8_0", "--weights", "q8_0"},
    {"int4", "--weights", "int4"},
    {"i4", "--weights", "int4"},
    {"q4", "--weights", "int4"},
    {"4bit", "--weights", "int4"},
};

/// "did you mean --dtype f16? "; empty where nobody calls anything so.
static std::string meant(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char letter) { return std::tolower(letter); });
  for (const Meaning &meaning : kMeanings) {
    bool exists =
        meaning.option != "--weights" || std::ranges::find(weightForms(), meaning.value) != weightForms().end();
    if (word == meaning.word && exists)
      return "did you mean " + std::string(meaning.option) + " " + std::string(meaning.value) + "? ";
  }
  return "";
}

/// "sm_90a, sm_90, sm_80"
static std::string listed(std::span<const std::string_view> words) {
  std::string text;
  for (std::string_view word : words)
    text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

Result<void> checkTarget(const std::string &target) {
  std::span<const std::string_view> known = targetLevels(), gpus = gpuArchitectures();
  std::string levels = target == "cpu" ? "v4" : target;
  bool ofCpu = levels.starts_with("cpu:"), ofGpu = levels.starts_with("nvptx:");
  levels = levels.substr(ofCpu ? 4 : ofGpu ? 6 : 0);
  for (const std::string &level : CLI::detail::split(levels, ',')) {
    if (!ofGpu && std::ranges::find(known, level) != known.end())
      continue;
    if (!ofCpu && std::ranges::find(gpus, level) != gpus.end())
      continue;
    std::string part = levels.find(',') == std::string::npos ? "" : "'" + level + "' in ", help = meant(level);
    if (ofGpu || level.starts_with("sm_") || level.starts_with("nvptx") || level.starts_with("cuda"))
      return Diagnostic{"W0503", part + "'" + target + "' is no target", "--target",
                        help + "of NVIDIA's GPUs use nvptx: with some of " + listed(gpus) + ", as in nvptx:sm_90a"};
    for (std::string_view other : {"gpu", "rocm", "metal", "arm", "aarch64", "riscv"})
      if (level.starts_with(other))
        help = "code is made for x86-64 processors and NVIDIA's GPUs alone: ";
    return Diagnostic{
        "W0503", part + "'" + target + "' is no target", "--target",
        help +
            "use cpu (all levels), or cpu: with some of amx, v4-bf16, v4-vnni, v4, v3, portable, native, as in "
            "cpu:v4,v3, or nvptx: with some of " +
            listed(gpus)};
  }
  return {};
}

Result<void> checkWeights(const std::string &form) {
  for (std::string_view known : weightForms())
    if (form == known)
      return {};
  if (std::string help = meant(form); !help.empty())
    return Diagnostic{"W0503", "'" + form + "' is no way to store weights", "--weights", help};
  return Diagnostic{"W0503", "'" + form + "' is no way to store weights", "--weights",
                    "use keep (as precise as they are), q8_0 or int4 (8 or 4 bits in groups, activations stay f32), or "
                    "int8 (8 bits, as activations are then rounded too)"};
}

Result<ElementType> parseDtype(const std::string &name) {
  static const std::map<std::string, ElementType> kTypes = {
      {"f32", ElementType::F32}, {"bf16", ElementType::BF16}, {"f16", ElementType::F16}};
  if (auto found = kTypes.find(name); found != kTypes.end())
    return found->second;
  return Diagnostic{"W0503", "'" + name + "' is no element type for weights", "--dtype",
                    meant(name) + "use f32, bf16 or f16"};
}

// ---- What is wrong with a command line ----

/// How many letters must change to make one word of the other.
static size_t distance(const std::string &left, const std::string &right) {
  std::vector<size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), size_t(0));
  for (size_t i = 1; i <= left.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= right.size(); ++j) {
      size_t changed = diagonal + (left[i - 1] != right[j - 1]);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

/// The subcommand that was chosen, or the program.
static const CLI::App &chosen(const CLI::App &weft) {
  std::vector<CLI::App *> commands = weft.get_subcommands();
  return commands.empty() ? weft : *commands.front();
}

static Diagnostic unknownWord(const CLI::App &weft, const std::string &word) {
  const CLI::App &app = chosen(weft);
  bool top = &app == &weft;
  std::vector<std::string> known;
  for (const CLI::Option *option : app.get_options())
    for (const std::string &name : option->get_lnames())
      known.push_back("--" + name);
  for (const CLI::App *command : app.get_subcommands({}))
    known.push_back(command->get_name());
  std::string name = word.substr(0, word.find('='));
  auto nearest = std::min_element(known.begin(), known.end(), [&](const std::string &left, const std::string &right) {
    return distance(name, left) < distance(name, right);
  });
  bool near = nearest != known.end() && distance(name, *nearest) <= 1 + name.size() / 4;
  std::string help = top ? "weft --help lists the commands" : "weft " + app.get_name() + " --help lists the options";
  bool option = word.starts_with("-");
  std::string what = option ? "unknown option " : top ? "unknown command " : "unexpected argument ";
  return {"W0501", what + "'" + word + "'", top ? "weft" : "weft " + app.get_name(),
          (near ? "did you mean " + *nearest + "? " : "") + help};
}

Diagnostic explainParseError(const CLI::App &weft, const CLI::ParseError &error) {
  const CLI::App &app = chosen(weft);
  std::string place = &app == &weft ? "weft" : "weft " + app.get_name();
  std::string help = place + " --help lists the options";
  std::string what = error.what();
  if (dynamic_cast<const CLI::ExtrasError *>(&error)) {
    std::vector<std::string> extra = app.remaining(true);
    if (extra.empty())
      extra = weft.remaining(true);
    return unknownWord(weft, extra.empty() ? what : extra.front());
  }
  if (dynamic_cast<const CLI::RequiredError *>(&error) || dynamic_cast<const CLI::ArgumentMismatch *>(&error))
    return {"W0502", what, place, help};
  return {"W0503", what, place, help};
}

} // namespace weft::cli
