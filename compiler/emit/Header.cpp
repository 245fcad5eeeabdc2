// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/emit/Header.h"

#include "runtime/include/weft/abi.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

namespace weft {
namespace {

/// A C identifier for a name; a digit in front gets an underscore, as do keywords behind.
std::string identifier(llvm::StringRef name) {
  static const llvm::StringRef kReserved[] = {
      "auto",   "bool",   "char",    "class",  "const",   "default",     "double",      "float",  "for",
      "if",     "inline", "int",     "long",   "new",     "return",      "short",       "signed", "static",
      "struct", "switch", "session", "inputs", "outputs", "input_count", "output_count"};
  std::string text;
  for (char c : name)
    text += llvm::isAlnum(c) ? c : '_';
  if (text.empty() || llvm::isDigit(text.front()))
    text.insert(0, "_");
  return llvm::is_contained(kReserved, text) ? text + "_" : text;
}

std::string constant(llvm::StringRef name) { return llvm::StringRef(identifier(name)).upper(); }

struct CType {
  const char *type;
  const char *dtype;
  const char *text;
};

CType typeOf(int32_t dtype) {
  switch (dtype) {
  case WEFT_F32:
    return {"float", "WEFT_F32", "f32"};
  case WEFT_F64:
    return {"double", "WEFT_F64", "f64"};
  case WEFT_F16:
    return {"uint16_t", "WEFT_F16", "f16"};
  case WEFT_BF16:
    return {"uint16_t", "WEFT_BF16", "bf16"};
  case WEFT_I8:
    return {"int8_t", "WEFT_I8", "i8"};
  case WEFT_I16:
    return {"int16_t", "WEFT_I16", "i16"};
  case WEFT_I32:
    return {"int32_t", "WEFT_I32", "i32"};
  case WEFT_I64:
    return {"int64_t", "WEFT_I64", "i64"};
  case WEFT_U8:
    return {"uint8_t", "WEFT_U8", "u8"};
  default:
    return {"uint8_t", "WEFT_BOOL", "bool"};
  }
}

class HeaderWriter {
public:
  HeaderWriter(const ModelDescription &model, llvm::raw_ostream &out)
      : model(model), prefix(identifier(model.name)), out(out) {}

  void write() {
    std::string guard = constant(model.name) + "_WEFT_MODEL_H";
    out << "/* " << prefix << ", compiled by " << compilerVersion() << ". Sizes are constants; each function runs an\n"
        << " * entry in a session of weft/runtime.h. */\n"
        << "#ifndef " << guard << "\n#define " << guard << "\n\n#include \"weft/runtime.h\"\n\n";
    for (const EntryDescription &entry : model.entries)
      writeConstants(entry);
    writeBind();
    for (const EntryDescription &entry : model.entries)
      writeEntry(entry);
    out << "#endif /* " << guard << " */\n";
  }

private:
  void writeConstants(const EntryDescription &entry) {
    std::string start = "#define " + constant(model.name) + "_" + constant(entry.name) + "_";
    for (const DimDescription &dim : entry.dims)
      out << start << "MIN_" << constant(dim.name) << " " << dim.min << "\n"
          << start << "MAX_" << constant(dim.name) << " " << dim.max << "\n";
    for (const TensorDescription &input : entry.inputs)
      if (input.indexLimit > 0)
        out << start << constant(input.name) << "_LIMIT " << input.indexLimit << " /* values lie below */\n";
    // [batch, sequence, 384]: the last extent is the hidden size, the number of labels, the vocabulary.
    for (const TensorDescription &output : entry.outputs)
      if (!output.shape.empty() && output.shape.back() >= 0)
        out << start << constant(output.name) << "_SIZE " << output.shape.back() << " /* last extent */\n";
    out << "\n";
  }

  void writeBind() {
    out << "/* Appends an array to a list; a null one is left out. */\n"
        << "static inline void " << prefix << "_bind(weft_tensor *list, size_t *count, const char *name, "
        << "const void *data,\n                        int32_t dtype, int32_t rank, const int64_t *shape) {\n"
        << "  weft_tensor *tensor = list + *count;\n  int32_t i;\n  if (!data)\n    return;\n"
        << "  tensor->name = name;\n  tensor->data = (void *)data;\n  tensor->dtype = dtype;\n"
        << "  tensor->rank = rank;\n  tensor->bytes = weft_dtype_size(dtype);\n"
        << "  for (i = 0; i < rank; ++i) {\n    tensor->shape[i] = shape[i];\n"
        << "    tensor->bytes *= (uint64_t)shape[i];\n  }\n  ++*count;\n}\n\n";
  }

  std::string extent(const EntryDescription &entry, int64_t value) {
    return value < 0 ? identifier(entry.dims[-(value + 1)].name) : std::to_string(value);
  }

  std::string shapeText(const EntryDescription &entry, const TensorDescription &tensor) {
    std::string text;
    for (int64_t value : tensor.shape)
      text += (text.empty() ? "" : ", ") + extent(entry, value);
    return text;
  }

  void writeEntry(const EntryDescription &entry) {
    std::string function = prefix + "_" + identifier(entry.name);
    out << "/* Inputs:\n";
    for (const TensorDescription &tensor : entry.inputs) {
      writeComment(entry, tensor);
      out << (tensor.defaultValue ? ", may be null: " + std::to_string(*tensor.defaultValue) + " everywhere\n" : "\n");
    }
    out << " * Outputs, each of which may be null:\n";
    for (const TensorDescription &tensor : entry.outputs) {
      writeComment(entry, tensor);
      out << "\n";
    }
    if (!entry.states.empty())
      out << " * It reads and changes what the session keeps from call to call: see weft_session_reset.\n";
    out << " */\n";
    out << "static inline weft_status " << function << "(weft_session *session";
    for (auto [number, dim] : llvm::enumerate(entry.dims))
      if (isSeen(entry, static_cast<int64_t>(number)))
        out << ", int64_t " << identifier(dim.name);
    for (const TensorDescription &tensor : entry.inputs)
      out << ", const " << typeOf(tensor.dtype).type << " *" << identifier(tensor.name);
    for (const TensorDescription &tensor : entry.outputs)
      out << ", " << typeOf(tensor.dtype).type << " *" << outputName(entry, tensor);
    out << ") {\n";
    writeBody(entry);
    out << "}\n\n";
  }

  /// Whether an array of the caller's has the dimension; one that only states have is the session's.
  static bool isSeen(const EntryDescription &entry, int64_t dim) {
    auto has = [&](const TensorDescription &tensor) { return llvm::is_contained(tensor.shape, -(dim + 1)); };
    return llvm::any_of(entry.inputs, has) || llvm::any_of(entry.outputs, has);
  }

  /// The name as an identifier: one from a stranger's module could end the comment.
  void writeComment(const EntryDescription &entry, const TensorDescription &tensor) {
    out << " *   " << identifier(tensor.name) << ": " << typeOf(tensor.dtype).text << "[" << shapeText(entry, tensor)
        << "]";
  }

  /// An output that is named like an input is set apart from it.
  std::string outputName(const EntryDescription &entry, const TensorDescription &output) {
    auto sameName = [&](const TensorDescription &input) { return input.name == output.name; };
    return identifier(output.name) + (llvm::any_of(entry.inputs, sameName) ? "_out" : "");
  }

  void writeBody(const EntryDescription &entry) {
    out << "  weft_tensor inputs[" << entry.inputs.size() + 1 << "], outputs[" << entry.outputs.size() + 1 << "];\n"
        << "  size_t input_count = 0, output_count = 0;\n";
    for (const TensorDescription &tensor : entry.inputs)
      writeTensor(entry, tensor, "input", identifier(tensor.name));
    for (const TensorDescription &tensor : entry.outputs)
      writeTensor(entry, tensor, "output", outputName(entry, tensor));
    out << "  return weft_run(session, \"";
    out.write_escaped(entry.name) << "\", inputs, input_count, outputs, output_count);\n";
  }

  void writeTensor(const EntryDescription &entry, const TensorDescription &tensor, const std::string &list,
                   const std::string &variable) {
    std::string shape = shapeText(entry, tensor);
    out << "  {\n    const int64_t shape[] = {" << (shape.empty() ? "1" : shape) << "};\n    " << prefix << "_bind("
        << list << "s, &" << list << "_count, \"";
    out.write_escaped(tensor.name) << "\", " << variable << ", " << typeOf(tensor.dtype).dtype << ", "
                                   << tensor.shape.size() << ", shape);\n  }\n";
  }

  const ModelDescription &model;
  std::string prefix;
  llvm::raw_ostream &out;
};

} // namespace

std::string headerText(const ModelDescription &model) {
  std::string text;
  llvm::raw_string_ostream out(text);
  HeaderWriter(model, out).write();
  return text;
}

} // namespace weft
