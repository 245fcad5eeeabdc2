// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Owning pointers over calloc and free: the runtime uses no C++ library.
#ifndef WEFT_RUNTIME_CORE_MEMORY_H
#define WEFT_RUNTIME_CORE_MEMORY_H

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace weft::runtime {

/// A zeroed array of trivial elements, freed at the end of the scope. Null
/// when memory is out; an array of no elements is not null.
template <class T> class Array {
public:
  Array() = default;
  explicit Array(size_t count) : items(allocate(count ? count : 1)) {}
  Array(Array &&other) noexcept : items(other.release()) {}
  Array &operator=(Array &&other) noexcept {
    free(items);
    items = other.release();
    return *this;
  }
  ~Array() { free(items); }

  explicit operator bool() const { return items != nullptr; }
  T &operator[](size_t index) { return items[index]; }
  const T &operator[](size_t index) const { return items[index]; }
  T *get() const { return items; }
  T *release() {
    T *taken = items;
    items = nullptr;
    return taken;
  }

private:
  static T *allocate(size_t count) {
    if constexpr (alignof(T) <= alignof(max_align_t))
      return static_cast<T *>(calloc(count, sizeof(T)));
    void *place = count <= SIZE_MAX / sizeof(T) ? aligned_alloc(alignof(T), count * sizeof(T)) : nullptr;
    return static_cast<T *>(place ? memset(place, 0, count * sizeof(T)) : nullptr);
  }

  T *items = nullptr;
};

/// A single object made by `create`, destroyed at the end of the scope.
template <class T> class Owned {
public:
  Owned() = default;
  explicit Owned(T *object) : object(object) {}
  Owned(const Owned &) = delete;
  Owned &operator=(const Owned &) = delete;
  ~Owned() { destroy(object); }

  /// Null when memory is out.
  template <class... Arguments> static T *create(Arguments &&...arguments) {
    void *place = aligned_alloc(alignof(T) < 64 ? 64 : alignof(T), (sizeof(T) + 63) / 64 * 64);
    return place ? new (place) T(static_cast<Arguments &&>(arguments)...) : nullptr;
  }
  static void destroy(T *object) {
    if (!object)
      return;
    object->~T();
    free(object);
  }

  explicit operator bool() const { return object != nullptr; }
  T *operator->() const { return object; }
  T *get() const { return object; }
  T *release() {
    T *taken = object;
    object = nullptr;
    return taken;
  }

private:
  T *object = nullptr;
};

} // namespace weft::runtime

#endif // WEFT_RUNTIME_CORE_MEMORY_H
