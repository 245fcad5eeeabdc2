// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "TemporaryFolder.h"
#include "compiler/emit/Artifact.h"
#include "compiler/emit/DurableFile.h"

#include "gtest/gtest.h"

#include <unistd.h>

namespace weft {
namespace {

constexpr const char *kManifest = R"({"abi": {"major": 2, "minor": 0}, "compiler": "weft 0.1.0"})";

/// Writes an artifact whose one file says `text`.
Result<void> writeArtifact(const std::filesystem::path &path, const std::string &text) {
  Result<Artifact> artifact = Artifact::begin(path);
  if (!artifact)
    return artifact.takeError();
  if (Result<void> written = writeFile(artifact->file("manifest.json"), kManifest); !written)
    return written;
  if (Result<void> written = writeFile(artifact->file("model.h"), text); !written)
    return written;
  return artifact->commit();
}

TEST(ArtifactTest, AppearsOnlyWhenComplete) {
  TemporaryFolder folder;
  Result<Artifact> artifact = Artifact::begin(folder.path("a.weft"));
  ASSERT_TRUE(artifact);
  ASSERT_TRUE(writeFile(artifact->file("manifest.json"), kManifest));
  EXPECT_FALSE(std::filesystem::exists(folder.path("a.weft")));
  ASSERT_TRUE(artifact->commit());
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.weft"});
  EXPECT_EQ(folder.names("a.weft"), std::vector<std::string>{"manifest.json"});
}

TEST(ArtifactTest, FailureLeavesNothing) {
  TemporaryFolder folder;
  {
    Result<Artifact> artifact = Artifact::begin(folder.path("a.weft"));
    ASSERT_TRUE(artifact);
    ASSERT_TRUE(writeFile(artifact->file("model.h"), "half"));
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>());
}

TEST(ArtifactTest, ReplacesAnArtifact) {
  TemporaryFolder folder;
  ASSERT_TRUE(writeArtifact(folder.path("a.weft"), "old"));
  ASSERT_TRUE(writeArtifact(folder.path("a.weft"), "new"));
  EXPECT_EQ(folder.read("a.weft/model.h"), "new");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.weft"});
}

TEST(ArtifactTest, HoldsKernelsInFoldersOfTheirTargets) {
  TemporaryFolder folder;
  for (const char *text : {"old", "new"}) {
    Result<Artifact> artifact = Artifact::begin(folder.path("a.weft"));
    ASSERT_TRUE(artifact) << artifact.error().format();
    ASSERT_TRUE(writeFile(artifact->file("manifest.json"), kManifest));
    ASSERT_TRUE(artifact->write("kernels/sm_90a/add.ptx", text));
    ASSERT_TRUE(artifact->write("kernels/sm_90a/add.json", text));
    ASSERT_TRUE(artifact->commit());
  }
  EXPECT_EQ(folder.read("a.weft/kernels/sm_90a/add.ptx"), "new");
  EXPECT_EQ(folder.names("a.weft/kernels/sm_90a"), (std::vector<std::string>{"add.json", "add.ptx"}));
}

TEST(ArtifactTest, FilesAmongTheKernelsThatAreNotOursStay) {
  for (const char *name : {"kernels/sm_90a/notes.txt", "kernels/add.ptx", "kernels/sm_90a/more/add.ptx", "sub/a.ptx"}) {
    TemporaryFolder folder;
    ASSERT_TRUE(writeArtifact(folder.path("a.weft"), "old"));
    folder.write("a.weft/" + std::string(name), "keep");
    Result<void> second = writeArtifact(folder.path("a.weft"), "new");
    ASSERT_FALSE(second) << name;
    EXPECT_EQ(second.error().code, "W0632");
  }
}

TEST(ArtifactTest, KeepsTheOldOneOnFailure) {
  TemporaryFolder folder;
  ASSERT_TRUE(writeArtifact(folder.path("a.weft"), "old"));
  {
    ASSERT_TRUE(Artifact::begin(folder.path("a.weft")));
  }
  EXPECT_EQ(folder.read("a.weft/model.h"), "old");
}

TEST(ArtifactTest, TrailingSlashNamesTheSamePlace) {
  TemporaryFolder folder;
  ASSERT_TRUE(writeArtifact(folder.path("a.weft/"), "text"));
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.weft"});
}

TEST(ArtifactTest, OtherFoldersAndFilesAreLeftAlone) {
  TemporaryFolder folder;
  folder.write("notes/diary.txt", "dear diary");
  folder.write("file.weft", "text");
  folder.write("other/manifest.json", R"({"name": "an app"})");
  for (const char *name : {"notes", "file.weft", "other"}) {
    Result<Artifact> artifact = Artifact::begin(folder.path(name));
    ASSERT_FALSE(artifact) << name;
    EXPECT_EQ(artifact.error().code, "W0631");
  }
  EXPECT_EQ(folder.read("notes/diary.txt"), "dear diary");
}

TEST(ArtifactTest, AnEmptyFolderIsTaken) {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder.path("a.weft"));
  ASSERT_TRUE(writeArtifact(folder.path("a.weft"), "text"));
  EXPECT_EQ(folder.read("a.weft/model.h"), "text");
}

TEST(ArtifactTest, StrangersFilesAreNotDeleted) {
  TemporaryFolder folder;
  ASSERT_TRUE(writeArtifact(folder.path("a.weft"), "old"));
  folder.write("a.weft/results.csv", "1,2,3");
  Result<void> written = writeArtifact(folder.path("a.weft"), "new");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, "W0632");
  EXPECT_EQ(folder.read("a.weft/results.csv"), "1,2,3");
}

TEST(ArtifactTest, PlaceThatCannotBeWrittenIsKnownAtOnce) {
  TemporaryFolder folder;
  Result<Artifact> missing = Artifact::begin(folder.path("no/such/a.weft"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, "W0630");
  EXPECT_FALSE(Artifact::begin("/proc/a.weft")) << "a file system that refuses, whoever asks";
}

TEST(ArtifactTest, FullDiskIsReported) {
  Result<void> written = writeFile("/dev/full", "text");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, "W0630");
  EXPECT_NE(written.error().help.find("free some space"), std::string::npos);
}

} // namespace
} // namespace weft
