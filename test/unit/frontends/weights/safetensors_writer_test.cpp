// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "TemporaryFiles.h"
#include "frontends/weights/SafetensorsWriter.h"

#include <gmock/gmock.h>

#include <csignal>
#include <fstream>
#include <numeric>
#include <sys/resource.h>
#include <sys/stat.h>

namespace weft {
namespace {

class SafetensorsWriterTest : public test::TemporaryDirectory {
protected:
  std::filesystem::path target() const { return directory / "weights.safetensors"; }

  size_t filesThere() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(directory), {}));
  }

  static TensorView view(const std::string &name, DType dtype, std::vector<int64_t> shape,
                         std::span<const std::byte> bytes) {
    return {name, dtype, std::move(shape), bytes};
  }
};

TEST_F(SafetensorsWriterTest, RoundTrip) {
  std::vector<float> floats(35);
  std::iota(floats.begin(), floats.end(), 0.5f);
  std::vector<int8_t> line(64, 7), odd{1, 2, 3};
  auto bytes = [](const auto &values) { return std::as_bytes(std::span(values)); };
  std::vector<TensorView> tensors = {view("z", DType::F32, {5, 7}, bytes(floats)),
                                     view("line", DType::I8, {64}, bytes(line)), view("none", DType::F64, {0, 3}, {}),
                                     view("odd", DType::I8, {3}, bytes(odd)),
                                     view("scalar ü \"q\"\n", DType::F32, {}, bytes(floats).first(4))};
  auto written = writeSafetensors(target(), tensors, {{"format", "pt"}, {"weft", "0.1.0"}});
  ASSERT_TRUE(written) << written.error().format();
  auto file = SafetensorsFile::open(target());
  ASSERT_TRUE(file) << file.error().format();
  EXPECT_EQ(file->metadata().at("weft"), "0.1.0");
  for (const TensorView &tensor : tensors) {
    const TensorView *read = file->find(tensor.name);
    ASSERT_TRUE(read) << tensor.name;
    EXPECT_EQ(read->dtype, tensor.dtype);
    EXPECT_EQ(read->shape, tensor.shape);
    EXPECT_TRUE(std::ranges::equal(read->bytes, tensor.bytes)) << tensor.name;
  }
}

TEST_F(SafetensorsWriterTest, DataIsAlignedAndPaddingIsNamed) {
  std::vector<std::byte> bytes(130);
  std::vector<TensorView> tensors;
  for (size_t size : {1, 63, 64, 65, 130})
    tensors.push_back(
        view("t" + std::to_string(size), DType::U8, {static_cast<int64_t>(size)}, std::span(bytes).first(size)));
  ASSERT_TRUE(writeSafetensors(target(), tensors));
  auto file = SafetensorsFile::open(target());
  ASSERT_TRUE(file) << file.error().format();
  const std::byte *start = file->tensors()[0].bytes.data();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(start) % kDataAlignment, 0u) << "the mapping itself starts at a page";
  size_t paddings = 0;
  for (const TensorView &tensor : file->tensors()) {
    if (tensor.name.starts_with(kPaddingPrefix)) {
      ++paddings;
      EXPECT_LT(tensor.bytes.size(), kTensorAlignment);
      continue;
    }
    EXPECT_EQ((tensor.bytes.data() - start) % kTensorAlignment, 0u) << tensor.name;
  }
  EXPECT_EQ(paddings, 4u) << "64 bytes need none";
}

TEST_F(SafetensorsWriterTest, PiecesOfATensor) {
  std::vector<TensorSpec> specs = {{"a", DType::U8, {5}}, {"empty", DType::U8, {0}}, {"b", DType::U8, {1}}};
  auto writer = SafetensorsWriter::create(target(), specs);
  ASSERT_TRUE(writer) << writer.error().format();
  for (std::string_view piece : {"he", "", "llo", "!"})
    ASSERT_TRUE(writer->append(std::as_bytes(std::span(piece))));
  ASSERT_TRUE(writer->commit());
  auto file = SafetensorsFile::open(target());
  ASSERT_TRUE(file) << file.error().format();
  EXPECT_EQ(file->find("a")->values<char>(), (std::vector<char>{'h', 'e', 'l', 'l', 'o'}));
  EXPECT_EQ(file->find("b")->values<char>(), std::vector<char>{'!'});
}

TEST_F(SafetensorsWriterTest, SameTensorsGiveTheSameBytes) {
  auto content = [&] {
    std::ifstream stream(target(), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  float one = 1;
  std::vector<TensorView> tensors = {view("a", DType::F32, {}, std::as_bytes(std::span(&one, 1)))};
  ASSERT_TRUE(writeSafetensors(target(), tensors, {{"k", "v"}}));
  std::string first = content();
  ASSERT_TRUE(writeSafetensors(target(), tensors, {{"k", "v"}}));
  EXPECT_EQ(content(), first);
}

TEST_F(SafetensorsWriterTest, NothingIsSeenBeforeTheCommitAndNothingLeftWithoutIt) {
  std::vector<TensorSpec> specs = {{"a", DType::U8, {1}}};
  {
    auto writer = SafetensorsWriter::create(target(), specs);
    ASSERT_TRUE(writer);
    EXPECT_FALSE(std::filesystem::exists(target()));
  }
  EXPECT_EQ(filesThere(), 0u);
}

TEST_F(SafetensorsWriterTest, TheOlderFileStaysUntilTheCommit) {
  write("weights.safetensors", "older");
  std::vector<TensorSpec> specs = {{"a", DType::U8, {0}}};
  auto writer = SafetensorsWriter::create(target(), specs);
  ASSERT_TRUE(writer);
  EXPECT_EQ(std::filesystem::file_size(target()), 5u);
  ASSERT_TRUE(writer->commit());
  EXPECT_TRUE(SafetensorsFile::open(target()));
  EXPECT_EQ(filesThere(), 1u);
}

TEST_F(SafetensorsWriterTest, PermissionsFollowTheUmask) {
  mode_t before = umask(027);
  ASSERT_TRUE(writeSafetensors(target(), {}));
  umask(before);
  struct stat status;
  ASSERT_EQ(stat(target().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST_F(SafetensorsWriterTest, ADirectoryThatIsNotThere) {
  auto written = writeSafetensors(directory / "absent" / "weights.safetensors", {});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, "W0140");
  EXPECT_THAT(written.error().message, testing::HasSubstr("No such file or directory"));
}

TEST_F(SafetensorsWriterTest, ADirectoryThatMayNotBeWrittenTo) {
  std::filesystem::permissions(directory, std::filesystem::perms(0555));
  test::AsOrdinaryUser user;
  auto written = writeSafetensors(target(), {});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, "W0140");
  EXPECT_THAT(written.error().message, testing::HasSubstr("Permission denied"));
}

TEST_F(SafetensorsWriterTest, ATargetThatIsADirectory) {
  std::filesystem::create_directory(target());
  write("weights.safetensors/inside", "x");
  auto written = writeSafetensors(target(), {});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, "W0140");
  EXPECT_EQ(filesThere(), 1u);
}

TEST_F(SafetensorsWriterTest, NoRoom) {
  std::vector<std::byte> bytes(1 << 20);
  std::vector<TensorView> tensors = {view("a", DType::U8, {1 << 20}, bytes)};
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = {64 << 10, before.rlim_max};
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  auto written = writeSafetensors(target(), tensors);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, "W0140");
  EXPECT_EQ(filesThere(), 0u);
}

TEST_F(SafetensorsWriterTest, NamesThatCannotBe) {
  for (std::vector<std::string> names : {std::vector<std::string>{"a", "a"}, {"__metadata__"}, {"__pad.0"}, {""}}) {
    std::vector<TensorSpec> specs;
    for (const std::string &name : names)
      specs.push_back({name, DType::U8, {0}});
    auto writer = SafetensorsWriter::create(target(), specs);
    ASSERT_FALSE(writer) << names.back();
    EXPECT_EQ(writer.error().code, "W0141");
  }
  EXPECT_EQ(filesThere(), 0u);
}

} // namespace
} // namespace weft
