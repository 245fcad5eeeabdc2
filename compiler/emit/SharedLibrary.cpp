// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/SharedLibrary.h"

#include "compiler/emit/DurableFile.h"
#include "compiler/emit/Subprocess.h"
#include "runtime/include/weft/abi.h"
#include "llvm/Support/Program.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <unistd.h>

namespace weft {
namespace {

namespace fs = std::filesystem;

/// LLVM's own linker where this compiler was built, else one from PATH: any ELF linker will do.
std::optional<std::string> findLinker() {
  for (const char *name : {WEFT_LLVM_TOOLS_DIR "/ld.lld", WEFT_LLVM_TOOLS_DIR "/ld.lld-22"})
    if (access(name, X_OK) == 0)
      return name;
  for (const char *name : {"ld.lld-22", "ld.lld", "ld"})
    if (llvm::ErrorOr<std::string> found = llvm::sys::findProgramByName(name))
      return *found;
  return std::nullopt;
}

std::vector<std::string> linkerArguments(const std::string &linker, const fs::path &exports, const fs::path &output) {
  return {linker,
          "-shared",
          "-m",
          "elf_x86_64",
          "--build-id=none",
          "--hash-style=gnu",
          "-z",
          "now",
          "-z",
          "relro",
          "-z",
          "noexecstack",
          "-soname",
          "model.so",
          "--version-script",
          exports.string(),
          "-o",
          output.string()};
}

} // namespace

Result<void> linkSharedLibrary(const std::vector<Object> &objects, const fs::path &output) {
  std::optional<std::string> linker = findLinker();
  if (!linker)
    return Diagnostic{"W0620", "no linker was found", "PATH",
                      "install lld (Debian: apt-get install lld-22) or binutils"};
  TemporaryFiles temporary;
  auto add = [&](const std::string &suffix, std::string_view bytes) -> Result<void> {
    temporary.paths.push_back(output.string() + suffix);
    return writeFile(temporary.paths.back(), bytes);
  };
  if (Result<void> written = add(".exports", "{ global: " WEFT_ABI_DESCRIPTOR_SYMBOL "; local: *; };\n"); !written)
    return written;
  std::vector<std::string> arguments = linkerArguments(*linker, temporary.paths.back(), output);
  for (const Object &object : objects) {
    if (Result<void> written = add("." + object.name + ".o", object.bytes); !written)
      return written;
    arguments.push_back(temporary.paths.back().string());
  }
  fs::path log = output.string() + ".log";
  temporary.paths.push_back(log);
  int status = runProgram(arguments, log);
  if (status < 0)
    return Diagnostic{"W0620", "the linker cannot be run: " + std::string(std::strerror(errno)), *linker,
                      "reinstall lld or binutils"};
  std::string said = textOf(log); // empty where the disk has no room for the message either
  if (status != 0)
    return Diagnostic{"W0621", "the linker failed: " + (said.empty() ? *linker + " could not write" : said),
                      output.string(), "where the disk is full or read-only, write to another place with -o"};
  return flushToDisk(output);
}

} // namespace weft
