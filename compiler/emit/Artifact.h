// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The directory NAME.weft, all or nothing: files are written into a hidden directory beside it, which takes the name
// when everything is on the disk. A failure or an interrupt before that leaves nothing behind.
#ifndef WEFT_COMPILER_EMIT_ARTIFACT_H
#define WEFT_COMPILER_EMIT_ARTIFACT_H

#include "compiler/emit/InterruptCleanup.h"
#include "frontends/diagnostic/Diagnostic.h"

#include <filesystem>
#include <memory>

namespace weft {

class Artifact {
public:
  /// Begins an artifact that will be `path`. Errors: W0630 (the place cannot be written), W0631 (something else than an
  /// artifact is there), W0632 (the artifact that is there holds files that are not Weft's).
  static Result<Artifact> begin(const std::filesystem::path &path);

  /// Where a file of the artifact is to be written: "model.so".
  std::filesystem::path file(const std::string &name) const { return temporary / name; }

  /// Writes a file into a folder of the artifact, which is made where it is missing: "kernels/sm_90a/add.ptx". W0630.
  Result<void> write(const std::string &name, std::string_view bytes) const;

  /// Gives the complete artifact its name, in place of an older one.
  Result<void> commit();

  Artifact(Artifact &&) noexcept;
  Artifact &operator=(Artifact &&) = delete;
  ~Artifact();

private:
  Artifact() = default;

  std::filesystem::path target;
  std::filesystem::path temporary; ///< empty once the artifact is complete
  std::unique_ptr<InterruptCleanup> cleanup;
};

} // namespace weft

#endif // WEFT_COMPILER_EMIT_ARTIFACT_H
