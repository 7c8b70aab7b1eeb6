// SPDX-License-Identifier: Apache-2.0
// Two networks in one C++ program, each through both back ends at once; and what can go wrong with a simulation.
// Linked with both networks' libraries and one libaihls.a. Frames come from the file given, 64 floats each.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "digits.h"
#include "tiny.h"

#include "libaihls/aihls_simulation.hpp"

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                  \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

static aihls *open_network(const aihls_network &net, const aihls_backend *backend)
{
    aihls *a;
    CHECK(aihls_open(&net, backend, nullptr, &a) == AIHLS_OK);
    return a;
}

// ---- both networks, both back ends, frames interleaved ----

static void run_both(const std::vector<float> &frames)
{
    aihls *digits[2] = { open_network(digits_network, digits_backend("simulation")), open_network(digits_network, &digits_reference) };
    aihls *tiny[2] = { open_network(tiny_network, tiny_backend("simulation")), open_network(tiny_network, &tiny_reference) };
    unsigned seed = 1;
    int different = 0;
    for (size_t f = 0; f < frames.size() / DIGITS_INPUT0_COUNT && f < 3; f++) {
        float scores[2][DIGITS_OUTPUT0_COUNT];
        int8_t image[TINY_INPUT0_COUNT], result[2][TINY_OUTPUT0_COUNT];
        uint64_t ticket[2];
        for (int8_t &v : image)
            v = (int8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
        for (int k = 0; k < 2; k++)
            CHECK(tiny_submit(tiny[k], image, &ticket[k]) == AIHLS_OK);
        for (int k = 0; k < 2; k++)
            CHECK(digits_run(digits[k], &frames[f * DIGITS_INPUT0_COUNT], scores[k]) == AIHLS_OK);
        for (int k = 0; k < 2; k++)
            CHECK(tiny_wait(tiny[k], ticket[k], result[k], -1) == AIHLS_OK);
        CHECK(memcmp(scores[0], scores[1], sizeof scores[0]) == 0);
        CHECK(memcmp(result[0], result[1], sizeof result[0]) == 0);
        for (int i = 1; i < TINY_OUTPUT0_COUNT; i++)
            different += result[0][i] != result[0][0];
    }
    CHECK(different > 0);
    for (aihls *&a : digits)
        CHECK(aihls_close(&a) == AIHLS_OK && aihls_close(&a) == AIHLS_E_CLOSED);
    for (aihls *&a : tiny)
        CHECK(aihls_close(&a) == AIHLS_OK);
}

// ---- time ----

static void simulation_times_out_and_goes_on(const std::vector<float> &frames)
{
    aihls *a = open_network(digits_network, &digits_simulation);
    float first[DIGITS_OUTPUT0_COUNT], second[DIGITS_OUTPUT0_COUNT];
    uint64_t ticket, done;
    CHECK(digits_submit(a, frames.data(), &ticket) == AIHLS_OK);
    CHECK(digits_wait(a, ticket, first, 1) == AIHLS_E_TIMEOUT);
    CHECK(digits_wait(a, ticket, first, 0) == AIHLS_E_TIMEOUT);
    CHECK(digits_wait(a, ticket, first, -1) == AIHLS_OK);
    // who only polls gets there too
    CHECK(digits_submit(a, frames.data(), &ticket) == AIHLS_OK);
    int polls = 1;
    while (aihls_poll(a, &done) == AIHLS_E_TIMEOUT)
        polls++;
    CHECK(polls > 1 && done == ticket);
    CHECK(digits_wait(a, ticket, second, 0) == AIHLS_OK);
    CHECK(memcmp(first, second, sizeof first) == 0);
    // closed with a frame half way
    CHECK(digits_submit(a, frames.data(), &ticket) == AIHLS_OK);
    CHECK(digits_wait(a, ticket, first, 0) == AIHLS_E_TIMEOUT);
    CHECK(aihls_close(&a) == AIHLS_OK);
}

// ---- a design that stops taking its input; it has the wires of digits ----

static int beats_until_stuck;

struct Stuck {
    explicit Stuck(VerilatedContext *) {}
    CData clk = 0, rst = 0, s_in_valid = 0, s_in_ready = 1, m_out_valid = 0, m_out_ready = 0;
    IData s_in_data = 0, m_out_data = 0;
    int resets = 0, beats = 0;
    void eval()
    {
        resets += clk && rst;
        beats = rst ? 0 : beats + (clk && s_in_valid && s_in_ready);
        if (!clk) { // gives its input back, beyond a point nothing
            s_in_ready = beats < beats_until_stuck;
            m_out_valid = s_in_ready && s_in_valid;
            m_out_data = s_in_data;
        }
    }
    void final() {}
};

static void connect_stuck(Stuck &top, AihlsWires *inputs, AihlsWires *outputs)
{
    inputs[0] = { &top.s_in_data, &top.s_in_valid, &top.s_in_ready };
    outputs[0] = { &top.m_out_data, &top.m_out_valid, &top.m_out_ready };
}

static const char *const no_images[] = { nullptr }, *const lost_images[] = { "mem/there_is_no_such_file.hex", nullptr };

static void a_stuck_design_is_reset(const std::vector<float> &frames)
{
    static const AihlsDesign<Stuck> design = { connect_stuck, "/", no_images };
    static const aihls_backend stuck = aihls_simulation<Stuck>(&design);
    float scores[DIGITS_OUTPUT0_COUNT];
    uint64_t ticket[3];
    aihls_statistics s;
    const aihls_port &out = digits_network.outputs[0];
    beats_until_stuck = 3 * out.bytes / out.lanes; // enough for three results
    aihls *a = open_network(digits_network, &stuck);
    for (uint64_t &t : ticket)
        CHECK(digits_submit(a, frames.data(), &t) == AIHLS_OK);
    for (uint64_t t : ticket)
        CHECK(digits_wait(a, t, scores, -1) == AIHLS_OK);
    CHECK(digits_submit(a, frames.data(), &ticket[0]) == AIHLS_OK);
    CHECK(digits_submit(a, frames.data(), &ticket[1]) == AIHLS_OK);
    CHECK(digits_wait(a, ticket[1], scores, -1) == AIHLS_E_DEVICE);
    CHECK(digits_wait(a, ticket[0], scores, -1) == AIHLS_E_DEVICE);
    CHECK(aihls_read_statistics(a, &s) == AIHLS_OK && s.done == 3 && s.lost == 2);
    beats_until_stuck *= 2; // after the reset it works again
    CHECK(digits_run(a, frames.data(), scores) == AIHLS_OK);
    CHECK(aihls_close(&a) == AIHLS_OK);
}

static void missing_images_are_noticed()
{
    static const AihlsDesign<Stuck> design = { connect_stuck, "/", lost_images };
    static const aihls_backend lost = aihls_simulation<Stuck>(&design);
    aihls *a;
    CHECK(aihls_open(&digits_network, &lost, nullptr, &a) == AIHLS_E_BACKEND && !a);
}

int main(int argc, char **argv)
{
    std::vector<float> frames(3 * DIGITS_INPUT0_COUNT);
    FILE *f = fopen(argc > 1 ? argv[1] : "", "rb");
    CHECK(f && fread(frames.data(), sizeof(float), frames.size(), f) == frames.size());
    fclose(f);
    CHECK(!digits_backend("none") && !digits_backend(nullptr));
    run_both(frames);
    simulation_times_out_and_goes_on(frames);
    a_stuck_design_is_reset(frames);
    missing_images_are_noticed();
    puts("all is well");
    return 0;
}
