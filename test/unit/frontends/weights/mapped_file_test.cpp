// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "TemporaryFiles.h"
#include "frontends/weights/MappedFile.h"

#include <gmock/gmock.h>

#include <sys/stat.h>

namespace weft {
namespace {

using testing::HasSubstr;

class MappedFileTest : public test::TemporaryDirectory {
protected:
  void expectRefused(const std::filesystem::path &path, const char *message) {
    auto file = MappedFile::open(path);
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, "W0101");
    EXPECT_THAT(file.error().message, HasSubstr(message));
    EXPECT_EQ(file.error().place, path.string());
  }
};

TEST_F(MappedFileTest, BytesOfAFile) {
  auto file = MappedFile::open(write("a", "hello"));
  ASSERT_TRUE(file) << file.error().format();
  EXPECT_EQ(file->text(), "hello");
  MappedFile moved = std::move(*file);
  EXPECT_EQ(moved.text(), "hello");
  EXPECT_TRUE(file->bytes().empty());
}

TEST_F(MappedFileTest, AnEmptyFile) {
  auto file = MappedFile::open(write("a", ""));
  ASSERT_TRUE(file) << file.error().format();
  EXPECT_TRUE(file->bytes().empty());
}

TEST_F(MappedFileTest, ALinkAsInTheHubsCache) {
  write("blob", "hello");
  std::filesystem::create_symlink("blob", directory / "link");
  auto file = MappedFile::open(directory / "link");
  ASSERT_TRUE(file) << file.error().format();
  EXPECT_EQ(file->text(), "hello");
}

TEST_F(MappedFileTest, NoFile) { expectRefused(directory / "absent", "No such file"); }

TEST_F(MappedFileTest, ADirectory) { expectRefused(directory, "it is a directory"); }

TEST_F(MappedFileTest, ADevice) { expectRefused("/dev/zero", "not a regular file"); }

TEST_F(MappedFileTest, AFifoIsNotWaitedFor) {
  ASSERT_EQ(mkfifo((directory / "fifo").c_str(), 0600), 0);
  expectRefused(directory / "fifo", "not a regular file");
}

TEST_F(MappedFileTest, AFileThatMayNotBeRead) {
  auto path = write("secret", "x");
  std::filesystem::permissions(path, std::filesystem::perms::none);
  test::AsOrdinaryUser user;
  expectRefused(path, "Permission denied");
}

TEST_F(MappedFileTest, JsonFiles) {
  auto right = readJsonFile(write("a.json", R"({"a":[1,2]})"));
  ASSERT_TRUE(right) << right.error().format();
  EXPECT_EQ((*right)["a"][1], 2);
  auto large = readJsonFile(write("b.json", "[1,2,3]"), 6);
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, "W0103");
  auto wrong = readJsonFile(write("c.json", "{"));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, "W0110");
  EXPECT_THAT(wrong.error().place, HasSubstr("c.json"));
}

} // namespace
} // namespace weft
