// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/Assembler.h"

#include "compiler/emit/DurableFile.h"
#include "compiler/emit/Subprocess.h"
#include "llvm/Support/Program.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace weft {
namespace {

namespace fs = std::filesystem;

/// A folder of its own, which goes with the scope.
struct TemporaryFolder {
  TemporaryFolder() {
    std::error_code ignored;
    std::string name = (fs::temp_directory_path(ignored) / "weft-ptxas-XXXXXX").string();
    if (mkdtemp(name.data()))
      path = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path.empty())
      fs::remove_all(path, ignored);
  }
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;
  fs::path path; ///< empty: it could not be made
};

/// The number in front of these words; 0: they are not there.
int32_t numberBefore(llvm::StringRef log, llvm::StringRef words) {
  llvm::StringRef before = log.substr(0, log.find(words)).rtrim();
  if (before.size() == log.rtrim().size())
    return 0;
  int32_t value = 0;
  return before.rsplit(' ').second.getAsInteger(10, value) ? 0 : value;
}

Diagnostic assemblerFailed(const Kernel &kernel, const std::string &reason) {
  return {"W0623", "ptxas made no machine code: " + reason, kernel.name + ", " + kernel.target,
          "use a ptxas of CUDA 12.3 or later, or --assemble never: the driver assembles then"};
}

} // namespace

std::optional<std::string> findPtxas() {
  if (const char *named = std::getenv("WEFT_PTXAS"); named && *named)
    return named;
  if (llvm::ErrorOr<std::string> found = llvm::sys::findProgramByName("ptxas"))
    return *found;
  return std::nullopt;
}

Result<AssembledKernel> assembleKernel(const Kernel &kernel, const std::string &ptxas) {
  TemporaryFolder folder;
  if (folder.path.empty())
    return assemblerFailed(kernel, std::strerror(errno));
  fs::path source = folder.path / "kernel.ptx", output = folder.path / "kernel.cubin", log = folder.path / "log";
  if (Result<void> written = writeFile(source, kernel.ptx); !written)
    return written.takeError();
  int status = runProgram({ptxas, "-v", "-arch=" + kernel.target, source.string(), "-o", output.string()}, log);
  if (status < 0)
    return assemblerFailed(kernel, ptxas + ": " + std::strerror(errno));
  std::string said = textOf(log);
  if (status != 0)
    return assemblerFailed(kernel, said);
  int32_t spilled = numberBefore(said, "bytes spill stores") + numberBefore(said, "bytes spill loads");
  return AssembledKernel{textOf(output), numberBefore(said, "registers"), spilled,
                         numberBefore(said, "bytes stack frame"), numberBefore(said, "bytes smem")};
}

} // namespace weft
