// RUN: weft-opt %s --weft-announce-experts --canonicalize --cse | FileCheck %s

func.func private @dispatch(!llvm.ptr, memref<5xi32>) attributes {weft.kernel = "route"}
func.func private @experts(!llvm.ptr, memref<8x4xf32>, memref<4x1x4x16xf32> {weft.experts = "weight"},
                           memref<5xi32> {weft.experts = "offsets"}) attributes {weft.kernel = "experts"}
func.func private @words(!llvm.ptr, memref<4x1x8x32xbf16> {weft.experts = "weight"},
                         memref<5xi32> {weft.experts = "offsets"}) attributes {weft.kernel = "experts"}

// Behind the call that writes the offsets, once for each weight in the order of their use: its address, the bytes of an
// expert, the offsets, the experts.
// CHECK-LABEL: func.func @layer(
// CHECK-SAME: %[[CALL:[^:]*]]: !llvm.ptr
// CHECK-DAG: %[[EXPERTS:.*]] = llvm.mlir.constant(4 : i64)
// CHECK-DAG: %[[BYTES:.*]] = llvm.mlir.constant(256 : i64)
// CHECK-DAG: %[[HALVES:.*]] = llvm.mlir.constant(512 : i64)
// CHECK-DAG: %[[V:.*]] = weft.parameter "v"
// CHECK-DAG: %[[W:.*]] = weft.parameter "w"
// CHECK: call @dispatch(%[[CALL]], %[[O:.*]]) :
// CHECK: %[[SERVICES:.*]] = llvm.load %[[CALL]] : !llvm.ptr -> !llvm.ptr
// CHECK: %[[PLACE:.*]] = llvm.getelementptr %[[SERVICES]][8] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK: %[[CHOSEN:.*]] = llvm.load %[[PLACE]]
// CHECK: %[[RECORD:.*]] = builtin.unrealized_conversion_cast %[[V]]
// CHECK: %[[WEIGHT:.*]] = llvm.extractvalue %[[RECORD]][1]
// CHECK: %[[RECORD:.*]] = builtin.unrealized_conversion_cast %[[O]]
// CHECK: %[[OFFSETS:.*]] = llvm.extractvalue %[[RECORD]][1]
// CHECK: llvm.call %[[CHOSEN]](%[[CALL]], %[[WEIGHT]], %[[BYTES]], %[[OFFSETS]], %[[EXPERTS]])
// CHECK: %[[RECORD:.*]] = builtin.unrealized_conversion_cast %[[W]]
// CHECK: %[[WEIGHT:.*]] = llvm.extractvalue %[[RECORD]][1]
// CHECK: llvm.call %{{.*}}(%[[CALL]], %[[WEIGHT]], %[[HALVES]], %[[OFFSETS]], %[[EXPERTS]])
// CHECK: call @experts(
// CHECK-NOT: llvm.call
// CHECK: call @words(
func.func @layer(%call: !llvm.ptr, %x: memref<8x4xf32>, %arena: memref<64xi8>) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %v = weft.parameter "v" : memref<4x1x4x16xf32>
  %offsets = memref.view %arena[%c0][] : memref<64xi8> to memref<5xi32>
  call @dispatch(%call, %offsets) : (!llvm.ptr, memref<5xi32>) -> ()
  call @experts(%call, %x, %v, %offsets) : (!llvm.ptr, memref<8x4xf32>, memref<4x1x4x16xf32>, memref<5xi32>) -> ()
  %w = weft.parameter "w" : memref<4x1x8x32xbf16> // moves to where it is needed first
  call @words(%call, %w, %offsets) : (!llvm.ptr, memref<4x1x8x32xbf16>, memref<5xi32>) -> ()
  return
}

// Chosen a layer before (Pre-gated MoE, arXiv:2308.12066), they are told a layer before.
// CHECK-LABEL: func.func @early_choice(
// CHECK: call @dispatch(%{{.*}}, %[[FIRST:.*]]) :
// CHECK: llvm.call %
// CHECK: call @dispatch(%{{.*}}, %[[NEXT:.*]]) :
// CHECK: llvm.call %
// CHECK: call @experts({{.*}}, %[[FIRST]]) :
// CHECK-NOT: llvm.call
// CHECK: call @experts({{.*}}, %[[NEXT]]) :
func.func @early_choice(%call: !llvm.ptr, %x: memref<8x4xf32>, %arena: memref<128xi8>) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %first = memref.view %arena[%c0][] : memref<128xi8> to memref<5xi32>
  %next = memref.view %arena[%c64][] : memref<128xi8> to memref<5xi32>
  call @dispatch(%call, %first) : (!llvm.ptr, memref<5xi32>) -> ()
  call @dispatch(%call, %next) : (!llvm.ptr, memref<5xi32>) -> ()
  %v = weft.parameter "v" : memref<4x1x4x16xf32>
  call @experts(%call, %x, %v, %first) : (!llvm.ptr, memref<8x4xf32>, memref<4x1x4x16xf32>, memref<5xi32>) -> ()
  %w = weft.parameter "w" : memref<4x1x4x16xf32>
  call @experts(%call, %x, %w, %next) : (!llvm.ptr, memref<8x4xf32>, memref<4x1x4x16xf32>, memref<5xi32>) -> ()
  return
}

// Offsets that the caller gives are known from the start, but no call here tells that they are: nothing is announced.
// A weight that is no parameter is in no file.
// CHECK-LABEL: func.func @negative_given(
// CHECK-NOT: llvm.call
// CHECK: return
func.func @negative_given(%call: !llvm.ptr, %x: memref<8x4xf32>, %v: memref<4x1x4x16xf32>, %offsets: memref<5xi32>,
                          %others: memref<5xi32>) attributes {weft.entry} {
  %w = weft.parameter "v" : memref<4x1x4x16xf32>
  call @experts(%call, %x, %w, %offsets) : (!llvm.ptr, memref<8x4xf32>, memref<4x1x4x16xf32>, memref<5xi32>) -> ()
  call @dispatch(%call, %others) : (!llvm.ptr, memref<5xi32>) -> ()
  call @experts(%call, %x, %v, %others) : (!llvm.ptr, memref<8x4xf32>, memref<4x1x4x16xf32>, memref<5xi32>) -> ()
  return
}

// CHECK-LABEL: func.func @encode(
// CHECK: call @dispatch(
// CHECK: llvm.call %
// CHECK: call @experts(
func.func @encode(%call: !llvm.ptr, %x: memref<8x4xf32>, %offsets: memref<5xi32>) attributes {weft.entry} {
  %w = weft.parameter "w" : memref<4x1x4x16xf32>
  call @dispatch(%call, %offsets) : (!llvm.ptr, memref<5xi32>) -> ()
  call @experts(%call, %x, %w, %offsets) : (!llvm.ptr, memref<8x4xf32>, memref<4x1x4x16xf32>, memref<5xi32>) -> ()
  return
}
