// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls: right results, and every wrong argument refused before anything is written.
#include "test/unit/runtime/Artifact.h"

#include <xmmintrin.h>

using namespace weft::test;

namespace {
class CallTest : public testing::Test {
protected:
  weft_status run() {
    return weft_run(s.session, "embed", inputs.data(), inputs.size(), outputs.data(), outputs.size());
  }
  void expectRefused(weft_status status, const std::string &code, const std::string &message) {
    EXPECT_EQ(run(), status);
    weft_error error;
    weft_last_error_parts(&error);
    EXPECT_EQ(error.code, code);
    EXPECT_EQ(error.message, message);
    for (float value : call.rows)
      ASSERT_EQ(value, -1) << "an output was written";
  }

  Artifact artifact;
  OpenModel open{artifact.path};
  OpenSession s{open.model, 1};
  DemoCall call{2, 3};
  std::vector<weft_tensor> inputs = {call.idsTensor(), call.scaleTensor()};
  std::vector<weft_tensor> outputs = {call.rowsTensor(), call.sumsTensor()};
};
} // namespace

TEST_F(CallTest, Computes) {
  ASSERT_EQ(run(), WEFT_OK) << weft_last_error();
  call.expectCorrect();
  EXPECT_EQ(outputs[0].rank, 3);
  EXPECT_EQ(outputs[0].shape[0], 2);
  EXPECT_EQ(outputs[0].shape[1], 3);
  EXPECT_EQ(outputs[0].shape[2], kHidden);
  EXPECT_EQ(outputs[1].rank, 2);
}

TEST_F(CallTest, AllShapes) {
  for (int64_t batch : {1, 2, 7, 64})
    for (int64_t sequence : {1, 2, 63, 512}) {
      DemoCall one(batch, sequence);
      ASSERT_EQ(one.run(s.session), WEFT_OK) << weft_last_error();
      one.expectCorrect();
    }
}

TEST_F(CallTest, AnyOrderOfNames) {
  std::swap(inputs[0], inputs[1]);
  std::swap(outputs[0], outputs[1]);
  ASSERT_EQ(run(), WEFT_OK);
  call.expectCorrect();
}

TEST_F(CallTest, AbsentInputsHaveTheirDefault) {
  inputs.pop_back();
  std::fill(call.scale.begin(), call.scale.end(), 1.0f);
  ASSERT_EQ(run(), WEFT_OK);
  call.expectCorrect();
}

TEST_F(CallTest, OutputsMayBeDropped) {
  outputs.erase(outputs.begin());
  ASSERT_EQ(run(), WEFT_OK);
  EXPECT_EQ(call.rows[0], -1);
  EXPECT_NE(call.sums[0], -1);
  outputs.clear();
  ASSERT_EQ(run(), WEFT_OK);
}

TEST_F(CallTest, NullEntryIsTheFirst) {
  ASSERT_EQ(weft_run(s.session, nullptr, inputs.data(), 2, outputs.data(), 2), WEFT_OK);
  call.expectCorrect();
}

TEST_F(CallTest, OutputBuffersMayBeLarger) {
  std::vector<float> large(1000, -1);
  outputs[0].data = large.data();
  outputs[0].bytes = large.size() * 4;
  ASSERT_EQ(run(), WEFT_OK);
  EXPECT_EQ(large[95], call.expectedRow(5, 15));
  EXPECT_EQ(large[96], -1);
}

TEST_F(CallTest, NullArguments) {
  EXPECT_EQ(weft_run(nullptr, nullptr, nullptr, 0, nullptr, 0), WEFT_ERROR_ARGUMENT);
  EXPECT_EQ(weft_run(s.session, nullptr, nullptr, 1, nullptr, 0), WEFT_ERROR_ARGUMENT);
  EXPECT_EQ(weft_run(s.session, nullptr, inputs.data(), 2, nullptr, 1), WEFT_ERROR_ARGUMENT);
  EXPECT_EQ(weft_run(s.session, "decode", inputs.data(), 2, nullptr, 0), WEFT_ERROR_ARGUMENT);
}

TEST_F(CallTest, InputNames) {
  inputs[0].name = "input_ids";
  expectRefused(WEFT_ERROR_ARGUMENT, "W0412", "the entry has no such input; it has ids, scale");
  inputs[0].name = nullptr;
  expectRefused(WEFT_ERROR_ARGUMENT, "W0412", "the entry has no such input; it has ids, scale");
  inputs[0].name = "scale";
  expectRefused(WEFT_ERROR_ARGUMENT, "W0412", "the input is given twice");
  inputs.erase(inputs.begin());
  expectRefused(WEFT_ERROR_ARGUMENT, "W0412", "the input is missing");
}

TEST_F(CallTest, OutputNames) {
  outputs[0].name = "hidden";
  expectRefused(WEFT_ERROR_ARGUMENT, "W0412", "the entry has no such output; it has rows, sums");
  outputs[0].name = "sums";
  outputs[0].bytes = outputs[1].bytes;
  expectRefused(WEFT_ERROR_ARGUMENT, "W0412", "the output is asked for twice");
}

TEST_F(CallTest, ElementTypesAndRanks) {
  inputs[0].dtype = WEFT_I32;
  expectRefused(WEFT_ERROR_SHAPE, "W0413", "the array's element type is i32, the model wants i64");
  inputs[0].dtype = 99;
  expectRefused(WEFT_ERROR_SHAPE, "W0413", "the array's element type is unknown, the model wants i64");
  inputs[0] = call.idsTensor();
  inputs[0].rank = 1;
  expectRefused(WEFT_ERROR_SHAPE, "W0413", "the array has 1 dimensions, the model wants 2");
  inputs[0] = call.idsTensor();
  outputs[0].dtype = WEFT_F64;
  expectRefused(WEFT_ERROR_SHAPE, "W0413", "the array's element type is f64, the model wants f32");
}

TEST_F(CallTest, DimensionsDisagree) {
  inputs[1].shape[1] = 2;
  expectRefused(WEFT_ERROR_SHAPE, "W0414", "dimension 'sequence' is 2 here and 3 in input 'ids'");
}

TEST_F(CallTest, DimensionsOutOfBounds) {
  inputs.pop_back();
  inputs[0].shape[1] = 513;
  expectRefused(WEFT_ERROR_SHAPE, "W0415", "dimension 'sequence' is 513, the model allows 1 to 512");
  inputs[0].shape[1] = 0;
  expectRefused(WEFT_ERROR_SHAPE, "W0415", "dimension 'sequence' is 0, the model allows 1 to 512");
  inputs[0].shape[1] = INT64_MIN;
  EXPECT_EQ(run(), WEFT_ERROR_SHAPE);
  inputs[0].shape[1] = 3;
  inputs[0].shape[0] = INT64_MAX;
  EXPECT_EQ(run(), WEFT_ERROR_SHAPE);
  inputs[0].shape[0] = 0;
  expectRefused(WEFT_ERROR_SHAPE, "W0415", "dimension 'batch' is 0, the model allows 1 to 64");
}

TEST_F(CallTest, Buffers) {
  inputs[0].bytes -= 1;
  expectRefused(WEFT_ERROR_SHAPE, "W0417", "the buffer has 47 bytes, the shape needs 48");
  inputs[0].bytes += 2;
  expectRefused(WEFT_ERROR_SHAPE, "W0417", "the buffer has 49 bytes, the shape needs 48");
  inputs[0] = call.idsTensor();
  inputs[0].data = nullptr;
  expectRefused(WEFT_ERROR_SHAPE, "W0417", "the buffer is null");
  inputs[0].data = reinterpret_cast<char *>(call.ids.data()) + 4;
  expectRefused(WEFT_ERROR_SHAPE, "W0417", "the buffer is not aligned to its elements");
  inputs[0] = call.idsTensor();
  outputs[0].bytes -= 4;
  expectRefused(WEFT_ERROR_SHAPE, "W0417", "the buffer has 380 bytes, the shape needs 384");
  outputs[0] = call.rowsTensor();
  outputs[0].data = nullptr;
  expectRefused(WEFT_ERROR_SHAPE, "W0417", "the buffer is null");
}

TEST_F(CallTest, OverlappingBuffers) {
  outputs[1].data = call.rows.data() + 95;
  expectRefused(WEFT_ERROR_SHAPE, "W0417", "the buffer overlaps that of 'rows'");
  outputs[1].data = call.rows.data();
  expectRefused(WEFT_ERROR_SHAPE, "W0417", "the buffer overlaps that of 'rows'");
  outputs[1] = call.sumsTensor();
  inputs[1].data = call.rows.data() + 8;
  expectRefused(WEFT_ERROR_SHAPE, "W0417", "the buffer overlaps that of 'scale'");
}

TEST_F(CallTest, IndicesOutOfRange) {
  call.ids[4] = 10;
  expectRefused(WEFT_ERROR_INDEX, "W0416", "the value at [1, 1] is 10, it must lie in [0, 10)");
  EXPECT_NE(std::string(weft_last_error()).find("entry \"embed\", input \"ids\""), std::string::npos);
  call.ids[4] = -1;
  expectRefused(WEFT_ERROR_INDEX, "W0416", "the value at [1, 1] is -1, it must lie in [0, 10)");
  call.ids[0] = INT64_MIN;
  expectRefused(WEFT_ERROR_INDEX, "W0416", "the value at [0, 0] is -9223372036854775808, it must lie in [0, 10)");
}

TEST_F(CallTest, ErrorsDoNotStick) {
  call.ids[0] = 77;
  EXPECT_EQ(run(), WEFT_ERROR_INDEX);
  call.ids[0] = 1;
  ASSERT_EQ(run(), WEFT_OK);
  call.expectCorrect();
}

TEST_F(CallTest, OutputShape) {
  weft_tensor output = {};
  output.name = "rows";
  for (weft_tensor &input : inputs)
    input.data = nullptr; // not read
  ASSERT_EQ(weft_output_shape(s.session, "embed", inputs.data(), inputs.size(), &output), WEFT_OK);
  EXPECT_EQ(output.dtype, WEFT_F32);
  EXPECT_EQ(output.rank, 3);
  EXPECT_EQ(output.shape[1], 3);
  EXPECT_EQ(output.bytes, call.rows.size() * 4);
  output.name = "hidden";
  EXPECT_EQ(weft_output_shape(s.session, "embed", inputs.data(), 2, &output), WEFT_ERROR_ARGUMENT);
  inputs[0].shape[0] = 65;
  EXPECT_EQ(weft_output_shape(s.session, "embed", inputs.data(), 1, &output), WEFT_ERROR_SHAPE);
  EXPECT_EQ(weft_output_shape(s.session, "embed", inputs.data(), 1, nullptr), WEFT_ERROR_ARGUMENT);
}

TEST_F(CallTest, ThreadsGiveTheSameBits) {
  DemoCall want(64, 512);
  for (size_t i = 0; i < want.scale.size(); ++i)
    want.scale[i] = 1.0f / float(i + 3);
  ASSERT_EQ(want.run(s.session), WEFT_OK);
  for (int32_t threads : {2, 3, 4, 8}) {
    OpenSession many(open.model, threads);
    DemoCall got(64, 512);
    got.scale = want.scale;
    ASSERT_EQ(got.run(many.session), WEFT_OK);
    EXPECT_EQ(memcmp(got.rows.data(), want.rows.data(), got.rows.size() * 4), 0) << threads;
    EXPECT_EQ(memcmp(got.sums.data(), want.sums.data(), got.sums.size() * 4), 0) << threads;
  }
}

// The caller's rounding and flush-to-zero modes neither matter nor change.
TEST_F(CallTest, CallersFloatModeDoesNotMatter) {
  std::fill(call.scale.begin(), call.scale.end(), 1e-30f);
  ASSERT_EQ(run(), WEFT_OK);
  std::vector<float> want = call.rows;
  unsigned before = _mm_getcsr();
  unsigned truncating = before | 0xe040; // round towards zero, FTZ, DAZ
  _mm_setcsr(truncating);
  weft_status status = run();
  unsigned after = _mm_getcsr();
  _mm_setcsr(before);
  ASSERT_EQ(status, WEFT_OK);
  EXPECT_EQ(after & 0xffc0, truncating & 0xffc0);
  EXPECT_EQ(call.rows, want);
}
