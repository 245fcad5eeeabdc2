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

/// A stage of a pipeline's ring, by the number of its filling.
struct Stage {
  Value pipeline;
  int64_t index = 0;
};

/// One execution of fill, wait_full or release; or of products and loads, which read stages, and of waits for products.
struct Event {
  Operation *op;
  Stage stage;
  SmallVector<Stage, 2> reads = {};
};
using Trace = SmallVector<Event>;

/// Which pipeline says that a ring of buffers is full.
using Rings = llvm::DenseMap<Value, Value>;

/// The ring of a buffer, and the op that takes a stage of it, if any.
std::pair<Value, StageOp> ringOf(Value buffer) {
  StageOp stage;
  while (Operation *op = buffer.getDefiningOp()) {
    if (auto slice = dyn_cast<SliceOp>(op)) {
      buffer = slice.getWhole();
      continue;
    }
    if (stage = dyn_cast<StageOp>(op); stage)
      buffer = stage.getRing();
    break;
  }
  return {buffer, stage};
}

Rings ringsOf(RolesOp roles) {
  Rings rings;
  roles.getProducer().walk([&](LoadTensorOp copy) {
    rings[ringOf(copy.getBuffer()).first] = copy->getParentOfType<FillOp>().getPipeline();
  });
  return rings;
}

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
  Tracer(const Rings &rings, Unknowns &unknowns, std::optional<PipelineFault> &fault)
      : rings(rings), unknowns(unknowns), fault(fault) {}

  Trace run(Region &role, std::optional<int64_t> group) {
    if (group)
      known[role.getArgument(0)] = *group;
    walk(role.front());
    return std::move(trace);
  }

private:
  static constexpr size_t kLongest = 100000; // events of a run; a nest of loops that is larger says enough

  const Rings &rings;
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
          .Case([&](FillOp fill) { addFill(fill); })
          .Case<WaitFullOp, ReleaseOp>(
              [&](auto event) { trace.push_back({event, {event.getPipeline(), evaluate(event.getIndex())}}); })
          .Case<WaitProductsOp, WaitEarlierOp>([&](auto wait) { trace.push_back({wait, {}}); })
          .Case<WarpGroupMmaOp, MmaOp, LoadOp>([&](auto reader) { addReads(reader); })
          .Case([&](scf::ForOp loop) { unroll(loop); })
          .Default([&](Operation *other) { refuse(other); });
    }
  }

  void addFill(FillOp fill) {
    int64_t index = evaluate(fill.getIndex()), stages = fill.getPipeline().getType().getStages();
    for (auto copy : fill.getBody().getOps<LoadTensorOp>()) {
      auto [ring, stage] = ringOf(copy.getBuffer());
      int64_t ofRing = cast<BufferType>(ring.getType()).getStages();
      if (!ring.getDefiningOp<AllocOp>())
        continue;
      if (ofRing != stages || (stage && (evaluate(stage.getIndex()) - index) % stages)) // tile_roles_c12
        fault = PipelineFault{copy, "fills another stage than its pipeline's"};
    }
    trace.push_back({fill, {fill.getPipeline(), index}});
  }

  void addReads(Operation *reader) {
    Event event{reader, {}};
    for (Value operand : reader->getOperands()) {
      if (!isa<BufferType>(operand.getType()))
        continue;
      auto [ring, stage] = ringOf(operand);
      if (Value pipeline = rings.lookup(ring))
        event.reads.push_back({pipeline, stage ? evaluate(stage.getIndex()) : 0});
    }
    trace.push_back(event);
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
  Run(ArrayRef<Trace> traces) : traces(traces), next(traces.size(), 0) {
    done.resize(traces.size());
    groups.resize(traces.size());
  }

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
  /// A role's groups of asynchronous products, in the order of their issue.
  struct Groups {
    SmallVector<SmallVector<Stage, 2>> reads;
    size_t finished = 0;
  };
  ArrayRef<Trace> traces; // the producer's, then one for each consumer
  SmallVector<size_t> next;
  SmallVector<llvm::DenseMap<Value, Counts>> done;
  SmallVector<Groups> groups;
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
  bool step(size_t role, const Event &event) {
    auto [pipeline, index] = event.stage;
    if (!pipeline)
      return read(role, event);
    Counts &mine = done[role][pipeline];
    if (isa<FillOp>(event.op))
      return inOrder(event, fills[pipeline]) && isEmpty(event) && ++fills[pipeline];
    if (isa<WaitFullOp>(event.op))
      return inOrder(event, mine.waits) && fills[pipeline] > index && ++mine.waits;
    if (inOrder(event, mine.releases) && index >= mine.waits)
      fault = PipelineFault{event.op, "releases what was not waited for"}; // tile_roles_c7
    if (!fault && isBeingRead(groups[role], event.stage))
      fault = PipelineFault{event.op, "releases a stage that products are still reading"}; // tile_roles_c14
    return !fault && ++mine.releases;
  }

  static bool isBeingRead(const Groups &ofRole, Stage stage) {
    return llvm::any_of(llvm::drop_begin(ofRole.reads, ofRole.finished), [&](const auto &reads) {
      return llvm::any_of(reads, [&](Stage one) { return one.pipeline == stage.pipeline && one.index == stage.index; });
    });
  }

  /// Products and loads read at once; asynchronous products until they have been waited for.
  bool read(size_t role, const Event &event) {
    Groups &mine = groups[role];
    for (Stage stage : event.reads) {
      const Counts &counts = done[role][stage.pipeline];
      if (stage.index >= counts.waits || stage.index < counts.releases) // tile_roles_c13
        fault = PipelineFault{event.op, "reads a stage that it has not waited for, or has released"};
    }
    if (isa<WarpGroupMmaOp>(event.op))
      mine.reads.push_back(event.reads);
    size_t pending = mine.reads.size() - mine.finished;
    if (auto wait = dyn_cast<WaitProductsOp>(event.op))
      pending = wait.getPending();
    if (auto wait = dyn_cast<WaitEarlierOp>(event.op))
      pending = wait.getPending();
    mine.finished = std::max(mine.finished, mine.reads.size() - std::min(pending, mine.reads.size()));
    return !fault;
  }

  bool isEmpty(const Event &event) {
    auto [pipeline, index] = event.stage;
    int64_t before = index - cast<PipelineType>(pipeline.getType()).getStages();
    return llvm::all_of(llvm::drop_begin(done),
                        [&, ring = pipeline](auto &ofConsumer) { return ofConsumer[ring].releases > before; });
  }

  bool inOrder(const Event &event, int64_t expected) {
    if (event.stage.index != expected)
      fault =
          PipelineFault{event.op, llvm::formatv("comes with index {0} where {1} is next", event.stage.index, expected)};
    return !fault; // tile_roles_c4
  }

  PipelineFault stuck(const Event &event) {
    if (isa<FillOp>(event.op)) // tile_roles_c5
      return {event.op,
              llvm::formatv("waits for ever at index {0}: not every consumer releases its stage", event.stage.index)};
    return {event.op, llvm::formatv("waits for ever at index {0}: nothing fills its stage", event.stage.index)};
  }

  std::optional<PipelineFault> unread() {
    for (const Event &event : traces.front())
      for (auto &ofConsumer : llvm::drop_begin(done))
        if (ofConsumer[event.stage.pipeline].waits != fills[event.stage.pipeline]) // tile_roles_c6
          return PipelineFault{event.op,
                               llvm::formatv("fills {0} times what a consumer waits for {1} times",
                                             fills[event.stage.pipeline], ofConsumer[event.stage.pipeline].waits)};
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
  Rings rings = ringsOf(roles);
  for (int64_t unknown = 1, last = mostStages(roles) + 2; unknown <= last && !fault; ++unknown) {
    Unknowns unknowns(unknown);
    SmallVector<Trace> traces{Tracer(rings, unknowns, fault).run(roles.getProducer(), std::nullopt)};
    for (int64_t group = 0; group < static_cast<int64_t>(roles.getConsumers()) && !fault; ++group)
      traces.push_back(Tracer(rings, unknowns, fault).run(roles.getConsumer(), group));
    if (!fault)
      fault = Run(traces).execute();
  }
  return fault;
}

} // namespace weft::tile
