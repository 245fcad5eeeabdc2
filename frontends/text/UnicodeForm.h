// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The four normal forms of Unicode, with the place of every character.
#ifndef WEFT_FRONTENDS_TEXT_UNICODEFORM_H
#define WEFT_FRONTENDS_TEXT_UNICODEFORM_H

#include "frontends/text/AlignedText.h"

namespace weft::text {

enum class UnicodeForm { Nfc, Nfd, Nfkc, Nfkd };

void toUnicodeForm(AlignedText &text, UnicodeForm form);

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_UNICODEFORM_H
