// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Layouts and types of the tile dialect: their text and their constraints (docs/spec.md).
#include "dialects/tile/FragmentLayout.h"
#include "dialects/tile/TileOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace weft::tile;

#include "dialects/tile/TileDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/tile/TileAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/tile/TileTypes.cpp.inc"

void TileDialect::initialize() {
  registerAttributes();
  registerTypes();
  addOperations<
#define GET_OP_LIST
#include "dialects/tile/TileOps.cpp.inc"
      >();
}

void TileDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/tile/TileAttrs.cpp.inc"
      >();
}

void TileDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/tile/TileTypes.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

using Report = llvm::function_ref<InFlightDiagnostic()>;

// tile_layout_c1: so that a warp's place is two fields of its number's bits.
static LogicalResult verifyWarps(Report report, int64_t rows, int64_t columns) {
  if (rows > 0 && columns > 0 && llvm::isPowerOf2_64(rows) && llvm::isPowerOf2_64(columns) && rows * columns <= 32)
    return success();
  return report() << "cuts over a power of two of warps each way, at most 32 together, got " << rows << " x "
                  << columns;
}

LogicalResult AccumulatorAttr::verify(Report report, int64_t rows, int64_t columns) {
  return verifyWarps(report, rows, columns);
}

LogicalResult OperandAttr::verify(Report report, StringRef side, int64_t rows, int64_t columns) {
  if (side != "a" && side != "b") // tile_layout_c2
    return report() << "is the operand of side a or b, got " << side;
  return verifyWarps(report, rows, columns);
}

LogicalResult RowValuesAttr::verify(Report report, int64_t rows, int64_t columns, bool) {
  return verifyWarps(report, rows, columns);
}

LogicalResult ColumnValuesAttr::verify(Report report, int64_t rows, int64_t columns) {
  return verifyWarps(report, rows, columns);
}

//===----------------------------------------------------------------------===//
// Fragments
//===----------------------------------------------------------------------===//

Type FragmentType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  Attribute layout;
  if (parser.parseLess() || parser.parseDimensionList(shape, /*allowDynamic=*/false) || parser.parseType(element) ||
      parser.parseComma() || parser.parseAttribute(layout) || parser.parseGreater())
    return {};
  return parser.getChecked<FragmentType>(parser.getContext(), shape, element, layout);
}

void FragmentType::print(AsmPrinter &printer) const {
  printer << '<';
  printer.printDimensionList(getShape());
  printer << 'x' << getElement() << ", " << getLayout() << '>';
}

LogicalResult FragmentType::verify(Report report, ArrayRef<int64_t> shape, Type element, Attribute layout) {
  std::string why = whyNotLaidOut(shape, element, layout); // tile_fragment_c1
  if (why.empty())
    return success();
  return report() << "a fragment " << why;
}

//===----------------------------------------------------------------------===//
// Buffers and pipelines
//===----------------------------------------------------------------------===//

/// One of the words `swizzle`, `stages`, `pitch`, with its number.
static ParseResult parseOfBuffer(AsmParser &parser, int64_t &swizzle, int64_t &stages, int64_t &pitch) {
  StringRef word;
  SMLoc at = parser.getCurrentLocation();
  if (parser.parseKeyword(&word) || parser.parseEqual())
    return failure();
  int64_t *number = word == "swizzle" ? &swizzle : word == "stages" ? &stages : word == "pitch" ? &pitch : nullptr;
  if (!number)
    return parser.emitError(at, "a buffer has a swizzle, stages and a pitch");
  return parser.parseInteger(*number);
}

Type BufferType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  int64_t swizzle = 0, stages = 1, pitch = 0;
  SMLoc at = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseDimensionList(shape, /*allowDynamic=*/false) || parser.parseType(element))
    return {};
  if (shape.size() != 2)
    return parser.emitError(at, "a buffer has rows and columns"), Type();
  while (succeeded(parser.parseOptionalComma()))
    if (parseOfBuffer(parser, swizzle, stages, pitch))
      return {};
  if (parser.parseGreater())
    return {};
  return parser.getChecked<BufferType>(parser.getContext(), shape[0], shape[1], element, swizzle, stages,
                                       pitch ? pitch : shape[0]);
}

void BufferType::print(AsmPrinter &printer) const {
  printer << '<' << getRows() << 'x' << getColumns() << 'x' << getElement();
  if (getSwizzle())
    printer << ", swizzle = " << getSwizzle();
  if (getStages() != 1)
    printer << ", stages = " << getStages();
  if (getPitch() != getRows())
    printer << ", pitch = " << getPitch();
  printer << '>';
}

LogicalResult BufferType::verify(Report report, int64_t rows, int64_t columns, Type element, int64_t swizzle,
                                 int64_t stages, int64_t pitch) {
  unsigned bits = element.isIntOrFloat() ? element.getIntOrFloatBitWidth() : 0;
  if (bits != 8 && bits != 16 && bits != 32) // tile_buffer_c1
    return report() << "a buffer holds numbers of 8, 16 or 32 bits, got " << element;
  if (rows <= 0 || columns <= 0 || stages <= 0 || columns * bits / 8 % 16) // tile_buffer_c2
    return report() << "a buffer has stages and rows, and rows of a multiple of 16 bytes";
  if (swizzle != 0 && swizzle != 32 && swizzle != 64 && swizzle != 128) // tile_buffer_c3
    return report() << "a swizzle has 32, 64 or 128 bytes, got " << swizzle;
  if (swizzle && (columns * bits / 8 % swizzle || pitch % 8)) // tile_buffer_c4
    return report() << "a buffer with a swizzle of " << swizzle << " bytes has panels of so many bytes and 8 rows";
  if (pitch < rows || (pitch != rows && stages != 1)) // tile_buffer_c5
    return report() << "a part of a buffer has a pitch of at least its rows, and one stage";
  return success();
}

LogicalResult PipelineType::verify(Report report, int64_t stages, int64_t consumers) {
  if (stages > 0 && consumers > 0 && consumers <= 32) // tile_pipeline_c1
    return success();
  return report() << "a pipeline has stages, and 1 to 32 warps that release them";
}
