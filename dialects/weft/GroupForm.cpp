// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/weft/GroupForm.h"

#include "llvm/ADT/STLExtras.h"

namespace weft {

/// A new form is a line here; docs/spec.md says what the two are.
static constexpr NamedGroupForm kForms[] = {
    {"int4", {4, 32}, -8},
    {"q8_0", {8, 32}, 127},
};

llvm::ArrayRef<NamedGroupForm> groupForms() { return kForms; }

const NamedGroupForm *findGroupForm(llvm::StringRef name) {
  auto found = llvm::find_if(kForms, [&](const NamedGroupForm &form) { return form.name == name; });
  return found == std::end(kForms) ? nullptr : found;
}

} // namespace weft
