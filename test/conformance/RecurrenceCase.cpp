// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/conformance/RecurrenceCase.h"

#include "test/conformance/Halves.h"

#include <cmath>
#include <ostream>

namespace weft::test {

namespace {

int64_t extentOf(const RecurrenceFamily &family, RecurrenceExtents extents, char dim) {
  switch (dim) {
  case 'b':
    return extents.batch;
  case 'h':
    return family.heads;
  case 'g':
    return (family.heads + 1) / 2;
  case 't':
    return extents.steps;
  case 'n':
    return family.keys;
  default:
    return family.values;
  }
}

std::string typeOf(const RecurrenceFamily &family, const std::string &dims, const std::string &element) {
  std::string type = "tensor<";
  for (char dim : dims)
    type += (dim == 'b' || dim == 't' ? "?" : std::to_string(extentOf(family, {}, dim))) + "x";
  return type + element + ">";
}

std::string mapOf(const std::string &dims) {
  std::string map = "affine_map<(b, h, t, n, e) -> (";
  for (size_t i = 0; i < dims.size(); ++i)
    map += (i ? ", " : "") + (dims[i] == 'g' ? std::string("h floordiv 2") : std::string(1, dims[i]));
  return map + ")>";
}

/// Attributes of an argument or a result.
std::string named(const std::string &name, const std::string &dims) {
  std::string text = " {weft.name = \"" + name + "\", weft.dims = [";
  for (size_t i = 0; i < dims.size(); ++i)
    text += std::string(i ? ", " : "") + "\"" + (dims[i] == 'b' ? "batch" : dims[i] == 't' ? "sequence" : "") + "\"";
  return text + "]}";
}

bool has(const RecurrenceFamily &family, char dim) {
  return std::any_of(family.inputs.begin(), family.inputs.end(), [&](const RecurrenceInput &input) {
    return input.dims.find(dim) != std::string::npos || (dim == 'h' && input.dims.find('g') != std::string::npos);
  });
}

std::string elementOf(const RecurrenceInput &input) { return input.bf16 ? "bf16" : "f32"; }

/// The arguments of a region, and the inputs' elements as %0, %1 … of f32.
std::string regionHead(const RecurrenceFamily &family, const std::string &leading) {
  std::string arguments = leading, widened;
  for (size_t i = 0; i < family.inputs.size(); ++i) {
    std::string name = (family.inputs[i].bf16 ? "%h" : "%") + std::to_string(i);
    arguments += (arguments.empty() ? "" : ", ") + name + ": " + elementOf(family.inputs[i]);
    if (family.inputs[i].bf16)
      widened += "    %" + std::to_string(i) + " = arith.extf " + name + " : bf16 to f32\n";
  }
  return "  ^bb0(" + arguments + "):\n" + widened;
}

} // namespace

std::string outputDimsOf(const RecurrenceFamily &family) {
  std::string dims;
  for (char dim : std::string("bhte"))
    if (has(family, dim))
      dims += dim;
  return dims;
}

std::string textOf(const RecurrenceFamily &family) {
  std::string arguments, operands, types, maps, out = outputDimsOf(family), result = typeOf(family, out, "f32");
  for (const RecurrenceInput &input : family.inputs) {
    std::string type = typeOf(family, input.dims, elementOf(input)), separator = operands.empty() ? "" : ", ";
    std::string operand = separator + "%" + input.name;
    operands += operand;
    arguments += operand.append(": ").append(type) + named(input.name, input.dims);
    types += separator + type;
    maps += mapOf(input.dims) + ", ";
  }
  std::string reset;
  if (family.reset) {
    arguments += ", %reset: tensor<?x?xi64>" + named("reset", "bt");
    reset = " reset(%reset : tensor<?x?xi64>)";
    maps += mapOf("bt") + ", ";
  }
  const RecurrenceInput &first = family.inputs[0]; // indexed by b, then t
  std::string text =
      "module attributes {weft.dim_bounds = {batch = array<i64: 0, 64>, sequence = array<i64: 0, 4096>}} {\n"
      "func.func @scan(" +
      arguments + ") -> (" + result + named("y", out) +
      ") attributes {weft.entry} {\n  %c0 = arith.constant 0 : index\n  %c1 = arith.constant " +
      std::to_string(first.dims.find('t')) + " : index\n";
  std::string firstType = typeOf(family, first.dims, elementOf(first));
  text += "  %batch = tensor.dim %" + first.name + ", %c0 : " + firstType + "\n  %steps = tensor.dim %" + first.name +
          ", %c1 : " + firstType + "\n  %init = tensor.empty(%batch, %steps) : " + result + "\n";
  text += "  %y = weft.recurrence {indexing_maps = [" + maps + mapOf(out) + "]" + (family.reverse ? ", reverse" : "") +
          "} ins(" + operands + " : " + types + ")" + reset + " outs(%init : " + result + ")\n  step {\n" +
          regionHead(family, "") + family.step + "  }";
  if (!family.output.empty())
    text += " output {\n" + regionHead(family, family.complex ? "%o: f32, %oi: f32" : "%o: f32") + family.output +
            "    weft.yield %r : f32\n  }";
  return text + " -> " + result + "\n  return %y : " + result + "\n}\n}\n";
}

Arrays inputsOf(const RecurrenceFamily &family, RecurrenceExtents extents, Numbers &numbers) {
  Arrays arrays;
  for (const RecurrenceInput &input : family.inputs) {
    std::vector<int64_t> shape;
    for (char dim : input.dims)
      shape.push_back(extentOf(family, extents, dim));
    std::vector<float> values = numbers.normals(elementsOf(shape));
    for (float &value : values)
      if (input.draw == Draw::Unit || input.draw == Draw::Component) // decays, 0 and 1 among them
        value = (input.draw == Draw::Unit ? 1 : std::sqrt(0.5f)) *
                (numbers.below(9) == 0 ? float(numbers.below(2)) : 1 / (1 + std::exp(-2 - value)));
      else if (input.draw == Draw::SmallKey) // so that the delta rule shrinks
        value /= std::sqrt(2.0f * float(family.keys));
      else if (input.draw == Draw::Step)
        value = std::exp(value - 3);
      else if (input.draw == Draw::Rate)
        value = -std::exp(value);
    for (float &value : values)
      if (input.bf16)
        value = rounded(kStored[0], value);
    arrays.push_back(input.bf16 ? arrayOf(kStored[0], input.name, shape, values)
                                : Array::of<float>(input.name, shape, values));
  }
  if (family.reset) {
    std::vector<int64_t> marks(extents.batch * extents.steps);
    for (int64_t &mark : marks)
      mark = numbers.below(6) == 0 ? 1 + numbers.below(3) : 0;
    arrays.push_back(Array::of<int64_t>("reset", {extents.batch, extents.steps}, marks));
  }
  return arrays;
}

std::vector<double> expectedOf(const RecurrenceFamily &family, RecurrenceExtents extents, const Arrays &inputs) {
  std::vector<std::vector<double>> wide;
  wide.reserve(family.inputs.size());
  for (size_t i = 0; i < family.inputs.size(); ++i)
    wide.push_back(widen(valuesOf(inputs[i])));
  auto elementsAt = [&](int64_t b, int64_t h, int64_t t, int64_t n, int64_t e) {
    Elements elements;
    for (size_t i = 0; i < family.inputs.size(); ++i) {
      int64_t place = 0;
      for (char dim : family.inputs[i].dims) {
        int64_t index = dim == 'b' ? b : dim == 'h' ? h : dim == 'g' ? h / 2 : dim == 't' ? t : dim == 'n' ? n : e;
        place = place * extentOf(family, extents, dim) + index;
      }
      elements.push_back(wide[i][place]);
    }
    return elements;
  };
  std::vector<int64_t> marks;
  if (family.reset)
    marks.assign(inputs.back().values<int64_t>().begin(), inputs.back().values<int64_t>().end());
  reference::RecurrenceShape shape{extents.batch, family.heads, extents.steps, family.keys, family.values};
  reference::RecurrenceResult all = reference::recurrence(
      shape,
      [&](int64_t b, int64_t h, int64_t t, int64_t n, int64_t e) { return family.numbers(elementsAt(b, h, t, n, e)); },
      {}, marks, family.reverse);
  std::vector<double> output;
  for (size_t i = 0; i < all.output.size(); ++i) {
    int64_t e = int64_t(i) % family.values, t = int64_t(i) / family.values % extents.steps,
            h = int64_t(i) / family.values / extents.steps % family.heads,
            b = int64_t(i) / family.values / extents.steps / family.heads;
    output.push_back(family.result ? family.result(all.output[i], elementsAt(b, h, t, 0, e)) : all.output[i].real());
  }
  return output;
}

std::ostream &operator<<(std::ostream &out, const RecurrenceFamily &family) { return out << family.name; }

} // namespace weft::test
