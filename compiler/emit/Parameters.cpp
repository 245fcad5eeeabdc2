// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/Parameters.h"

#include "compiler/emit/ColumnPacker.h"
#include "compiler/emit/ComputedWeights.h"
#include "compiler/emit/GroupwiseWeights.h"
#include "compiler/emit/JoinedSources.h"
#include "compiler/emit/QuantizedWeights.h"
#include "frontends/weights/FloatValues.h"
#include "frontends/weights/SafetensorsWriter.h"
#include "runtime/include/weft/abi.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <type_traits>

namespace weft {
namespace {

constexpr size_t kAlignment = 64; ///< what the ABI promises generated code

DType storedType(int32_t dtype) {
  switch (dtype) {
  case WEFT_F64:
    return DType::F64;
  case WEFT_F16:
    return DType::F16;
  case WEFT_BF16:
    return DType::BF16;
  case WEFT_I8:
    return DType::I8;
  case WEFT_I16:
    return DType::I16;
  case WEFT_I32:
    return DType::I32;
  case WEFT_I64:
    return DType::I64;
  case WEFT_U8:
    return DType::U8;
  case WEFT_BOOL:
    return DType::Bool;
  default:
    return DType::F32;
  }
}

Result<Sources> findSources(const ParameterDescription &parameter, const TensorLookup &tensors) {
  Sources found;
  for (const std::string &source : parameter.sources) {
    const TensorView *tensor = tensors.find ? tensors.find(source) : nullptr;
    if (!tensor)
      return Diagnostic{"W0606", "there is no weight named " + printableName(source),
                        tensors.place.empty() ? "the graph has no weights file" : tensors.place,
                        "the weights of NAME.mlir are read from NAME.safetensors beside it"};
    found.push_back(tensor);
  }
  return found;
}

float storedAs(float value, float *) { return value; }
struct Bf16 {
  uint16_t bits;
};
struct F16 {
  uint16_t bits;
};
Bf16 storedAs(float value, Bf16 *) { return {bf16FromFloat(value)}; }
F16 storedAs(float value, F16 *) { return {f16FromFloat(value)}; }

constexpr int64_t kWordBytes = 4; ///< of the words that panels consist of

/// A finite number that f16 would round to infinity; null: there is none.
const float *findAboveHalf(std::span<const float> values) {
  auto isLarge = [](float value) { return std::isfinite(value) && std::fabs(value) >= 65520.0f; };
  auto found = std::find_if(values.begin(), values.end(), isLarge);
  return found == values.end() ? nullptr : &*found;
}

/// Panels [ceil(N / c), ceil(K / i), c · i], i elements of T in 32 bits; `column` counts the outputs that earlier
/// matrices gave.
template <class T> class PanelPacker {
public:
  PanelPacker(const ParameterDescription &parameter, std::span<T> out)
      : outByIn(parameter.panels->outByIn), words(parameter.shape.end()[-2]), width(parameter.panels->width), out(out) {
    std::fill(out.begin(), out.end(), T());
  }

  int64_t outputsOf(MatrixSize size) const { return outByIn ? size.rows : size.columns; }
  int64_t depthOf(MatrixSize size) const { return outByIn ? size.columns : size.rows; }
  /// Whether sums over the inputs have the panels' depth.
  bool fitsDepth(MatrixSize size) const { return int64_t(llvm::divideCeil(depthOf(size), kSteps)) == words; }

  void pack(std::span<const float> values, MatrixSize size) {
    int64_t outputs = outputsOf(size), depth = depthOf(size);
    int64_t row = kSteps * width; // elements of all columns' next steps
    for (int64_t n = 0; n < outputs; ++n, ++column) {
      T *panel = out.data() + (column / width) * words * row + column % width * kSteps;
      const float *from = values.data() + (outByIn ? n * depth : n);
      int64_t step = outByIn ? 1 : outputs;
      for (int64_t k = 0; k < depth; ++k)
        panel[k / kSteps * row + k % kSteps] = storedAs(from[k * step], static_cast<T *>(nullptr));
    }
  }

  /// What comes next begins with a panel.
  void beginPanel() { column = llvm::alignTo(column, width); }

  static constexpr int64_t kSteps = kWordBytes / sizeof(T);

private:
  bool outByIn;
  int64_t words; ///< rows of a panel
  int64_t width;
  std::span<T> out;
  int64_t column = 0;
};

/// The sizes of the sources' matrices, which fill the panels.
template <class T>
Result<std::vector<MatrixSize>> sizesFor(const PanelPacker<T> &packer, const ParameterDescription &parameter,
                                         const Sources &sources, const std::string &place) {
  int64_t blocks = parameter.shape.size() == 4 ? parameter.shape[0] : 0, outputs = 0;
  Result<std::vector<MatrixSize>> sizes = sizesOfMatrices(parameter, blocks, sources, place);
  if (!sizes)
    return sizes;
  for (size_t index = 0; index < sources.size(); ++index) {
    MatrixSize size = (*sizes)[index];
    if (!packer.fitsDepth(size) || packer.depthOf(size) != packer.depthOf(sizes->front()))
      return misfit(parameter,
                    printableName(sources[index]->name) + " has the shape " + printableShape(sources[index]->shape) +
                        " where the graph has " + (packer.kSteps > 1 ? "up to " : "") +
                        std::to_string(parameter.shape.end()[-2] * packer.kSteps) + " inputs" +
                        (blocks ? " in each of " + std::to_string(blocks) + " blocks" : ""),
                    place);
    outputs = packer.outputsOf(size) + (blocks ? 0 : outputs);
  }
  if (static_cast<int64_t>(llvm::divideCeil(outputs, parameter.panels->width)) != parameter.shape.end()[-3])
    return misfit(parameter, "its sources have " + std::to_string(outputs) + " outputs together", place);
  return sizes;
}

template <class T>
Result<void> fillPanels(const ParameterDescription &parameter, const Sources &sources, const TensorLookup &tensors,
                        std::span<T> out) {
  bool hasBlocks = parameter.shape.size() == 4;
  if ((!hasBlocks && parameter.shape.size() != 3) ||
      parameter.shape.back() != parameter.panels->width * PanelPacker<T>::kSteps)
    return misfit(parameter, "its type is not that of panels", tensors.place);
  PanelPacker<T> packer(parameter, out);
  Result<std::vector<MatrixSize>> sizes = sizesFor(packer, parameter, sources, tensors.place);
  if (!sizes)
    return sizes.takeError();
  std::vector<float> values;
  for (size_t index = 0; index < sources.size(); ++index) {
    const TensorView &source = *sources[index];
    values.resize(source.elements());
    if (Result<void> read = readF32(source, values); !read)
      return read;
    if (const float *large = std::is_same_v<T, F16> ? findAboveHalf(values) : nullptr)
      return Diagnostic{"W0619", printableName(source.name) + " holds " + std::to_string(*large) + ", beyond f16",
                        tensors.place, "use --dtype bf16, which has the range of f32, or f32"};
    MatrixSize size = (*sizes)[index];
    for (size_t at = 0, step = size.rows * size.columns; step && at < values.size(); at += step) {
      packer.pack(std::span(values).subspan(at, step), size);
      if (hasBlocks)
        packer.beginPanel();
    }
  }
  return {};
}

template <class T> std::span<T> elementsIn(std::span<std::byte> bytes) {
  return {reinterpret_cast<T *>(bytes.data()), bytes.size() / sizeof(T)};
}

} // namespace

Result<void> fillParameter(const ParameterDescription &parameter, const TensorLookup &tensors,
                           std::span<std::byte> out) {
  assert(out.size() == static_cast<size_t>(parameter.bytes()) && "room for exactly this parameter");
  Result<Sources> sources = findSources(parameter, tensors);
  if (!sources)
    return sources.takeError();
  if (parameter.panels && parameter.panels->int8)
    return fillQuantized(parameter, *sources, tensors.place, out);
  if (parameter.panels && !parameter.panels->form.empty())
    return fillGroupwise(parameter, *sources, tensors.place, out);
  if (!parameter.functions.empty() || !parameter.order.empty())
    return fillComputed(parameter, *sources, tensors.place, elementsIn<float>(out));
  if (parameter.dtype == WEFT_F32) {
    std::span<float> values = elementsIn<float>(out);
    return parameter.panels ? fillPanels(parameter, *sources, tensors, values)
                            : readJoined(parameter, parameter.shape, *sources, tensors.place, values);
  }
  if (parameter.panels && parameter.dtype == WEFT_BF16)
    return fillPanels(parameter, *sources, tensors, elementsIn<Bf16>(out));
  if (parameter.panels && parameter.dtype == WEFT_F16)
    return fillPanels(parameter, *sources, tensors, elementsIn<F16>(out));
  const TensorView &source = *sources->front();
  if (sources->size() != 1 || parameter.panels || source.dtype != storedType(parameter.dtype) ||
      source.shape != parameter.shape)
    return misfit(parameter, "its stored tensor has another type or shape", tensors.place);
  std::memcpy(out.data(), source.bytes.data(), out.size());
  return {};
}

Result<void> writeParameters(const std::filesystem::path &path, const std::vector<ParameterDescription> &parameters,
                             const TensorLookup &tensors, const std::function<void(double)> &onShare) {
  std::vector<TensorSpec> specs;
  double total = 0;
  for (const ParameterDescription &parameter : parameters) {
    specs.push_back({parameter.name, storedType(parameter.dtype), parameter.shape});
    total += static_cast<double>(parameter.bytes());
  }
  Result<SafetensorsWriter> writer = SafetensorsWriter::create(path, specs);
  if (!writer)
    return writer.takeError();
  std::vector<float> buffer; // floats: aligned for every element type up to f32, and memcpy serves the others
  double done = 0;
  for (const ParameterDescription &parameter : parameters) {
    buffer.resize(llvm::divideCeil(parameter.bytes(), sizeof(float)));
    std::span<std::byte> bytes = std::as_writable_bytes(std::span(buffer)).first(parameter.bytes());
    if (Result<void> filled = fillParameter(parameter, tensors, bytes); !filled)
      return filled;
    if (Result<void> written = writer->append(bytes); !written)
      return written;
    done += static_cast<double>(bytes.size());
    if (onShare && done < total)
      onShare(done / total);
  }
  if (onShare)
    onShare(1);
  return writer->commit();
}

Result<ParameterBlock> ParameterBlock::create(const std::vector<ParameterDescription> &parameters,
                                              const TensorLookup &tensors) {
  size_t total = kAlignment;
  for (const ParameterDescription &parameter : parameters)
    total += llvm::alignTo(parameter.bytes(), kAlignment);
  ParameterBlock result;
  result.block = {static_cast<std::byte *>(std::aligned_alloc(kAlignment, total)), std::free};
  if (!result.block)
    return Diagnostic{"W0608", "there is no memory for " + std::to_string(total) + " bytes of weights", tensors.place,
                      "free some memory, or compile into an artifact, whose weights are read on demand"};
  std::byte *next = result.block.get();
  for (const ParameterDescription &parameter : parameters) {
    size_t bytes = parameter.bytes();
    if (Result<void> filled = fillParameter(parameter, tensors, {next, bytes}); !filled)
      return filled.takeError();
    result.addresses.push_back(next);
    next += llvm::alignTo(bytes, kAlignment);
  }
  return result;
}

} // namespace weft
