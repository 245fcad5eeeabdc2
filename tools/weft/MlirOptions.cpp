// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// --mlir='…' into MLIR's pass manager and LLVM, whose options are not otherwise shown.
#include "compiler/RegisterAll.h"
#include "compiler/include/weft/Compiler.h"

#include "mlir/Pass/PassManager.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/StringSaver.h"
#include "llvm/Support/raw_ostream.h"

namespace weft::cli {

Result<void> applyMlirOptions(const std::vector<std::string> &options) {
  if (options.empty())
    return {};
  registerAllPasses(); // so that options can name them
  mlir::registerPassManagerCLOptions();
  llvm::BumpPtrAllocator allocator;
  llvm::StringSaver saver(allocator);
  llvm::SmallVector<const char *> arguments = {"weft"};
  for (const std::string &option : options)
    llvm::cl::TokenizeGNUCommandLine(option, saver, arguments);
  std::string message;
  llvm::raw_string_ostream stream(message);
  if (llvm::cl::ParseCommandLineOptions(arguments.size(), arguments.data(), "", &stream))
    return {};
  return Diagnostic{"W0503", "MLIR refuses an option: " + message.substr(0, message.find('\n')), "--mlir",
                    "weft-opt --help lists its options; one that prints after each pass is --mlir-print-ir-after-all"};
}

} // namespace weft::cli
