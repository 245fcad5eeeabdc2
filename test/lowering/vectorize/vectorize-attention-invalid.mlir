// RUN: weft-opt %s --split-input-file --weft-vectorize-attention --verify-diagnostics

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
func.func @dynamic_head_dimension(%q: memref<1x1x?x?xf32>, %o: memref<1x1x?x?xf32>) {
  // expected-error@+1 {{head dimensions must be known at compile time for the CPU}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %q, %q : memref<1x1x?x?xf32>, memref<1x1x?x?xf32>, memref<1x1x?x?xf32>) outs(%o : memref<1x1x?x?xf32>)
  return
}
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
func.func @element_type(%q: memref<1x1x?x8xf8E5M2>, %o: memref<1x1x?x8xf8E5M2>) {
  // expected-error@+1 {{only f32, bf16, f16 and i8 operands are lowered to the CPU, got}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %q, %q : memref<1x1x?x8xf8E5M2>, memref<1x1x?x8xf8E5M2>, memref<1x1x?x8xf8E5M2>) outs(%o : memref<1x1x?x8xf8E5M2>)
  return
}
}

// -----

#q = affine_map<(b, h, i, j, d, e) -> (b, h, i, d)>
#k = affine_map<(b, h, i, j, d, e) -> (b, h, j, d)>
#v = affine_map<(b, h, i, j, d, e) -> (b, h, j, e)>
#o = affine_map<(b, h, i, j, d, e) -> (b, h, i, e)>
module attributes {weft.target = #weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">} {
func.func @region_with_a_branch(%q: memref<1x1x?x8xf32>, %o: memref<1x1x?x8xf32>) {
  // expected-error@+1 {{score and mask regions must hold ops that work element by element}}
  weft.attention {scale = 1.0 : f32, indexing_maps = [#q, #k, #v, #o]}
    ins(%q, %q, %q : memref<1x1x?x8xf32>, memref<1x1x?x8xf32>, memref<1x1x?x8xf32>) outs(%o : memref<1x1x?x8xf32>)
    score {
    ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
      %first = arith.cmpi eq, %i, %j : index
      %chosen = scf.if %first -> f32 {
        scf.yield %s : f32
      } else {
        %negated = arith.negf %s : f32
        scf.yield %negated : f32
      }
      weft.yield %chosen : f32
    }
  return
}
}

// -----

// expected-error@+1 {{needs the module attribute 'weft.target'}}
module {
}
