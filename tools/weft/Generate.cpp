// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/weft/Generate.h"

#include "tools/weft/PagedTexts.h"

#include <algorithm>
#include <chrono>

namespace weft::cli {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

const Array *findInput(const std::vector<Array> &inputs, std::string_view name) {
  auto found = std::find_if(inputs.begin(), inputs.end(), [&](const Array &array) { return array.name == name; });
  return found == inputs.end() ? nullptr : &*found;
}

/// The scores after a row's last column belong to its last token only where that is no padding.
Result<void> checkPadding(const std::vector<Array> &inputs, const std::string &place) {
  const Array *mask = findInput(inputs, "attention_mask");
  if (!mask)
    return {};
  int64_t columns = mask->shape[1];
  for (int64_t row = 0; row < mask->shape[0]; ++row)
    if (columns > 0 && mask->values<int64_t>()[(row + 1) * columns - 1] == 0)
      return Diagnostic{"W0518", "text " + std::to_string(row + 1) + " is padded on the right", place,
                        "put padding before the text: the last column of attention_mask must be 1"};
  return {};
}

/// The texts of a batch as they grow.
class Batch {
public:
  /// `mask` may be null: no row is padded.
  Batch(const Array &ids, const Array *mask, const GenerateOptions &options, std::vector<int64_t> ends)
      : columns(ids.shape[1]), ends(std::move(ends)), lengths(ids.shape[0]), isDone(ids.shape[0]) {
    for (int64_t row = 0; row < ids.shape[0]; ++row) {
      auto begin = ids.values<int64_t>().begin() + row * columns;
      rows.emplace_back(begin, begin + columns);
      int64_t start = 0; // padding is no part of a text
      while (mask && start < columns && mask->values<int64_t>()[row * columns + start] == 0)
        ++start;
      starts.push_back(start);
      samplers.emplace_back(options.sampling, options.seed + row);
    }
  }

  /// Appends a token to each row by its scores [batch, vocabulary]; false where they are no numbers.
  bool extend(const Array &scores, const std::function<bool(int64_t, int64_t)> &onToken) {
    size_t vocabulary = scores.shape[1];
    for (size_t row = 0; row < rows.size(); ++row) {
      if (isDone[row]) {
        rows[row].push_back(rows[row].back());
        continue;
      }
      std::optional<int64_t> token = samplers[row].pick(scores.values<float>().subspan(row * vocabulary, vocabulary),
                                                        std::span<const int64_t>(rows[row]).subspan(starts[row]));
      if (!token)
        return false;
      rows[row].push_back(*token);
      ++lengths[row];
      bool isEnd = std::find(ends.begin(), ends.end(), *token) != ends.end();
      isDone[row] = onToken(row, *token) || isEnd;
    }
    return true;
  }

  const std::vector<bool> &done() const { return isDone; }
  bool allDone() const {
    return std::all_of(isDone.begin(), isDone.end(), [](bool done) { return done; });
  }
  void copyLast(std::span<int64_t> out) const {
    for (size_t row = 0; row < rows.size(); ++row)
      out[row] = rows[row].back();
  }

  Array sequences() const {
    std::vector<int64_t> all;
    for (const std::vector<int64_t> &row : rows)
      all.insert(all.end(), row.begin(), row.end());
    return Array::of("sequences", {int64_t(rows.size()), int64_t(rows.front().size())}, all);
  }

  int64_t columns;
  std::vector<int64_t> ends, lengths;

private:
  std::vector<std::vector<int64_t>> rows;
  std::vector<int64_t> starts; ///< of each row's text
  std::vector<Sampler> samplers;
  std::vector<bool> isDone;
};

Diagnostic cannotGenerate(const std::string &path, const std::string &entry) {
  return {
      "W0517", "the model does not continue texts: it has no entry '" + entry + "'", path,
      "models with prefill and decode do, such as Mamba with its language model's head; weft inspect lists entries"};
}

Diagnostic noNumbers(const std::string &path, int64_t tokens) {
  return {"W0519", "the scores of the next token are no numbers, after " + std::to_string(tokens) + " new tokens", path,
          "weights or inputs hold NaN or infinity, or the model's numbers leave the range of f32"};
}

/// What gives the scores of the token after each row.
class Scorer {
public:
  virtual ~Scorer() = default;
  /// Reads the inputs of prefill: scores [rows, vocabulary].
  virtual Result<const Array *> begin(const std::vector<Array> &inputs) = 0;
  /// Goes on by a token of each row; of one that is done any scores will do.
  virtual Result<const Array *> next(const Batch &batch) = 0;
};

/// Rows that the session keeps.
class StateScorer : public Scorer {
public:
  StateScorer(const Model &model, Runner &prefill, const Entry &decode)
      : path(model.path()), prefill(prefill), step(prefill.beside(decode)) {}

  Result<const Array *> begin(const std::vector<Array> &inputs) override {
    Result<std::vector<Array>> scores = prefill.run(inputs, {"logits"});
    if (!scores) // it has checked names, types and shapes of the inputs
      return scores.takeError();
    if (Result<void> checked = checkPadding(inputs, path); !checked)
      return checked.takeError();
    first = std::move(scores->front());
    int64_t rows = first.shape[0];
    if (Result<void> prepared =
            step.prepare({Array::of<int64_t>("input_ids", {rows, 1}, std::vector<int64_t>(rows))}, {"logits"});
        !prepared)
      return prepared.takeError();
    return &first;
  }

  Result<const Array *> next(const Batch &batch) override {
    batch.copyLast(step.input<int64_t>(0));
    if (Result<void> ran = step.again(); !ran)
      return ran.takeError();
    return &step.outputs().front();
  }

private:
  std::string path;
  Runner &prefill;
  Runner step;
  Array first;
};

/// Rows whose keys and values lie in pages: one that is done gives its pages back.
class PageScorer : public Scorer {
public:
  explicit PageScorer(const Model &model, Runner &prefill) : path(model.path()), prefill(prefill) {}

  Result<const Array *> begin(const std::vector<Array> &inputs) override {
    const Array *ids = findInput(inputs, "input_ids"), *mask = findInput(inputs, "attention_mask");
    if (!ids || ids->shape.size() != 2)
      return Diagnostic{"W0412", "the input 'input_ids' [batch, sequence] is missing", path, "give the texts' tokens"};
    if (mask && mask->shape != ids->shape)
      return Diagnostic{"W0414", "attention_mask has another shape than input_ids", path, "give one number a token"};
    if (Result<void> checked = checkPadding(inputs, path); !checked)
      return checked.takeError();
    Result<PagedTexts> made = PagedTexts::make(prefill, ids->shape[0]);
    if (!made)
      return made.takeError();
    texts = std::move(*made);
    std::vector<std::vector<int64_t>> parts;
    for (int64_t row = 0; row < ids->shape[0]; ++row)
      parts.push_back(withoutPadding(*ids, mask, row));
    return texts->step(parts);
  }

  Result<const Array *> next(const Batch &batch) override {
    std::vector<int64_t> last(batch.lengths.size());
    batch.copyLast(last);
    std::vector<std::vector<int64_t>> parts(last.size());
    for (size_t row = 0; row < last.size(); ++row)
      if (!batch.done()[row])
        parts[row] = {last[row]};
    return texts->step(parts);
  }

private:
  static std::vector<int64_t> withoutPadding(const Array &ids, const Array *mask, int64_t row) {
    std::vector<int64_t> tokens;
    for (int64_t at = row * ids.shape[1]; at < (row + 1) * ids.shape[1]; ++at)
      if (!mask || mask->values<int64_t>()[at] != 0)
        tokens.push_back(ids.values<int64_t>()[at]);
    return tokens;
  }

  std::string path;
  Runner &prefill;
  std::optional<PagedTexts> texts;
};

} // namespace

Result<Opened> openToGenerate(const RunArguments &arguments) {
  RunArguments generating = arguments;
  if (!arguments.entry.empty() && arguments.entry != "prefill")
    return Diagnostic{"W0512", "texts are continued by prefill and decode, not by " + arguments.entry, "--entry",
                      "leave --entry out"};
  generating.entry.clear();
  Result<Opened> opened = open(generating);
  if (!opened)
    return opened.takeError();
  Result<Entry> prefill = opened->model.entry("prefill");
  if (!prefill)
    return cannotGenerate(arguments.path, "prefill");
  opened->runner = opened->runner.beside(*prefill);
  opened->entry = std::move(*prefill);
  return opened;
}

Result<Generated> generate(const Model &model, Runner &prefill, const std::vector<Array> &inputs,
                           const GenerateOptions &options,
                           const std::function<bool(int64_t row, int64_t token)> &onToken) {
  Result<Entry> decode = model.entry("decode");
  if (!decode)
    return cannotGenerate(model.path(), "decode");
  std::unique_ptr<Scorer> scorer;
  if (isPaged(*decode))
    scorer = std::make_unique<PageScorer>(model, prefill);
  else
    scorer = std::make_unique<StateScorer>(model, prefill, *decode);
  Generated result;
  double start = now();
  Result<const Array *> scores = scorer->begin(inputs);
  if (!scores)
    return scores.takeError();
  result.prefillSeconds = now() - start;
  Batch batch(*findInput(inputs, "input_ids"), findInput(inputs, "attention_mask"), options,
              options.ignoreEnd ? std::vector<int64_t>() : model.endTokens());
  if (!batch.extend(**scores, onToken))
    return noNumbers(model.path(), 0);
  start = now();
  for (result.steps = 0; result.steps + 1 < options.maxNewTokens && !batch.allDone(); ++result.steps) {
    scores = scorer->next(batch);
    if (!scores)
      return scores.takeError();
    if (!batch.extend(**scores, onToken))
      return noNumbers(model.path(), result.steps + 1);
  }
  result.decodeSeconds = now() - start;
  result.sequences = batch.sequences();
  result.lengths = batch.lengths;
  return result;
}

} // namespace weft::cli
