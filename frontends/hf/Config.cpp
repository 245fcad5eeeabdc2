// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// JSON values into typed ones, or into diagnostics that name the key.
#include "frontends/hf/Config.h"

#include "frontends/diagnostic/StrictJson.h"

#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>

namespace weft {

using nlohmann::json;

constexpr const char *kInfinity = "Infinity", *kFloatKey = "__float__";

/// The text with Infinity outside of strings, which Python writes and JSON does not have, as an object.
static std::string spellInfinity(const std::string &text) {
  std::string result;
  bool inString = false;
  for (size_t at = 0; at < text.size(); ++at) {
    if (!inString && text.compare(at, std::strlen(kInfinity), kInfinity) == 0) {
      result += std::string("{\"") + kFloatKey + "\": \"" + kInfinity + "\"}";
      at += std::strlen(kInfinity) - 1;
      continue;
    }
    result += text[at];
    if (text[at] == '"')
      inString = !inString;
    else if (inString && text[at] == '\\' && at + 1 < text.size())
      result += text[++at];
  }
  return result;
}

static Result<json> parseFile(const std::filesystem::path &file) {
  std::error_code error;
  std::ifstream stream(file, std::ios::binary);
  if (!std::filesystem::is_regular_file(file, error) || !stream)
    return Diagnostic{"W0101", "the file cannot be read", file.string(),
                      "a model folder holds it beside the weights: check the path, or fetch the folder again"};
  std::ostringstream content;
  content << stream.rdbuf();
  return parseStrictJson(spellInfinity(content.str()), file.string());
}

Result<Config> Config::load(const std::filesystem::path &file) {
  Result<json> parsed = parseFile(file);
  if (!parsed)
    return parsed.takeError();
  if (!parsed->is_object())
    return Diagnostic{"W0202", "the file holds no JSON object", file.string(), "fetch the file again"};
  return Config(std::move(*parsed), file.string());
}

Result<std::vector<Config>> Config::loadList(const std::filesystem::path &file) {
  Result<json> parsed = parseFile(file);
  if (!parsed)
    return parsed.takeError();
  std::vector<Config> result;
  for (const json &element : parsed->is_array() ? *parsed : json::array({nullptr})) {
    if (!element.is_object())
      return Diagnostic{"W0202", "the file holds no array of JSON objects", file.string(), "fetch the file again"};
    result.emplace_back(element, file.string());
  }
  return result;
}

std::pair<const char *, const json *> Config::lookUp(Keys keys) const {
  for (const char *key : keys)
    if (auto found = object.find(key); found != object.end() && !found->is_null())
      return {key, &*found};
  return {*keys.begin(), nullptr};
}

void Config::fail(Diagnostic diagnostic) {
  if (!failure)
    failure = std::move(diagnostic);
}

void Config::refuse(const std::string &code, const std::string &what, const std::string &help) {
  fail({code, what, place, help});
}

/// Values of strangers in messages: one short line of printable text.
static std::string excerpt(const json &value) {
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  return text.size() > 60 ? text.substr(0, 57) + "..." : text;
}

void Config::wrongType(const char *key, const json &value, const std::string &wanted) {
  refuse("W0202", std::string(key) + " is " + excerpt(value) + ", but must be " + wanted,
         "correct the value; a published config.json is best fetched again unchanged");
}

int64_t Config::integer(Keys keys, int64_t byDefault, int64_t min, int64_t max) {
  auto [key, value] = lookUp(keys);
  if (!value)
    return byDefault;
  if (!value->is_number_integer()) {
    wrongType(key, *value, "an integer");
    return byDefault;
  }
  bool tooLarge = value->is_number_unsigned() && value->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX);
  if (!tooLarge && value->get<int64_t>() >= min && value->get<int64_t>() <= max)
    return value->get<int64_t>();
  refuse("W0203",
         std::string(key) + " is " + excerpt(*value) + ", but must lie between " + std::to_string(min) + " and " +
             std::to_string(max),
         "correct the value; a published config.json is best fetched again unchanged");
  return byDefault;
}

double Config::number(Keys keys, double byDefault) {
  auto [key, value] = lookUp(keys);
  if (!value)
    return byDefault;
  if (!value->is_number()) {
    wrongType(key, *value, "a number");
    return byDefault;
  }
  double result = value->get<double>();
  if (result >= 0 && result <= std::numeric_limits<float>::max())
    return result;
  refuse("W0203",
         std::string(key) + " is " + excerpt(*value) + ", but must be a float32 that is finite and not negative",
         "correct the value; a published config.json is best fetched again unchanged");
  return byDefault;
}

std::optional<std::vector<int64_t>> Config::integers(const char *key) {
  const json *value = lookUp({key}).second;
  if (!value)
    return std::nullopt;
  std::vector<int64_t> result;
  for (const json &element : value->is_array() ? *value : json::array({*value})) {
    if (!element.is_number_integer()) {
      wrongType(key, *value, "an integer or an array of integers");
      return std::nullopt;
    }
    result.push_back(element.get<int64_t>());
  }
  return result;
}

std::vector<double> Config::numbers(const char *key, const std::vector<double> &byDefault) {
  const json *value = lookUp({key}).second;
  if (!value)
    return byDefault;
  std::vector<double> result;
  const json infinity = {{kFloatKey, kInfinity}};
  for (const json &element : value->is_array() ? *value : json::array({nullptr}))
    if (element.is_number() && element.get<double>() >= 0)
      result.push_back(element.get<double>());
    else if (element == infinity)
      result.push_back(std::numeric_limits<double>::infinity());
    else
      break;
  if (value->is_array() && result.size() == value->size() && result.size() == byDefault.size())
    return result;
  wrongType(key, *value, "an array of " + std::to_string(byDefault.size()) + " numbers that are not negative");
  return byDefault;
}

bool Config::flag(const char *key, bool byDefault) {
  const json *value = lookUp({key}).second;
  if (!value)
    return byDefault;
  if (value->is_boolean())
    return value->get<bool>();
  wrongType(key, *value, "true or false");
  return byDefault;
}

std::string Config::text(const char *key, const std::string &byDefault) {
  const json *value = lookUp({key}).second;
  if (!value)
    return byDefault;
  if (value->is_string())
    return value->get<std::string>();
  wrongType(key, *value, "a string");
  return byDefault;
}

std::optional<std::vector<std::string>> Config::repeatedTexts(const char *key) {
  constexpr int64_t kMost = 1 << 16; // a layer each
  const json *value = lookUp({key}).second;
  if (!value)
    return std::nullopt;
  std::vector<std::string> result;
  auto repeat = [&](const json &pair) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_array() || !pair[1].is_number_integer())
      return false;
    int64_t count = pair[1].get<int64_t>(), size = static_cast<int64_t>(pair[0].size());
    if (count < 0 || count > kMost || size > kMost || size * count > kMost)
      return false;
    for (int64_t index = 0; index < size * count; ++index) {
      const json &text = pair[0][index % size];
      if (!text.is_string())
        return false;
      result.push_back(text.get<std::string>());
    }
    return static_cast<int64_t>(result.size()) <= kMost;
  };
  if (value->is_array() && std::all_of(value->begin(), value->end(), repeat))
    return result;
  wrongType(key, *value, "an array of pairs [strings, how often]");
  return std::nullopt;
}

std::optional<std::vector<std::string>> Config::texts(const char *key) {
  const json *value = lookUp({key}).second;
  if (!value)
    return std::nullopt;
  std::vector<std::string> result;
  for (const json &element : value->is_array() ? *value : json::array({nullptr})) {
    if (!element.is_string()) {
      wrongType(key, *value, "an array of strings");
      return std::nullopt;
    }
    result.push_back(element.get<std::string>());
  }
  return result;
}

std::optional<std::vector<std::string>> Config::layerTypes(int64_t layers, const char *oldKey) {
  std::optional<std::vector<std::string>> types = texts("layer_types");
  if (!types && oldKey)
    types = texts(oldKey);
  if (types && static_cast<int64_t>(types->size()) != layers)
    refuse("W0207",
           "layer_types has " + std::to_string(types->size()) + " entries for " + std::to_string(layers) + " layers",
           "correct layer_types or num_hidden_layers");
  return types;
}

Config Config::child(const char *key) {
  const json *value = lookUp({key}).second;
  if (value && !value->is_object())
    wrongType(key, *value, "an object");
  return Config(value && value->is_object() ? *value : json::object(), place + ": " + key);
}

std::optional<int64_t> Config::entries(const char *key) {
  const json *value = lookUp({key}).second;
  if (!value)
    return std::nullopt;
  if (!value->is_object())
    wrongType(key, *value, "an object");
  return value->size();
}

Activation Config::activation(const char *key, const std::string &byDefault) {
  static const std::pair<const char *, Activation> kNames[] = {
      {"gelu", Activation::GeluErf},       {"gelu_python", Activation::GeluErf},
      {"gelu_new", Activation::GeluTanh},  {"gelu_pytorch_tanh", Activation::GeluTanh},
      {"gelu_fast", Activation::GeluTanh}, {"quick_gelu", Activation::QuickGelu},
      {"relu", Activation::Relu},          {"relu2", Activation::ReluSquared},
      {"sigmoid", Activation::Sigmoid},    {"silu", Activation::Silu},
      {"swish", Activation::Silu},         {"tanh", Activation::Tanh},
      {"linear", Activation::Identity}};
  std::string name = text(key, byDefault), known;
  for (auto [candidate, kind] : kNames) {
    if (name == candidate)
      return kind;
    known += std::string(known.empty() ? "" : ", ") + candidate;
  }
  refuse("W0206", std::string(key) + " is " + excerpt(name) + ", an activation that Weft does not know",
         "the known ones are " + known);
  return Activation::Identity;
}

} // namespace weft
