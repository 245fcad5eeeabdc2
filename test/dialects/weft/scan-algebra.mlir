// Which combines are proved associative; none of these says that it is.
// RUN: weft-opt %s | FileCheck %s

#v = affine_map<(t) -> (t)>

// CHECK: func.func @sum
func.func @sum(%x: tensor<?xf32>) -> tensor<?xf32> {
  %y = weft.scan {dimension = 0 : i64, indexing_maps = [#v]} ins(%x : tensor<?xf32>) outs(%x : tensor<?xf32>) combine {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %b, %a : f32
    weft.yield %c : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// The minimum, beside it a product: each by itself.
// CHECK: func.func @minimum_and_product
func.func @minimum_and_product(%x: tensor<?xf32>) -> tensor<?xf32> {
  %y:2 = weft.scan {dimension = 0 : i64, indexing_maps = [#v, #v]} ins(%x, %x : tensor<?xf32>, tensor<?xf32>) outs(%x, %x : tensor<?xf32>, tensor<?xf32>) combine {
  ^bb0(%a0: f32, %a1: f32, %b0: f32, %b1: f32):
    %c0 = arith.minimumf %a0, %b0 : f32
    %c1 = arith.mulf %a1, %b1 : f32
    weft.yield %c0, %c1 : f32, f32
  } -> tensor<?xf32>, tensor<?xf32>
  return %y#0 : tensor<?xf32>
}

// x ↦ a·x + b, one after the other.
// CHECK: func.func @linear_recurrence
func.func @linear_recurrence(%x: tensor<?xf32>) -> tensor<?xf32> {
  %y:2 = weft.scan {dimension = 0 : i64, indexing_maps = [#v, #v]} ins(%x, %x : tensor<?xf32>, tensor<?xf32>) outs(%x, %x : tensor<?xf32>, tensor<?xf32>) combine {
  ^bb0(%a0: f32, %b0: f32, %a1: f32, %b1: f32):
    %a = arith.mulf %a0, %a1 : f32
    %b = math.fma %a1, %b0, %b1 : f32
    weft.yield %a, %b : f32, f32
  } -> tensor<?xf32>, tensor<?xf32>
  return %y#1 : tensor<?xf32>
}

// CHECK: func.func @log_sum_exp
func.func @log_sum_exp(%x: tensor<?xf32>) -> tensor<?xf32> {
  %y = weft.scan {dimension = 0 : i64, indexing_maps = [#v]} ins(%x : tensor<?xf32>) outs(%x : tensor<?xf32>) combine {
  ^bb0(%a: f32, %b: f32):
    %m = arith.maximumf %a, %b : f32
    %da = arith.subf %a, %m : f32
    %db = arith.subf %b, %m : f32
    %ea = math.exp %da : f32
    %eb = math.exp %db : f32
    %s = arith.addf %ea, %eb : f32
    %l = math.log %s : f32
    %r = arith.addf %m, %l : f32
    weft.yield %r : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// The last of what is not zero, as a selection takes it.
// CHECK: func.func @last_that_counts
func.func @last_that_counts(%x: tensor<?xf32>) -> tensor<?xf32> {
  %y:2 = weft.scan {dimension = 0 : i64, indexing_maps = [#v, #v]} ins(%x, %x : tensor<?xf32>, tensor<?xf32>) outs(%x, %x : tensor<?xf32>, tensor<?xf32>) combine {
  ^bb0(%a0: f32, %b0: f32, %a1: f32, %b1: f32):
    %zero = arith.constant 0.0 : f32
    %counts = arith.cmpf ogt, %a1, %zero : f32
    %a = arith.select %counts, %a1, %a0 : f32
    %b = arith.select %counts, %b1, %b0 : f32
    weft.yield %a, %b : f32, f32
  } -> tensor<?xf32>, tensor<?xf32>
  return %y#1 : tensor<?xf32>
}

// The norm of all so far needs to know that the square of a root is what it was: asserted.
// CHECK: func.func @norm
func.func @norm(%x: tensor<?xf32>) -> tensor<?xf32> {
  %y = weft.scan {dimension = 0 : i64, associative, indexing_maps = [#v]} ins(%x : tensor<?xf32>) outs(%x : tensor<?xf32>) combine {
  ^bb0(%a: f32, %b: f32):
    %aa = arith.mulf %a, %a : f32
    %bb = arith.mulf %b, %b : f32
    %s = arith.addf %aa, %bb : f32
    %r = math.sqrt %s : f32
    weft.yield %r : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// RWKV-4's weighted values, which decay from step to step: online softmax over the max-plus recurrence.
// CHECK: func.func @decaying_softmax
func.func @decaying_softmax(%x: tensor<?xf32>) -> tensor<?xf32> {
  %y:4 = weft.scan {dimension = 0 : i64, indexing_maps = [#v, #v, #v, #v]}
    ins(%x, %x, %x, %x : tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>)
    outs(%x, %x, %x, %x : tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>) combine {
  ^bb0(%w0: f32, %m0: f32, %n0: f32, %d0: f32, %w1: f32, %m1: f32, %n1: f32, %d1: f32):
    %w = arith.addf %w0, %w1 : f32
    %shifted = arith.addf %m0, %w1 : f32
    %m = arith.maximumf %shifted, %m1 : f32
    %a0 = arith.subf %shifted, %m : f32
    %a1 = arith.subf %m1, %m : f32
    %e0 = math.exp %a0 : f32
    %e1 = math.exp %a1 : f32
    %p0 = arith.mulf %n0, %e0 : f32
    %n = math.fma %n1, %e1, %p0 : f32
    %q0 = arith.mulf %d0, %e0 : f32
    %d = math.fma %d1, %e1, %q0 : f32
    weft.yield %w, %m, %n, %d : f32, f32, f32, f32
  } -> tensor<?xf32>, tensor<?xf32>, tensor<?xf32>, tensor<?xf32>
  return %y#2 : tensor<?xf32>
}
