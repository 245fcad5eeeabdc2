// RUN: weft-opt %s --weft-fold-parameters --canonicalize | FileCheck %s

// Mamba's rates of decay, transposed so that channels lie in lanes.
// CHECK-LABEL: func @rates(
// CHECK-NEXT: %[[A:.*]] = weft.parameter "A_log.exp.negf.1.0" sources(["A_log"]) functions(["math.exp", "arith.negf"]) order[1, 0] : tensor<4x8xf32>
// CHECK-NEXT: return %[[A]]
func.func @rates() -> tensor<4x8xf32> {
  %w = weft.parameter "A_log" : tensor<8x4xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %a = linalg.generic {indexing_maps = [affine_map<(n, d) -> (d, n)>, affine_map<(n, d) -> (n, d)>],
                       iterator_types = ["parallel", "parallel"]}
       ins(%w : tensor<8x4xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%log: f32, %o: f32):
    %rate = math.exp %log : f32
    %minus = arith.negf %rate : f32
    linalg.yield %minus : f32
  } -> tensor<4x8xf32>
  return %a : tensor<4x8xf32>
}

// What depends on an input of the entry is computed in each call, and so is what no function of the table computes.
// CHECK-LABEL: func @negative_two_inputs(
// CHECK-COUNT-2: linalg.generic
func.func @negative_two_inputs(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %w = weft.parameter "w" : tensor<8xf32>
  %e = tensor.empty() : tensor<8xf32>
  %a = linalg.generic {indexing_maps = [affine_map<(d) -> (d)>, affine_map<(d) -> (d)>, affine_map<(d) -> (d)>],
                       iterator_types = ["parallel"]}
       ins(%w, %x : tensor<8xf32>, tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(d) -> (d)>, affine_map<(d) -> (d)>], iterator_types = ["parallel"]}
       ins(%w : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%p: f32, %o: f32):
    %s = arith.addf %p, %p : f32
    linalg.yield %s : f32
  } -> tensor<8xf32>
  return %a, %b : tensor<8xf32>, tensor<8xf32>
}
