// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The thread-local error and the functions that read it.
#include "runtime/core/Error.h"

#include <cstdarg>
#include <cstdio>

namespace weft::runtime {

namespace {
struct LastError {
  weft_status status;
  char code[8];
  char message[768];
  char place[sizeof(Place::text)];
  char help[512];
  char text[2048];
};
thread_local LastError lastError;

/// Names from files may hold control characters; a terminal must not see them.
void maskControlCharacters(char *text) {
  for (; *text; ++text)
    if (static_cast<unsigned char>(*text) < 0x20 || *text == 0x7f)
      *text = '?';
}
} // namespace

Place::Place(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  maskControlCharacters(text);
}

weft_status fail(Code code, const Place &place, const char *help, const char *format, ...) {
  LastError &error = lastError;
  error.status = code.status;
  snprintf(error.code, sizeof(error.code), "W%04d", code.number);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error.message, sizeof(error.message), format, arguments);
  va_end(arguments);
  maskControlCharacters(error.message);
  snprintf(error.place, sizeof(error.place), "%s", place.text);
  snprintf(error.help, sizeof(error.help), "%s", help);
  snprintf(error.text, sizeof(error.text), "error[%s]: %s\n%s%s%shelp: %s\n", error.code, error.message,
           *error.place ? "  --> " : "", error.place, *error.place ? "\n" : "", error.help);
  return code.status;
}

weft_status failOutOfMemory(const char *what, uint64_t bytes) {
  return fail(kOutOfMemory, Place("%s", what), "free memory, or lower the session's dim_limits, and try again",
              "%llu bytes of memory cannot be had", static_cast<unsigned long long>(bytes));
}

} // namespace weft::runtime

using weft::runtime::lastError;

const char *weft_last_error(void) { return lastError.text; }

void weft_last_error_parts(weft_error *error) {
  if (!error)
    return;
  *error = {lastError.status, lastError.code, lastError.message, lastError.place, lastError.help};
}

const char *weft_status_name(weft_status status) {
  static constexpr const char *kNames[] = {"WEFT_OK",
                                           "WEFT_ERROR_ARGUMENT",
                                           "WEFT_ERROR_SHAPE",
                                           "WEFT_ERROR_INDEX",
                                           "WEFT_ERROR_FILE",
                                           "WEFT_ERROR_CORRUPT",
                                           "WEFT_ERROR_INCOMPATIBLE",
                                           "WEFT_ERROR_MEMORY",
                                           "WEFT_ERROR_BUSY",
                                           "WEFT_ERROR_MODEL",
                                           "WEFT_ERROR_DEVICE",
                                           "WEFT_ERROR_KERNEL",
                                           "WEFT_ERROR_DEVICE_LOST"};
  size_t index = static_cast<size_t>(status);
  return index < sizeof(kNames) / sizeof(kNames[0]) ? kNames[index] : "WEFT_ERROR_UNKNOWN";
}
