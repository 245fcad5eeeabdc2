// RUN: weft-opt %s --weft-normalize-concat --remarks-filter-missed=weft-normalize-concat --remark-format=emitRemark --verify-diagnostics | FileCheck %s

// CHECK: #[[HALF:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK: #[[WHOLE:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>

// CHECK-LABEL: @halves
// CHECK-SAME: (%[[LOW:.*]]: tensor<?x4xf32>, %[[HIGH:.*]]: tensor<?x4xf32>, %{{.*}}: index)
// CHECK: %[[JOINED:.*]] = linalg.generic {indexing_maps = [#[[HALF]], #[[HALF]], #[[WHOLE]]]
// CHECK-SAME: ins(%[[LOW]], %[[HIGH]] : {{.*}}) outs(%{{.*}} : tensor<?x2x4xf32>)
// CHECK: ^bb0(%[[L:.*]]: f32, %[[H:.*]]: f32, %{{.*}}: f32):
// CHECK: %[[PART:.*]] = linalg.index 1
// CHECK: %[[IS_LOW:.*]] = arith.cmpi eq, %[[PART]], %{{.*}}
// CHECK: arith.select %[[IS_LOW]], %[[L]], %[[H]]
// CHECK: tensor.collapse_shape %[[JOINED]] {{\[\[}}0], [1, 2]] : tensor<?x2x4xf32> into tensor<?x8xf32>
// CHECK-NOT: tensor.insert_slice
func.func @halves(%low: tensor<?x4xf32>, %high: tensor<?x4xf32>, %n: index) -> tensor<?x8xf32> {
  %empty = tensor.empty(%n) : tensor<?x8xf32>
  %0 = tensor.insert_slice %low into %empty[0, 0] [%n, 4] [1, 1] : tensor<?x4xf32> into tensor<?x8xf32>
  %1 = tensor.insert_slice %high into %0[0, 4] [%n, 4] [1, 1] : tensor<?x4xf32> into tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// The upper half first.
// CHECK-LABEL: @halves_upper_first
// CHECK-SAME: (%[[LOW:.*]]: tensor<4xf32>, %[[HIGH:.*]]: tensor<4xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[LOW]], %[[HIGH]] :
func.func @halves_upper_first(%low: tensor<4xf32>, %high: tensor<4xf32>) -> tensor<8xf32> {
  %empty = tensor.empty() : tensor<8xf32>
  %0 = tensor.insert_slice %high into %empty[4] [4] [1] : tensor<4xf32> into tensor<8xf32>
  %1 = tensor.insert_slice %low into %0[0] [4] [1] : tensor<4xf32> into tensor<8xf32>
  return %1 : tensor<8xf32>
}

// A quarter, a quarter and a half: four parts, of which the last two are views of one.
// CHECK-LABEL: @three_parts
// CHECK-SAME: (%[[A:.*]]: tensor<?x2xf32>, %[[B:.*]]: tensor<?x2xf32>, %[[C:.*]]: tensor<?x4xf32>, %[[N:.*]]: index)
// CHECK: %[[C0:.*]] = tensor.extract_slice %[[C]][0, 0] [%{{.*}}, 2] [1, 1]
// CHECK: %[[C1:.*]] = tensor.extract_slice %[[C]][0, 2] [%{{.*}}, 2] [1, 1]
// CHECK: %[[JOINED:.*]] = linalg.generic {{.*}} ins(%[[A]], %[[B]], %[[C0]], %[[C1]] : {{.*}}) outs(%{{.*}} : tensor<?x4x2xf32>)
// CHECK: ^bb0(%[[VA:.*]]: f32, %[[VB:.*]]: f32, %[[VC0:.*]]: f32, %[[VC1:.*]]: f32, %{{.*}}: f32):
// CHECK: %[[LATE:.*]] = arith.select %{{.*}}, %[[VC0]], %[[VC1]]
// CHECK: %[[LATER:.*]] = arith.select %{{.*}}, %[[VB]], %[[LATE]]
// CHECK: %[[ALL:.*]] = arith.select %{{.*}}, %[[VA]], %[[LATER]]
// CHECK: linalg.yield %[[ALL]]
// CHECK: tensor.collapse_shape %[[JOINED]]
// CHECK-NOT: tensor.insert_slice
func.func @three_parts(%a: tensor<?x2xf32>, %b: tensor<?x2xf32>, %c: tensor<?x4xf32>, %n: index) -> tensor<?x8xf32> {
  %empty = tensor.empty(%n) : tensor<?x8xf32>
  %0 = tensor.insert_slice %c into %empty[0, 4] [%n, 4] [1, 1] : tensor<?x4xf32> into tensor<?x8xf32>
  %1 = tensor.insert_slice %a into %0[0, 0] [%n, 2] [1, 1] : tensor<?x2xf32> into tensor<?x8xf32>
  %2 = tensor.insert_slice %b into %1[0, 2] [%n, 2] [1, 1] : tensor<?x2xf32> into tensor<?x8xf32>
  return %2 : tensor<?x8xf32>
}

// CHECK-LABEL: @negative_many_parts
// CHECK-COUNT-2: tensor.insert_slice
func.func @negative_many_parts(%low: tensor<?x3xf32>, %high: tensor<?x14xf32>, %n: index) -> tensor<?x17xf32> {
  %empty = tensor.empty(%n) : tensor<?x17xf32>
  %0 = tensor.insert_slice %low into %empty[0, 0] [%n, 3] [1, 1] : tensor<?x3xf32> into tensor<?x17xf32>
  // expected-remark@+1 {{the parts of 17 columns have a common width of 1 only}}
  %1 = tensor.insert_slice %high into %0[0, 3] [%n, 14] [1, 1] : tensor<?x14xf32> into tensor<?x17xf32>
  return %1 : tensor<?x17xf32>
}

// Columns that nobody fills.
// CHECK-LABEL: @negative_gap
// CHECK-COUNT-2: tensor.insert_slice
func.func @negative_gap(%low: tensor<?x2xf32>, %high: tensor<?x4xf32>, %n: index) -> tensor<?x8xf32> {
  %empty = tensor.empty(%n) : tensor<?x8xf32>
  %0 = tensor.insert_slice %low into %empty[0, 0] [%n, 2] [1, 1] : tensor<?x2xf32> into tensor<?x8xf32>
  %1 = tensor.insert_slice %high into %0[0, 4] [%n, 4] [1, 1] : tensor<?x4xf32> into tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// Every second column: not a half.
// CHECK-LABEL: @negative_interleaved
// CHECK-COUNT-2: tensor.insert_slice
func.func @negative_interleaved(%even: tensor<?x4xf32>, %odd: tensor<?x4xf32>, %n: index) -> tensor<?x8xf32> {
  %empty = tensor.empty(%n) : tensor<?x8xf32>
  %0 = tensor.insert_slice %even into %empty[0, 0] [%n, 4] [1, 2] : tensor<?x4xf32> into tensor<?x8xf32>
  %1 = tensor.insert_slice %odd into %0[0, 1] [%n, 4] [1, 2] : tensor<?x4xf32> into tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// What was in the tensor before would be lost.
// CHECK-LABEL: @negative_tensor_holds_values
// CHECK-COUNT-2: tensor.insert_slice
func.func @negative_tensor_holds_values(%low: tensor<?x4xf32>, %high: tensor<?x4xf32>, %dest: tensor<?x8xf32>, %n: index) -> tensor<?x8xf32> {
  %0 = tensor.insert_slice %low into %dest[0, 0] [%n, 4] [1, 1] : tensor<?x4xf32> into tensor<?x8xf32>
  %1 = tensor.insert_slice %high into %0[0, 4] [%n, 4] [1, 1] : tensor<?x4xf32> into tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// The lower half alone has a reader.
// CHECK-LABEL: @negative_first_insertion_is_read
// CHECK-COUNT-2: tensor.insert_slice
func.func @negative_first_insertion_is_read(%low: tensor<?x4xf32>, %high: tensor<?x4xf32>, %n: index) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %empty = tensor.empty(%n) : tensor<?x8xf32>
  %0 = tensor.insert_slice %low into %empty[0, 0] [%n, 4] [1, 1] : tensor<?x4xf32> into tensor<?x8xf32>
  %1 = tensor.insert_slice %high into %0[0, 4] [%n, 4] [1, 1] : tensor<?x4xf32> into tensor<?x8xf32>
  return %0, %1 : tensor<?x8xf32>, tensor<?x8xf32>
}
