// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// jit_model FOLDER: compiles test/fixtures/tiny-minilm into this process and compares one embedding with what the
// fixture expects. Exit code 1 when something differs.
#include <cmath>
#include <cstdio>

// [readme]
#include <weft/Compiler.h>

static weft::Result<std::vector<weft::Array>> encode(const char *folder) {
  weft::Context context;
  auto graph = weft::import(context, folder); // a Hugging Face folder
  if (!graph)
    return graph.takeError(); // code, message, place, help
  auto executable = weft::compile(*graph);
  if (!executable)
    return executable.takeError();
  auto session = executable->session({.threads = 1});
  if (!session)
    return session.takeError();
  return session->run("encode", {weft::Array::of<int64_t>("input_ids", {1, 4}, {2, 32, 57, 3})});
}
// [readme]

// First elements of the fixture's sentence_embedding for this sentence.
constexpr float kExpected[] = {-0.079767f, 0.000224f, 0.001901f, 0.039920f};

int main(int count, char **arguments) {
  if (count != 2)
    return 1;
  auto outputs = encode(arguments[1]);
  if (!outputs) {
    std::fprintf(stderr, "%s\n", outputs.error().format().c_str());
    return 1;
  }
  for (const weft::Array &output : *outputs)
    if (output.name == "sentence_embedding") {
      for (size_t column = 0; column < std::size(kExpected); ++column)
        if (!(std::fabs(output.values<float>()[column] - kExpected[column]) <= 1e-6f))
          return std::fprintf(stderr, "%zu: %g\n", column, output.values<float>()[column]), 1;
      std::printf("%zu values, as expected\n", output.values<float>().size());
      return 0;
    }
  return 1;
}
