// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each extent is a monomial, such as 12 · batch · sequence, followed from the entry's arguments through the ops that
// reshape; the work of an op is a product of the extents of its loops.
#include "compiler/Work.h"

#include "compiler/Graph.h"
#include "compiler/emit/ModelDescription.h"
#include "dialects/weft/RoutingOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

using namespace mlir;

namespace weft {
namespace {

/// times · Π dim^power
struct Monomial {
  double times = 1;
  std::map<std::string, int> powers;

  void multiply(const Monomial &other) {
    times *= other.times;
    for (const auto &[dim, power] : other.powers)
      powers[dim] += power;
  }
};

std::optional<Monomial> extentOf(Value tensor, int64_t axis);

std::optional<Monomial> product(llvm::ArrayRef<std::optional<Monomial>> factors) {
  Monomial result;
  for (const std::optional<Monomial> &factor : factors) {
    if (!factor)
      return std::nullopt;
    result.multiply(*factor);
  }
  return result;
}

std::optional<Monomial> valueOf(OpFoldResult value) {
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return Monomial{double(*constant), {}};
  Operation *op = llvm::cast<Value>(value).getDefiningOp();
  if (auto dim = llvm::dyn_cast_or_null<tensor::DimOp>(op))
    if (std::optional<int64_t> axis = dim.getConstantIndex())
      return extentOf(dim.getSource(), *axis);
  if (auto multiply = llvm::dyn_cast_or_null<arith::MulIOp>(op))
    return product({valueOf(multiply.getLhs()), valueOf(multiply.getRhs())});
  return std::nullopt;
}

std::optional<Monomial> extentOfArgument(BlockArgument argument, int64_t axis) {
  auto function = llvm::dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp());
  auto dims = function ? function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), "weft.dims") : ArrayAttr();
  if (!dims || axis >= int64_t(dims.size()))
    return std::nullopt;
  return Monomial{1, {{llvm::cast<StringAttr>(dims[axis]).str(), 1}}};
}

std::optional<Monomial> extentOf(Value tensor, int64_t axis) {
  auto type = llvm::cast<ShapedType>(tensor.getType());
  if (!type.isDynamicDim(axis))
    return Monomial{double(type.getDimSize(axis)), {}};
  if (auto argument = llvm::dyn_cast<BlockArgument>(tensor))
    return extentOfArgument(argument, axis);
  Operation *op = tensor.getDefiningOp();
  if (auto empty = llvm::dyn_cast<tensor::EmptyOp>(op))
    return valueOf(empty.getMixedSizes()[axis]);
  if (auto expand = llvm::dyn_cast<tensor::ExpandShapeOp>(op))
    return valueOf(expand.getMixedOutputShape()[axis]);
  if (auto collapse = llvm::dyn_cast<tensor::CollapseShapeOp>(op)) {
    llvm::SmallVector<std::optional<Monomial>> factors;
    llvm::SmallVector<ReassociationIndices, 4> groups = collapse.getReassociationIndices();
    for (int64_t source : groups[axis])
      factors.push_back(extentOf(collapse.getSrc(), source));
    return product(factors);
  }
  if (auto style = llvm::dyn_cast<DestinationStyleOpInterface>(op))
    return extentOf(style.getTiedOpOperand(llvm::cast<OpResult>(tensor))->get(), axis);
  return std::nullopt;
}

/// The extent of a loop, from the first operand that it indexes.
std::optional<Monomial> extentOfLoop(llvm::ArrayRef<AffineMap> maps, ValueRange operands, unsigned loop) {
  for (auto [map, operand] : llvm::zip(maps, operands))
    for (auto [axis, expression] : llvm::enumerate(map.getResults()))
      if (auto dim = llvm::dyn_cast<AffineDimExpr>(expression); dim && dim.getPosition() == loop)
        return extentOf(operand, axis);
  return std::nullopt;
}

/// 2 · Π of the loops: a multiplication and an addition each.
std::optional<Monomial> multiplyAdds(llvm::ArrayRef<AffineMap> maps, ValueRange operands,
                                     llvm::ArrayRef<unsigned> loops) {
  llvm::SmallVector<std::optional<Monomial>> factors = {Monomial{2, {}}};
  for (unsigned loop : loops)
    factors.push_back(extentOfLoop(maps, operands, loop));
  return product(factors);
}

/// Adds to the term of the same powers.
void add(Work &work, const std::optional<Monomial> &monomial) {
  if (!monomial)
    return;
  for (WorkTerm &term : work.terms)
    if (term.powers == monomial->powers) {
      term.flops += monomial->times;
      return;
    }
  work.terms.push_back({monomial->times, monomial->powers});
}

/// The weight that a product reads, if it is one.
ParameterOp parameterOf(Value operand) {
  while (Operation *op = operand.getDefiningOp()) {
    if (auto parameter = llvm::dyn_cast<ParameterOp>(op))
      return parameter;
    if (!llvm::isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op))
      break;
    operand = op->getOperand(0);
  }
  return {};
}

/// Counts the weight behind a product's operand, unless it was before; whether it did.
bool addWeight(Work &work, std::set<std::string> &known, Value operand) {
  ParameterOp parameter = parameterOf(operand);
  if (!parameter || !known.insert(parameter.getName().str()).second)
    return false;
  work.weightBytes += double(llvm::cast<ShapedType>(parameter.getType()).getNumElements()) * sizeof(float);
  return true;
}

} // namespace

static double valueOf(const WorkTerm &term, const std::map<std::string, int64_t> &dims) {
  double value = term.flops;
  for (const auto &[dim, power] : term.powers)
    value *= std::pow(dims.count(dim) ? double(dims.at(dim)) : 1, power);
  return value;
}

double Work::flops(const std::map<std::string, int64_t> &dims) const {
  double sum = 0;
  for (const WorkTerm &term : terms)
    sum += valueOf(term, dims);
  return sum;
}

void Work::shrinkWeights(double share) {
  weightBytes *= share;
  for (ExpertWeight &weight : experts)
    weight.bytes *= share;
}

double Work::bytesRead(const std::map<std::string, int64_t> &dims) const {
  double bytes = weightBytes;
  for (const ExpertWeight &weight : experts)
    bytes -= weight.bytes * (weight.experts - std::min(weight.experts, valueOf(weight.rows, dims)));
  return bytes;
}

Work countWork(ModuleOp module, const std::string &name) {
  Work work;
  std::set<std::string> weights;
  auto function = module.lookupSymbol<func::FuncOp>(name);
  if (!function)
    return work;
  function.walk([&](Operation *op) {
    if (auto attention = llvm::dyn_cast<AttentionOp>(op)) {
      llvm::SmallVector<AffineMap> maps(attention.getIndexingMaps().getAsValueRange<AffineMapAttr>());
      using D = AttentionOp;
      add(work, multiplyAdds(maps, op->getOperands(), {D::Batch, D::Head, D::Query, D::Key, D::HeadDim}));
      add(work, multiplyAdds(maps, op->getOperands(), {D::Batch, D::Head, D::Query, D::Key, D::ValueDim}));
    } else if (llvm::isa<linalg::MatmulOp, linalg::ContractOp>(op)) {
      auto matmul = llvm::cast<linalg::LinalgOp>(op);
      auto loops = llvm::to_vector(llvm::seq<unsigned>(matmul.getNumLoops()));
      add(work, multiplyAdds(matmul.getIndexingMapsArray(), op->getOperands(), loops));
      addWeight(work, weights, op->getOperand(1));
    } else if (auto product = llvm::dyn_cast<GroupedMatmulOp>(op)) {
      std::optional<Monomial> rows = extentOf(product.getInit(), 0);
      Value lhs = product.getLhs(), init = product.getInit();
      add(work, weft::product({Monomial{2, {}}, rows, extentOf(init, 1), extentOf(lhs, 1)}));
      ShapedType weight = product.getRhs().getType();
      double groups = weight.getDimSize(0), bytes = double(weight.getNumElements()) * sizeof(float);
      if (addWeight(work, weights, product.getRhs()) && rows)
        work.experts.push_back({groups, bytes / groups, {rows->times, rows->powers}});
    }
  });
  return work;
}

Work Graph::work(const std::string &entry) const { return countWork(*impl().module, entry); }

std::vector<EntryInfo> Graph::describe() const {
  std::vector<EntryInfo> entries;
  Result<ModelDescription> model = describeModel(*impl().module);
  if (!model)
    return entries;
  for (const EntryDescription &entry : model->entries) {
    std::vector<TensorInfo> states;
    for (int32_t position : entry.states) {
      const StateDescription &state = model->states[position];
      states.push_back({state.name, ElementType(state.dtype), {}, state.indexLimit, std::nullopt});
      for (int64_t extent : state.shape)
        states.back().shape.push_back(extent < 0 ? model->stateDims[-(extent + 1)] : std::to_string(extent));
    }
    auto infos = [&](const std::vector<TensorDescription> &tensors) {
      std::vector<TensorInfo> result;
      for (const TensorDescription &tensor : tensors) {
        result.push_back({tensor.name, ElementType(tensor.dtype), {}, tensor.indexLimit, tensor.defaultValue});
        for (int64_t extent : tensor.shape)
          result.back().shape.push_back(extent < 0 ? entry.dims[-(extent + 1)].name : std::to_string(extent));
      }
      return result;
    };
    entries.push_back({entry.name, infos(entry.inputs), infos(entry.outputs), std::move(states)});
  }
  return entries;
}

} // namespace weft
