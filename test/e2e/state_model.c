// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// state_model ARTIFACT: prefill and thousands of decodes of Inputs/state.mlir, against the same average in float64 and
// against one prefill of all tokens. Exit code 1, and the line, when something differs.
#include "model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = AVERAGE_DECODE_Y_SIZE, BATCH = 2, CONTEXT = 5, STEPS = 3000, TOKENS = CONTEXT + STEPS };

#define EXPECT(condition)                                                                                              \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "line %d: %s\n%s\n", __LINE__, #condition, weft_last_error());                                   \
      exit(1);                                                                                                         \
    }                                                                                                                  \
  } while (0)

static float tokens[BATCH][TOKENS][WIDTH];

static void invent_tokens(void) {
  uint32_t random = 1;
  for (size_t i = 0; i < sizeof(tokens) / sizeof(float); ++i) {
    random = random * 1664525u + 1013904223u;
    (&tokens[0][0][0])[i] = (float)(random >> 16) / 65536 - 0.5f;
  }
}

static weft_session *new_session(weft_model *model, int threads) {
  weft_session *session = NULL;
  weft_session_options options = {.size = sizeof(options), .threads = threads};
  EXPECT(weft_session_new(model, &options, &session) == WEFT_OK);
  return session;
}

static uint64_t reserved_bytes(weft_session *session) {
  weft_session_info info;
  EXPECT(weft_session_describe(session, &info) == WEFT_OK);
  return info.reserved_bytes;
}

/* The first CONTEXT tokens at once, the others one by one; y after the last. */
static void run_tokens(weft_session *session, float y[BATCH][WIDTH]) {
  float context[BATCH][CONTEXT][WIDTH], next[BATCH][WIDTH];
  uint64_t bytes = 0;
  for (int b = 0; b < BATCH; ++b)
    memcpy(context[b], tokens[b], sizeof(context[b]));
  EXPECT(average_prefill(session, BATCH, CONTEXT, context[0][0], NULL) == WEFT_OK);
  for (int t = CONTEXT; t < TOKENS; ++t) {
    for (int b = 0; b < BATCH; ++b)
      memcpy(next[b], tokens[b][t], sizeof(next[b]));
    EXPECT(average_decode(session, BATCH, next[0], y[0]) == WEFT_OK);
    if (t == CONTEXT)
      bytes = reserved_bytes(session);
  }
  EXPECT(reserved_bytes(session) == bytes);
}

static void expect_average(float y[BATCH][WIDTH]) {
  for (int b = 0; b < BATCH; ++b)
    for (int d = 0; d < WIDTH; ++d) {
      double average = 0;
      for (int t = 0; t < TOKENS; ++t)
        average = average * (0.5 + d / 128.0) + tokens[b][t][d]; /* as the test writes the weight */
      EXPECT(fabs(y[b][d] - average) < 1e-5);
    }
}

/* An average as an array of the caller's. */
static weft_tensor average(float values[BATCH][WIDTH]) {
  weft_tensor state = {"average", values, sizeof(float) * BATCH * WIDTH, WEFT_F32, 2, {BATCH, WIDTH}};
  return state;
}

static void check_extents(weft_session *session) {
  float three[3][WIDTH] = {{0}}, y[3][WIDTH];
  EXPECT(average_decode(session, 3, three[0], y[0]) == WEFT_ERROR_SHAPE);
  EXPECT(strstr(weft_last_error(), "this session holds state for batch 2, here it is 3"));
  EXPECT(weft_session_reset(session) == WEFT_OK);
  EXPECT(average_decode(session, 3, three[0], y[0]) == WEFT_OK);
  EXPECT(y[2][WIDTH - 1] == 0);
}

int main(int count, char **arguments) {
  weft_model *model = NULL;
  float one[BATCH][WIDTH], two[BATCH][WIDTH], saved[BATCH][WIDTH], again[BATCH][WIDTH], next[BATCH][WIDTH];
  invent_tokens();
  EXPECT(count == 2 && weft_open(arguments[1], NULL, &model) == WEFT_OK);
  weft_session *first = new_session(model, 1), *second = new_session(model, 2);
  run_tokens(first, one);
  expect_average(one);
  run_tokens(second, two);
  EXPECT(memcmp(one, two, sizeof(one)) == 0); /* threads change no bit, and sessions know nothing of one another */

  /* All tokens at once leave what the steps left, and a reset forgets them. */
  EXPECT(weft_session_reset(first) == WEFT_OK);
  EXPECT(average_prefill(first, BATCH, TOKENS, tokens[0][0], again[0]) == WEFT_OK);
  EXPECT(memcmp(one, again, sizeof(one)) == 0);

  /* A conversation that is saved goes on in another session. */
  weft_tensor state = average(saved);
  EXPECT(weft_session_get_state(second, &state) == WEFT_OK);
  EXPECT(memcmp(saved, two, sizeof(two)) == 0);
  weft_session *third = new_session(model, 1);
  EXPECT(weft_session_set_state(third, &state) == WEFT_OK);
  memset(next, 0, sizeof(next));
  EXPECT(average_decode(second, BATCH, next[0], two[0]) == WEFT_OK);
  EXPECT(average_decode(third, BATCH, next[0], again[0]) == WEFT_OK);
  EXPECT(memcmp(two, again, sizeof(two)) == 0 && memcmp(saved, two, sizeof(two)) != 0);

  check_extents(second);
  weft_session_free(first);
  weft_session_free(second);
  weft_session_free(third);
  weft_close(model);
  printf("%d tokens, as expected\n", TOKENS);
  return 0;
}
