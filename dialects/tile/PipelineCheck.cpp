// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/tile/PipelineCheck.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace weft::tile {

namespace {

/// One execution of fill, wait_full or release.
struct Event {
  Operation *op;
  Value pipeline;
  int64_t index;
};
using Trace = SmallVector<Event>;

/// Unknown values and what a run takes them for.
class Unknowns {
public:
  explicit Unknowns(int64_t first) : first(first) {}
  int64_t operator[](Value value) { return first + numbers.insert({value, numbers.size()}).first->second; }

private:
  int64_t first;
  llvm::MapVector<Value, int64_t> numbers;
};

/// Lists what one role does, loops unrolled.
class Tracer {
public:
  Tracer(Unknowns &unknowns, std::optional<PipelineFault> &fault) : unknowns(unknowns), fault(fault) {}

  Trace run(Region &role, std::optional<int64_t> group) {
    if (group)
      known[role.getArgument(0)] = *group;
    walk(role.front());
    return std::move(trace);
  }

private:
  static constexpr size_t kLongest = 100000; // events of a run; a nest of loops that is larger says enough

  Unknowns &unknowns;
  std::optional<PipelineFault> &fault;
  llvm::DenseMap<Value, int64_t> known;
  Trace trace;

  int64_t evaluate(Value value) {
    if (auto it = known.find(value); it != known.end())
      return it->second;
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant)))
      return constant.getSExtValue();
    Operation *op = value.getDefiningOp();
    if (!op || op->getNumOperands() > 2)
      return unknowns[value];
    auto operand = [&](unsigned index) { return evaluate(op->getOperand(index)); };
    return llvm::TypeSwitch<Operation *, int64_t>(op)
        .Case([&](arith::AddIOp) { return operand(0) + operand(1); })
        .Case([&](arith::SubIOp) { return operand(0) - operand(1); })
        .Case([&](arith::MulIOp) { return operand(0) * operand(1); })
        .Case([&](arith::IndexCastOp) { return operand(0); })
        .Default([&](Operation *) { return unknowns[value]; });
  }

  void walk(Block &block) {
    for (Operation &op : block) {
      if (fault || trace.size() > kLongest)
        return;
      llvm::TypeSwitch<Operation *>(&op)
          .Case<FillOp, WaitFullOp, ReleaseOp>(
              [&](auto event) { trace.push_back({event, event.getPipeline(), evaluate(event.getIndex())}); })
          .Case([&](scf::ForOp loop) { unroll(loop); })
          .Default([&](Operation *other) { refuse(other); });
    }
  }

  void unroll(scf::ForOp loop) {
    int64_t last = evaluate(loop.getUpperBound()), step = evaluate(loop.getStep());
    for (int64_t i = evaluate(loop.getLowerBound()); step > 0 && i < last && !fault; i += step) {
      known[loop.getInductionVar()] = i;
      walk(*loop.getBody());
    }
  }

  /// Where it depends on a condition whether something happens, nothing can be said of it.
  void refuse(Operation *other) {
    other->walk([&](Operation *inner) {
      if (isa<FillOp, WaitFullOp, ReleaseOp>(inner))
        fault = PipelineFault{inner, "stands in a role or in scf.for loops in it"}; // tile_roles_c3
    });
  }
};

/// The runs of all roles against each other.
class Run {
public:
  Run(ArrayRef<Trace> traces) : traces(traces), next(traces.size(), 0) { done.resize(traces.size()); }

  std::optional<PipelineFault> execute() {
    while (!fault && advance())
      ;
    if (fault)
      return fault;
    for (auto [role, trace] : llvm::enumerate(traces))
      if (next[role] < trace.size())
        return stuck(trace[next[role]]);
    return unread();
  }

private:
  struct Counts {
    int64_t waits = 0, releases = 0;
  };
  ArrayRef<Trace> traces; // the producer's, then one for each consumer
  SmallVector<size_t> next;
  SmallVector<llvm::DenseMap<Value, Counts>> done;
  llvm::DenseMap<Value, int64_t> fills;
  std::optional<PipelineFault> fault;

  bool advance() {
    bool progress = false;
    for (auto [role, trace] : llvm::enumerate(traces))
      while (next[role] < trace.size() && !fault && step(role, trace[next[role]]))
        ++next[role], progress = true;
    return progress;
  }

  /// Whether `event` of a role can happen now; if so it has.
  bool step(size_t role, Event event) {
    Counts &mine = done[role][event.pipeline];
    if (isa<FillOp>(event.op))
      return inOrder(event, fills[event.pipeline]) && isEmpty(event) && ++fills[event.pipeline];
    if (isa<WaitFullOp>(event.op))
      return inOrder(event, mine.waits) && fills[event.pipeline] > event.index && ++mine.waits;
    if (inOrder(event, mine.releases) && event.index >= mine.waits)
      fault = PipelineFault{event.op, "releases what was not waited for"}; // tile_roles_c7
    return !fault && ++mine.releases;
  }

  bool isEmpty(Event event) {
    int64_t before = event.index - cast<PipelineType>(event.pipeline.getType()).getStages();
    return llvm::all_of(llvm::drop_begin(done),
                        [&](auto &ofConsumer) { return ofConsumer[event.pipeline].releases > before; });
  }

  bool inOrder(Event event, int64_t expected) {
    if (event.index != expected)
      fault = PipelineFault{event.op, llvm::formatv("comes with index {0} where {1} is next", event.index, expected)};
    return !fault; // tile_roles_c4
  }

  PipelineFault stuck(Event event) {
    if (isa<FillOp>(event.op)) // tile_roles_c5
      return {event.op,
              llvm::formatv("waits for ever at index {0}: not every consumer releases its stage", event.index)};
    return {event.op, llvm::formatv("waits for ever at index {0}: nothing fills its stage", event.index)};
  }

  std::optional<PipelineFault> unread() {
    for (const Event &event : traces.front())
      for (auto &ofConsumer : llvm::drop_begin(done))
        if (ofConsumer[event.pipeline].waits != fills[event.pipeline]) // tile_roles_c6
          return PipelineFault{event.op, llvm::formatv("fills {0} times what a consumer waits for {1} times",
                                                       fills[event.pipeline], ofConsumer[event.pipeline].waits)};
    return std::nullopt;
  }
};

int64_t mostStages(RolesOp roles) {
  int64_t most = 1;
  roles->walk([&](Operation *op) {
    for (Type type : op->getOperandTypes())
      if (auto pipeline = dyn_cast<PipelineType>(type))
        most = std::max(most, pipeline.getStages());
  });
  return most;
}

} // namespace

std::optional<PipelineFault> findPipelineFault(RolesOp roles) {
  std::optional<PipelineFault> fault;
  for (int64_t unknown = 1, last = mostStages(roles) + 2; unknown <= last && !fault; ++unknown) {
    Unknowns unknowns(unknown);
    SmallVector<Trace> traces{Tracer(unknowns, fault).run(roles.getProducer(), std::nullopt)};
    for (int64_t group = 0; group < static_cast<int64_t>(roles.getConsumers()) && !fault; ++group)
      traces.push_back(Tracer(unknowns, fault).run(roles.getConsumer(), group));
    if (!fault)
      fault = Run(traces).execute();
  }
  return fault;
}

} // namespace weft::tile
