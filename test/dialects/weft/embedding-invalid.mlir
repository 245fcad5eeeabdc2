// RUN: weft-opt %s --split-input-file --verify-diagnostics

func.func @embedding_c1(%ids: tensor<3xf32>, %table: tensor<10x4xf32>, %init: tensor<3x4xf32>) {
  // expected-error@+1 {{ids must be integers, got 'tensor<3xf32>'}}
  weft.embedding ins(%ids, %table : tensor<3xf32>, tensor<10x4xf32>) outs(%init : tensor<3x4xf32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @embedding_c2(%ids: tensor<3xi64>, %table: tensor<10xf32>, %init: tensor<3x4xf32>) {
  // expected-error@+1 {{table must be [rows, n], or in panels [panels, n, width], is}}
  weft.embedding ins(%ids, %table : tensor<3xi64>, tensor<10xf32>) outs(%init : tensor<3x4xf32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @embedding_c3(%ids: tensor<3xi64>, %table: tensor<10x4xf32>, %init: tensor<2x4xf32>) {
  // expected-error@+1 {{destination must have the shape of ids and one dimension more}}
  weft.embedding ins(%ids, %table : tensor<3xi64>, tensor<10x4xf32>) outs(%init : tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @embedding_c4(%ids: tensor<3xi64>, %table: tensor<10x4xf32>, %init: tensor<3x5xf32>) {
  // expected-error@+1 {{destination's last dimension must be the table's, 4, is 5}}
  weft.embedding ins(%ids, %table : tensor<3xi64>, tensor<10x4xf32>) outs(%init : tensor<3x5xf32>) -> tensor<3x5xf32>
  return
}

// -----

func.func @embedding_c5(%ids: tensor<3xi64>, %table: tensor<10x4xf16>, %init: tensor<3x4xf32>) {
  // expected-error@+1 {{destination must have the table's element type, got 'f32' for 'f16'}}
  weft.embedding ins(%ids, %table : tensor<3xi64>, tensor<10x4xf16>) outs(%init : tensor<3x4xf32>) -> tensor<3x4xf32>
  return
}

// -----

func.func @embedding_c6(%ids: tensor<3xi64>, %table: tensor<10x4xf32>, %init: memref<3x4xf32>) {
  // expected-error@+1 {{operands must be all tensors or all memrefs}}
  weft.embedding ins(%ids, %table : tensor<3xi64>, tensor<10x4xf32>) outs(%init : memref<3x4xf32>)
  return
}
