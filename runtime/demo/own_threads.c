/* Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A program that lends its own threads: a session with a weft_executor starts none. The executor here starts threads
 * for each region, to stay short; a program hands over the pool that it has. Prints how the work of one call was cut,
 * and whether a session with one thread of its own gives the same bits. */
#include <weft/runtime.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { kThreads = 3, kBatch = 64, kSequence = 512, kHidden = 16 };

extern const weft_abi_model weft_model_descriptor;

static _Alignas(64) float table[10 * kHidden];
static _Alignas(64) float bias[kHidden];
static int64_t ids[kBatch][kSequence];
static float sums[2][kBatch * kHidden];

/* One region: threads take the next task until none is left. */
struct region {
  void (*task)(void *context, int64_t index);
  void *context;
  int64_t count;
  atomic_llong next;
};

struct statistics {
  int regions, tasks;
};

static void *work(void *argument) {
  struct region *region = argument;
  for (int64_t task; (task = atomic_fetch_add(&region->next, 1)) < region->count;)
    region->task(region->context, task);
  return NULL;
}

static void parallel_for(void *context, void (*task)(void *, int64_t), void *task_context, int64_t count) {
  struct statistics *statistics = context;
  struct region region = {task, task_context, count, 0};
  pthread_t threads[kThreads - 1];
  int started = 0;
  while (started < kThreads - 1 && pthread_create(&threads[started], NULL, work, &region) == 0)
    ++started;
  work(&region); /* the caller works, too: fewer threads than asked for are no failure */
  while (started > 0)
    pthread_join(threads[--started], NULL);
  ++statistics->regions;
  statistics->tasks += (int)count;
}

static int failed(void) {
  fputs(weft_last_error(), stderr);
  return 1;
}

static int run(weft_model *model, const weft_session_options *options, float *result) {
  weft_tensor input = {"ids", ids, sizeof(ids), WEFT_I64, 2, {kBatch, kSequence}};
  weft_tensor output = {"sums", result, sizeof(sums[0]), WEFT_F32, 0, {0}};
  weft_session *session;
  if (weft_session_new(model, options, &session) != WEFT_OK)
    return failed();
  int status = weft_run(session, "embed", &input, 1, &output, 1) == WEFT_OK ? 0 : failed();
  weft_session_free(session);
  return status;
}

int main(void) {
  const void *parameters[] = {table, bias};
  weft_model *model;
  if (weft_open_linked(&weft_model_descriptor, parameters, NULL, &model) != WEFT_OK)
    return failed();
  for (int i = 0; i < 10 * kHidden; ++i)
    table[i] = (float)i / 7;
  for (int i = 0; i < kBatch * kSequence; ++i)
    ids[i / kSequence][i % kSequence] = i % 10;

  struct statistics statistics = {0, 0};
  weft_executor executor = {&statistics, kThreads, parallel_for};
  weft_session_options lent = {sizeof(lent), 0, NULL, NULL, 0, &executor};
  weft_session_options own = {sizeof(own), 1, NULL, NULL, 0, NULL};
  if (run(model, &lent, sums[0]) || run(model, &own, sums[1]))
    return 1;
  printf("%d regions, %d tasks on %d threads, %s bits\n", statistics.regions, statistics.tasks, kThreads,
         memcmp(sums[0], sums[1], sizeof(sums[0])) == 0 ? "the same" : "other");
  weft_close(model);
  return 0;
}
