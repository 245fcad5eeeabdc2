// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles a sentence-transformer in this process and prints how alike two sentences of token ids are.
#include <weft/Compiler.h>

#include <cstdio>

static int fail(const weft::Diagnostic &error) {
  std::fputs(error.format().c_str(), stderr);
  return weft::isInternalError(error) ? 2 : 1;
}

int main(int count, char **arguments) {
  if (count != 2)
    return 1;
  weft::Context context;
  auto graph = weft::import(context, arguments[1]);
  if (!graph)
    return fail(graph.error());
  auto executable = weft::compile(*graph, {.targets = {"cpu:native"}});
  if (!executable)
    return fail(executable.error());
  auto session = executable->session({.threads = 1});
  if (!session)
    return fail(session.error());
  // Two rows; the second is one token shorter and padded.
  auto outputs = session->run("encode", {weft::Array::of<int64_t>("input_ids", {2, 4}, {2, 5, 6, 3, 2, 5, 3, 0}),
                                         weft::Array::of<int64_t>("attention_mask", {2, 4}, {1, 1, 1, 1, 1, 1, 1, 0})});
  if (!outputs)
    return fail(outputs.error());
  for (const weft::Array &output : *outputs) {
    if (output.name != "sentence_embedding")
      continue;
    std::span<const float> values = output.values<float>();
    size_t size = values.size() / 2;
    float alike = 0, length = 0;
    for (size_t index = 0; index < size; ++index) {
      alike += values[index] * values[size + index];
      length += values[index] * values[index];
    }
    std::printf("%s: %zu values, length %.3f, %s\n", output.name.c_str(), size, length,
                alike > -1 && alike < 1 ? "not the same" : "odd");
  }
}
