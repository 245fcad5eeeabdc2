// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model as the last phase leaves it, written by hand, so that emission is tested without the phases:
// out[n] = x[n] · 2 + offset[0], with offset a parameter.
#ifndef WEFT_TEST_UNIT_COMPILER_HANDLOWERED_H
#define WEFT_TEST_UNIT_COMPILER_HANDLOWERED_H

#include "compiler/RegisterAll.h"
#include "compiler/Target.h"
#include "compiler/emit/Descriptor.h"
#include "compiler/emit/ModelDescription.h"
#include "compiler/emit/ObjectEmitter.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

namespace weft {

/// The entry as the outline phase leaves it.
inline constexpr const char *kOutlined = R"mlir(
module attributes {weft.model = "twice", weft.dim_bounds = {n = array<i64: 1, 1000>},
    weft.parameters = [{name = "offset", type = tensor<1xf32>}]} {
  func.func @encode(%x: memref<?xf32> {weft.name = "x", weft.dims = ["n"]},
                    %out: memref<?xf32> {weft.name = "out", weft.dims = ["n"], weft.output}) attributes {weft.entry} {
    return
  }
}
)mlir";

/// The same entry as the cpu phase leaves it: the fields are those of weft_abi_call.
inline constexpr const char *kLowered = R"mlir(
llvm.func @weft_encode_run(%call: !llvm.ptr) -> i32 {
  %zero = llvm.mlir.constant(0 : i64) : i64
  %one = llvm.mlir.constant(1 : i64) : i64
  %two = llvm.mlir.constant(2.0 : f32) : f32
  %ok = llvm.mlir.constant(0 : i32) : i32
  %pi = llvm.getelementptr %call[16] : (!llvm.ptr) -> !llvm.ptr, i8
  %po = llvm.getelementptr %call[24] : (!llvm.ptr) -> !llvm.ptr, i8
  %pp = llvm.getelementptr %call[32] : (!llvm.ptr) -> !llvm.ptr, i8
  %pd = llvm.getelementptr %call[40] : (!llvm.ptr) -> !llvm.ptr, i8
  %inputs = llvm.load %pi : !llvm.ptr -> !llvm.ptr
  %outputs = llvm.load %po : !llvm.ptr -> !llvm.ptr
  %parameters = llvm.load %pp : !llvm.ptr -> !llvm.ptr
  %dims = llvm.load %pd : !llvm.ptr -> !llvm.ptr
  %x = llvm.load %inputs : !llvm.ptr -> !llvm.ptr
  %out = llvm.load %outputs : !llvm.ptr -> !llvm.ptr
  %p = llvm.load %parameters : !llvm.ptr -> !llvm.ptr
  %offset = llvm.load %p : !llvm.ptr -> f32
  %n = llvm.load %dims : !llvm.ptr -> i64
  llvm.br ^loop(%zero : i64)
^loop(%i: i64):
  %at = llvm.getelementptr %x[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
  %to = llvm.getelementptr %out[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
  %value = llvm.load %at : !llvm.ptr -> f32
  %sum = llvm.intr.fmuladd(%value, %two, %offset) : (f32, f32, f32) -> f32
  llvm.store %sum, %to : f32, !llvm.ptr
  %next = llvm.add %i, %one : i64
  %more = llvm.icmp "slt" %next, %n : i64
  llvm.cond_br %more, ^loop(%next : i64), ^done
^done:
  llvm.return %ok : i32
}
llvm.func @weft_encode_arena(%dims: !llvm.ptr) -> i64 {
  %bytes = llvm.mlir.constant(64 : i64) : i64
  llvm.return %bytes : i64
}
)mlir";

struct HandLowered {
  HandLowered() {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    outlined = mlir::parseSourceString<mlir::ModuleOp>(kOutlined, &context);
    lowered = mlir::parseSourceString<mlir::ModuleOp>(kLowered, &context);
  }

  ModelDescription description() {
    Result<ModelDescription> model = describeModel(*outlined);
    EXPECT_TRUE(model) << model.error().format();
    return *model;
  }

  /// The portable variant and the native one, then the descriptor.
  std::vector<Object> objects(const std::vector<const Target *> &targets) {
    std::vector<Object> objects;
    for (const Target *target : targets) {
      Result<Object> object = emitObject(*lowered, *target, {"encode"});
      EXPECT_TRUE(object) << object.error().format();
      objects.push_back(*object);
    }
    Result<Object> descriptor = emitDescriptor(description(), targets);
    EXPECT_TRUE(descriptor) << descriptor.error().format();
    objects.push_back(*descriptor);
    return objects;
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> outlined, lowered;
};

} // namespace weft

#endif // WEFT_TEST_UNIT_COMPILER_HANDLOWERED_H
