// RUN: weft-opt %s --split-input-file --weft-fuse-kernels --verify-diagnostics

#id = affine_map<(n) -> (n)>
func.func @half_elementwise(%x: tensor<8xf16> {weft.name = "x"}) -> (tensor<8xf32> {weft.name = "y"}) attributes {weft.entry} {
  %e = tensor.empty() : tensor<8xf32>
  // expected-error@+1 {{works on 'f16', which is not compiled for the CPU: use f32 there; 16 bits have keys and values}}
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<8xf16>) outs(%e : tensor<8xf32>) {
  ^bb0(%a: f16, %out: f32):
    %w = arith.extf %a : f16 to f32
    linalg.yield %w : f32
  } -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// -----

func.func @half_returned(%x: tensor<8xbf16> {weft.name = "x"}) -> (tensor<8xbf16> {weft.name = "y"}) attributes {weft.entry} {
  // expected-error@+1 {{returns 'tensor<8xbf16>', which is not compiled for the CPU: use f32 there; 16 bits have keys and values}}
  return %x : tensor<8xbf16>
}
