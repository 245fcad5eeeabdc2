// RUN: weft-opt %s --split-input-file --weft-bufferize-arena --verify-diagnostics

func.func @dimension_without_name(%x: memref<?x8xf32> {weft.name = "x", weft.dims = ["", ""]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  // expected-error@+1 {{dimension 0 has no name in 'weft.dims'}}
  %n = memref.dim %x, %c0 : memref<?x8xf32>
  %h = memref.alloc(%n) : memref<?x8xf32>
  return
}

// -----

func.func @extent_of_a_view(%x: memref<?x?xf32> {weft.name = "x", weft.dims = ["batch", "sequence"]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %v = memref.collapse_shape %x [[0, 1]] : memref<?x?xf32> into memref<?xf32>
  // expected-error@+1 {{extents in an entry function must be those of its arguments}}
  %n = memref.dim %v, %c0 : memref<?xf32>
  %h = memref.alloc(%n) : memref<?xf32>
  return
}

// -----

// expected-error@+1 {{an extent depends on more than the named dimensions}}
func.func @extent_from_data(%x: memref<?xindex> {weft.name = "x", weft.dims = ["n"]}) attributes {weft.entry} {
  %c0 = arith.constant 0 : index
  %n = memref.load %x[%c0] : memref<?xindex>
  %h = memref.alloc(%n) : memref<?xf32>
  return
}
