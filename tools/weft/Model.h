// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model that can be run, whichever way it came: an artifact that was opened, or a model compiled into this process.
#ifndef WEFT_TOOLS_WEFT_MODEL_H
#define WEFT_TOOLS_WEFT_MODEL_H

#include "frontends/text/Tokenizer.h"
#include "runtime/include/weft/runtime.h"
#include "tools/weft/Command.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace weft::cli {

/// The runtime's last error.
Diagnostic runtimeError();

/// Whether the path names an artifact rather than a model.
bool isArtifact(const std::string &path);

struct ModelOptions {
  std::vector<std::string> targets; ///< for a model; empty: the host's
  Bounds dimBounds;                 ///< for a model
  std::string weights = "keep";     ///< for a model
  std::string dtype = "f32";        ///< for a model: what products' weights are stored as
  int64_t expertsResident = 0;      ///< for an artifact: experts of each layer that stay in memory; 0: all
  std::string device = "auto";      ///< for an artifact: where it runs, as weft_open_options.device says
  bool isDescribed = false;         ///< for an artifact: nothing will run
};

struct Entry {
  std::string name;
  std::string variant; ///< the best that this processor has
  std::vector<weft_dim_info> dims;
  std::vector<weft_tensor_info> inputs;
  std::vector<weft_tensor_info> outputs;
  std::vector<weft_tensor_info> states; ///< what it reads and changes of what lives from call to call

  const weft_tensor_info *input(std::string_view name) const;
  const weft_tensor_info *output(std::string_view name) const;
  const weft_dim_info *dim(std::string_view name) const;
};

class Model {
public:
  /// Opens an artifact or compiles a model. Errors: W04xx, and those of import and compile.
  static Result<Model> open(const std::string &path, const ModelOptions &options = {});

  weft_model *handle() const { return model.get(); }
  std::string name() const { return weft_model_name(handle()); }
  std::string device() const { return weft_model_device(handle()); }
  const std::string &path() const { return folder; }
  bool artifact() const { return !executable; }
  /// Whether it holds some experts only, and counts what is chosen.
  bool countsExperts() const { return isCounting; }
  weft_experts_info experts() const;
  /// To open the artifact, or to compile.
  double loadSeconds() const { return seconds; }

  std::vector<Entry> entries() const;
  /// The entry of this name, or the first where the name is empty. W0508: there is none.
  Result<Entry> entry(const std::string &name) const;

  /// Nothing where the artifact does not say.
  std::optional<Work> work(const std::string &entry) const;

  /// The tokens that end a text, of a model that continues texts.
  std::vector<int64_t> endTokens() const;

  bool hasTokenizer() const;
  /// Of the model, which has one.
  Result<text::Tokenizer> tokenizer() const;

private:
  struct Close {
    void operator()(weft_model *model) const { weft_close(model); }
  };
  std::map<std::string, Work> computed; ///< of a model, by entry
  std::vector<int64_t> ends;            ///< of a model
  std::string tokenizerText;            ///< of a model that is one file
  std::optional<Executable> executable; ///< owns the model where it is set
  std::shared_ptr<weft_model> model;
  std::string folder;
  bool isCounting = false;
  double seconds = 0;
};

/// Runs one entry again and again.
class Runner {
public:
  /// W04xx: the runtime refuses the options.
  static Result<Runner> make(const Model &model, const Entry &entry, int threads, const std::string &variant = "");

  /// Another entry in the same session: the two share what it keeps from call to call.
  Runner beside(const Entry &other) const;
  /// Of the C API; the runner keeps it.
  weft_session *handle() const { return session.get(); }
  /// Forgets what the session keeps.
  Result<void> reset();

  /// The outputs of this name, or all where none is named.
  Result<std::vector<Array>> run(const std::vector<Array> &inputs, const std::vector<std::string> &names = {});

  /// Sets a state of the session, by its name.
  Result<void> setState(const Array &state);
  /// The entry's states as the last run left them.
  Result<std::vector<Array>> states();

  /// For many runs of the same inputs: no memory is taken by `again`. An entry with states goes on from what the last
  /// run left; `reset` makes them zeros.
  Result<void> prepare(const std::vector<Array> &inputs, const std::vector<std::string> &names = {});
  Result<void> again();
  const std::vector<Array> &outputs() const { return results; }
  /// The elements of an input that was prepared, to be changed between runs.
  template <class T> std::span<T> input(size_t index) {
    Array &array = given[index];
    assert(array.type == elementTypeOf<T>() && "the input holds elements of another type");
    return {reinterpret_cast<T *>(array.bytes.data()), array.bytes.size() / sizeof(T)};
  }

  int threads() const;
  std::string variant() const;
  /// Whether all of the work is done by this thread, so that its processor time is that of the work.
  bool isAlone() const { return isOnCpu() && threads() == 1; }
  bool isOnCpu() const { return device == "cpu"; }
  /// "1 thread", "4 threads", "cuda:0".
  std::string place() const;

private:
  std::shared_ptr<weft_session> session;
  Entry entry;
  std::string device;
  std::vector<Array> given, results;
  std::vector<weft_tensor> inputTensors, outputTensors;
};

/// What weft run and weft bench are told alike.
struct RunArguments : ModelOptions {
  std::string path, entry, variant;
  int threads = 0; ///< 0: all cores
};

/// Adds them to a command line. The threads that they hold are the default.
void addRunArguments(CLI::App &command, RunArguments &arguments);

/// A model, and one of its entries ready to run.
struct Opened {
  Model model;
  Entry entry;
  Runner runner;
};

/// W0503: they name what there is not; and the errors of the three.
Result<Opened> open(const RunArguments &arguments);

} // namespace weft::cli

#endif // WEFT_TOOLS_WEFT_MODEL_H
