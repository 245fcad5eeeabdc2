// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ptxsim replay FILE.json: a launch that was recorded, and whether its outputs are what they should be. Beside
// NAME.smXX.json lie NAME.smXX.ptx and NAME.npz.
#include "tools/ptxsim/Bits.h"
#include "tools/ptxsim/command/Command.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdio>
#include <cstring>

namespace weft::ptxsim {
namespace {

using Json = nlohmann::json;

/// Element `index` as a number; `type` is Triton's name of it ("bf16", "fp8e4nv"), or empty.
double element(const ArrayData &array, const std::string &type, size_t index) {
  const std::byte *at = array.bytes.data() + index * array.elementBytes();
  uint64_t bits = 0;
  std::memcpy(&bits, at, array.elementBytes());
  if (type == "bf16")
    return bfloatToFloat(uint16_t(bits));
  if (type == "fp8e4nv")
    return decode(kFormatE4M3, uint32_t(bits));
  if (type == "fp8e5")
    return decode(kFormatE5M2, uint32_t(bits));
  int width = int(8 * array.elementBytes());
  switch (array.type[1]) {
  case 'f':
    return width == 16 ? halfToFloat(uint16_t(bits)) : width == 32 ? valueOf<float>(bits) : valueOf<double>(bits);
  case 'i':
    return double(signExtended(bits, width));
  default:
    return double(bits);
  }
}

struct Comparison {
  size_t wrong = 0, first = 0, count = 0;
  double largest = 0; ///< error, in units of what is allowed
};

Comparison compare(const ArrayData &got, const ArrayData &want, const Json &what) {
  double atol = what.value("atol", 0.0), rtol = what.value("rtol", 0.0);
  std::string type = what.value("type", "");
  Comparison result;
  result.count = want.count();
  for (size_t index = 0; index < result.count; ++index) {
    double a = element(got, type, index), b = element(want, type, index), bound = atol + rtol * std::fabs(b);
    bool same = a == b || (a != a && b != b) || std::fabs(a - b) <= bound;
    if (!same && result.wrong++ == 0)
      result.first = index;
    if (bound > 0 && std::isfinite(a - b))
      result.largest = std::max(result.largest, std::fabs(a - b) / bound);
  }
  return result;
}

std::vector<std::byte> scalarBytes(const Json &parameter, uint32_t bytes) {
  std::string ptx = parameter.at("ptx");
  std::vector<std::byte> result(bytes);
  auto put = [&](auto value) { std::memcpy(result.data(), &value, std::min<size_t>(bytes, sizeof value)); };
  if (ptx == ".f32")
    put(parameter.at("scalar").get<float>());
  else if (ptx == ".f64")
    put(parameter.at("scalar").get<double>());
  else
    put(parameter.at("scalar").get<int64_t>());
  return result;
}

std::array<uint32_t, 3> extents(const Json &given) {
  std::array<uint32_t, 3> result{};
  for (int dimension = 0; dimension < 3; ++dimension)
    result[dimension] = given.at(dimension).get<uint32_t>();
  return result;
}

/// One recorded launch.
class Record {
public:
  explicit Record(const std::string &path) : path(path), json(Json::parse(readText(path))) {
    std::string stem = path.substr(0, path.size() - 5);
    ptx = stem + ".ptx";
    size_t dot = stem.rfind('.'), slash = stem.rfind('/');
    bool versioned = dot != std::string::npos && (slash == std::string::npos || dot > slash);
    arrays = readArchive((versioned ? stem.substr(0, dot) : stem) + ".npz");
    module = readModule(ptx);
  }

  Device device;

  /// True where every output is within its tolerance.
  bool replay() {
    device.load(module);
    std::optional<Fault> fault = device.launch(launch());
    if (fault)
      throw UserMistake{fault->text(ptx)};
    bool right = true;
    for (const auto &[name, what] : json.at("replay").at("arrays").items())
      if (what.value("output", false))
        right &= judge(name, what);
    return right;
  }

private:
  Launch launch() {
    const Json &replay = json.at("replay");
    Launch result;
    result.module = module.get();
    result.function = &entryOf(*module, "", ptx);
    result.grid = extents(replay.at("grid"));
    result.block = extents(replay.at("block"));
    result.cluster = extents(replay.at("cluster"));
    result.dynamicShared = replay.at("dynamic_shared");
    const std::vector<Parameter> &parameters = result.function->parameters;
    const Json &recorded = replay.at("params");
    if (recorded.size() != parameters.size())
      throw UserMistake{path + ": " + std::to_string(recorded.size()) + " parameters, the kernel has " +
                        std::to_string(parameters.size())};
    result.parameters.resize(result.function->parameterBytes);
    for (size_t index = 0; index < parameters.size(); ++index) {
      std::vector<std::byte> bytes = argument(recorded[index], parameters[index].bytes);
      std::copy(bytes.begin(), bytes.end(), result.parameters.begin() + parameters[index].offset);
    }
    return result;
  }

  std::vector<std::byte> argument(const Json &parameter, uint32_t bytes) {
    if (parameter.contains("scalar"))
      return scalarBytes(parameter, bytes);
    uint64_t address = parameter.contains("pointer") ? allocate(parameter.at("pointer")) : scratch(parameter);
    std::vector<std::byte> result(8);
    std::memcpy(result.data(), &address, 8);
    return result;
  }

  const ArrayData &array(const std::string &name) const {
    auto found = arrays.find(name);
    if (found == arrays.end())
      throw UserMistake{path + ": the .npz has no array " + name};
    return found->second;
  }

  uint64_t allocate(const std::string &name) {
    uint64_t &address = addresses[name];
    if (!address) {
      address = device.allocate(array(name + "_in").bytes.size(), "array " + name);
      device.write(address, array(name + "_in").bytes);
    }
    return address;
  }

  uint64_t scratch(const Json &parameter) {
    uint64_t bytes = parameter.at("scratch");
    if (bytes == 0)
      return 0;
    uint64_t address = device.allocate(bytes, "scratch");
    device.fill(address, std::byte(0), bytes);
    return address;
  }

  bool judge(const std::string &name, const Json &what) {
    ArrayData got = array(name + "_in");
    const ArrayData &want = array(name + "_out");
    device.read(addresses.at(name), got.bytes);
    Comparison result = compare(got, want, what);
    if (result.wrong) {
      std::string type = what.value("type", "");
      std::printf("%s: %s: %zu of %zu elements differ, the first is %zu: %.9g, not %.9g\n", path.c_str(), name.c_str(),
                  result.wrong, result.count, result.first, element(got, type, result.first),
                  element(want, type, result.first));
      return false;
    }
    std::printf("%s: %s: %zu elements, largest error %.2f of what is allowed\n", path.c_str(), name.c_str(),
                result.count, result.largest);
    return true;
  }

  std::string path, ptx;
  Json json;
  std::map<std::string, ArrayData> arrays;
  std::shared_ptr<Module> module;
  std::map<std::string, uint64_t> addresses;
};

int replay(const std::vector<std::string> &files, bool statistics) {
  bool right = true;
  for (const std::string &path : files) {
    if (!path.ends_with(".json"))
      throw UserMistake{path + ": a record is a .json file"};
    try {
      Record record(path);
      right &= record.replay();
      if (statistics)
        std::fputs(statisticsText(record.device.statistics()).c_str(), stdout);
    } catch (const Json::exception &error) {
      throw UserMistake{path + ": this is no record of a launch: " + error.what()};
    }
  }
  return right ? kDone : kNumbersDiffer;
}

} // namespace

void addReplay(CLI::App &ptxsim, int &exitCode) {
  auto *command = ptxsim.add_subcommand("replay", "Launch what was recorded and compare its outputs");
  auto files = std::make_shared<std::vector<std::string>>();
  auto statistics = std::make_shared<bool>(false);
  command->add_option("FILE", *files, "NAME.smXX.json; NAME.smXX.ptx and NAME.npz lie beside it")->required();
  command->add_flag("--stats", *statistics, "Print instructions and how fast they ran");
  command->callback([files, statistics, &exitCode] { exitCode = replay(*files, *statistics); });
}

} // namespace weft::ptxsim
