// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The last error: its text, its thread, and that `weft explain` knows its code.
#include "frontends/diagnostic/Diagnostic.h"
#include "test/unit/runtime/Artifact.h"

#include <thread>

using namespace weft::test;

TEST(Error, IsFormattedWithPlaceAndHelp) {
  expectRefused("/nonexistent\n.weft", WEFT_ERROR_FILE, "W0401");
  EXPECT_STREQ(weft_last_error(), "error[W0401]: the artifact cannot be opened: No such file or directory\n"
                                  "  --> /nonexistent?.weft\n"
                                  "help: give the directory that `weft compile MODEL -o NAME.weft` wrote\n");
}

TEST(Error, StatusesHaveNames) {
  EXPECT_STREQ(weft_status_name(WEFT_OK), "WEFT_OK");
  EXPECT_STREQ(weft_status_name(WEFT_ERROR_MODEL), "WEFT_ERROR_MODEL");
  EXPECT_STREQ(weft_status_name(weft_status(99)), "WEFT_ERROR_UNKNOWN");
}

TEST(Error, BelongsToItsThread) {
  expectRefused("/nonexistent.weft", WEFT_ERROR_FILE, "W0401");
  std::thread([] { EXPECT_STREQ(weft_last_error(), ""); }).join();
  EXPECT_STRNE(weft_last_error(), "");
}

TEST(Error, LongNamesAreCut) {
  expectRefused("/" + std::string(10000, 'x'), WEFT_ERROR_FILE, "W0401");
  EXPECT_LT(strlen(weft_last_error()), 2048u);
}

TEST(Error, EveryCodeIsExplained) {
  for (int number = weft::runtime::kFileUnreadable.number; number <= weft::runtime::kModelFailed.number; ++number)
    EXPECT_NE(weft::explainCode("W0" + std::to_string(number)), nullptr) << number;
}
