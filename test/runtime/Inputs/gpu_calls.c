/* Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * gpu_calls ARTIFACT: runs the model of runtime/demo/hand_written_gpu.c on a GPU and on the CPU, with vectors of one
 * element, of a block's threads and one less and one more, and of a prime; by two threads at once; and prints whether
 * outputs and states are the same, or the first error. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/runtime.h>

enum { kMost = 1009, kSteps = 3 };

/* One session, some calls: the last output, and the states. */
typedef struct Outcome {
  float out[kMost], total[kMost];
  int64_t steps;
} Outcome;

static weft_status run_all(weft_session *session, int64_t n, int64_t seed, Outcome *outcome) {
  float x[kMost], y[kMost];
  for (int64_t step = 0; step < kSteps; ++step) {
    for (int64_t i = 0; i < n; ++i) {
      x[i] = (float)((i * 37 + seed + step) % 101 - 50) / 3;
      y[i] = (float)(i % 13) / 7;
    }
    weft_tensor inputs[] = {{"x", x, (uint64_t)n * 4, WEFT_F32, 1, {n}}, {"y", y, (uint64_t)n * 4, WEFT_F32, 1, {n}}};
    weft_tensor output = {"out", outcome->out, (uint64_t)n * 4, WEFT_F32, 0, {0}};
    /* y is absent once: ones. */
    weft_status status = weft_run(session, NULL, inputs, step == 1 ? 1 : 2, &output, 1);
    if (status != WEFT_OK)
      return status;
  }
  weft_tensor total = {"total", outcome->total, (uint64_t)n * 4, WEFT_F32, 0, {0}};
  weft_tensor steps = {"steps", &outcome->steps, sizeof(outcome->steps), WEFT_I64, 0, {0}};
  weft_status status = weft_session_get_state(session, &total);
  return status != WEFT_OK ? status : weft_session_get_state(session, &steps);
}

static weft_status open_on(const char *path, const char *device, weft_model **model) {
  weft_open_options options = {sizeof(options), 0, 0, device};
  return weft_open(path, &options, model);
}

/* The same calls on both; false, with the text printed, where they fail or differ. One session serves all lengths. */
static int compare(weft_model *gpu, weft_model *cpu, int64_t seed) {
  static const int64_t lengths[] = {1, 127, 128, 129, kMost, 1};
  weft_session *sessions[2] = {NULL, NULL};
  int same =
      weft_session_new(gpu, NULL, &sessions[0]) == WEFT_OK && weft_session_new(cpu, NULL, &sessions[1]) == WEFT_OK;
  for (size_t l = 0; same && l < sizeof(lengths) / sizeof(*lengths); ++l) {
    static _Thread_local Outcome outcomes[2];
    memset(outcomes, 0, sizeof(outcomes));
    for (int s = 0; same && s < 2; ++s)
      same =
          weft_session_reset(sessions[s]) == WEFT_OK && run_all(sessions[s], lengths[l], seed, &outcomes[s]) == WEFT_OK;
    if (same && memcmp(&outcomes[0], &outcomes[1], sizeof(Outcome)) != 0) {
      printf("they differ for n = %lld\n", (long long)lengths[l]);
      same = 0;
    }
  }
  if (!same)
    printf("%s", weft_last_error());
  weft_session_free(sessions[0]);
  weft_session_free(sessions[1]);
  return same;
}

static weft_model *models[2];

static void *compare_in_thread(void *seed) { return compare(models[0], models[1], *(int64_t *)seed) ? seed : NULL; }

int main(int count, char **arguments) {
  pthread_t thread;
  int64_t seeds[2] = {0, 7};
  void *other = NULL;
  if (count != 2)
    return 2;
  if (open_on(arguments[1], "cuda", &models[0]) != WEFT_OK || open_on(arguments[1], "cpu", &models[1]) != WEFT_OK) {
    printf("%s", weft_last_error());
    weft_close(models[0]);
    return 1;
  }
  if (pthread_create(&thread, NULL, compare_in_thread, &seeds[1]) != 0)
    return 2;
  int same = compare(models[0], models[1], seeds[0]);
  pthread_join(thread, &other);
  weft_entry_info entry;
  weft_model_entry(models[0], 0, &entry);
  if (same && other)
    printf("%s %s: the same as on the CPU\n", weft_model_device(models[0]), entry.variant);
  weft_close(models[0]);
  weft_close(models[1]);
  return same && other ? 0 : 1;
}
