# Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes a lit test of each model of test/fixtures: it passes when weft_check_fixture does."""
import os

import lit.formats
import lit.Test
import lit.util


class FixtureTest(lit.formats.TestFormat):
    """ShTest for the files of a folder, and one test named after each fixture, all targets of the processor."""

    def __init__(self, files, program, fixtures):
        self.files, self.program, self.fixtures = files, program, fixtures

    def getTestsInDirectory(self, suite, path, lit_config, local_config):
        yield from self.files.getTestsInDirectory(suite, path, lit_config, local_config)
        for name in sorted(os.listdir(self.fixtures)):
            if os.path.exists(os.path.join(self.fixtures, name, "config.json")):
                yield lit.Test.Test(suite, path + ("fixtures", name), local_config)

    def execute(self, test, lit_config):
        if "fixtures" not in test.path_in_suite:
            return self.files.execute(test, lit_config)
        command = [self.program, os.path.join(self.fixtures, test.path_in_suite[-1])]
        out, err, code = lit.util.executeCommand(command, env=test.config.environment)
        if code == 0 and "ok " in out and "FAIL" not in out:
            return lit.Test.PASS, ""
        return lit.Test.FAIL, f"{' '.join(command)}\nexit code {code}\n{out}{err}"
