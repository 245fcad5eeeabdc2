// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Texts in the pages of a session: they begin, share, go back, end and are saved, and whatever is wrong leaves them as
// they were.
#include "test/unit/runtime/PagedModel.h"
#include "test/unit/runtime/StatefulModel.h"

#include <cstring>

namespace weft::test {
namespace {

using Tokens = std::vector<int64_t>;

/// A session with so many pages, and its texts.
template <int64_t LENGTH> class Session {
public:
  explicit Session(const PagedModel<LENGTH> &model, int64_t pages = 96 / LENGTH) {
    weft_dim_limit limit = {"pages", pages};
    weft_session_options options = {};
    options.size = sizeof(options);
    options.threads = 1;
    options.dim_limits = &limit;
    options.dim_limit_count = 1;
    EXPECT_EQ(weft_session_new(model.model, &options, &session), WEFT_OK) << weft_last_error();
    EXPECT_EQ(weft_texts_new(session, &texts), WEFT_OK) << weft_last_error();
  }
  ~Session() {
    weft_texts_free(texts);
    weft_session_free(session);
  }
  Session(const Session &) = delete;

  weft_text begin() {
    weft_text text = 0;
    EXPECT_EQ(weft_text_begin(texts, &text), WEFT_OK);
    return text;
  }
  weft_text fork(weft_text from, int64_t length) {
    weft_text text = 0;
    EXPECT_EQ(weft_text_fork(texts, from, length, &text), WEFT_OK) << weft_last_error();
    return text;
  }
  /// The first score of each part, or nothing where the step fails.
  std::vector<float> step(const std::vector<std::pair<weft_text, Tokens>> &parts) {
    std::vector<weft_text_part> given;
    for (const auto &[text, tokens] : parts)
      given.push_back({text, tokens.data(), int64_t(tokens.size())});
    std::vector<float> scores(3 * parts.size()), first;
    status = weft_texts_step(texts, given.data(), given.size(), scores.data(), scores.size() * sizeof(float));
    for (size_t part = 0; status == WEFT_OK && part < parts.size(); ++part)
      first.push_back(scores[3 * part]);
    return first;
  }
  float step(weft_text text, const Tokens &tokens) {
    std::vector<float> scores = step({{text, tokens}});
    return scores.empty() ? -1 : scores[0];
  }
  weft_texts_info info() {
    weft_texts_info result = {};
    EXPECT_EQ(weft_texts_describe(texts, &result), WEFT_OK);
    return result;
  }
  int64_t length(weft_text text) {
    int64_t result = -1;
    EXPECT_EQ(weft_text_length(texts, text, &result), WEFT_OK) << weft_last_error();
    return result;
  }
  std::vector<char> save(weft_text text) {
    uint64_t bytes = 0;
    EXPECT_EQ(weft_text_bytes(texts, text, &bytes), WEFT_OK);
    std::vector<char> buffer(bytes);
    EXPECT_EQ(weft_text_save(texts, text, buffer.data(), bytes), WEFT_OK) << weft_last_error();
    return buffer;
  }

  weft_session *session = nullptr;
  weft_texts *texts = nullptr;
  weft_status status = WEFT_OK;
};

std::string error() { return weft_last_error(); }

TEST(Texts, TellWhatTheyHave) {
  PagedModel<4> model;
  Session<4> session(model);
  weft_texts_info info = session.info();
  EXPECT_EQ(info.page_length, 4);
  EXPECT_EQ(info.pages, 24);
  EXPECT_EQ(info.free_pages, 24);
  EXPECT_EQ(info.longest, 24);
  EXPECT_EQ(info.vocabulary, 3);
  EXPECT_EQ(info.bytes_of_page, 16u);
  weft_text text = session.begin();
  EXPECT_EQ(session.step(text, {1, 2, 3, 4, 5}), 1 + 4 + 9 + 16 + 25);
  EXPECT_EQ(session.info().free_pages, 22);
  EXPECT_EQ(session.info().texts, 1);
  EXPECT_EQ(session.length(text), 5);
}

TEST(Texts, GoOnSideBySide) {
  PagedModel<4> model;
  Session<4> session(model);
  weft_text a = session.begin(), b = session.begin(), c = session.begin();
  // Parts of one length are one call, and scores come in the order of the parts.
  PagedModel<4>::calls = 0;
  EXPECT_EQ(session.step({{a, {1, 1}}, {b, {2, 2, 2}}, {c, {3, 3}}}), (std::vector<float>{3, 12, 9}));
  EXPECT_EQ(PagedModel<4>::calls, 2);
  EXPECT_EQ(session.step({{c, {1}}, {a, {1}}}), (std::vector<float>{12, 6}));
  EXPECT_EQ(PagedModel<4>::calls, 3);
  EXPECT_EQ(weft_text_end(session.texts, a), WEFT_OK);
  weft_text d = session.begin();
  EXPECT_NE(d, a);
  EXPECT_EQ(session.step({{b, {0}}, {d, {7}}, {c, {0}}}), (std::vector<float>{12, 7, 12}));
  EXPECT_EQ(session.info().texts, 3);
  EXPECT_EQ(session.step({}), std::vector<float>());
  EXPECT_EQ(session.status, WEFT_OK);
}

TEST(Texts, MoreThanACallTakesAreSeveralCalls) {
  PagedModel<4> model;
  Session<4> session(model);
  std::vector<std::pair<weft_text, Tokens>> parts;
  std::vector<float> want;
  for (int64_t i = 0; i < 7; ++i) {
    parts.push_back({session.begin(), {i}});
    want.push_back(float(i));
  }
  PagedModel<4>::calls = 0;
  EXPECT_EQ(session.step(parts), want);
  EXPECT_EQ(PagedModel<4>::calls, 3); // of at most three rows
}

TEST(Texts, ShareWhatTheyHaveInCommon) {
  PagedModel<4> model;
  Session<4> session(model);
  weft_text a = session.begin();
  session.step(a, {1, 1, 1, 1, 1, 1}); // two pages
  weft_text b = session.fork(a, 6), c = session.fork(a, 4), d = session.fork(a, 0);
  EXPECT_EQ(session.info().free_pages, 22);
  EXPECT_EQ(session.length(c), 4);
  // Whoever writes first to a page of two gets its own.
  EXPECT_EQ(session.step({{b, {9}}, {a, {2}}}), (std::vector<float>{21 + 63, 21 + 14}));
  EXPECT_EQ(session.info().free_pages, 21);
  EXPECT_EQ(session.step({{c, {5}}, {d, {5}}}), (std::vector<float>{10 + 25, 5}));
  EXPECT_EQ(session.step({{a, {0}}, {b, {0}}}), (std::vector<float>{35, 84}));
  for (weft_text text : {a, b, c, d})
    EXPECT_EQ(weft_text_end(session.texts, text), WEFT_OK);
  EXPECT_EQ(session.info().free_pages, 24);
}

TEST(Texts, GoBack) {
  PagedModel<4> model;
  Session<4> session(model);
  weft_text a = session.begin();
  session.step(a, {1, 1, 1, 1, 1, 1, 1, 1, 1});
  weft_text b = session.fork(a, 7);
  EXPECT_EQ(weft_text_cut(session.texts, a, 5), WEFT_OK);
  EXPECT_EQ(session.length(a), 5);
  EXPECT_EQ(session.step({{a, {2}}, {b, {3}}}), (std::vector<float>{15 + 12, 28 + 24}));
  EXPECT_EQ(weft_text_cut(session.texts, a, 0), WEFT_OK);
  EXPECT_EQ(session.step(a, {4}), 4);
  EXPECT_EQ(weft_text_cut(session.texts, a, 2), WEFT_ERROR_ARGUMENT);
  EXPECT_NE(error().find("the length is 2, the text has 1 tokens"), std::string::npos) << error();
  EXPECT_EQ(weft_text_cut(session.texts, a, -1), WEFT_ERROR_ARGUMENT);
}

TEST(Texts, FullPagesAreAnErrorThatLosesNothing) {
  PagedModel<4> model;
  Session<4> session(model, /*pages=*/3);
  weft_text a = session.begin(), b = session.begin();
  session.step({{a, {1, 1, 1, 1}}, {b, {2, 2}}});
  EXPECT_EQ(session.step(a, {1, 1, 1, 1, 1}), -1);
  EXPECT_EQ(session.status, WEFT_ERROR_MEMORY);
  EXPECT_NE(error().find("error[W0431]: the new tokens need 2 pages of 4 tokens, 1 of 3 are free"), std::string::npos)
      << error();
  EXPECT_EQ(session.step({{a, {1}}, {b, {2}}}), (std::vector<float>{15, 12}));
  EXPECT_EQ(weft_text_end(session.texts, b), WEFT_OK);
  EXPECT_EQ(session.step(a, {1, 1, 1, 1}), 45);
}

TEST(Texts, WrongTokensLoseNothing) {
  PagedModel<4> model;
  Session<4> session(model);
  weft_text a = session.begin();
  session.step(a, {1, 1, 1});
  weft_text b = session.fork(a, 3);
  int64_t free = session.info().free_pages;
  EXPECT_EQ(session.step({{b, {1, 1}}, {a, {50}}}), std::vector<float>()); // not of the vocabulary
  EXPECT_EQ(session.status, WEFT_ERROR_INDEX);
  PagedModel<4>::fails = true;
  EXPECT_EQ(session.step({{b, {7, 7}}}), std::vector<float>());
  PagedModel<4>::fails = false;
  EXPECT_EQ(session.status, WEFT_ERROR_MODEL) << error();
  EXPECT_EQ(session.info().free_pages, free);
  EXPECT_EQ(session.length(a), 3);
  EXPECT_EQ(session.step({{a, {1}}, {b, {2}}}), (std::vector<float>{10, 14}));
}

TEST(Texts, TooLongOnesAreRefused) {
  PagedModel<4> model;
  Session<4> session(model);
  weft_text a = session.begin();
  EXPECT_EQ(session.step(a, Tokens(21, 0)), -1);
  EXPECT_NE(error().find("part 0 has 21 tokens, a call takes 20 at most"), std::string::npos) << error();
  EXPECT_EQ(session.step(a, Tokens(20, 0)), 0);
  EXPECT_EQ(session.step(a, Tokens(5, 0)), -1);
  EXPECT_EQ(session.status, WEFT_ERROR_INDEX);
  EXPECT_NE(error().find("has 20 tokens and would have 5 more, of 24 at most"), std::string::npos) << error();
  EXPECT_EQ(session.step(a, Tokens(4, 1)), 21 + 22 + 23 + 24);
}

TEST(Texts, WrongCallsAreRefused) {
  PagedModel<4> model;
  Session<4> session(model);
  weft_text a = session.begin(), none = 0;
  EXPECT_EQ(session.step({{a, {1}}, {a, {2}}}), std::vector<float>());
  EXPECT_NE(error().find("parts 0 and 1 are of one text"), std::string::npos) << error();
  EXPECT_EQ(session.step(a, {}), -1);
  EXPECT_EQ(session.status, WEFT_ERROR_ARGUMENT);
  EXPECT_EQ(session.step(a + 1, {1}), -1);
  EXPECT_NE(error().find("there is no text 2"), std::string::npos) << error();
  EXPECT_EQ(weft_text_end(session.texts, 0), WEFT_ERROR_ARGUMENT);
  EXPECT_EQ(weft_text_fork(session.texts, a, 1, &none), WEFT_ERROR_ARGUMENT);
  EXPECT_EQ(weft_text_begin(nullptr, &none), WEFT_ERROR_ARGUMENT);
  float scores[3];
  int64_t token = 1;
  weft_text_part part = {a, &token, 1};
  EXPECT_EQ(weft_texts_step(session.texts, &part, 1, scores, sizeof(scores) - 1), WEFT_ERROR_SHAPE);
  EXPECT_EQ(weft_texts_step(session.texts, &part, 1, nullptr, 0), WEFT_ERROR_ARGUMENT);
  StatefulModel stateful;
  weft_session *other = nullptr;
  weft_texts *texts = nullptr;
  ASSERT_EQ(weft_session_new(stateful.model, nullptr, &other), WEFT_OK);
  EXPECT_EQ(weft_texts_new(other, &texts), WEFT_ERROR_ARGUMENT);
  EXPECT_NE(error().find("the model does not keep texts in pages: it has no entries prefill and decode"),
            std::string::npos)
      << error();
  weft_session_free(other);
}

TEST(Texts, AreSavedForPagesOfAnyLength) {
  PagedModel<4> fours;
  PagedModel<3> threes;
  Session<4> session(fours);
  weft_text a = session.begin();
  float before = session.step(a, {5, 4, 3, 2, 1, 5, 4});
  std::vector<char> saved = session.save(a);
  Session<3> other(threes);
  weft_text b = 0;
  ASSERT_EQ(weft_text_restore(other.texts, saved.data(), saved.size(), &b), WEFT_OK) << weft_last_error();
  EXPECT_EQ(other.length(b), 7);
  EXPECT_EQ(other.step(b, {2}), before + 16);
  EXPECT_EQ(session.step(a, {2}), before + 16);
  EXPECT_EQ(other.save(b).size(), session.save(a).size());
  // An empty text too.
  std::vector<char> empty = session.save(session.begin());
  ASSERT_EQ(weft_text_restore(other.texts, empty.data(), empty.size(), &b), WEFT_OK);
  EXPECT_EQ(other.length(b), 0);
}

TEST(Texts, OthersBytesAreNoText) {
  PagedModel<4> model;
  Session<4> session(model, /*pages=*/4);
  weft_text a = session.begin(), b = 0;
  session.step(a, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  std::vector<char> saved = session.save(a);
  EXPECT_EQ(weft_text_restore(session.texts, saved.data(), saved.size(), &b), WEFT_ERROR_MEMORY); // one page is free
  weft_text_end(session.texts, a);
  for (size_t bytes = 0; bytes < saved.size(); bytes += 5)
    EXPECT_EQ(weft_text_restore(session.texts, saved.data(), bytes, &b), WEFT_ERROR_CORRUPT) << bytes;
  for (size_t byte = 0; byte < 24; ++byte) {
    std::vector<char> changed = saved;
    changed[byte] ^= 0x40;
    EXPECT_EQ(weft_text_restore(session.texts, changed.data(), changed.size(), &b), WEFT_ERROR_CORRUPT) << byte;
  }
  std::vector<char> endless = saved;
  int64_t lengths[] = {-1, 25, INT64_MAX, INT64_MIN};
  for (int64_t length : lengths) {
    std::memcpy(endless.data() + 24, &length, sizeof(length));
    EXPECT_EQ(weft_text_restore(session.texts, endless.data(), endless.size(), &b), WEFT_ERROR_INDEX) << length;
  }
  EXPECT_EQ(session.info().free_pages, 4);
  EXPECT_EQ(session.info().texts, 0);
}

} // namespace
} // namespace weft::test
