// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The check dialect: what a test expects of numbers, inside .mlir files.
#ifndef WEFT_DIALECTS_CHECK_CHECKOPS_TD
#define WEFT_DIALECTS_CHECK_CHECKOPS_TD

include "mlir/IR/OpBase.td"

def Check_Dialect : Dialect {
  let name = "check";
  let cppNamespace = "::weft::check";
  let summary = "Expectations of tests";
  let description = [{
    Ops that compare computed with expected values and make a test fail where they differ, so that a conformance test
    is one file: inputs, program, expected values.
  }];
}

def Check_Values : AnyTypeOf<[AnyRankedTensor, AnyStridedMemRef], "ranked tensor or strided memref", "::mlir::ShapedType">;

class Check_Op<string mnemonic, list<Trait> traits = []> : Op<Check_Dialect, mnemonic, traits> {
  let hasVerifier = 1;
}

def Check_ExpectCloseOp : Check_Op<"expect_close"> {
  let summary = "Expects floats near others";
  let description = [{
    Passes when √(Σ (actual − expected)²) ≤ relative_rms · √(Σ expected²), computed in f64, and, with `max_ulp`, no
    element is more than so many representable numbers away. NaN is near NaN only, an infinity near the same infinity
    only.

    Example:
    ```mlir
    check.expect_close %y, %expected {relative_rms = 1.0e-5 : f64} : tensor<?x8xf32>, tensor<2x8xf32>
    ```
  }];
  let arguments = (ins
    Arg<Check_Values, "what was computed">:$actual,
    Arg<Check_Values, "what should have been">:$expected,
    F64Attr:$relative_rms,
    OptionalAttr<I64Attr>:$max_ulp);
  let assemblyFormat = "$actual `,` $expected attr-dict `:` type($actual) `,` type($expected)";
}

def Check_ExpectEqOp : Check_Op<"expect_eq"> {
  let summary = "Expects the same bits";
  let description = [{
    Passes when `actual` and `expected` hold the same bits.

    Example:
    ```mlir
    check.expect_eq %y, %expected : tensor<?xi32>, tensor<4xi32>
    ```
  }];
  let arguments = (ins
    Arg<Check_Values, "what was computed">:$actual,
    Arg<Check_Values, "what should have been">:$expected);
  let assemblyFormat = "$actual `,` $expected attr-dict `:` type($actual) `,` type($expected)";
}

#endif // WEFT_DIALECTS_CHECK_CHECKOPS_TD
