// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef WEFT_DIALECTS_WEFT_WEFTATTRS_TD
#define WEFT_DIALECTS_WEFT_WEFTATTRS_TD

include "dialects/weft/WeftDialect.td"
include "mlir/IR/AttrTypeBase.td"

def Weft_PanelsAttr : AttrDef<Weft_Dialect, "Panels"> {
  let mnemonic = "panels";
  let summary = "A matrix cut into column panels";
  let description = [{
    A logical [K, N] operand of a product, stored as [ceil(N / width), K, width], columns beyond N zero. Within a
    panel the `width` columns of one k are contiguous, so a micro-kernel streams a panel front to back. One width
    serves all x86 levels: a multiple of every vector length (16 f32 lanes at most).

    Numbers of 16 bits are stored as [ceil(N / width), ceil(K / 2), 2 · width]: a 32-bit word holds one column's next
    two values of k, as the AMX and VNNI instructions take them; K is padded with a zero.

    `out_by_in` says how the source lies in the file: true for [N, K] (torch.nn.Linear), false for [K, N] (Conv1D).

    `int8` says that the values are rounded to 8-bit integers with one scale a column: a parameter of type i8 is the
    panels, [ceil(N / width), ceil(K / 4), 4 · width], four steps of k of a column beside each other; one of type f32 is
    the scales, [N].

    `form` names a form of groups (`groupForms` in dialects/weft/GroupForm.h): the parameter is i8 of the shape
    [ceil(N / width), ceil(K / group), bytes of a group], see `weft.groupwise_matmul`.

    Example: `#weft.panels<width = 16, out_by_in = true>`
  }];
  let parameters = (ins "int64_t":$width, "bool":$out_by_in, DefaultValuedParameter<"bool", "false">:$int8,
                        StringRefParameter<"a form of groups; empty: none", "\"\"">:$form);
  let builders = [AttrBuilder<(ins "int64_t":$width, "bool":$out_by_in, CArg<"bool", "false">:$int8), [{
    return $_get($_ctxt, width, out_by_in, int8, ::llvm::StringRef());
  }]>];
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Weft_TargetAttr : AttrDef<Weft_Dialect, "Target"> {
  let mnemonic = "target";
  let summary = "What the passes need to know about the processor that code is made for";
  let description = [{
    Rides on the module as `weft.target`, so that phases talk through IR. `isa` is one of "portable", "v3", "v4",
    "v4-vnni" (v4 and VNNI), "v4-bf16" (also AVX512-BF16), "amx" (also tiles), "v4-vectors", "v4-bf16-vectors" and
    "amx-vectors" (the passes of v4, v4-bf16 and amx, with instructions of v3 only).
    `lanes` is the number of f32 values in a vector register, `registers` their count. `features` is passed to LLVM.

    Example: `#weft.target<isa = "v3", lanes = 8, registers = 16, cpu = "x86-64-v3", features = "">`
  }];
  let parameters = (ins StringRefParameter<>:$isa, "int64_t":$lanes, "int64_t":$registers,
                        StringRefParameter<>:$cpu, StringRefParameter<>:$features);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

#endif // WEFT_DIALECTS_WEFT_WEFTATTRS_TD
