// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler as a library: a model's files into a Graph, a Graph into an artifact or into code in this process.
//
//   weft::Context context;
//   auto graph = weft::import(context, "all-MiniLM-L6-v2");
//   auto executable = weft::compile(*graph, {.targets = {"cpu:native"}});
//   auto session = executable->session();
//   auto outputs = session->run("encode", {weft::Array::of<int64_t>("input_ids", {1, 3}, {101, 7592, 102})});
//
// Every function that can fail returns a Result: a value, or a Diagnostic that says what, where, and what to do.
// Nothing throws, nothing prints. A Context and what was made in it belong to one thread at a time; executables and
// sessions need no Context.
#ifndef WEFT_COMPILER_H
#define WEFT_COMPILER_H

#include "frontends/diagnostic/Diagnostic.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct weft_model;

namespace weft {

/// What every graph and compilation of one thread lives in.
class Context {
public:
  Context();
  ~Context();
  Context(Context &&) noexcept;
  Context &operator=(Context &&) noexcept;

  struct Impl;
  Impl &impl() const { return *state; }

private:
  std::unique_ptr<Impl> state;
};

/// Inclusive bounds of a named dimension.
struct DimBounds {
  int64_t min = 1;
  int64_t max = 1;
};

/// The type of an array's elements, numbered as in weft/abi.h.
enum class ElementType : int32_t { F32 = 1, F64, F16, BF16, I8, I16, I32, I64, U8, Bool };

/// An input or output of an entry.
struct TensorInfo {
  std::string name;
  ElementType type = ElementType::F32;
  std::vector<std::string> shape;      ///< an extent, or the name of a dimension
  int64_t indexLimit = 0;              ///< > 0: every value must lie in [0, indexLimit)
  std::optional<int64_t> defaultValue; ///< what an input that may be absent is filled with
};

/// A function of a model.
struct EntryInfo {
  std::string name;
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
  std::vector<TensorInfo> states = {}; ///< what it reads and changes of what lives from call to call
};

/// So many floating-point operations for each element of a product of dimensions.
struct WorkTerm {
  double flops = 0;
  std::map<std::string, int> powers;
};

/// The weight of a product with one of `experts` matrices for each row: no more are read than there are rows.
struct ExpertWeight {
  double experts = 0;
  double bytes = 0;   ///< of each
  WorkTerm rows = {}; ///< how many, in place of flops
};

/// What a call computes, in its matrix products and attentions: a sum of terms.
struct Work {
  std::vector<WorkTerm> terms;
  double weightBytes = 0;                 ///< of the weights in matrix products, each counted once
  std::vector<ExpertWeight> experts = {}; ///< those among them of which not all need be read

  double flops(const std::map<std::string, int64_t> &dims) const;
  /// Bytes of the weights that a call reads, at most.
  double bytesRead(const std::map<std::string, int64_t> &dims) const;
  /// The same with weights stored in this share of their bytes.
  void shrinkWeights(double share);
};

/// A model as a graph of tensor operations, with its weights still in the model's files.
class Graph {
public:
  struct Impl;
  explicit Graph(std::unique_ptr<Impl> state);
  ~Graph();
  Graph(Graph &&) noexcept;
  Graph &operator=(Graph &&) noexcept;

  /// "bert"
  std::string name() const;
  /// The functions that can be called: "encode".
  std::vector<std::string> entries() const;
  /// The named dimensions and what the model allows.
  std::map<std::string, DimBounds> dims() const;
  /// The entries with their inputs and outputs.
  std::vector<EntryInfo> describe() const;
  /// How much an entry computes.
  Work work(const std::string &entry) const;
  /// The tokens that end a text, of a model that continues texts.
  std::vector<int64_t> endTokens() const;
  /// The model's tokenizer in the words of a tokenizer.json, where the model's file holds it; empty for a folder, which
  /// has the file itself.
  std::string tokenizer() const;
  /// The graph as MLIR text.
  std::string text() const;

  Impl &impl() const { return *state; }

private:
  std::unique_ptr<Impl> state;
};

/// Reads a model. `path` is a Hugging Face directory, a GGUF file, or a file of MLIR text (its weights, if it has any,
/// in the safetensors file of the same name beside it); content tells which. `dimBounds` sets what named dimensions may
/// be; a folder without them gets batch 1 to 64 and every sequence that the model can. With a `pageLength` keys and
/// values of texts that are continued lie in pages of so many positions, which the caller gives to texts (weft/texts.h
/// does); 0: each text has a row of slots. The Context must outlive the Graph.
Result<Graph> import(Context &context, const std::string &path, const std::map<std::string, DimBounds> &dimBounds = {},
                     int64_t pageLength = 0);

/// How far a compilation is.
struct Progress {
  std::string_view phase; ///< "fuse"; "tile v3" where the phase runs once for each target
  double share;           ///< of the whole work, 0 to 1
  double secondsLeft;     ///< by the time taken so far; negative while unknown
};

/// Speed that was missed, and why: a fusion that did not happen.
struct Remark {
  std::string phase;
  std::string place; ///< the layer's name
  std::string message;
};

struct CompileOptions {
  /// "cpu:amx,v4-bf16,v4,v3", "cpu:native", "cpu" (all levels), or a level alone. Empty: all levels for an artifact,
  /// the host's level for compilation in memory. For artifacts also "nvptx:sm_90a,sm_80": NVIDIA's GPUs.
  std::vector<std::string> targets = {};
  /// How weights of products are stored and computed with. "keep": as precise as they are. "int8": rounded to 8-bit
  /// integers, one scale an output, and multiplied with activations that are rounded row by row. "int4", "q8_0": 4- or
  /// 8-bit integers in groups of 32 with a scale each; activations stay f32.
  std::string weights = "keep";
  /// Narrower bounds for named dimensions.
  std::map<std::string, DimBounds> dimBounds = {};
  /// What the weights of products are stored as: F32, BF16 or F16. Products compute and add in f32 with all three.
  ElementType dtype = ElementType::F32;
  /// Bytes of a product's stored weight, over those in f32.
  double weightShare() const;
  /// Whether kernels of GPUs get machine code beside their PTX, by NVIDIA's ptxas (WEFT_PTXAS, else on the PATH):
  /// "auto" where there is one, "always", "never". The driver assembles what has none.
  std::string assemble = "auto";
  /// Threads that compile.
  int jobs = 1;
  /// A folder for one numbered .mlir file after each phase. Empty: none.
  std::string dumpDir = {};
  /// `lower` stops after this phase. Empty: after the last phase that gives MLIR.
  std::string stopAfter = {};
  /// Where the reproducer of a crash goes. Empty: the working directory.
  std::string reproducerDir = {};
  /// Called on the calling thread or on one that compiles, one call at a time.
  std::function<void(const Progress &)> onProgress = {};
  /// Where set, remarks are collected and given in a fixed order.
  std::function<void(const Remark &)> onRemark = {};
};

/// The levels that CompileOptions::targets may name, best first; then `native`, and levels for tests.
std::span<const std::string_view> targetLevels();

/// The architectures of NVIDIA's GPUs that it may name after "nvptx:", best first.
std::span<const std::string_view> gpuArchitectures();

/// The best level that this processor runs.
std::string_view nativeLevel();

/// What CompileOptions::weights may be.
std::span<const std::string_view> weightForms();

/// Import, normalize, fuse, outline, tile, bufferize, blocks (for GPUs), vectorize, nvptx (for GPUs), cpu, emit.
std::span<const std::string_view> phaseNames();

/// Runs the phases up to `options.stopAfter` and returns the module's text. From tile on there is one module for each
/// target, in the order of `options.targets`, under a comment that names it.
Result<std::string> lower(const Graph &graph, const CompileOptions &options = {});

/// Compiles into the artifact directory `path`, which appears only when complete. An artifact that is there already is
/// replaced; anything else there is an error.
Result<void> compileToArtifact(const Graph &graph, const std::string &path, const CompileOptions &options = {});

/// A kernel of a GPU, as text.
struct KernelText {
  std::string name, target, ptx;
  int32_t threads = 0;     ///< of a block
  int32_t sharedBytes = 0; ///< of dynamic shared memory
};

/// The distinct kernels of a model for `options.targets`, which are GPUs. W0610: they are not.
Result<std::vector<KernelText>> compileKernels(const Graph &graph, const CompileOptions &options);

/// Our mistake rather than the user's: a tool exits with 2 instead of 1.
bool isInternalError(const Diagnostic &diagnostic);

size_t elementSize(ElementType type);
template <class T> constexpr ElementType elementTypeOf();
template <> constexpr ElementType elementTypeOf<float>() { return ElementType::F32; }
template <> constexpr ElementType elementTypeOf<double>() { return ElementType::F64; }
template <> constexpr ElementType elementTypeOf<int8_t>() { return ElementType::I8; }
template <> constexpr ElementType elementTypeOf<int16_t>() { return ElementType::I16; }
template <> constexpr ElementType elementTypeOf<int32_t>() { return ElementType::I32; }
template <> constexpr ElementType elementTypeOf<int64_t>() { return ElementType::I64; }
template <> constexpr ElementType elementTypeOf<uint8_t>() { return ElementType::U8; }

/// A named, dense, row-major array with its own memory.
struct Array {
  std::string name;
  ElementType type = ElementType::F32;
  std::vector<int64_t> shape;
  std::vector<std::byte> bytes;

  template <class T> static Array of(std::string name, std::vector<int64_t> shape, const std::vector<T> &values) {
    Array array{std::move(name), elementTypeOf<T>(), std::move(shape), {}};
    array.bytes.resize(values.size() * sizeof(T));
    if (!values.empty())
      std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
    return array;
  }
  /// The elements; T must be the type's.
  template <class T> std::span<const T> values() const {
    assert(type == elementTypeOf<T>() && "the array holds elements of another type");
    return {reinterpret_cast<const T *>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

/// A named array in the caller's memory. As an output, `bytes` is the buffer's size and `run` sets the shape.
struct Buffer {
  std::string name;
  ElementType type = ElementType::F32;
  std::vector<int64_t> shape;
  void *data = nullptr;
  size_t bytes = 0;
};

struct SessionOptions {
  /// Threads that work on a call. 0: WEFT_NUM_THREADS, else all cores.
  int threads = 0;
  /// The code variant: "v4", "v3", "portable". Empty: the best.
  std::string variant = {};
  /// Lower the dimensions' largest extents, so that the session needs less memory.
  std::map<std::string, int64_t> dimLimits = {};
};

/// Runs entries: one call at a time, any number of sessions at once. Keeps its Executable's code alive.
class Session {
public:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  ~Session();
  Session(Session &&) noexcept;
  Session &operator=(Session &&) noexcept;

  /// Runs an entry and returns all of its outputs.
  Result<std::vector<Array>> run(const std::string &entry, const std::vector<Array> &inputs);
  /// Runs an entry on the caller's memory; outputs that are not named are dropped.
  Result<void> run(const std::string &entry, std::span<const Buffer> inputs, std::span<Buffer> outputs);

  /// Forgets all that lives from call to call: states are zeros, of the extents that the next call has.
  Result<void> reset();
  /// A state as the last call left it. W0412: there is none of this name. W0421: it has no extents yet.
  Result<Array> state(const std::string &name) const;
  /// Sets a state, to go on from there. Errors: W0412, W0413, W0415, W0416, W0417, W0421.
  Result<void> setState(const Array &state);

private:
  std::unique_ptr<Impl> impl;
};

/// A model compiled into this process.
class Executable {
public:
  struct Impl;
  explicit Executable(std::shared_ptr<Impl> state);

  Result<Session> session(const SessionOptions &options = {}) const;
  /// The model for the functions of weft/runtime.h: a `weft_model *` that lives as long as the Executable.
  weft_model *model() const;

private:
  std::shared_ptr<Impl> state;
};

/// Compiles into this process: the same phases, the same code, the same results as an artifact's.
Result<Executable> compile(const Graph &graph, const CompileOptions &options = {});

} // namespace weft

#endif // WEFT_COMPILER_H
