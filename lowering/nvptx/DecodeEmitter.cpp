// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lowering/nvptx/DecodeEmitter.h"

#include "dialects/tile/TileOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace weft {

/// The running maximum's start: finite, so that a row without any visible key never computes inf − inf.
static constexpr float kLowest = -1.7e38f;
static constexpr float kLog2e = 1.4426950408889634f, kLn2 = 0.6931471805599453f;
static constexpr int64_t kWarp = 32, kWarps = BlockDecode::kThreads / kWarp;

DecodeEmitter::DecodeEmitter(OpBuilder &b, const BlockDecode &plan, IRMapping &mapping)
    : b(b), plan(plan), op(cast<AttentionOp>(b.clone(*AttentionOp(plan.op).getOperation(), mapping))), given(plan.op),
      loc(op.getLoc()) {
  scores = 0;
  states = scores + plan.rows * plan.chunk;
  parts = states + plan.rows * StateWidth;
}

int64_t DecodeEmitter::partsOf(const BlockDecode &plan) {
  return BlockDecode::kThreads / std::max(plan.value.lanes, kWarp);
}

int64_t DecodeEmitter::sharedBytes(const BlockDecode &plan) {
  int64_t numbers = plan.rows * (plan.chunk + StateWidth + partsOf(plan) * plan.decode.valueDim);
  return 4 * llvm::alignTo(numbers, 4);
}

void DecodeEmitter::run() {
  auto bufferType = tile::BufferType::get(1, sharedBytes(plan) / 4, b.getF32Type(), /*swizzle=*/0, /*stages=*/1);
  Value buffer = tile::AllocOp::create(b, loc, bufferType, IntegerAttr());
  auto pointer = LLVM::LLVMPointerType::get(b.getContext(), static_cast<unsigned>(NVVM::NVVMMemorySpace::Shared));
  memory = UnrealizedConversionCastOp::create(b, loc, pointer, buffer).getResult(0);
  Value number = NVVM::ThreadIdXOp::create(b, loc, b.getI32Type());
  thread = arith::IndexCastUIOp::create(b, loc, b.getIndexType(), number);
  lane = modulo(thread, kWarp);
  warp = over(thread, kWarp);
  auto reader = [&](unsigned operand) {
    return std::make_unique<RowReader>(b, loc, op->getOperand(operand), given->getOperand(operand),
                                       op.getIndexingMap(operand));
  };
  queryRows = reader(0), keyRows = reader(1), valueRows = reader(2);
  std::tie(low, high) = visibleKeys();
  if (plan.rows == plan.decode.rows())
    emitRows(constant(0));
  else
    loop(constant(0), constant(plan.decode.rows()), constant(plan.rows), {}, [&](Value base, ValueRange) -> Values {
      emitRows(base);
      sync();
      return {};
    });
  op.erase();
}

/// Some rows against all keys.
void DecodeEmitter::emitRows(Value base) {
  when(isBelow(thread, constant(plan.rows)), [&] {
    store(number(kLowest), states, stateOf(thread, Maximum));
    store(number(0), states, stateOf(thread, Sum));
  });
  Values none(plan.rows * plan.value.elements, number(0));
  Values sums;
  if (plan.isOne) {
    sums = emitOnlyChunk(base, none);
  } else {
    Value first = times(over(low, plan.chunk), plan.chunk);
    sums = loop(first, high, constant(plan.chunk), none, [&](Value begin, ValueRange before) {
      Value end = least(add(begin, constant(plan.chunk)), high);
      Values after = emitChunk(base, {begin, most(begin, low), end}, before);
      sync();
      return after;
    });
  }
  emitParts(sums);
  sync();
  emitOutputs(base);
}

DecodeEmitter::Values DecodeEmitter::emitChunk(Value base, const Chunk &chunk, ValueRange before) {
  emitScores(base, chunk);
  sync();
  emitWeights(base, chunk);
  sync();
  return emitValues(chunk, before);
}

/// Without a loop, which would hold queries and sums at once.
DecodeEmitter::Values DecodeEmitter::emitOnlyChunk(Value base, ValueRange none) {
  auto branch = scf::IfOp::create(b, loc, none.getTypes(), isBelow(low, high), /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, loc, emitChunk(base, {constant(0), low, high}, none));
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, loc, none);
  return Values(branch.getResults());
}

/// A row of the plan's; rows beyond the last repeat it, and nobody stores what they give.
Value DecodeEmitter::rowFrom(Value base, Value row) {
  Value sum = add(base, row);
  return plan.decode.rows() % plan.rows ? least(sum, constant(plan.decode.rows() - 1)) : sum;
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// A thread's pieces of the queries, scaled.
SmallVector<DecodeEmitter::Values> DecodeEmitter::loadQueries(Value base) {
  float factor = given.getScale().convertToFloat() * (given.getScore().empty() ? kLog2e : 1.0f);
  Value mine = modulo(thread, plan.key.lanes);
  SmallVector<Values> queries;
  for (int64_t r = 0; r < plan.rows; ++r) {
    Value row = queryRows->row(b, rowDims(rowFrom(base, constant(r))));
    Values &query = queries.emplace_back();
    for (int64_t turn = 0; turn < plan.key.turns; ++turn) {
      Value piece = add(mine, constant(turn * plan.key.lanes)), exists = isBelow(piece, constant(plan.key.pieces));
      for (Value x : queryRows->read(b, row, keyPlace(mine, turn), plan.key.elements)) {
        Value scaled = arith::MulFOp::create(b, loc, x, number(factor));
        if (!plan.key.isWhole())
          scaled = arith::SelectOp::create(b, loc, exists, scaled, number(0));
        query.push_back(scaled);
      }
    }
  }
  return queries;
}

void DecodeEmitter::emitScores(Value base, const Chunk &chunk) {
  SmallVector<Values> queries = loadQueries(base);
  int64_t together = BlockDecode::kThreads / plan.key.lanes;
  int64_t reads = std::max<int64_t>(1, BlockDecode::kReads / plan.key.turns), step = together * reads;
  Value mine = modulo(thread, plan.key.lanes), which = over(thread, plan.key.lanes);
  Value start = add(chunk.first, times(over(sub(chunk.lo, chunk.first), step), step));
  loop(start, chunk.hi, constant(step), {}, [&](Value first, ValueRange) -> Values {
    SmallVector<Values> loaded;
    Values places;
    for (int64_t i = 0; i < reads; ++i) {
      Value at = places.emplace_back(add(add(first, constant(i * together)), which));
      Value row = keyRows->row(b, keyDims(1, least(at, sub(chunk.hi, constant(1)))));
      Values &key = loaded.emplace_back();
      for (int64_t turn = 0; turn < plan.key.turns; ++turn)
        llvm::append_range(key, keyRows->load(b, row, keyPlace(mine, turn), plan.key.elements));
    }
    for (auto [key, at] : llvm::zip_equal(loaded, places))
      emitDots(queries, keyRows->numbers(b, key), at, chunk);
    return {};
  });
}

/// The first element of a thread's piece; threads beyond the row's end have its last, and zeros as queries.
Value DecodeEmitter::keyPlace(Value mine, int64_t turn) {
  Value piece = add(mine, constant(turn * plan.key.lanes));
  return times(plan.key.isWhole() ? piece : least(piece, constant(plan.key.pieces - 1)), plan.key.elements);
}

/// Scores of all rows with a key, of which every thread of its group has a part.
void DecodeEmitter::emitDots(const SmallVector<Values> &queries, const Values &key, Value at, const Chunk &chunk) {
  Values dots;
  for (const Values &query : queries) {
    Value sum = number(0);
    for (auto [x, y] : llvm::zip_equal(query, key))
      sum = multiplyAdd(x, y, sum);
    dots.push_back(sum);
  }
  Value first = gather(dots), mine = modulo(thread, plan.key.lanes);
  int64_t holders = std::min<int64_t>(plan.key.lanes, llvm::PowerOf2Ceil(plan.rows));
  Value holds = arith::AndIOp::create(b, loc, isBelow(mine, constant(holders)), isBelow(at, chunk.hi));
  for (auto [slot, dot] : llvm::enumerate(dots)) {
    Value row = add(first, constant(slot)), stores = holds;
    if (plan.rows != static_cast<int64_t>(dots.size()) * holders)
      stores = arith::AndIOp::create(b, loc, stores, isBelow(row, constant(plan.rows)));
    when(stores, [&] { store(dot, scores, scoreOf(row, at, chunk)); });
  }
}

/// Adds up what the threads of a group have of each row. In a step a thread keeps one half of the rows and gives its
/// partner, which keeps the other half, what it has of these; so the sums are those of butterflies, with fewer
/// exchanges. Returns the row of `dots[0]`; further dots are of the rows after it.
Value DecodeEmitter::gather(Values &dots) {
  dots.resize(llvm::PowerOf2Ceil(dots.size()), number(0));
  Value first = constant(0);
  for (int64_t distance = 1; distance < plan.key.lanes; distance *= 2) {
    int64_t half = dots.size() / 2;
    if (half == 0) {
      dots[0] = arith::AddFOp::create(b, loc, dots[0], exchange(dots[0], distance));
      continue;
    }
    Value keepsUpper = isSame(modulo(over(lane, distance), 2), 1);
    for (int64_t i = 0; i < half; ++i) {
      Value kept = arith::SelectOp::create(b, loc, keepsUpper, dots[i + half], dots[i]);
      Value given = arith::SelectOp::create(b, loc, keepsUpper, dots[i], dots[i + half]);
      dots[i] = arith::AddFOp::create(b, loc, kept, exchange(given, distance));
    }
    dots.truncate(half);
    first = arith::SelectOp::create(b, loc, keepsUpper, add(first, constant(half)), first);
  }
  return first;
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

void DecodeEmitter::emitWeights(Value base, const Chunk &chunk) {
  loop(warp, constant(plan.rows), constant(kWarps), {}, [&](Value row, ValueRange) -> Values {
    emitWeightsOf(row, base, chunk);
    return {};
  });
}

/// A lane has every 32nd key.
void DecodeEmitter::emitWeightsOf(Value row, Value base, const Chunk &chunk) {
  Value hidden = number(-std::numeric_limits<float>::infinity());
  Values keys, visible, found;
  for (int64_t k = 0; k < plan.chunk; k += kWarp) {
    Value key = add(add(chunk.first, constant(k)), lane);
    Value inside = arith::AndIOp::create(b, loc, isBelow(key, chunk.hi),
                                         arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, key, chunk.lo));
    key = most(chunk.lo, least(key, sub(chunk.hi, constant(1))));
    Values dims = rowDims(rowFrom(base, row));
    dims[AttentionOp::Key] = key;
    Value score = load(scores, scoreOf(row, key, chunk));
    if (op.getKeyScale())
      score = arith::MulFOp::create(b, loc, score, factorAt(op.getKeyScaleNumber(), dims));
    score = arith::SelectOp::create(b, loc, inside, emitRegions(score, dims), hidden);
    keys.push_back(key), visible.push_back(inside), found.push_back(score);
  }
  Value before = load(states, stateOf(row, Maximum)), maximum = before;
  for (Value score : found)
    maximum = arith::MaxNumFOp::create(b, loc, maximum, score);
  for (int64_t distance = 1; distance < kWarp; distance *= 2)
    maximum = arith::MaxNumFOp::create(b, loc, maximum, exchange(maximum, distance));
  // What lanes have read others write from here on.
  Value all = arith::ConstantIntOp::create(b, loc, -1, 32);
  NVVM::SyncWarpOp::create(b, loc, all);
  Value change = exp2(arith::SubFOp::create(b, loc, before, maximum)), sum = number(0);
  for (auto [key, inside, score] : llvm::zip_equal(keys, visible, found)) {
    Value weight = exp2(arith::SubFOp::create(b, loc, score, maximum));
    sum = arith::AddFOp::create(b, loc, sum, weight);
    if (op.getValueScale()) {
      Values dims = rowDims(rowFrom(base, row));
      dims[AttentionOp::Key] = key;
      weight = arith::MulFOp::create(b, loc, weight, factorAt(op.getValueScaleNumber(), dims));
    }
    when(inside, [&] { store(weight, scores, scoreOf(row, key, chunk)); });
  }
  for (int64_t distance = 1; distance < kWarp; distance *= 2)
    sum = arith::AddFOp::create(b, loc, sum, exchange(sum, distance));
  when(isSame(lane, 0), [&] {
    store(maximum, states, stateOf(row, Maximum));
    store(multiplyAdd(load(states, stateOf(row, Sum)), change, sum), states, stateOf(row, Sum));
    store(change, states, stateOf(row, Change));
  });
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// sums · change + weights · values: of a thread's columns, over the keys of its group.
DecodeEmitter::Values DecodeEmitter::emitValues(const Chunk &chunk, ValueRange before) {
  int64_t width = plan.value.elements;
  Values sums;
  for (int64_t r = 0; r < plan.rows; ++r) {
    Value change = load(states, stateOf(constant(r), Change));
    for (int64_t i = 0; i < width; ++i)
      sums.push_back(arith::MulFOp::create(b, loc, before[r * width + i], change));
  }
  int64_t together = BlockDecode::kThreads / plan.value.lanes, step = together * BlockDecode::kReads;
  Value mine = least(modulo(thread, plan.value.lanes), constant(plan.value.pieces - 1)), column = times(mine, width);
  Value which = over(thread, plan.value.lanes);
  Value start = add(chunk.first, times(over(sub(chunk.lo, chunk.first), step), step));
  return loop(start, chunk.hi, constant(step), sums, [&](Value first, ValueRange carried) {
    Values places, all(carried);
    SmallVector<Values> loaded;
    for (int64_t i = 0; i < BlockDecode::kReads; ++i) {
      Value at = add(add(first, constant(i * together)), which);
      Value key = most(chunk.lo, least(at, sub(chunk.hi, constant(1))));
      loaded.push_back(valueRows->load(b, valueRows->row(b, keyDims(2, key)), column, width));
      places.push_back(at);
    }
    for (auto [pieces, at] : llvm::zip_equal(loaded, places)) {
      Values numbers = valueRows->numbers(b, pieces);
      Value key = most(chunk.lo, least(at, sub(chunk.hi, constant(1))));
      Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, at, key);
      for (int64_t r = 0; r < plan.rows; ++r) {
        Value weight = load(scores, scoreOf(constant(r), key, chunk));
        weight = arith::SelectOp::create(b, loc, inside, weight, number(0));
        for (int64_t i = 0; i < width; ++i)
          all[r * width + i] = multiplyAdd(numbers[i], weight, all[r * width + i]);
      }
    }
    return all;
  });
}

/// What a warp's groups have, added up, goes to shared memory.
void DecodeEmitter::emitParts(Values sums) {
  int64_t lanes = plan.value.lanes, width = plan.value.elements, columns = plan.decode.valueDim;
  for (Value &sum : sums)
    for (int64_t distance = lanes; distance < kWarp; distance *= 2)
      sum = arith::AddFOp::create(b, loc, sum, exchange(sum, distance));
  Value mine = modulo(thread, lanes), part = over(thread, std::max(lanes, kWarp));
  Value writes = isBelow(mine, constant(plan.value.pieces));
  if (lanes < kWarp)
    writes = arith::AndIOp::create(b, loc, writes, isBelow(lane, constant(lanes)));
  when(writes, [&] {
    Value row = times(part, plan.rows);
    for (int64_t r = 0; r < plan.rows; ++r)
      for (int64_t i = 0; i < width; ++i) {
        Value column = add(times(mine, width), constant(i));
        store(sums[r * width + i], parts, add(times(add(row, constant(r)), columns), column));
      }
  });
}

void DecodeEmitter::emitOutputs(Value base) {
  int64_t columns = plan.decode.valueDim, all = plan.rows * columns;
  unsigned output = op.getOutputNumber();
  loop(thread, constant(all), constant(BlockDecode::kThreads), {}, [&](Value index, ValueRange) -> Values {
    Value inBlock = over(index, columns), row = add(base, inBlock), total = load(parts, index);
    for (int64_t part = 1; part < partsOf(plan); ++part)
      total = arith::AddFOp::create(b, loc, total, load(parts, add(index, constant(part * all))));
    Value sum = load(states, stateOf(inBlock, Sum));
    Value none = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, sum, number(0));
    Value inverse = arith::DivFOp::create(b, loc, number(1), sum);
    total = arith::MulFOp::create(b, loc, total, arith::SelectOp::create(b, loc, none, number(0), inverse));
    when(isBelow(row, constant(plan.decode.rows())), [&] {
      Values dims = rowDims(row);
      dims[AttentionOp::ValueDim] = modulo(index, columns);
      storeAt(total, op.getOutput(), op.getIndexingMap(output), dims);
    });
    return {};
  });
  if (!op.getLse())
    return;
  Value row = add(base, thread), exists = isBelow(row, constant(plan.decode.rows()));
  when(arith::AndIOp::create(b, loc, isBelow(thread, constant(plan.rows)), exists), [&] {
    Value sum = load(states, stateOf(thread, Sum)), scaled = load(states, stateOf(thread, Maximum));
    scaled = arith::MulFOp::create(b, loc, scaled, number(kLn2));
    Value lse = arith::AddFOp::create(b, loc, scaled, math::LogOp::create(b, loc, sum));
    Value none = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, sum, number(0));
    Value hidden = number(-std::numeric_limits<float>::infinity());
    storeAt(arith::SelectOp::create(b, loc, none, hidden, lse), op.getLse(), op.getIndexingMap(op.getLseNumber()),
            rowDims(row));
  });
}

} // namespace weft
