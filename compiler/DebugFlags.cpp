// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// --debug-only for LDBG() and LLVM_DEBUG in Weft's own code. A packaged LLVM is
// built without assertions and lacks the flag; the machinery below it is there.
#include "compiler/DebugFlags.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Debug.h"

#include <string>
#include <vector>

#ifdef NDEBUG
void weft::registerDebugFlags() {}
#else
void weft::registerDebugFlags() {
  static std::vector<std::string> names;
  static llvm::cl::list<std::string> debugOnly("debug-only", llvm::cl::CommaSeparated,
                                               llvm::cl::desc("Print the debug output of these types"),
                                               llvm::cl::callback([](const std::string &name) {
                                                 names.push_back(name);
                                                 std::vector<const char *> types;
                                                 for (const std::string &type : names)
                                                   types.push_back(type.c_str());
                                                 llvm::DebugFlag = true;
                                                 llvm::setCurrentDebugTypes(types.data(), types.size());
                                               }));
}
#endif
