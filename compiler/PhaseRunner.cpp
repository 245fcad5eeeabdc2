// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/PhaseRunner.h"

#include "compiler/emit/DurableFile.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/raw_ostream.h"

#include <filesystem>
#include <unistd.h>

namespace weft {
namespace {

namespace fs = std::filesystem;

std::string fileLabel(const Phase &phase, std::string_view variant) {
  return std::string(phase.name) + (variant.empty() ? "" : "-" + std::string(variant));
}

/// The file that a failing pipeline is written to.
class ReproducerFile : public mlir::ReproducerStream {
public:
  ReproducerFile(const std::string &path, std::error_code &error) : path(path), stream(path, error) {}

  llvm::StringRef description() override { return path; }
  llvm::raw_ostream &os() override { return stream; }

private:
  std::string path;
  llvm::raw_fd_ostream stream;
};

/// Where the reproducer can be written, first choice first; `written` becomes the path that served.
mlir::ReproducerStreamFactory reproducerIn(const std::string &folder, const std::string &label, std::string &written) {
  return [folder, label, &written](std::string &error) -> std::unique_ptr<mlir::ReproducerStream> {
    std::error_code code;
    std::string name = "weft-crash-" + label + "-" + std::to_string(getpid()) + ".mlir";
    for (const fs::path &place : {fs::path(folder), fs::temp_directory_path(code)}) {
      std::string path = (place / name).string();
      auto file = std::make_unique<ReproducerFile>(path, code);
      if (!code) {
        written = path;
        return file;
      }
    }
    error = code.message();
    return nullptr;
  };
}

/// The error that says most: the first of a pass, not the summary that the pass manager adds.
Diagnostic explain(const Phase &phase, const std::vector<CapturedError> &errors, bool handWritten,
                   const std::string &reproducer) {
  std::string message = "phase " + std::string(phase.name) + " failed", place;
  for (const CapturedError &error : errors)
    if (!error.message.starts_with("Failures have been detected")) {
      message += ": " + error.message;
      place = error.place;
      break;
    }
  std::string written = reproducer.empty() ? "" : "; reproduce it with weft-opt --run-reproducer " + reproducer;
  if (handWritten)
    return {"W0603", message, place, "rewrite the operation in ops that docs/spec.md describes" + written};
  return {"W0601", message, place, "this is a bug in Weft, please report it" + written};
}

} // namespace

Result<void> PhaseRunner::run(const Phase &phase, IsolatedModule &module, std::string_view variant) const {
  module.setPhase(phase.name);
  if (phase.addPasses) {
    mlir::PassManager passes(module.get()->getContext(), mlir::ModuleOp::getOperationName());
    phase.addPasses(passes);
    passes.enableVerifier(true);
    (void)mlir::applyPassManagerCLOptions(passes); // fails where a program has registered none
    std::string reproducer;
    passes.enableCrashReproducerGeneration(reproducerIn(reproducerDir, fileLabel(phase, variant), reproducer));
    if (failed(passes.run(module.get())))
      return explain(phase, module.takeErrors(), handWritten, reproducer);
  }
  return dump(phase, module.get(), variant);
}

Diagnostic PhaseRunner::withReproducer(Diagnostic error, const Phase &phase, mlir::ModuleOp module,
                                       std::string_view variant) const {
  std::string path, problem;
  auto file = reproducerIn(reproducerDir, fileLabel(phase, variant), path)(problem);
  if (!file)
    return error;
  file->os() << printModule(module);
  error.help += "; the module is in " + path;
  return error;
}

Result<void> PhaseRunner::dump(const Phase &phase, mlir::ModuleOp module, std::string_view variant) const {
  if (dumpDir.empty())
    return {};
  std::error_code error;
  fs::create_directories(dumpDir, error);
  if (error)
    return cannotWrite(dumpDir, error.value());
  std::string number = std::to_string(phase.number);
  std::string name = std::string(2 - number.size(), '0') + number + "-" + fileLabel(phase, variant) + ".mlir";
  return writeFile(fs::path(dumpDir) / name, printModule(module));
}

} // namespace weft
