// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A user's mistake as data: what, where, what to do. Every code is explained in Codes.def.
#ifndef WEFT_FRONTENDS_DIAGNOSTIC_DIAGNOSTIC_H
#define WEFT_FRONTENDS_DIAGNOSTIC_DIAGNOSTIC_H

#include <cassert>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace weft {

/// What went wrong, where, and what to do about it.
struct Diagnostic {
  std::string code;    ///< "W0101", registered in Codes.def
  std::string message; ///< what: one sentence without a full stop
  std::string place;   ///< where: file, byte offset, tensor or layer; may be empty
  std::string help;    ///< what to do; may be empty

  /// `error[W0101]: message`, then ` --> place` and `help: …` lines where present.
  std::string format() const;
};

/// The registered title and explanation of a code; null title when the code is unknown.
struct CodeExplanation {
  const char *code;
  const char *title;
  const char *explanation;
};
const CodeExplanation *explainCode(std::string_view code);

/// All registered codes, in order.
std::pair<const CodeExplanation *, size_t> allCodes();

/// A value or the Diagnostic that kept it from being made.
template <class T> class [[nodiscard]] Result {
public:
  Result(T value) : state(std::in_place_index<0>, std::move(value)) {}
  Result(Diagnostic error) : state(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state.index() == 0; }
  T &operator*() {
    assert(*this && "a failed Result has no value");
    return std::get<0>(state);
  }
  const T &operator*() const {
    assert(*this && "a failed Result has no value");
    return std::get<0>(state);
  }
  T *operator->() { return &**this; }
  const T *operator->() const { return &**this; }
  const Diagnostic &error() const { return std::get<1>(state); }
  Diagnostic takeError() { return std::move(std::get<1>(state)); }

private:
  std::variant<T, Diagnostic> state;
};

/// Success or a Diagnostic.
template <> class [[nodiscard]] Result<void> {
public:
  Result() = default;
  Result(Diagnostic error) : failure(std::move(error)), failed(true) {}

  explicit operator bool() const { return !failed; }
  const Diagnostic &error() const { return failure; }
  Diagnostic takeError() { return std::move(failure); }

private:
  Diagnostic failure;
  bool failed = false;
};

} // namespace weft

#endif // WEFT_FRONTENDS_DIAGNOSTIC_DIAGNOSTIC_H
