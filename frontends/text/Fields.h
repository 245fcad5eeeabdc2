// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fields of one JSON object, by name and type. The first mistake is kept, reading goes on with empty values, and
// the reader asks for the mistake once at the end.
#ifndef WEFT_FRONTENDS_TEXT_FIELDS_H
#define WEFT_FRONTENDS_TEXT_FIELDS_H

#include "frontends/diagnostic/Diagnostic.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weft::text {

/// A token id. The limit keeps a table by id, made from a stranger's file, within memory; no vocabulary comes near.
using TokenId = uint32_t;
constexpr TokenId kMaxTokenId = (TokenId(1) << 24) - 1;

class Fields {
public:
  /// `value` is read at `place`, for example "tokenizer.json at /normalizer".
  Fields(const nlohmann::json &value, std::string place);

  // A field that must be there, and be of this type.
  std::string string(const char *name);
  bool boolean(const char *name);
  size_t count(const char *name);
  TokenId tokenId(const char *name);
  char32_t character(const char *name);
  /// One of a list of words, as its index.
  size_t choice(const char *name, std::initializer_list<const char *> words);
  const nlohmann::json &array(const char *name);
  /// A field of any type; null when it is missing, which is a mistake.
  const nlohmann::json &value(const char *name);

  // A field that may be missing or null.
  std::optional<std::string> optionalString(const char *name);
  std::optional<bool> optionalBoolean(const char *name);
  std::optional<size_t> optionalCount(const char *name);
  const nlohmann::json *optionalValue(const char *name);

  /// Notes a mistake of the reader's own at a field (or at the object, for an empty name).
  void fail(const char *code, const std::string &name, std::string message, std::string help = "");
  bool failed() const { return failure.has_value(); }
  /// The first mistake; only when there was one.
  Diagnostic takeError() { return std::move(*failure); }

  std::string placeOf(const std::string &name) const { return name.empty() ? place : place + "/" + name; }

private:
  const nlohmann::json *find(const char *name, bool required);
  /// The field if `isWanted` holds for it, with a mistake otherwise.
  template <class Predicate>
  const nlohmann::json *typed(const char *name, bool required, const char *type, Predicate isWanted);

  const nlohmann::json &object;
  std::string place;
  std::optional<Diagnostic> failure;
};

/// The value as an id up to kMaxTokenId.
std::optional<TokenId> asTokenId(const nlohmann::json &value);

/// The "type" of a component, or a Diagnostic that it is not an object with a type.
Result<std::string> componentType(const nlohmann::json &value, const std::string &place);

/// Reads a component: its "type", then `read(type, fields)`, which makes it. A mistake in a field counts only when the
/// component could be made otherwise.
template <class Read>
auto readComponent(const nlohmann::json &value, const std::string &place, Read read)
    -> decltype(read(place, std::declval<Fields &>())) {
  Result<std::string> type = componentType(value, place);
  if (!type)
    return type.takeError();
  Fields fields(value, place);
  auto made = read(*type, fields);
  if (made && fields.failed())
    return fields.takeError();
  return made;
}

/// W0301: a component that Weft does not know, with what it does know.
Diagnostic unsupportedComponent(const std::string &kind, const std::string &type, const std::string &place,
                                std::string_view supported);

} // namespace weft::text

#endif // WEFT_FRONTENDS_TEXT_FIELDS_H
