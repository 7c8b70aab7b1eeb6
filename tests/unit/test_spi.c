// SPDX-License-Identifier: Apache-2.0
// Tests drivers/aihls_spi.c on a host made by hand: what it sends, what it keeps of what comes, and its limits.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/aihls_spi.h"

#define MARK 0xc0

// The host: what the device says next, then marks; what it heard.
static struct {
    uint8_t says[4096], heard[4096];
    size_t n_says, said, n_heard, exchanges, longest;
    int64_t now;
    size_t fails_at; // exchange, from 1; 0: none
} host;
static struct aihls_spi spi;
static struct aihls_uart_line line;

static bool exchange(void *user, const uint8_t *out, uint8_t *in, size_t n)
{
    assert_ptr_equal(user, &host);
    assert_in_range(n, 1, AIHLS_SPI_EXCHANGE_BYTES);
    host.exchanges++;
    host.longest = n > host.longest ? n : host.longest;
    host.now += (int64_t)n;
    for (size_t i = 0; i < n; i++) {
        host.heard[host.n_heard++] = out[i];
        in[i] = host.said < host.n_says ? host.says[host.said++] : MARK;
    }
    return host.exchanges != host.fails_at;
}

static int64_t now_us(void *user)
{
    assert_ptr_equal(user, &host);
    return host.now;
}

static int setup(void **state)
{
    (void)state;
    memset(&host, 0, sizeof host);
    memset(&spi, 0x5a, sizeof spi);
    spi.user = &host;
    spi.exchange = exchange;
    spi.now_us = now_us;
    line = aihls_spi_line(&spi, 3000000, 1000);
    return 0;
}

static void says(const void *bytes, size_t n)
{
    memcpy(host.says + host.n_says, bytes, n);
    host.n_says += n;
}

// Takes all that has come; fails unless it is `want`.
static void expect_bytes(const void *want, size_t n)
{
    uint8_t have[4096];
    size_t got = 0;
    for (int k; got < n && (k = line.receive(line.user, have + got, n - got, 1000)) > 0;)
        got += (size_t)k;
    assert_int_equal(got, n);
    assert_memory_equal(have, want, n);
}

static void the_line_is_what_its_user_said(void **state)
{
    (void)state;
    assert_int_equal(line.baud, 3000000);
    assert_int_equal(line.latency_us, 1000);
    host.now = 77;
    assert_int_equal(line.now_us(line.user), 77);
}

static void listening_sends_marks_alone(void **state)
{
    (void)state;
    uint8_t byte;
    says("\x01", 1);
    assert_int_equal(line.receive(line.user, &byte, 1, 1000), 1);
    assert_int_equal(byte, 1);
    assert_true(host.n_heard > 0);
    for (size_t i = 0; i < host.n_heard; i++)
        assert_int_equal(host.heard[i], MARK);
}

static void marks_in_a_row_come_once(void **state)
{
    (void)state;
    uint8_t byte;
    says("\xc0\xc0\xc0\x05\xc0\xc0\xc0\x06\xc0\xc0", 10);
    expect_bytes("\xc0\x05\xc0\x06\xc0", 5);
    assert_int_equal(line.receive(line.user, &byte, 1, 100), 0);
}

static void answers_that_come_while_a_request_goes_out_are_kept(void **state)
{
    (void)state;
    uint8_t request[150];
    for (size_t i = 0; i < sizeof request; i++)
        request[i] = (uint8_t)i;
    says("\xc0\x01\x02\xc0\xc0\x03\x04\xc0", 8);
    assert_true(line.send(line.user, request, sizeof request));
    assert_int_equal(host.n_heard, sizeof request);
    assert_memory_equal(host.heard, request, sizeof request);
    assert_int_equal(host.longest, AIHLS_SPI_EXCHANGE_BYTES);
    size_t exchanges = host.exchanges;
    expect_bytes("\xc0\x01\x02\xc0\x03\x04\xc0", 7);
    assert_int_equal(host.exchanges, exchanges); // nothing more was asked of the device
}

static void an_answer_cut_by_exchanges_is_whole(void **state)
{
    (void)state;
    uint8_t answer[100];
    for (size_t i = 0; i < sizeof answer; i++)
        answer[i] = (uint8_t)(i + 1);
    says(answer, sizeof answer);
    expect_bytes(answer, sizeof answer);
}

static void nothing_comes_of_a_silent_device(void **state)
{
    (void)state;
    uint8_t bytes[8];
    assert_int_equal(line.receive(line.user, bytes, 8, 500), 1); // the first mark
    int64_t before = host.now;
    assert_int_equal(line.receive(line.user, bytes, 8, 500), 0);
    assert_in_range(host.now - before, 500, 500 + AIHLS_SPI_EXCHANGE_BYTES);
    assert_int_equal(line.receive(line.user, bytes, 8, 0), 0);
}

static void a_line_that_is_gone_is_said_to_be(void **state)
{
    (void)state;
    uint8_t bytes[100] = { 0 };
    host.fails_at = 2;
    assert_false(line.send(line.user, bytes, sizeof bytes));
    host.n_says = host.said = 0;
    spi.n = 0;
    host.fails_at = 3;
    assert_int_equal(line.receive(line.user, bytes, 1, 500), -1);
}

static void the_ring_keeps_what_it_has_room_for(void **state)
{
    (void)state;
    uint8_t all[2 * AIHLS_SPI_RING_BYTES], byte;
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)(i % 191);
    says(all, AIHLS_SPI_RING_BYTES + 100);
    assert_true(line.send(line.user, all, AIHLS_SPI_RING_BYTES + 100));
    expect_bytes(all, AIHLS_SPI_RING_BYTES);
    line.receive(line.user, &byte, 1, 500); // a mark
    // and again, across its end
    host.n_heard = host.n_says = host.said = 0;
    says(all + 100, 300);
    assert_true(line.send(line.user, all, 300));
    expect_bytes(all + 100, 300);
    host.n_heard = host.n_says = host.said = 0;
    says(all, AIHLS_SPI_RING_BYTES);
    assert_true(line.send(line.user, all, AIHLS_SPI_RING_BYTES));
    expect_bytes(all, AIHLS_SPI_RING_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_line_is_what_its_user_said, setup),
        cmocka_unit_test_setup(listening_sends_marks_alone, setup),
        cmocka_unit_test_setup(marks_in_a_row_come_once, setup),
        cmocka_unit_test_setup(answers_that_come_while_a_request_goes_out_are_kept, setup),
        cmocka_unit_test_setup(an_answer_cut_by_exchanges_is_whole, setup),
        cmocka_unit_test_setup(nothing_comes_of_a_silent_device, setup),
        cmocka_unit_test_setup(a_line_that_is_gone_is_said_to_be, setup),
        cmocka_unit_test_setup(the_ring_keeps_what_it_has_room_for, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
