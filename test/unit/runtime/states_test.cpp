// Part of Weft, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a session keeps from call to call: extents, resets, failed calls, reading and setting.
#include "test/unit/runtime/Artifact.h"
#include "test/unit/runtime/StatefulModel.h"

using namespace weft::test;
using Values = std::vector<float>;

namespace {

weft_session_info describe(weft_session *session) {
  weft_session_info info = {};
  EXPECT_EQ(weft_session_describe(session, &info), WEFT_OK);
  return info;
}

/// The last error's status, and a part of its text.
void expectError(weft_status status, weft_status expected, const std::string &part) {
  EXPECT_EQ(status, expected);
  EXPECT_NE(std::string(weft_last_error()).find(part), std::string::npos) << weft_last_error();
}

weft_status set(weft_session *session, const char *name, Values values, std::vector<int64_t> shape) {
  weft_tensor state = {name, values.data(), values.size() * 4, WEFT_F32, int32_t(shape.size()), {}};
  std::copy(shape.begin(), shape.end(), state.shape);
  return weft_session_set_state(session, &state);
}

int64_t stepsOf(weft_session *session) {
  int64_t steps = -1;
  weft_tensor state = {"steps", &steps, 8, WEFT_I64, 0, {}};
  EXPECT_EQ(weft_session_get_state(session, &state), WEFT_OK) << weft_last_error();
  return steps;
}

/// A session of three places of "capacity".
weft_status openOfThree(const StatefulModel &stateful, weft_session *&session) {
  weft_dim_limit limit = {"capacity", 3};
  weft_session_options options = {};
  options.size = sizeof(options);
  options.threads = 1;
  options.dim_limits = &limit;
  options.dim_limit_count = 1;
  return weft_session_new(stateful.model, &options, &session);
}

class States : public testing::Test {
protected:
  StatefulModel stateful;
  OpenSession open{stateful.model, 1};
  weft_session *session = open.session;
};

} // namespace

TEST_F(States, LiveFromCallToCall) {
  EXPECT_EQ(StatefulModel::add(session, {1, 2}), Values({1, 2}));
  EXPECT_EQ(StatefulModel::add(session, {10, 20}), Values({11, 22}));
  EXPECT_EQ(stepsOf(session), 2);
}

TEST_F(States, SessionsAreIndependent) {
  OpenSession other(stateful.model, 1);
  EXPECT_EQ(StatefulModel::add(session, {1, 2}), Values({1, 2}));
  EXPECT_EQ(StatefulModel::add(other.session, {5}), Values({5}));
  EXPECT_EQ(StatefulModel::add(session, {1, 2}), Values({2, 4}));
}

TEST_F(States, KeepTheExtentsOfTheFirstCall) {
  EXPECT_EQ(StatefulModel::add(session, {1, 2}), Values({1, 2}));
  EXPECT_EQ(StatefulModel::add(session, {1, 2, 3}), Values());
  expectError(WEFT_ERROR_SHAPE, WEFT_ERROR_SHAPE, "error[W0421]: this session holds state for n 2, here it is 3");
  expectError(WEFT_ERROR_SHAPE, WEFT_ERROR_SHAPE, "weft_session_reset");
  EXPECT_EQ(StatefulModel::note(session, {1, 2, 3}), WEFT_ERROR_SHAPE); // the same n, by another entry
  EXPECT_EQ(StatefulModel::add(session, {1, 2}), Values({2, 4}));
  EXPECT_EQ(weft_session_reset(session), WEFT_OK);
  EXPECT_EQ(StatefulModel::add(session, {1, 2, 3}), Values({1, 2, 3}));
  EXPECT_EQ(stepsOf(session), 1);
}

TEST_F(States, StayAsTheyWereWhenACallFails) {
  EXPECT_EQ(StatefulModel::add(session, {1, 2}), Values({1, 2}));
  Values x(2);
  weft_tensor input = {"x", x.data(), 7, WEFT_F32, 1, {2}};
  EXPECT_EQ(weft_run(session, "add", &input, 1, nullptr, 0), WEFT_ERROR_SHAPE);
  EXPECT_EQ(StatefulModel::sum(session, 2), Values({1, 2}));
  // A failed first call tells no extents.
  EXPECT_EQ(weft_session_reset(session), WEFT_OK);
  EXPECT_EQ(weft_run(session, "add", &input, 1, nullptr, 0), WEFT_ERROR_SHAPE);
  EXPECT_EQ(StatefulModel::add(session, {1, 2, 3}), Values({1, 2, 3}));
}

TEST_F(States, BytesAreThoseOfKnownExtents) {
  EXPECT_EQ(describe(session).state_bytes, 8u); // steps
  EXPECT_EQ(StatefulModel::add(session, {1, 2}), Values({1, 2}));
  EXPECT_EQ(describe(session).state_bytes, 8u + 2 * 4);
  EXPECT_EQ(StatefulModel::note(session, {1, 2}), WEFT_OK) << weft_last_error();
  EXPECT_EQ(describe(session).state_bytes, 8u + 2 * 4 + 2 * 1000 * 4);
  EXPECT_EQ(weft_session_reset(session), WEFT_OK);
  EXPECT_EQ(describe(session).state_bytes, 8u);
}

TEST_F(States, MemoryStaysOverThousandsOfCalls) {
  EXPECT_EQ(StatefulModel::add(session, {1, 2}), Values({1, 2}));
  uint64_t reserved = describe(session).reserved_bytes;
  for (int call = 2; call < 900; ++call)
    ASSERT_EQ(StatefulModel::add(session, {1, 2}), Values({float(call), float(2 * call)}));
  EXPECT_EQ(describe(session).reserved_bytes, reserved);
}

TEST_F(States, ADimensionOfNoInputIsTheSessions) {
  weft_session *narrow = nullptr;
  ASSERT_EQ(openOfThree(stateful, narrow), WEFT_OK) << weft_last_error();
  for (float step = 1; step < 4; ++step)
    ASSERT_EQ(StatefulModel::note(narrow, {step, 10 * step}), WEFT_OK) << weft_last_error();
  Values cache(6);
  weft_tensor state = {"cache", cache.data(), 24, WEFT_F32, 0, {}};
  ASSERT_EQ(weft_session_get_state(narrow, &state), WEFT_OK) << weft_last_error();
  EXPECT_EQ(cache, Values({1, 2, 3, 10, 20, 30}));
  EXPECT_EQ(state.rank, 2);
  EXPECT_EQ(state.shape[1], 3);
  weft_session_free(narrow);
}

TEST_F(States, AnIndexStateIsCheckedBeforeEachCall) {
  int64_t steps = 999;
  weft_tensor state = {"steps", &steps, 8, WEFT_I64, 1, {1}};
  ASSERT_EQ(weft_session_set_state(session, &state), WEFT_OK) << weft_last_error();
  EXPECT_EQ(StatefulModel::note(session, {1}), WEFT_OK);
  expectError(StatefulModel::note(session, {1}), WEFT_ERROR_INDEX, "is 1000, it must lie in [0, 1000)");
  expectError(WEFT_ERROR_INDEX, WEFT_ERROR_INDEX, "state \"steps\"");
  EXPECT_EQ(stepsOf(session), 1000);
  steps = -1;
  expectError(weft_session_set_state(session, &state), WEFT_ERROR_INDEX, "is -1, it must lie in [0, 1000)");
  EXPECT_EQ(stepsOf(session), 1000);
}

TEST(StatesFull, ACallThatNeedsMorePlacesThanAreFreeChangesNothing) {
  StatefulModel stateful;
  stateful.states[1].index_limit = 0;
  stateful.states[1].fills = "capacity";
  stateful.states[1].fills_by = "n";
  weft_session *session = nullptr;
  ASSERT_EQ(openOfThree(stateful, session), WEFT_OK) << weft_last_error();
  // A first call that is too long, with states that nothing has touched.
  expectError(StatefulModel::note(session, {1, 2, 3, 4}), WEFT_ERROR_INDEX,
              "0 of 3 places of 'capacity' are taken, and the call needs 4");
  int64_t steps = 2;
  weft_tensor state = {"steps", &steps, 8, WEFT_I64, 1, {1}};
  ASSERT_EQ(weft_session_set_state(session, &state), WEFT_OK) << weft_last_error();
  expectError(StatefulModel::note(session, {1, 2}), WEFT_ERROR_INDEX,
              "2 of 3 places of 'capacity' are taken, and the call needs 2");
  EXPECT_EQ(stepsOf(session), 2);
  EXPECT_EQ(StatefulModel::note(session, {1}), WEFT_OK) << weft_last_error();
  expectError(StatefulModel::note(session, {1}), WEFT_ERROR_INDEX, "3 of 3 places");
  // What a caller sets may be anything.
  steps = -1;
  ASSERT_EQ(weft_session_set_state(session, &state), WEFT_OK) << weft_last_error();
  expectError(StatefulModel::note(session, {1}), WEFT_ERROR_INDEX, "-1 of 3 places");
  EXPECT_EQ(weft_session_reset(session), WEFT_OK);
  EXPECT_EQ(StatefulModel::note(session, {1, 2}), WEFT_OK) << weft_last_error();
  weft_session_free(session);
}

TEST_F(States, AreMovedToAnotherSession) {
  EXPECT_EQ(StatefulModel::add(session, {1, 2}), Values({1, 2}));
  OpenSession fork(stateful.model, 1);
  weft_tensor shape = {};
  shape.name = "sum";
  ASSERT_EQ(weft_session_state_shape(session, &shape), WEFT_OK);
  EXPECT_EQ(shape.bytes, 8u);
  EXPECT_EQ(shape.dtype, WEFT_F32);
  EXPECT_EQ(shape.rank, 1);
  EXPECT_EQ(shape.shape[0], 2);
  ASSERT_EQ(set(fork.session, "sum", StatefulModel::sum(session, 2), {2}), WEFT_OK) << weft_last_error();
  EXPECT_EQ(StatefulModel::add(fork.session, {1, 1}), Values({2, 3}));
  EXPECT_EQ(StatefulModel::add(fork.session, {1}), Values()); // it holds two rows now
  EXPECT_EQ(StatefulModel::add(session, {10, 10}), Values({11, 12}));
}

TEST_F(States, ReadAsZerosWhereNothingHasTouchedThem) {
  EXPECT_EQ(stepsOf(session), 0);
  ASSERT_EQ(set(session, "cache", Values(2000, 7), {2, 1000}), WEFT_OK) << weft_last_error();
  EXPECT_EQ(StatefulModel::sum(session, 2), Values({0, 0})); // n is known by the cache
}

TEST_F(States, RefuseWhatDoesNotFit) {
  Values room(8);
  weft_tensor state = StatefulModel::sumTensor(room);
  expectError(weft_session_get_state(session, &state), WEFT_ERROR_SHAPE, "the state has no extents yet");
  expectError(weft_session_state_shape(session, &state), WEFT_ERROR_SHAPE, "the state has no extents yet");
  expectError(set(session, "total", {1}, {1}), WEFT_ERROR_ARGUMENT, "no state 'total'; it has 3, the first is sum");
  expectError(set(session, "sum", {1, 2}, {1, 2}), WEFT_ERROR_SHAPE, "2 dimensions, the state has 1");
  expectError(set(session, "sum", {1, 2}, {3}), WEFT_ERROR_SHAPE, "has 8 bytes, the state needs 12");
  expectError(set(session, "sum", Values(9), {9}), WEFT_ERROR_SHAPE, "'n' is 9, entry 'add' allows 1 to 8");
  expectError(set(session, "steps", {1}, {1}), WEFT_ERROR_SHAPE, "type is f32, the state's is i64");
  int64_t steps[2] = {};
  weft_tensor two = {"steps", steps, 16, WEFT_I64, 1, {2}};
  expectError(weft_session_set_state(session, &two), WEFT_ERROR_SHAPE, "extent 0 of [2] is 2, the state's is 1");
  weft_tensor null = {"sum", nullptr, 8, WEFT_F32, 1, {2}};
  expectError(weft_session_set_state(session, &null), WEFT_ERROR_SHAPE, "the buffer is null");
  EXPECT_EQ(describe(session).state_bytes, 8u); // nothing was taken
  ASSERT_EQ(StatefulModel::add(session, {1, 2}), Values({1, 2}));
  expectError(set(session, "sum", {1, 2, 3}, {3}), WEFT_ERROR_SHAPE, "holds state for n 2, here it is 3");
  state.bytes = 7;
  expectError(weft_session_get_state(session, &state), WEFT_ERROR_SHAPE, "has 7 bytes, the state needs 8");
  EXPECT_EQ(weft_session_get_state(nullptr, &state), WEFT_ERROR_ARGUMENT);
  EXPECT_EQ(weft_session_set_state(session, nullptr), WEFT_ERROR_ARGUMENT);
  EXPECT_EQ(weft_session_state_shape(session, nullptr), WEFT_ERROR_ARGUMENT);
  EXPECT_EQ(StatefulModel::sum(session, 2), Values({1, 2}));
}

TEST_F(States, AreShownByTheApi) {
  EXPECT_EQ(weft_model_state_count(stateful.model), 3u);
  weft_tensor_info info;
  ASSERT_EQ(weft_model_state(stateful.model, 2, &info), WEFT_OK);
  EXPECT_STREQ(info.name, "cache");
  EXPECT_EQ(info.shape[0], -1);
  EXPECT_STREQ(info.dim_names[1], "capacity");
  ASSERT_EQ(weft_model_entry_state(stateful.model, "note", 1, &info), WEFT_OK);
  EXPECT_STREQ(info.name, "steps");
  EXPECT_EQ(info.shape[0], 1);
  EXPECT_EQ(info.dim_names[0], nullptr);
  EXPECT_EQ(info.index_limit, 1000);
  EXPECT_EQ(weft_model_state(stateful.model, 3, &info), WEFT_ERROR_ARGUMENT);
  EXPECT_EQ(weft_model_entry_state(stateful.model, "note", 2, &info), WEFT_ERROR_ARGUMENT);
  EXPECT_EQ(weft_model_state_count(nullptr), 0u);
  weft_entry_info entry;
  ASSERT_EQ(weft_model_entry(stateful.model, 1, &entry), WEFT_OK);
  EXPECT_EQ(entry.state_count, 2u);
  EXPECT_EQ(entry.input_count, 1u);
}

// What is broken, and the message that says so.
#define EXPECT_MALFORMED(damage, text)                                                                                 \
  do {                                                                                                                 \
    StatefulModel m;                                                                                                   \
    damage;                                                                                                            \
    weft_model *opened;                                                                                                \
    expectError(weft_open_linked(&m.descriptor, nullptr, nullptr, &opened), WEFT_ERROR_CORRUPT, text);                 \
  } while (false)

TEST(StatesDescriptor, Malformed) {
  EXPECT_MALFORMED(m.descriptor.state_count = -1, "a count and its array do not fit: states");
  EXPECT_MALFORMED(m.descriptor.state_dims = nullptr, "a count and its array do not fit: state_dims");
  EXPECT_MALFORMED(m.stateDims[1] = "n", "a dimension of the states comes twice: n");
  EXPECT_MALFORMED(m.stateDims[1] = nullptr, "a dimension of the states has no name");
  EXPECT_MALFORMED(m.states[1].name = "sum", "a state comes twice: sum");
  EXPECT_MALFORMED(m.states[0].name = nullptr, "a state has no name");
  EXPECT_MALFORMED(m.states[0].dtype = 99, "a state's element type is unknown: sum");
  EXPECT_MALFORMED(m.states[0].rank = 9, "a state's rank is not 0 to 8: sum");
  EXPECT_MALFORMED(m.cacheShape[1] = -3, "a state's extent names no dimension: cache");
  EXPECT_MALFORMED(m.states[0].index_limit = 4, "an index limit is on a state of numbers that are not whole: sum");
  EXPECT_MALFORMED(m.states[0].fills = m.states[0].fills_by = "n",
                   "a state counts places, and its numbers are not whole");
  EXPECT_MALFORMED(m.states[1].fills = "n", "or it is not known how many a call takes: steps");
  EXPECT_MALFORMED(m.addStates[1] = 3, "an entry uses a state that is not there: add");
  EXPECT_MALFORMED(m.addStates[1] = -1, "an entry uses a state that is not there: add");
  EXPECT_MALFORMED(m.addStates[1] = 0, "an entry uses a state twice: sum");
  EXPECT_MALFORMED(m.entries[0].states = nullptr, "a count and its array do not fit: add");
  EXPECT_MALFORMED(m.addDims[0].name = "m", "an entry lacks a dimension of a state that it uses: sum");
  EXPECT_MALFORMED(m.entries[1].state_count = 0, "in no input that must be given, and in no state: capacity");
}
