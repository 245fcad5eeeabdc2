// RUN: weft-opt %s --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: @unused_operand
// CHECK-SAME: (%[[X:.*]]: tensor<8xf32>, %{{.*}}: tensor<8xf32>, %[[INIT:.*]]: tensor<8xf32>)
// CHECK: weft.kernel "k"(%[[X]], %[[INIT]] : tensor<8xf32>, tensor<8xf32>)
// CHECK-NEXT: ^bb0(%[[A:.*]]: tensor<8xf32>, %{{.*}}: tensor<8xf32>):
// CHECK-NEXT: weft.yield %[[A]]
func.func @unused_operand(%x: tensor<8xf32>, %y: tensor<8xf32>, %init: tensor<8xf32>) -> tensor<8xf32> {
  %r = weft.kernel "k"(%y, %x, %init : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32> {
  ^bb0(%a: tensor<8xf32>, %b: tensor<8xf32>, %out: tensor<8xf32>):
    weft.yield %b : tensor<8xf32>
  }
  return %r : tensor<8xf32>
}

// -----

// CHECK-LABEL: @operand_twice
// CHECK-SAME: (%[[X:.*]]: tensor<8xf32>, %[[INIT:.*]]: tensor<8xf32>)
// CHECK: weft.kernel "k"(%[[X]], %[[INIT]] : tensor<8xf32>, tensor<8xf32>)
// CHECK-NEXT: ^bb0(%[[A:.*]]: tensor<8xf32>, %{{.*}}: tensor<8xf32>):
// CHECK-NEXT: arith.addf %[[A]], %[[A]]
func.func @operand_twice(%x: tensor<8xf32>, %init: tensor<8xf32>) -> tensor<8xf32> {
  %r = weft.kernel "k"(%x, %x, %init : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32> {
  ^bb0(%a: tensor<8xf32>, %b: tensor<8xf32>, %out: tensor<8xf32>):
    %sum = arith.addf %a, %b : tensor<8xf32>
    weft.yield %sum : tensor<8xf32>
  }
  return %r : tensor<8xf32>
}

// -----

// Each destination is memory of its own, also when two hold the same undefined values.
// CHECK-LABEL: @destinations_stay
// CHECK: weft.kernel "k"(%{{.*}}, %[[E:.*]], %[[E]] : {{.*}}) -> tensor<8xf32>, tensor<8xf32>
func.func @destinations_stay(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %e = tensor.empty() : tensor<8xf32>
  %r:2 = weft.kernel "k"(%x, %e, %e : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>, tensor<8xf32> {
  ^bb0(%a: tensor<8xf32>, %out: tensor<8xf32>, %out2: tensor<8xf32>):
    weft.yield %a, %a : tensor<8xf32>, tensor<8xf32>
  }
  return %r#0, %r#1 : tensor<8xf32>, tensor<8xf32>
}
