// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// paged_texts ARTIFACT: texts of a model with its caches in pages come and go, share and go back. Each has the bits
// that it has alone in a session of its own. Exit code 1, and the line, when something differs.
#include <weft/texts.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS = 5, LONGEST = 24 };

#define EXPECT(condition)                                                                                              \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "line %d: %s\n%s\n", __LINE__, #condition, weft_last_error());                                   \
      exit(1);                                                                                                         \
    }                                                                                                                  \
  } while (0)

static int64_t tokens[TEXTS][LONGEST];
static weft_model *model;
static int64_t vocabulary;

static weft_session *new_session(weft_texts **texts) {
  weft_session *session = NULL;
  weft_dim_limit limit = {"pages", 64};
  weft_session_options options = {.size = sizeof(options), .dim_limits = &limit, .dim_limit_count = 1};
  EXPECT(weft_session_new(model, &options, &session) == WEFT_OK);
  EXPECT(weft_texts_new(session, texts) == WEFT_OK);
  return session;
}

static weft_text begin(weft_texts *texts) {
  weft_text text;
  EXPECT(weft_text_begin(texts, &text) == WEFT_OK);
  return text;
}

/* The scores after `steps` parts of a text, of the lengths in `parts`, alone. */
static void alone(int which, const int64_t *parts, int steps, float *scores) {
  weft_texts *texts;
  weft_session *session = new_session(&texts);
  weft_text text = begin(texts);
  int64_t at = 0;
  for (int step = 0; step < steps; at += parts[step++]) {
    weft_text_part part = {text, tokens[which] + at, parts[step]};
    EXPECT(weft_texts_step(texts, &part, 1, scores, vocabulary * sizeof(float)) == WEFT_OK);
  }
  weft_texts_free(texts);
  weft_session_free(session);
}

static void expect_same(const float *scores, int which, const int64_t *parts, int steps) {
  float *want = malloc(vocabulary * sizeof(float));
  alone(which, parts, steps, want);
  EXPECT(memcmp(scores, want, vocabulary * sizeof(float)) == 0);
  free(want);
}

/* Prompts and single tokens of several texts in each step; texts begin and end between. */
static void side_by_side(weft_texts *texts) {
  static const int64_t parts[TEXTS][5] = {
      {9, 1, 1, 4, 1}, {3, 1, 1, 1, 1}, {1, 1, 1, 1, 1}, {12, 1, 5, 1, 1}, {7, 7, 1, 1, 1}};
  static const int first[TEXTS] = {0, 0, 2, 1, 3}; /* the step that a text begins in */
  weft_text text[TEXTS] = {0};
  int64_t at[TEXTS] = {0};
  float *scores = malloc(TEXTS * vocabulary * sizeof(float));
  for (int step = 0; step < 8; ++step) {
    weft_text_part given[TEXTS];
    int members[TEXTS], count = 0;
    for (int i = TEXTS; i-- > 0;) {
      int mine = step - first[i];
      if (mine < 0 || mine >= 5)
        continue;
      if (mine == 0)
        text[i] = begin(texts);
      given[count] = (weft_text_part){text[i], tokens[i] + at[i], parts[i][mine]};
      members[count++] = i;
    }
    EXPECT(weft_texts_step(texts, given, count, scores, TEXTS * vocabulary * sizeof(float)) == WEFT_OK);
    for (int part = 0; part < count; ++part) {
      int i = members[part], mine = step - first[i];
      at[i] += parts[i][mine];
      expect_same(scores + part * vocabulary, i, parts[i], mine + 1);
      if (mine == 4)
        EXPECT(weft_text_end(texts, text[i]) == WEFT_OK);
    }
  }
  free(scores);
}

/* A text that others begin with, that goes back, and that is saved in between. */
static void share_and_go_back(weft_texts *texts) {
  float *scores = malloc(2 * vocabulary * sizeof(float));
  uint64_t bytes;
  weft_text a = begin(texts), b, c;
  weft_text_part prompt = {a, tokens[0], 11};
  EXPECT(weft_texts_step(texts, &prompt, 1, scores, vocabulary * sizeof(float)) == WEFT_OK);
  EXPECT(weft_text_fork(texts, a, 11, &b) == WEFT_OK);
  EXPECT(weft_text_bytes(texts, a, &bytes) == WEFT_OK);
  void *saved = malloc(bytes);
  EXPECT(weft_text_save(texts, a, saved, bytes) == WEFT_OK);
  weft_text_part both[] = {{a, tokens[1], 1}, {b, tokens[0] + 11, 1}};
  EXPECT(weft_texts_step(texts, both, 2, scores, 2 * vocabulary * sizeof(float)) == WEFT_OK);
  expect_same(scores + vocabulary, 0, (int64_t[]){11, 1}, 2);
  EXPECT(weft_text_cut(texts, a, 11) == WEFT_OK);
  EXPECT(weft_text_restore(texts, saved, bytes, &c) == WEFT_OK);
  both[0].tokens = both[1].tokens = tokens[0] + 11;
  both[1].text = c;
  EXPECT(weft_texts_step(texts, both, 2, scores, 2 * vocabulary * sizeof(float)) == WEFT_OK);
  expect_same(scores, 0, (int64_t[]){11, 1}, 2);
  expect_same(scores + vocabulary, 0, (int64_t[]){11, 1}, 2);
  weft_text every[] = {a, b, c};
  for (int i = 0; i < 3; ++i)
    EXPECT(weft_text_end(texts, every[i]) == WEFT_OK);
  free(saved);
  free(scores);
}

int main(int count, char **arguments) {
  EXPECT(count == 2);
  EXPECT(weft_open(arguments[1], NULL, &model) == WEFT_OK);
  weft_texts *texts;
  weft_session *session = new_session(&texts);
  weft_texts_info info;
  EXPECT(weft_texts_describe(texts, &info) == WEFT_OK);
  vocabulary = info.vocabulary;
  for (int i = 0; i < TEXTS * LONGEST; ++i)
    (&tokens[0][0])[i] = (i * i * 7 + 3 * i) % vocabulary;
  side_by_side(texts);
  share_and_go_back(texts);
  EXPECT(weft_texts_describe(texts, &info) == WEFT_OK);
  EXPECT(info.free_pages == info.pages && info.texts == 0);
  printf("%s: pages of %lld, texts have the bits that they have alone\n", weft_model_device(model),
         (long long)info.page_length);
  weft_texts_free(texts);
  weft_session_free(session);
  weft_close(model);
  return 0;
}
