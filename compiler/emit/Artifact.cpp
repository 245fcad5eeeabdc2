// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/Artifact.h"

#include "compiler/emit/DurableFile.h"
#include "frontends/weights/MappedFile.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <linux/fs.h>
#include <optional>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr const char *kFiles[] = {"manifest.json", "model.so", "model.h", "weights.safetensors", "tokenizer.json"};

constexpr const char *kKernelFiles[] = {".ptx", ".json", ".cubin"};

/// A file or a folder that Weft writes; `name` is from the artifact's folder on.
bool isOurs(const fs::path &name, bool isFolder) {
  auto depth = std::distance(name.begin(), name.end());
  if (*name.begin() != "kernels") // a folder for each target, and in it the kernels
    return !isFolder && depth == 1 && std::ranges::find(kFiles, name) != std::end(kFiles);
  return isFolder ? depth <= 2
                  : depth == 3 && std::ranges::find(kKernelFiles, name.extension()) != std::end(kKernelFiles);
}

/// Its manifest says that Weft made it.
bool isArtifact(const fs::path &directory) {
  Result<nlohmann::json> manifest = readJsonFile(directory / "manifest.json", size_t(1) << 20);
  if (!manifest || !manifest->is_object() || !manifest->contains("abi"))
    return false;
  auto compiler = manifest->find("compiler");
  return compiler != manifest->end() && compiler->is_string() &&
         compiler->get_ref<const std::string &>().starts_with("weft ");
}

/// Whatever is at the target may be replaced.
Result<void> checkReplaceable(const fs::path &target) {
  std::error_code error;
  fs::file_status status = fs::symlink_status(target, error);
  if (status.type() == fs::file_type::not_found)
    return {};
  bool directory = status.type() == fs::file_type::directory;
  if (directory && fs::is_empty(target, error))
    return {};
  if (!directory || !isArtifact(target))
    return Diagnostic{"W0631", "there is something else than a Weft artifact, and it is not replaced", target.string(),
                      "choose another name with -o, or remove it"};
  for (const fs::directory_entry &entry : fs::recursive_directory_iterator(target, error))
    if (!isOurs(entry.path().lexically_relative(target),
                entry.symlink_status(error).type() == fs::file_type::directory))
      return Diagnostic{"W0632", "the artifact that would be replaced holds a file that Weft did not write",
                        entry.path().string(), "move it away, or choose another name with -o"};
  return {};
}

/// A hidden directory beside the target, which an interrupt removes.
Result<std::unique_ptr<InterruptCleanup>> makeTemporary(const fs::path &target, fs::path &temporary) {
  static std::atomic<unsigned> counter = 0;
  for (;;) {
    std::string name = "." + target.filename().string() + "." + std::to_string(getpid()) + "-" +
                       std::to_string(counter++) + ".partial";
    temporary = target.parent_path() / name;
    // The handler runs wherever the program is by then: it needs the whole path.
    std::error_code ignored;
    InterruptDelay whole; // else a handler in another thread could look for it just before it is there
    auto cleanup = std::make_unique<InterruptCleanup>(fs::absolute(temporary, ignored).string());
    if (mkdir(temporary.c_str(), 0777) == 0)
      return cleanup;
    if (errno != EEXIST)
      return cannotWrite(target, errno);
  }
}

/// One step where the file system can, so that no reader finds the name missing; else two, undone on failure.
Result<void> exchange(const fs::path &complete, const fs::path &target) {
  if (syscall(SYS_renameat2, AT_FDCWD, complete.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0)
    return {};
  fs::path aside = complete.string() + ".old";
  if (rename(target.c_str(), aside.c_str()) != 0)
    return cannotWrite(target, errno);
  if (rename(complete.c_str(), target.c_str()) != 0) {
    int reason = errno;
    rename(aside.c_str(), target.c_str());
    return cannotWrite(target, reason);
  }
  rename(aside.c_str(), complete.c_str());
  return {};
}

} // namespace

Result<Artifact> Artifact::begin(const fs::path &path) {
  Artifact artifact;
  artifact.target = path.has_filename() ? path : path.parent_path();
  if (artifact.target.empty())
    return Diagnostic{"W0630", "cannot write: the path is empty", "", "give the artifact a name with -o"};
  if (Result<void> replaceable = checkReplaceable(artifact.target); !replaceable)
    return replaceable.takeError();
  fs::path temporary;
  Result<std::unique_ptr<InterruptCleanup>> cleanup = makeTemporary(artifact.target, temporary);
  if (!cleanup)
    return cleanup.takeError();
  artifact.temporary = std::move(temporary);
  artifact.cleanup = std::move(*cleanup);
  return artifact;
}

Result<void> Artifact::write(const std::string &name, std::string_view bytes) const {
  fs::path path = temporary / name;
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error)
    return cannotWrite(target / name, error.value());
  return writeFile(path, bytes);
}

/// The names in a folder and in those below it.
static Result<void> flushFolders(const fs::path &folder) {
  std::error_code error;
  for (const fs::directory_entry &entry : fs::recursive_directory_iterator(folder, error))
    if (entry.is_directory(error))
      if (Result<void> flushed = flushToDisk(entry.path()); !flushed)
        return flushed;
  return flushToDisk(folder);
}

Result<void> Artifact::commit() {
  if (Result<void> flushed = flushFolders(temporary); !flushed)
    return flushed;
  // Checked again: a compilation takes seconds.
  if (Result<void> replaceable = checkReplaceable(target); !replaceable)
    return replaceable;
  std::optional<InterruptDelay> whole(std::in_place);
  if (rename(temporary.c_str(), target.c_str()) == 0) {
    cleanup.reset();
    temporary.clear();
  } else if (errno != ENOTEMPTY && errno != EEXIST) {
    return cannotWrite(target, errno);
  } else if (Result<void> exchanged = exchange(temporary, target); !exchanged) {
    return exchanged;
  }
  whole.reset();
  // After an exchange the temporary directory holds the old artifact, which goes with this object.
  fs::path parent = target.parent_path();
  return flushToDisk(parent.empty() ? fs::path(".") : parent);
}

Artifact::Artifact(Artifact &&other) noexcept
    : target(std::move(other.target)), temporary(std::move(other.temporary)), cleanup(std::move(other.cleanup)) {
  other.temporary.clear();
}

Artifact::~Artifact() {
  std::error_code ignored;
  if (!temporary.empty())
    fs::remove_all(temporary, ignored);
}

} // namespace weft
