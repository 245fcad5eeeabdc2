// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A JSON object of a model folder as typed values. A key that the file lacks, or holds null for, has the default of
// the library's configuration class. The first value of a wrong type or out of range is kept as a Diagnostic and the
// default returned in its place, so that a reader asks for all it needs and checks once.
#ifndef WEFT_FRONTENDS_HF_CONFIG_H
#define WEFT_FRONTENDS_HF_CONFIG_H

#include "frontends/builder/Activation.h"
#include "frontends/diagnostic/Diagnostic.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace weft {

class Config {
public:
  /// Names under which a key occurs, the first preferred.
  using Keys = std::initializer_list<const char *>;

  static Result<Config> load(const std::filesystem::path &file);
  /// A file that holds an array of objects.
  static Result<std::vector<Config>> loadList(const std::filesystem::path &file);
  /// `place` names the object in diagnostics.
  Config(nlohmann::json object, std::string place) : object(std::move(object)), place(std::move(place)) {}

  bool has(const char *key) const { return lookUp({key}).second != nullptr; }
  /// The key is there, with null for its value.
  bool isNull(const char *key) const { return object.contains(key) && object.at(key).is_null(); }
  bool isText(const char *key) const { return has(key) && lookUp({key}).second->is_string(); }
  /// An integer in [min, max].
  int64_t integer(Keys keys, int64_t byDefault, int64_t min, int64_t max);
  /// A size of a tensor or a count of layers: at least 1.
  int64_t size(Keys keys, int64_t byDefault) { return integer(keys, byDefault, 1, kMaxSize); }
  /// A number that is finite as a float32, and at least 0.
  double number(Keys keys, double byDefault);
  /// An integer or an array of them; nothing when the key is absent.
  std::optional<std::vector<int64_t>> integers(const char *key);
  /// As many numbers as there are defaults, each at least 0; the library writes infinity as {"__float__": "Infinity"},
  /// its releases before 5 as Infinity.
  std::vector<double> numbers(const char *key, const std::vector<double> &byDefault);
  bool flag(const char *key, bool byDefault);
  std::string text(const char *key, const std::string &byDefault);
  Activation activation(const char *key, const std::string &byDefault);
  /// The strings of an array; nothing when the key is absent.
  std::optional<std::vector<std::string>> texts(const char *key);
  /// The strings of an array of pairs [strings, how often], all of them; nothing when the key is absent.
  std::optional<std::vector<std::string>> repeatedTexts(const char *key);
  /// `layer_types`, or what an older file has under `oldKey`: one for each layer (W0207: not so many); nothing when
  /// both are absent.
  std::optional<std::vector<std::string>> layerTypes(int64_t layers, const char *oldKey = nullptr);
  /// An object inside; an empty one when the key is absent.
  Config child(const char *key);
  /// The number of entries of an object; nothing when the key is absent.
  std::optional<int64_t> entries(const char *key);

  /// Keeps the first failure.
  void fail(Diagnostic diagnostic);
  void refuse(const std::string &code, const std::string &what, const std::string &help);
  bool failed() const { return failure.has_value(); }
  Diagnostic takeError() { return std::move(*failure); }
  const std::string &where() const { return place; }

  /// No published model comes near; a product of two fits 63 bits.
  static constexpr int64_t kMaxSize = int64_t(1) << 28;

private:
  std::pair<const char *, const nlohmann::json *> lookUp(Keys keys) const;
  void wrongType(const char *key, const nlohmann::json &value, const std::string &wanted);

  nlohmann::json object;
  std::string place;
  std::optional<Diagnostic> failure;
};

} // namespace weft

#endif // WEFT_FRONTENDS_HF_CONFIG_H
