// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// JSON text into a tree through nlohmann's SAX parser, which keeps its own
// stack: depth costs no C++ stack.
#include "frontends/diagnostic/StrictJson.h"

#include <optional>
#include <vector>

namespace weft {
namespace {

using nlohmann::json;

/// Builds the tree; a false return stops the parser and leaves the reason in
/// `failure`.
class TreeBuilder : public nlohmann::json_sax<json> {
public:
  TreeBuilder(const std::string &place, size_t maxDepth) : place(place), maxDepth(maxDepth) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t &) override { return add(value); }
  bool string(string_t &value) override { return add(std::move(value)); }
  bool binary(binary_t &value) override { return add(std::move(value)); }

  bool start_object(size_t) override { return open(json::object()); }
  bool end_object() override { return close(); }
  bool start_array(size_t) override { return open(json::array()); }
  bool end_array() override { return close(); }

  bool key(string_t &name) override {
    auto [position, isNew] = openValues.back()->emplace(name, nullptr);
    if (!isNew) {
      openKeys.back().clear(); // the place is the object
      return fail("W0112", "the key \"" + shorten(name) + "\" occurs twice in one object",
                  "keep one of the two; readers differ in which one they would take");
    }
    openKeys.back() = name;
    slot = &*position;
    return true;
  }

  bool parse_error(size_t, const std::string &, const nlohmann::detail::exception &error) override {
    std::string what = error.what();
    if (size_t end = what.find("] "); end != std::string::npos)
      what.erase(0, end + 2); // nlohmann's own error id
    return fail("W0110", "not valid JSON: " + shorten(what), "fetch the file again; it may be cut short");
  }

  json root;
  std::optional<Diagnostic> failure;

private:
  template <class T> bool add(T &&value) {
    insert(std::forward<T>(value));
    return true;
  }

  template <class T> json *insert(T &&value) {
    if (openValues.empty()) {
      root = json(std::forward<T>(value));
      return &root;
    }
    if (openValues.back()->is_array())
      return &openValues.back()->emplace_back(std::forward<T>(value));
    *slot = json(std::forward<T>(value));
    return slot;
  }

  bool open(json container) {
    if (openValues.size() >= maxDepth)
      return fail("W0111", "the JSON nests deeper than " + std::to_string(maxDepth) + " levels",
                  "no published model file does; fetch the file again");
    // A child stays where it is while open: its parent array cannot grow before
    // the child is closed.
    openValues.push_back(insert(std::move(container)));
    openKeys.emplace_back();
    return true;
  }

  bool close() {
    openValues.pop_back();
    openKeys.pop_back();
    return true;
  }

  bool fail(const char *code, std::string message, std::string help) {
    std::string path;
    for (const std::string &name : openKeys)
      if (!name.empty() && path.size() < 200)
        path += "/" + shorten(name);
    failure = Diagnostic{code, std::move(message), path.empty() ? place : place + " at " + path, std::move(help)};
    return false;
  }

  /// A hostile key may be megabytes long. The cut keeps whole UTF-8 characters.
  static std::string shorten(const std::string &text) {
    constexpr size_t kLongest = 200;
    if (text.size() <= kLongest)
      return text;
    size_t end = kLongest;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
      --end;
    return text.substr(0, end) + "...";
  }

  const std::string &place;
  size_t maxDepth;
  std::vector<json *> openValues;
  std::vector<std::string> openKeys; ///< per open value: the key being filled, empty in arrays
  json *slot = nullptr;              ///< where the value of the last key goes
};

} // namespace

Result<nlohmann::json> parseStrictJson(std::string_view text, const std::string &place, size_t maxDepth) {
  // The parser takes a zero byte for the end of the text and would pass over what follows it.
  if (size_t zero = text.find('\0'); zero != std::string_view::npos)
    return Diagnostic{"W0110", "not valid JSON: byte " + std::to_string(zero) + " is zero", place,
                      "fetch the file again; it may be damaged"};
  TreeBuilder builder(place, maxDepth);
  if (!json::sax_parse(text.begin(), text.end(), &builder))
    return std::move(*builder.failure);
  return std::move(builder.root);
}

} // namespace weft
