// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// run_model ARTIFACT: embeds two sentences of test/fixtures/tiny-minilm from C, against the artifact's own header, and
// compares with what the fixture expects. Exit code 1 when something differs.
#include <math.h>
#include <stdio.h>
#include <string.h>

// [readme]
#include "model.h" // of the artifact; it includes weft/runtime.h

static int embed(const char *path, float *embedding) {
  // Two sentences as token ids; the mask says which of them are padding.
  const int64_t ids[2][9] = {{2, 76, 401, 279, 104, 76, 167, 8, 3}, {2, 32, 57, 3}};
  const int64_t mask[2][9] = {{1, 1, 1, 1, 1, 1, 1, 1, 1}, {1, 1, 1, 1}};
  weft_model *model = NULL;
  weft_session *session = NULL;
  weft_status status = weft_open(path, NULL, &model);
  if (status == WEFT_OK)
    status = weft_session_new(model, NULL, &session);
  if (status == WEFT_OK)
    status = bert_encode(session, 2, 9, ids[0], mask[0], NULL, NULL, NULL, embedding);
  if (status != WEFT_OK)
    fprintf(stderr, "%s\n", weft_last_error()); // what, where, and what to do
  weft_session_free(session);
  weft_close(model);
  return status == WEFT_OK;
}
// [readme]

enum { SIZE = BERT_ENCODE_SENTENCE_EMBEDDING_SIZE };

// First elements of the fixture's sentence_embedding for these two sentences.
static const float expected[2][4] = {{-0.050647f, 0.000028f, -0.013289f, 0.044670f},
                                     {-0.079767f, 0.000224f, 0.001901f, 0.039920f}};

int main(int count, char **arguments) {
  float embedding[2][SIZE];
  if (count != 2 || !embed(arguments[1], embedding[0]))
    return 1;
  for (int row = 0; row < 2; ++row) {
    double squares = 0;
    for (int column = 0; column < SIZE; ++column)
      squares += (double)embedding[row][column] * embedding[row][column];
    if (fabs(squares - 1) > 1e-5)
      return fprintf(stderr, "row %d: the squares sum to %g\n", row, squares), 1;
    for (int column = 0; column < 4; ++column)
      if (fabsf(embedding[row][column] - expected[row][column]) > 1e-6f)
        return fprintf(stderr, "row %d, %d: %g\n", row, column, embedding[row][column]), 1;
  }
  printf("2 embeddings of %d values, as expected\n", SIZE);
  return 0;
}
