// RUN: weft-opt %s --weft-move-halves --canonicalize | FileCheck %s

// The example of the pass.
// CHECK-LABEL: @copy(
// CHECK: %[[X:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<8xi16>
// CHECK: llvm.store %[[X]], %{{.*}} : vector<8xi16>, !llvm.ptr
llvm.func @copy(%from: !llvm.ptr, %to: !llvm.ptr) {
  %x = llvm.load %from : !llvm.ptr -> vector<8xbf16>
  llvm.store %x, %to : vector<8xbf16>, !llvm.ptr
  llvm.return
}

// What computes keeps its type; constants, masked moves and values that blocks pass on are bits.
// CHECK-LABEL: @round(
// CHECK: %[[ONE:.*]] = llvm.mlir.constant(dense<16256> : vector<8xi16>) : vector<8xi16>
// CHECK: %[[H:.*]] = llvm.fptrunc %{{.*}} : vector<8xf32> to vector<8xbf16>
// CHECK: %[[BITS:.*]] = llvm.bitcast %[[H]] : vector<8xbf16> to vector<8xi16>
// CHECK: llvm.cond_br %{{.*}}, ^[[NEXT:.*]](%[[BITS]] : vector<8xi16>), ^[[NEXT]](%[[ONE]] : vector<8xi16>)
// CHECK: ^[[NEXT]](%[[Y:.*]]: vector<8xi16>):
// CHECK: llvm.intr.masked.store %[[Y]], {{.*}} : vector<8xi16>, vector<8xi1> into !llvm.ptr
// CHECK: %[[LANE:.*]] = llvm.extractelement %[[Y]]{{.*}} : vector<8xi16>
// CHECK: %[[BACK:.*]] = llvm.bitcast %[[LANE]] : i16 to bf16
// CHECK: llvm.fpext %[[BACK]] : bf16 to f32
llvm.func @round(%x: vector<8xf32>, %to: !llvm.ptr, %mask: vector<8xi1>, %c: i1) -> f32 {
  %one = llvm.mlir.constant(dense<1.0> : vector<8xbf16>) : vector<8xbf16>
  %zero = llvm.mlir.constant(0 : i32) : i32
  %h = llvm.fptrunc %x : vector<8xf32> to vector<8xbf16>
  llvm.cond_br %c, ^next(%h : vector<8xbf16>), ^next(%one : vector<8xbf16>)
^next(%y: vector<8xbf16>):
  llvm.intr.masked.store %y, %to, %mask {alignment = 2 : i32} : vector<8xbf16>, vector<8xi1> into !llvm.ptr
  %lane = llvm.extractelement %y[%zero : i32] : vector<8xbf16>
  %f = llvm.fpext %lane : bf16 to f32
  llvm.return %f : f32
}

// One op that computes after another; arguments and results of functions stay what they are.
// CHECK-LABEL: @through(%{{.*}}: f16) -> f16
// CHECK: %[[WIDE:.*]] = llvm.fpext %{{.*}} : f16 to f32
// CHECK: %[[NARROW:.*]] = llvm.fptrunc %[[WIDE]] : f32 to f16
// CHECK: llvm.return %{{.*}} : f16
llvm.func @through(%x: f16) -> f16 {
  %w = llvm.fpext %x : f16 to f32
  %n = llvm.fptrunc %w : f32 to f16
  llvm.return %n : f16
}
