/* Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The smallest program around the runtime: hand_written_artifact.c, linked into the program instead of opened from a
 * directory. Prints the variant in use, the sums of one call, and the error of a wrong one. */
#include <weft/runtime.h>

#include <stdio.h>

extern const weft_abi_model weft_model_descriptor;

static _Alignas(64) float table[10 * 16];
static _Alignas(64) float bias[16];

static int failed(void) {
  fputs(weft_last_error(), stderr);
  return 1;
}

int main(void) {
  const void *parameters[] = {table, bias};
  weft_model *model;
  weft_session *session;
  for (int i = 0; i < 10 * 16; ++i)
    table[i] = (float)(i / 16); /* row r holds r */
  if (weft_open_linked(&weft_model_descriptor, parameters, NULL, &model) != WEFT_OK)
    return failed();
  if (weft_session_new(model, NULL, &session) != WEFT_OK)
    return failed();

  int64_t ids[2][3] = {{1, 2, 3}, {4, 5, 6}};
  float sums[2][16];
  weft_tensor input = {"ids", ids, sizeof(ids), WEFT_I64, 2, {2, 3}};
  weft_tensor output = {"sums", sums, sizeof(sums), WEFT_F32, 0, {0}};
  if (weft_run(session, "embed", &input, 1, &output, 1) != WEFT_OK)
    return failed();
  printf("%s %s: sums[%d, %d] = %g %g\n", weft_model_name(model), weft_session_variant(session, "embed"),
         (int)output.shape[0], (int)output.shape[1], sums[0][0], sums[1][15]);

  ids[1][2] = 10;
  if (weft_run(session, "embed", &input, 1, &output, 1) == WEFT_ERROR_INDEX)
    fputs(weft_last_error(), stdout);
  weft_session_free(session);
  weft_close(model);
  return 0;
}
