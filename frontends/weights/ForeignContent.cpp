// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "frontends/weights/ForeignContent.h"

#include <string_view>

namespace weft {
namespace {

struct Signature {
  std::string_view start;
  const char *what;
  const char *help;
};

constexpr Signature kSignatures[] = {
    {"version https://git-lfs", "a Git LFS pointer, not the file itself",
     "run `git lfs pull` in the model's directory, or download the file from the Hub's \"Files\" page"},
    {"<!DOCTYPE", "a web page", "download the file itself: the address must contain /resolve/, not /blob/"},
    {"<!doctype", "a web page", "download the file itself: the address must contain /resolve/, not /blob/"},
    {"<html", "a web page", "download the file itself: the address must contain /resolve/, not /blob/"},
    {"GGUF", "a GGUF file", "give it the name of what it is, NAME.gguf"},
    {"\x89HDF\r\n\x1a\n", "an HDF5 file (TensorFlow or Keras)",
     "load it with transformers (from_tf=True) and save_pretrained it: that writes safetensors"},
};

bool startsWith(std::span<const std::byte> bytes, std::string_view start) {
  std::string_view text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  return text.starts_with(start);
}

} // namespace

std::optional<Diagnostic> recogniseForeignContent(std::span<const std::byte> bytes, const std::string &path) {
  // torch.save writes a zip archive since 1.6, and a bare pickle of protocol 2 before that.
  if (startsWith(bytes, "PK\x03\x04") || startsWith(bytes, "\x80\x02\x8a\x0a"))
    return refusePickle(path);
  for (const Signature &signature : kSignatures)
    if (startsWith(bytes, signature.start))
      return Diagnostic{"W0102", std::string("this is ") + signature.what, path, signature.help};
  return std::nullopt;
}

Diagnostic refusePickle(const std::filesystem::path &file) {
  std::string directory = file.has_parent_path() ? file.parent_path().string() : ".";
  return {"W0131", "the weights are a Python pickle, which runs code of its author when it is read", file.string(),
          "if you trust the author, convert once: python3 -c \"import transformers as t; d='" + directory +
              "'; getattr(t, t.AutoConfig.from_pretrained(d).architectures[0]).from_pretrained(d)"
              ".save_pretrained('CONVERTED')\""};
}

} // namespace weft
