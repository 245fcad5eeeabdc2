// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A look-up in a weight that a product has in panels → a look-up in these panels:
//   %x = weft.embedding ins(%ids, %table) …;  %y = weft.packed_matmul ins(%x, %packed) …, both of the tensor "emb"
// becomes
//   %x = weft.embedding ins(%ids, %packed) …
#include "lowering/normalize/Passes.h"

#include "dialects/weft/WeftDialect.h"

#include "mlir/IR/PatternMatch.h"

namespace weft {
#define GEN_PASS_DEF_SHARETABLES
#include "lowering/normalize/Passes.h.inc"
} // namespace weft

using namespace mlir;

namespace weft {
namespace {

/// The weights of products, by the one tensor that each is made of.
llvm::StringMap<ParameterOp> collectPacked(ModuleOp module) {
  llvm::StringMap<ParameterOp> packed;
  module.walk([&](PackedMatmulOp product) {
    auto weight = product.getRhs().getDefiningOp<ParameterOp>();
    if (weight && weight.getLayout() && weight.getLayout()->getOutByIn() && weight.getSourceNames().size() == 1)
      packed.try_emplace(weight.getSourceNames().front(), weight);
  });
  return packed;
}

/// Whether the panels hold the table's rows as their columns, in its element type.
bool holdsRows(ParameterOp packed, ParameterOp table) {
  ShapedType panels = packed.getResult().getType(), rows = table.getResult().getType();
  return panels.getElementType() == rows.getElementType() && panels.getElementType().isF32() && rows.getRank() == 2 &&
         panels.getRank() == 3 && panels.getDimSize(1) == rows.getDimSize(1);
}

struct ShareTablesPass : impl::ShareTablesBase<ShareTablesPass> {
  void runOnOperation() override {
    llvm::StringMap<ParameterOp> packed = collectPacked(getOperation());
    SmallVector<EmbeddingOp> lookups;
    getOperation()->walk([&](EmbeddingOp op) { lookups.push_back(op); });
    for (EmbeddingOp op : lookups) {
      auto table = op.getTable().getDefiningOp<ParameterOp>();
      if (!table || table.getLayout() || table.getFunctions() || table.getSourceNames().size() != 1)
        continue;
      auto found = packed.find(table.getSourceNames().front());
      if (found == packed.end() || !holdsRows(found->second, table))
        continue;
      OpBuilder builder(op);
      Operation *panels = builder.clone(*found->second);
      op.getTableMutable().assign(panels->getResult(0));
      if (table->use_empty())
        table->erase();
    }
  }
};

} // namespace
} // namespace weft
