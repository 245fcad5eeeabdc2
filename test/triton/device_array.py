# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""NumPy arrays in the device's memory, for Triton's launchers: of the libcuda that Triton loads."""
import ctypes
import sys

import numpy


def check(status):
    if status != 0:
        sys.exit(f"the driver returns {status}")


class DeviceArray:
    """A copy in the device's memory, as far as Triton asks."""
    dtype = "float32"  # Triton takes pointers of any type from the signature

    def __init__(self, driver, values):
        self.driver, self.values, self.address = driver, numpy.ascontiguousarray(values), ctypes.c_uint64()
        check(driver.cuMemAlloc_v2(ctypes.byref(self.address), ctypes.c_size_t(max(1, self.values.nbytes))))
        check(driver.cuMemcpyHtoD_v2(self.address, self.values.ctypes.data_as(ctypes.c_void_p),
                                     ctypes.c_size_t(self.values.nbytes)))

    def data_ptr(self):
        return self.address.value

    def read(self):
        result = numpy.empty_like(self.values)
        check(self.driver.cuCtxSynchronize())
        check(self.driver.cuMemcpyDtoH_v2(result.ctypes.data_as(ctypes.c_void_p), self.address,
                                          ctypes.c_size_t(result.nbytes)))
        return result
