// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "HandLowered.h"
#include "TemporaryFolder.h"
#include "compiler/emit/SharedLibrary.h"
#include "compiler/jit/JitEngine.h"
#include "runtime/include/weft/runtime.h"

#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/MemoryBuffer.h"

#include <dlfcn.h>

namespace weft {
namespace {

const Target &portable() { return allTargets().back(); }

/// Calls an entry's variant as the runtime does.
std::vector<float> call(const weft_abi_variant &variant, const std::vector<float> &x, float offset) {
  std::vector<float> out(x.size());
  const void *inputs[] = {x.data()}, *parameters[] = {&offset};
  void *outputs[] = {out.data()};
  int64_t dims[] = {static_cast<int64_t>(x.size())};
  weft_abi_call arguments = {};
  arguments.inputs = inputs;
  arguments.outputs = outputs;
  arguments.parameters = parameters;
  arguments.dims = dims;
  EXPECT_EQ(variant.run(&arguments), WEFT_ABI_OK);
  return out;
}

TEST(EmissionTest, JitRunsTheCode) {
  HandLowered model;
  Result<JitEngine> engine = JitEngine::link(model.objects({&portable()}));
  ASSERT_TRUE(engine) << engine.error().format();
  const weft_abi_model &descriptor = *engine->descriptor();
  ASSERT_EQ(descriptor.magic, WEFT_ABI_MAGIC);
  EXPECT_EQ(call(descriptor.entries[0].variants[0], {1, 2, 3}, 0.5f), (std::vector<float>{2.5f, 4.5f, 6.5f}));
  EXPECT_EQ(descriptor.entries[0].variants[0].arena_bytes(nullptr), 64);
}

TEST(EmissionTest, DescriptorSaysWhatTheModuleSays) {
  HandLowered model;
  Result<JitEngine> engine = JitEngine::link(model.objects({&allTargets()[3], &allTargets()[4], &portable()}));
  ASSERT_TRUE(engine) << engine.error().format();
  const weft_abi_model &descriptor = *engine->descriptor();
  EXPECT_STREQ(descriptor.model, "twice");
  EXPECT_EQ(descriptor.compiler, compilerVersion());
  ASSERT_EQ(descriptor.parameter_count, 1);
  EXPECT_STREQ(descriptor.parameters[0].name, "offset");
  EXPECT_EQ(descriptor.parameters[0].shape[0], 1);
  const weft_abi_entry &entry = descriptor.entries[0];
  EXPECT_STREQ(entry.name, "encode");
  ASSERT_EQ(entry.dim_count, 1);
  EXPECT_EQ(entry.dims[0].max, 1000);
  ASSERT_EQ(entry.input_count, 1);
  EXPECT_STREQ(entry.inputs[0].name, "x");
  EXPECT_EQ(entry.inputs[0].shape[0], -1);
  ASSERT_EQ(entry.output_count, 1);
  EXPECT_STREQ(entry.outputs[0].name, "out");
  ASSERT_EQ(entry.variant_count, 3);
  EXPECT_STREQ(entry.variants[0].target, "v4");
  EXPECT_EQ(entry.variants[1].required_features, WEFT_CPU_V3);
  EXPECT_EQ(entry.variants[1].device, WEFT_DEVICE_CPU);
  EXPECT_EQ(entry.variants[2].architecture, 0);
  EXPECT_EQ(descriptor.kernel_count, 0);
}

TEST(EmissionTest, RuntimeAcceptsTheDescriptor) {
  HandLowered model;
  Result<JitEngine> engine = JitEngine::link(model.objects({&portable()}));
  ASSERT_TRUE(engine) << engine.error().format();
  alignas(64) float offset = 1;
  const void *parameters[] = {&offset};
  weft_model *opened = nullptr;
  ASSERT_EQ(weft_open_linked(engine->descriptor(), parameters, nullptr, &opened), WEFT_OK) << weft_last_error();
  weft_close(opened);
}

TEST(EmissionTest, EqualModulesGiveEqualLibraries) {
  HandLowered first, second;
  TemporaryFolder folder;
  ASSERT_TRUE(linkSharedLibrary(first.objects({&portable()}), folder.path("a.so")));
  ASSERT_TRUE(linkSharedLibrary(second.objects({&portable()}), folder.path("b.so")));
  EXPECT_EQ(folder.read("a.so"), folder.read("b.so"));
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"a.so", "b.so"})) << "the linker's inputs are removed";
}

TEST(EmissionTest, LibraryExportsTheDescriptorAlone) {
  HandLowered model;
  TemporaryFolder folder;
  ASSERT_TRUE(linkSharedLibrary(model.objects({&portable()}), folder.path("model.so")));
  auto buffer = llvm::MemoryBuffer::getFile(folder.path("model.so").string());
  auto object = llvm::object::ELF64LEObjectFile::create((*buffer)->getMemBufferRef());
  ASSERT_TRUE(static_cast<bool>(object));
  std::vector<std::string> exported;
  for (llvm::object::SymbolRef symbol : object->getDynamicSymbolIterators())
    if (!(llvm::cantFail(symbol.getFlags()) & llvm::object::SymbolRef::SF_Undefined))
      exported.push_back(llvm::cantFail(symbol.getName()).str());
  EXPECT_EQ(exported, (std::vector<std::string>{WEFT_ABI_DESCRIPTOR_SYMBOL}));
}

TEST(EmissionTest, LibraryAndJitGiveTheSameBits) {
  HandLowered model;
  std::vector<Object> objects = model.objects({&nativeTarget()});
  Result<JitEngine> engine = JitEngine::link(objects);
  ASSERT_TRUE(engine) << engine.error().format();
  TemporaryFolder folder;
  ASSERT_TRUE(linkSharedLibrary(objects, folder.path("model.so")));
  void *library = dlopen(folder.path("model.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  auto *descriptor = static_cast<const weft_abi_model *>(dlsym(library, WEFT_ABI_DESCRIPTOR_SYMBOL));
  ASSERT_NE(descriptor, nullptr);
  std::vector<float> x;
  for (int index = 0; index < 100; ++index)
    x.push_back(static_cast<float>(index) / 7);
  EXPECT_EQ(call(descriptor->entries[0].variants[0], x, 0.1f),
            call(engine->descriptor()->entries[0].variants[0], x, 0.1f));
  dlclose(library);
}

TEST(EmissionTest, MissingEntryIsReported) {
  HandLowered model;
  Result<Object> object = emitObject(*model.lowered, portable(), {"decode"});
  ASSERT_FALSE(object);
  EXPECT_EQ(object.error().code, "W0690");
}

TEST(EmissionTest, LinkerErrorsAreReported) {
  TemporaryFolder folder;
  Result<void> linked = linkSharedLibrary({{"broken", "no object"}}, folder.path("model.so"));
  ASSERT_FALSE(linked);
  EXPECT_EQ(linked.error().code, "W0621");
  EXPECT_EQ(folder.names(), std::vector<std::string>());
}

} // namespace
} // namespace weft
