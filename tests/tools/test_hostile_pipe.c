/* SPDX-License-Identifier: MIT
 * sttcat as a pipe, against somebody who speaks sttcat/1 and lies: nobody hears that all has
 * arrived when it has not, and nobody waits for ever. */
#include "tests/support/fake_cat.h"
#include "tests/support/programs.h"
#include "tests/support/suite.h"
#include "tools/common/exits.h"
#include "tools/sttcat/hash.h"

#include <string.h>

enum { DATA_BYTES = 50000 };
static struct programs p;
static struct fake_cat f;
static uint8_t data[DATA_BYTES];

#define SAY(...) fake_say(&f, &(struct wire_message){__VA_ARGS__})

static void hello(uint8_t flags)
{
    SAY(.type = WIRE_HELLO, .job = JOB_PIPE, .flags = flags, .lanes = 1);
}

static struct wire_hash hash_of(size_t len)
{
    struct hash *h = hash_new();
    hash_add(h, data, len);
    struct wire_hash value = hash_value(h);
    hash_free(h);
    return value;
}

static void receipt(uint64_t bytes, size_t hashed)
{
    SAY(.type = WIRE_RECEIPT, .bytes = bytes, .hash = hash_of(hashed));
}

static void end(uint64_t bytes, size_t hashed)
{
    SAY(.type = WIRE_END, .bytes = bytes, .hash = hash_of(hashed));
}

static void say_done(void)
{
    SAY(.type = WIRE_DONE);
}

static stt_handle give(size_t len)
{
    static const uint8_t number = 0;
    stt_handle lane = fake_open(&f);
    fake_write(&f, lane, &number, 1);
    fake_write(&f, lane, data, len);
    return lane;
}

/* -- takers of DATA_BYTES -----------------------------------------------------------------------
 */

static void takes_all(void)
{
    hello(WIRE_TAKES);
    fake_hear(&f, WIRE_END);
    receipt(DATA_BYTES, DATA_BYTES);
    say_done();
    fake_hear(&f, WIRE_DONE);
}

static void receipts_another_hash(void)
{
    hello(WIRE_TAKES);
    fake_hear(&f, WIRE_END);
    receipt(DATA_BYTES, DATA_BYTES - 1);
}

static void receipts_another_count(void)
{
    hello(WIRE_TAKES);
    fake_hear(&f, WIRE_END);
    receipt(DATA_BYTES - 1, DATA_BYTES);
}

static void receipts_twice(void)
{
    hello(WIRE_TAKES);
    fake_hear(&f, WIRE_END);
    receipt(DATA_BYTES, DATA_BYTES);
    receipt(DATA_BYTES, DATA_BYTES);
}

static void ends_what_it_does_not_give(void)
{
    hello(WIRE_TAKES);
    ck_assert(fake_reads(&f, 1 + DATA_BYTES));
    end(0, 0);
}

static void is_done_without_a_receipt(void)
{
    hello(WIRE_TAKES);
    fake_hear(&f, WIRE_END);
    say_done();
}

static void is_done_at_once(void)
{
    hello(WIRE_TAKES);
    say_done();
}

static void stops_talking(void)
{
    hello(WIRE_TAKES);
    fake_hear(&f, WIRE_END);
    (void)stt_stream_finish(stt_node_endpoint(f.node), stt_node_now(f.node), f.control);
}

static void leaves_without_a_receipt(void)
{
    hello(WIRE_TAKES);
    fake_hear(&f, WIRE_END);
    fake_close(&f, CODE_DONE);
}

static void wants_a_file(void)
{
    hello(WIRE_TAKES);
    SAY(.type = WIRE_WANT, .index = 0);
}

static void greets_twice(void)
{
    hello(WIRE_TAKES);
    hello(WIRE_TAKES);
}

static void greets_with_two_lanes(void)
{
    SAY(.type = WIRE_HELLO, .job = JOB_PIPE, .flags = WIRE_TAKES, .lanes = 2);
}

/* It says that it takes nothing, and that it has all. */
static void takes_nothing_and_is_done(void)
{
    hello(0);
    fake_hear(&f, WIRE_HELLO);
    say_done();
}

/* -- givers -------------------------------------------------------------------------------------
 */

static void gives_all(void)
{
    hello(WIRE_GIVES);
    fake_finish(&f, give(DATA_BYTES));
    end(DATA_BYTES, DATA_BYTES);
    const struct wire_message *m = fake_hear(&f, WIRE_RECEIPT);
    struct wire_hash whole = hash_of(DATA_BYTES);
    ck_assert(m && m->bytes == DATA_BYTES && hash_equal(&m->hash, &whole));
    fake_hear(&f, WIRE_DONE);
    say_done();
}

static void ends_with_fewer(void)
{
    hello(WIRE_GIVES);
    fake_finish(&f, give(DATA_BYTES));
    end(DATA_BYTES - 1, DATA_BYTES);
}

static void ends_with_more(void)
{
    hello(WIRE_GIVES);
    fake_finish(&f, give(DATA_BYTES - 1));
    end(DATA_BYTES, DATA_BYTES);
}

static void ends_with_another_hash(void)
{
    hello(WIRE_GIVES);
    fake_finish(&f, give(DATA_BYTES));
    end(DATA_BYTES, DATA_BYTES - 1);
}

static void ends_twice(void)
{
    hello(WIRE_GIVES);
    end(0, 0);
    end(0, 0);
}

static void is_done_without_an_end(void)
{
    hello(WIRE_GIVES);
    fake_finish(&f, give(DATA_BYTES));
    say_done();
}

static void is_done_before_its_receipt(void)
{
    hello(WIRE_GIVES);
    give(DATA_BYTES); /* and there may be more */
    end(DATA_BYTES, DATA_BYTES);
    say_done();
}

static void resets_its_lane(void)
{
    hello(WIRE_GIVES);
    stt_handle lane = give(DATA_BYTES);
    fake_hear(&f, WIRE_HELLO);
    (void)stt_stream_reset(stt_node_endpoint(f.node), stt_node_now(f.node), lane, 1);
    end(DATA_BYTES, DATA_BYTES);
}

static void leaves_before_its_end(void)
{
    hello(WIRE_GIVES);
    fake_finish(&f, give(DATA_BYTES));
    fake_hear(&f, WIRE_HELLO);
    fake_close(&f, CODE_DONE);
}

static void opens_two_lanes(void)
{
    hello(WIRE_GIVES);
    give(10);
    give(10);
}

static void opens_lane_one(void)
{
    static const uint8_t number = 1;
    hello(WIRE_GIVES);
    fake_write(&f, fake_open(&f), &number, 1);
}

static void receipts_nothing(void)
{
    hello(WIRE_GIVES);
    receipt(0, 0);
    receipt(0, 0);
}

enum { CODE_OURS = 1000 };
static const struct lie {
    const char *name;
    void (*play)(void);
    bool takes; /* the liar */
    int exits;
    unsigned code;
} lies[] = {
    {"takes_all", takes_all, true, EXIT_DONE, CODE_DONE},
    {"receipts_another_hash", receipts_another_hash, true, EXIT_INTEGRITY, CODE_INTEGRITY},
    {"receipts_another_count", receipts_another_count, true, EXIT_INTEGRITY, CODE_INTEGRITY},
    {"receipts_twice", receipts_twice, true, EXIT_NETWORK, CODE_PROTOCOL},
    {"ends_what_it_does_not_give", ends_what_it_does_not_give, true, EXIT_NETWORK, CODE_PROTOCOL},
    {"is_done_without_a_receipt", is_done_without_a_receipt, true, EXIT_NETWORK, CODE_PROTOCOL},
    {"is_done_at_once", is_done_at_once, true, EXIT_NETWORK, CODE_PROTOCOL},
    {"stops_talking", stops_talking, true, EXIT_NETWORK, CODE_PROTOCOL},
    {"leaves_without_a_receipt", leaves_without_a_receipt, true, EXIT_NETWORK, CODE_OURS},
    {"wants_a_file", wants_a_file, true, EXIT_NETWORK, CODE_PROTOCOL},
    {"greets_twice", greets_twice, true, EXIT_NETWORK, CODE_PROTOCOL},
    {"greets_with_two_lanes", greets_with_two_lanes, true, EXIT_NETWORK, CODE_PROTOCOL},
    {"takes_nothing_and_is_done", takes_nothing_and_is_done, true, EXIT_REFUSED, CODE_REFUSED},
    {"gives_all", gives_all, false, EXIT_DONE, CODE_DONE},
    {"ends_with_fewer", ends_with_fewer, false, EXIT_INTEGRITY, CODE_INTEGRITY},
    {"ends_with_more", ends_with_more, false, EXIT_INTEGRITY, CODE_INTEGRITY},
    {"ends_with_another_hash", ends_with_another_hash, false, EXIT_INTEGRITY, CODE_INTEGRITY},
    {"ends_twice", ends_twice, false, EXIT_NETWORK, CODE_PROTOCOL},
    {"is_done_without_an_end", is_done_without_an_end, false, EXIT_NETWORK, CODE_PROTOCOL},
    {"is_done_before_its_receipt", is_done_before_its_receipt, false, EXIT_NETWORK, CODE_PROTOCOL},
    {"resets_its_lane", resets_its_lane, false, EXIT_NETWORK, CODE_PROTOCOL},
    {"leaves_before_its_end", leaves_before_its_end, false, EXIT_NETWORK, CODE_OURS},
    {"opens_two_lanes", opens_two_lanes, false, EXIT_NETWORK, CODE_PROTOCOL},
    {"opens_lane_one", opens_lane_one, false, EXIT_NETWORK, CODE_PROTOCOL},
    {"receipts_nothing", receipts_nothing, false, EXIT_NETWORK, CODE_PROTOCOL},
};
enum { LIES = sizeof lies / sizeof *lies };

/* -- the stage ----------------------------------------------------------------------------------
 */

static void ends(struct job *j, const struct lie *lie)
{
    if (lie->code == CODE_DONE && f.goes)
        fake_close(&f, CODE_DONE);
    else if (lie->code == CODE_OURS)
        fake_wait_closed(&f);
    else
        fake_require_closed(&f, lie->code);
    ck_assert_msg(job_ends_within(j, STT_S(5)), "%s: it does not end", lie->name);
    ck_assert_msg(j->status == lie->exits, "%s: status %d, not %d: %s", lie->name, j->status,
                  lie->exits, j->err.text);
}

/* With each driver, and on both sides of the handshake. */
START_TEST(nobody_believes_a_liar)
{
    const struct lie *lie = &lies[_i];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + (i >> 8) + 1);
    for (int side = 0; side < PROGRAMS_IOS; side++) {
        if (!programs_begin_in_memory(&p, programs_ios[side]))
            continue;
        trees_write("in", data, sizeof data);
        struct job *j =
            fake_cat_meet(&f, &p, side, lie->takes ? "--send-only <in" : "--recv-only >out");
        lie->play();
        ends(j, lie);
        if (lie->exits == EXIT_DONE && !lie->takes)
            job_require(programs_run(&p, "cmp in out"), 0);
        fake_cat_end(&f);
        programs_end(&p);
    }
}
END_TEST

SUITE("hostile_pipe", LOOP(nobody_believes_a_liar, 0, LIES))
