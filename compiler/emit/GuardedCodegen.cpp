// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/GuardedCodegen.h"

#include "llvm/IR/DiagnosticHandler.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/raw_ostream.h"

#include <mutex>

namespace weft {
namespace {

/// Keeps LLVM from printing errors and, worse, from exiting on them.
struct ErrorCollector : llvm::DiagnosticHandler {
  explicit ErrorCollector(std::string &errors) : errors(errors) {}

  bool handleDiagnostics(const llvm::DiagnosticInfo &info) override {
    if (info.getSeverity() != llvm::DS_Error)
      return true;
    llvm::raw_string_ostream stream(errors);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    info.print(printer);
    return true;
  }

  std::string &errors;
};

/// Where the reason of a fatal error on this thread goes; null outside of guarded runs.
thread_local std::string *fatalReason = nullptr;

/// Leaves the guarded run before LLVM prints and aborts ("Cannot select" comes this way).
void leaveOnFatalError(void *, const char *reason, bool) {
  if (!fatalReason) { // another thread's: LLVM goes on to end the process, and leaves it to its handler to say why
    llvm::errs() << "LLVM ERROR: " << reason << "\n";
    return;
  }
  *fatalReason += reason;
  llvm::CrashRecoveryContext::GetCurrent()->HandleExit(1);
}

/// LLVM has one handler for the whole process: ours is there while any guarded run is.
class FatalErrorScope {
public:
  explicit FatalErrorScope(std::string &reason) {
    fatalReason = &reason;
    std::lock_guard lock(mutex());
    if (count()++ == 0)
      llvm::install_fatal_error_handler(leaveOnFatalError);
  }
  ~FatalErrorScope() {
    fatalReason = nullptr;
    std::lock_guard lock(mutex());
    if (--count() == 0)
      llvm::remove_fatal_error_handler();
  }
  FatalErrorScope(const FatalErrorScope &) = delete;
  FatalErrorScope &operator=(const FatalErrorScope &) = delete;

private:
  static std::mutex &mutex() {
    static std::mutex instance;
    return instance;
  }
  static int &count() {
    static int runs = 0;
    return runs;
  }
};

} // namespace

GuardedRun runGuarded(llvm::LLVMContext &context, llvm::function_ref<void()> work) {
  std::string errors, fatal;
  context.setDiagnosticHandler(std::make_unique<ErrorCollector>(errors));
  FatalErrorScope scope(fatal);
  llvm::CrashRecoveryContext::Enable();
  llvm::CrashRecoveryContext recovery;
  bool survived = recovery.RunSafely(work);
  context.setDiagnosticHandler(nullptr);
  if (survived)
    return {true, errors};
  return {false, fatal.empty() ? "the code generator crashed" : fatal};
}

Diagnostic emissionFailed(llvm::StringRef name, llvm::StringRef reason) {
  return {"W0690", "LLVM could not make machine code: " + reason.str(), name.str(),
          "this is a bug in Weft, please report it with the model's config.json and the command"};
}

} // namespace weft
