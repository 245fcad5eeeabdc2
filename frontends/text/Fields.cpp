// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// JSON fields by name and type.
#include "frontends/text/Fields.h"

#include "frontends/text/Utf8.h"

namespace weft::text {

using nlohmann::json;

static const json kNull;
static const json kEmptyArray = json::array();
static const char *const kRefetch = "fetch tokenizer.json again, or write it with a current version of tokenizers";

Fields::Fields(const json &value, std::string place) : object(value), place(std::move(place)) {
  if (!value.is_object())
    fail("W0302", "", std::string("an object is expected, not ") + value.type_name(), kRefetch);
}

void Fields::fail(const char *code, const std::string &name, std::string message, std::string help) {
  if (!failure)
    failure = Diagnostic{code, std::move(message), placeOf(name), std::move(help)};
}

const json *Fields::find(const char *name, bool required) {
  if (object.is_object())
    if (auto it = object.find(name); it != object.end() && !(it->is_null() && !required))
      return &*it;
  if (required)
    fail("W0302", "", std::string("the field \"") + name + "\" is missing", kRefetch);
  return nullptr;
}

template <class Predicate>
const json *Fields::typed(const char *name, bool required, const char *type, Predicate isWanted) {
  const json *value = find(name, required);
  if (!value || isWanted(*value))
    return value;
  fail("W0302", name, std::string(type) + " is expected, not " + value->type_name(), kRefetch);
  return nullptr;
}

static bool isCount(const json &value) { return value.is_number_unsigned(); }

std::string Fields::string(const char *name) {
  const json *value = typed(name, true, "a string", [](const json &v) { return v.is_string(); });
  return value ? value->get<std::string>() : std::string();
}

bool Fields::boolean(const char *name) {
  const json *value = typed(name, true, "true or false", [](const json &v) { return v.is_boolean(); });
  return value && value->get<bool>();
}

size_t Fields::count(const char *name) {
  const json *value = typed(name, true, "a number that is not negative", isCount);
  return value ? value->get<size_t>() : 0;
}

std::optional<TokenId> asTokenId(const json &value) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > kMaxTokenId)
    return std::nullopt;
  return static_cast<TokenId>(value.get<uint64_t>());
}

TokenId Fields::tokenId(const char *name) {
  const json *value = find(name, true);
  if (!value)
    return 0;
  std::optional<TokenId> id = asTokenId(*value);
  if (!id)
    fail("W0303", name, "a token id from 0 to " + std::to_string(kMaxTokenId) + " is expected", kRefetch);
  return id.value_or(0);
}

char32_t Fields::character(const char *name) {
  std::string text = string(name);
  if (failed())
    return ' ';
  if (countCodePoints(text) != 1) {
    fail("W0302", name, "a string of one character is expected", kRefetch);
    return ' ';
  }
  return firstCodePoint(text);
}

size_t Fields::choice(const char *name, std::initializer_list<const char *> words) {
  std::string word = string(name), all;
  size_t index = 0;
  for (const char *candidate : words) {
    if (word == candidate)
      return index;
    all += (index++ ? ", " : "") + std::string(candidate);
  }
  fail("W0301", name, "\"" + word + "\" is not supported", "supported are: " + all);
  return 0;
}

const json &Fields::array(const char *name) {
  const json *value = typed(name, true, "an array", [](const json &v) { return v.is_array(); });
  return value ? *value : kEmptyArray;
}

const json &Fields::value(const char *name) {
  const json *value = find(name, true);
  return value ? *value : kNull;
}

std::optional<std::string> Fields::optionalString(const char *name) {
  const json *value = typed(name, false, "a string or null", [](const json &v) { return v.is_string(); });
  return value ? std::optional(value->get<std::string>()) : std::nullopt;
}

std::optional<bool> Fields::optionalBoolean(const char *name) {
  const json *value = typed(name, false, "true, false or null", [](const json &v) { return v.is_boolean(); });
  return value ? std::optional(value->get<bool>()) : std::nullopt;
}

std::optional<size_t> Fields::optionalCount(const char *name) {
  const json *value = typed(name, false, "a number that is not negative, or null", isCount);
  return value ? std::optional(value->get<size_t>()) : std::nullopt;
}

const json *Fields::optionalValue(const char *name) { return find(name, false); }

Result<std::string> componentType(const json &value, const std::string &place) {
  Fields fields(value, place);
  std::string type = fields.string("type");
  if (fields.failed())
    return fields.takeError();
  return type;
}

Diagnostic unsupportedComponent(const std::string &kind, const std::string &type, const std::string &place,
                                std::string_view supported) {
  return {"W0301", "the " + kind + " \"" + type + "\" is not supported", place,
          "supported are: " + std::string(supported)};
}

} // namespace weft::text
