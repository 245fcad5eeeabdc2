// RUN: weft-opt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{a panel needs at least one column, got width 0}}
func.func private @panels_c1() attributes {layout = #weft.panels<width = 0, out_by_in = true>}

// -----

// expected-error@+1 {{'int5' is no form of groups}}
func.func private @panels_c2() attributes {layout = #weft.panels<width = 16, out_by_in = true, form = "int5">}

// -----

// expected-error@+1 {{'int4' is no form of groups beside int8}}
func.func private @panels_c2_both() attributes {layout = #weft.panels<width = 16, out_by_in = true, int8 = true, form = "int4">}

// -----

// expected-error@+1 {{isa must be portable, v3, v4, v4-vnni, v4-bf16, amx, v4-vectors, v4-bf16-vectors, amx-vectors, sm_80, sm_86, sm_89, sm_90 or sm_90a, got 'v5'}}
func.func private @target_c1() attributes {target = #weft.target<isa = "v5", lanes = 8, registers = 16, cpu = "", features = "">}

// -----

// expected-error@+1 {{lanes must be a power of two, got 6}}
func.func private @target_c2() attributes {target = #weft.target<isa = "v3", lanes = 6, registers = 16, cpu = "", features = "">}

// -----

// expected-error@+1 {{registers must be positive, got 0}}
func.func private @target_c3() attributes {target = #weft.target<isa = "v3", lanes = 8, registers = 0, cpu = "", features = "">}
