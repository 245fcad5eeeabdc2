// RUN: weft-opt %s --split-input-file --weft-fuse-kernels --verify-diagnostics

func.func @half_sums(%x: tensor<3x8xbf16> {weft.name = "x"}, %w: tensor<1x4x32xbf16> {weft.name = "w"})
    -> (tensor<3x16xbf16> {weft.name = "y"}) attributes {weft.entry} {
  %e = tensor.empty() : tensor<3x16xbf16>
  // expected-error@+1 {{takes a bias and a destination of f32 on the CPU, got 'tensor<3x16xbf16>': sums are f32, and an op that follows can round them}}
  %y = weft.packed_matmul ins(%x, %w : tensor<3x8xbf16>, tensor<1x4x32xbf16>) outs(%e : tensor<3x16xbf16>) -> tensor<3x16xbf16>
  return %y : tensor<3x16xbf16>
}

// -----

func.func @unknown_keys(%x: tensor<3x?xf32> {weft.name = "x", weft.dims = ["", "keys"]})
    -> (tensor<3xf32> {weft.name = "y"}) attributes {weft.entry} {
  %e = tensor.empty() : tensor<3xf32>
  // expected-error@+1 {{is not compiled: the extent of n is not known}}
  %y = weft.recurrence {indexing_maps = [affine_map<(b, h, t, n, e) -> (t, n)>, affine_map<(b, h, t, n, e) -> (t)>]}
       ins(%x : tensor<3x?xf32>) outs(%e : tensor<3xf32>)
       step {
       ^bb0(%value: f32):
         weft.step value(%value)
       } -> tensor<3xf32>
  return %y : tensor<3xf32>
}

// -----

func.func @endless_taps(%x: tensor<1x3x8xf32> {weft.name = "x"}, %w: tensor<8x4097xf32> {weft.name = "w"})
    -> (tensor<1x3x8xf32> {weft.name = "y"}) attributes {weft.entry} {
  %e = tensor.empty() : tensor<1x3x8xf32>
  // expected-error@+1 {{is not compiled: it has 4097 taps, and 4096 are the most}}
  %y = weft.causal_conv ins(%x, %w : tensor<1x3x8xf32>, tensor<8x4097xf32>) outs(%e : tensor<1x3x8xf32>) -> tensor<1x3x8xf32>
  return %y : tensor<1x3x8xf32>
}
