/* SPDX-License-Identifier: MIT
 * sttcat with files, against somebody who speaks sttcat/1 and lies: who takes writes nothing
 * outside of its directory and touches nothing that was there; whoever is honest never says that
 * all is well when something is missing, and does not wait for ever. */
#include "tests/support/fake_cat.h"
#include "tests/support/programs.h"
#include "tests/support/suite.h"
#include "tools/common/exits.h"
#include "tools/sttcat/hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES = 100000 };
static struct programs p;
static struct fake_cat f;
static uint8_t data[FILE_BYTES];

/* -- what is said -------------------------------------------------------------------------------
 */

#define SAY(...) fake_say(&f, &(struct wire_message){__VA_ARGS__})

static void hello(uint8_t flags, uint8_t lanes)
{
    SAY(.type = WIRE_HELLO, .job = JOB_FILES, .flags = flags, .lanes = lanes);
}

static void name_it(uint64_t index, enum wire_kind kind, uint64_t bytes, const char *name)
{
    SAY(.type = WIRE_ENTRY, .index = index, .kind = (uint8_t)kind, .mode = 0640, .bytes = bytes,
        .modified_ns = STT_S(1000), .name = bytes_of(name, strlen(name)));
}

static void name_link(uint64_t index, const char *name, const char *target)
{
    SAY(.type = WIRE_ENTRY, .index = index, .kind = ENTRY_LINK, .mode = 0777,
        .name = bytes_of(name, strlen(name)), .target = bytes_of(target, strlen(target)));
}

static void end_list(uint64_t entries)
{
    SAY(.type = WIRE_LIST_END, .bytes = entries);
}

static struct wire_hash hash_of(const void *bytes, size_t len)
{
    struct hash *h = hash_new();
    hash_add(h, bytes, len);
    struct wire_hash value = hash_value(h);
    hash_free(h);
    return value;
}

static void say_done(void)
{
    SAY(.type = WIRE_DONE);
}

/* -- records ------------------------------------------------------------------------------------
 */

static stt_handle lane(uint8_t number)
{
    stt_handle stream = fake_open(&f);
    fake_write(&f, stream, &number, 1);
    return stream;
}

static void put_u64(stt_handle to, uint64_t value)
{
    uint8_t bytes[8];
    struct wr w = wr_init(bytes, sizeof bytes);
    wr_u64(&w, value);
    fake_write(&f, to, bytes, sizeof bytes);
}

static void put_begin(stt_handle to, uint64_t index, uint64_t offset)
{
    put_u64(to, index);
    put_u64(to, offset);
}

static void put_run(stt_handle to, size_t len)
{
    put_u64(to, len);
    fake_write(&f, to, data, len);
}

static void put_hole(stt_handle to, uint64_t len)
{
    put_u64(to, len | UINT64_C(1) << 63);
}

static void put_end(stt_handle to, uint8_t whole, uint64_t bytes, struct wire_hash hash)
{
    put_u64(to, 0);
    fake_write(&f, to, &whole, 1);
    put_u64(to, bytes);
    fake_write(&f, to, hash.bytes, sizeof hash.bytes);
}

static void put_record(stt_handle to, uint64_t index, size_t len)
{
    put_begin(to, index, 0);
    if (len)
        put_run(to, len);
    put_end(to, 1, len, hash_of(data, len));
}

/* -- givers -------------------------------------------------------------------------------------
 */

static void greet(void)
{
    hello(WIRE_GIVES, 2);
}

/* One file of FILE_BYTES that is wanted. */
static void begin_file(void)
{
    greet();
    name_it(0, ENTRY_FILE, FILE_BYTES, "file");
    fake_hear(&f, WIRE_WANT);
}

/* Says that it is done as an honest one does, when all has been settled. */
static void end_politely(uint64_t entries)
{
    end_list(entries);
    fake_hear(&f, WIRE_DONE);
    say_done();
}

static void settles(uint64_t index, enum wire_outcome outcome)
{
    const struct wire_message *m = fake_hear(&f, WIRE_SETTLED);
    ck_assert_ptr_nonnull(m);
    ck_assert_uint_eq(m->index, index);
    ck_assert_uint_eq(m->outcome, outcome);
}

static void gives_nothing_bad(void)
{
    greet();
    name_it(0, ENTRY_FILE, FILE_BYTES, "ok");
    fake_hear(&f, WIRE_WANT);
    put_record(lane(1), 0, FILE_BYTES);
    settles(0, OUTCOME_DONE);
    end_politely(1);
}

static const char *const bad_names[] = {
    "..", "../evil", "/evil", "sub/../../evil", ".", "sub/./x", "sub//x", "sub/", "", "x/.."};
static void names_a_bad_one(const char *name)
{
    greet();
    name_it(0, ENTRY_FILE, 3, name);
}

static void names_a_zero_byte(void)
{
    greet();
    SAY(.type = WIRE_ENTRY, .kind = ENTRY_FILE, .name = bytes_of("a\0b", 3));
}

static void names_256_bytes(void)
{
    char name[257];
    memset(name, 'x', 256);
    name[256] = '\0';
    names_a_bad_one(name);
}

static void wants_set_user_id(void)
{
    greet();
    SAY(.type = WIRE_ENTRY, .kind = ENTRY_FILE, .mode = 04755, .name = BYTES_TEXT("su"));
}

static void names_through_links_that_are_there(void)
{
    static const struct {
        enum wire_kind kind;
        const char *name;
        enum wire_outcome outcome;
    } all[] = {
        {ENTRY_FILE, "out/evil", OUTCOME_CONFINED},
        {ENTRY_DIRECTORY, "out/evil", OUTCOME_CONFINED},
        {ENTRY_DIRECTORY, "out", OUTCOME_CONFINED},
        {ENTRY_DIRECTORY_END, "out", OUTCOME_CONFINED},
        {ENTRY_FILE, "out", OUTCOME_EXISTS},
        {ENTRY_FILE, "canary-link", OUTCOME_EXISTS},
        {ENTRY_FILE, "nowhere", OUTCOME_EXISTS},
        {ENTRY_FILE, "y", OUTCOME_EXISTS}, /* y.part is a link that leads out */
        {ENTRY_FILE, "here/evil", OUTCOME_CONFINED},
        {ENTRY_FILE, "mine/evil", OUTCOME_EXISTS},
        {ENTRY_DIRECTORY_END, "never-made", OUTCOME_OUTPUT},
    };
    const uint64_t n = sizeof all / sizeof *all;
    greet();
    for (uint64_t i = 0; i < n; i++) {
        name_it(i, all[i].kind, all[i].kind == ENTRY_FILE ? 7 : 0, all[i].name);
        settles(i, all[i].outcome);
    }
    end_politely(n);
}

static void makes_links_that_lead_out(void)
{
    static const char *const targets[] = {
        "/etc/passwd", "../../outside", "x/../../../outside", "real/..", "../..", "//", "./../..",
    };
    const uint64_t n = sizeof targets / sizeof *targets;
    greet();
    for (uint64_t i = 0; i < n; i++) {
        name_link(i, "real/evil", targets[i]);
        settles(i, OUTCOME_CONFINED);
    }
    name_link(n, "evil", "..");
    settles(n, OUTCOME_CONFINED);
    end_politely(n + 1);
}

/* `sub` is a place where ".." is allowed once. */
static void makes_links_and_goes_through_them(void)
{
    greet();
    name_it(0, ENTRY_DIRECTORY, 0, "sub");
    settles(0, OUTCOME_DONE);
    name_link(1, "sub/up", "..");
    settles(1, OUTCOME_DONE);
    name_link(2, "sub/up2", "../..");
    settles(2, OUTCOME_CONFINED);
    name_it(3, ENTRY_FILE, 7, "sub/up/evil");
    settles(3, OUTCOME_CONFINED);
    name_link(4, "sub/up/up2", "../..");
    settles(4, OUTCOME_CONFINED);
    name_link(5, "sub/up/up3", "..");
    settles(5, OUTCOME_CONFINED);
    end_politely(6);
}

static void names_an_index_twice(void)
{
    greet();
    name_it(0, ENTRY_DIRECTORY, 0, "a");
    name_it(0, ENTRY_DIRECTORY, 0, "b");
}

static void leaves_an_index_out(void)
{
    greet();
    name_it(1, ENTRY_DIRECTORY, 0, "a");
}

static void names_a_file_twice(void)
{
    begin_file();
    name_it(1, ENTRY_FILE, FILE_BYTES, "file");
    settles(1, OUTCOME_BUSY);
    put_record(lane(0), 0, FILE_BYTES);
    settles(0, OUTCOME_DONE);
    end_politely(2);
}

static void names_a_part_file(void)
{
    begin_file();
    name_it(1, ENTRY_FILE, 7, "file.part");
    settles(1, OUTCOME_BUSY);
    put_record(lane(0), 0, FILE_BYTES);
    settles(0, OUTCOME_DONE);
    end_politely(2);
}

static void sends_less_than_the_size(void)
{
    begin_file();
    put_record(lane(0), 0, FILE_BYTES / 2); /* and is honest about that */
    settles(0, OUTCOME_INTEGRITY);
    end_politely(1);
}

static void lies_about_size(void)
{
    begin_file();
    stt_handle to = lane(0);
    put_begin(to, 0, 0);
    put_run(to, FILE_BYTES / 2);
    put_end(to, 1, FILE_BYTES, hash_of(data, FILE_BYTES));
    settles(0, OUTCOME_INTEGRITY);
    end_politely(1);
}

static void lies_about_hash(void)
{
    begin_file();
    stt_handle to = lane(0);
    put_begin(to, 0, 0);
    put_run(to, FILE_BYTES);
    put_end(to, 1, FILE_BYTES, hash_of(data, FILE_BYTES - 1));
    settles(0, OUTCOME_INTEGRITY);
    end_politely(1);
}

static void hides_zeros_in_a_hole(void)
{
    begin_file();
    stt_handle to = lane(0);
    put_begin(to, 0, 0);
    put_hole(to, FILE_BYTES);
    put_end(to, 1, FILE_BYTES, hash_of(data, FILE_BYTES));
    settles(0, OUTCOME_INTEGRITY);
    end_politely(1);
}

static void runs_beyond_the_size(void)
{
    begin_file();
    stt_handle to = lane(0);
    put_begin(to, 0, 0);
    put_run(to, FILE_BYTES);
    put_u64(to, 1);
    fake_write(&f, to, data, 1);
}

static void runs_far_beyond_the_size(void)
{
    begin_file();
    stt_handle to = lane(0);
    put_begin(to, 0, 0);
    put_u64(to, INT64_MAX);
    fake_write(&f, to, data, 1000);
}

static void has_a_hole_beyond_the_size(void)
{
    begin_file();
    stt_handle to = lane(0);
    put_begin(to, 0, 0);
    put_hole(to, INT64_MAX);
}

static void has_an_empty_hole(void)
{
    begin_file();
    stt_handle to = lane(0);
    put_begin(to, 0, 0);
    put_hole(to, 0);
}

static void has_more_than_a_file_can(void)
{
    greet();
    name_it(0, ENTRY_FILE, UINT64_MAX, "vast");
    fake_hear(&f, WIRE_WANT);
    stt_handle to = lane(0);
    put_begin(to, 0, 0);
    put_run(to, 1);
    put_hole(to, INT64_MAX);
    put_end(to, 0, 0, (struct wire_hash){0});
    settles(0, OUTCOME_OUTPUT);
    end_politely(1);
}

/* A hole that takes an hour to be hashed does not keep it from hearing that all is over. */
static void keeps_it_busy_and_leaves(void)
{
    greet();
    name_it(0, ENTRY_FILE, UINT64_C(1) << 43, "vast");
    fake_hear(&f, WIRE_WANT);
    stt_handle to = lane(0);
    put_begin(to, 0, 0);
    put_hole(to, UINT64_C(1) << 43);
    for (int i = 0; i < 10; i++)
        fake_step(&f, STT_MS(10));
    fake_close(&f, CODE_DONE);
}

static void says_whole_is_two(void)
{
    begin_file();
    stt_handle to = lane(0);
    put_begin(to, 0, 0);
    put_end(to, 2, 0, hash_of(data, 0));
}

static void changes_its_mind(void)
{
    begin_file();
    stt_handle to = lane(0);
    put_begin(to, 0, 0);
    put_run(to, 5000);
    put_end(to, 0, 5000, hash_of(data, 5000));
    settles(0, OUTCOME_INPUT);
    end_politely(1);
}

static void sends_what_was_not_named(void)
{
    begin_file();
    put_begin(lane(0), 1, 0);
}

static void sends_a_directory(void)
{
    begin_file();
    name_it(1, ENTRY_DIRECTORY_END, 0, "sub");
    put_begin(lane(0), 1, 0);
}

static void sends_a_file_twice(void)
{
    begin_file();
    stt_handle to = lane(0);
    put_record(to, 0, FILE_BYTES);
    put_record(to, 0, FILE_BYTES);
}

static void sends_a_file_on_two_lanes(void)
{
    begin_file();
    stt_handle one = lane(0), other = lane(1);
    put_begin(one, 0, 0);
    put_run(one, 1000);
    put_begin(other, 0, 0);
    put_run(other, 1000);
}

static void sends_from_where_it_was_not_wanted(void)
{
    begin_file();
    put_begin(lane(0), 0, 1000);
}

static void opens_a_lane_twice(void)
{
    begin_file();
    lane(0);
    lane(0);
}

static void opens_a_lane_too_many(void)
{
    begin_file();
    lane(2);
}

static void opens_a_lane_that_says_nothing(void)
{
    begin_file();
    fake_finish(&f, fake_open(&f));
}

static void ends_a_lane_in_a_record(void)
{
    begin_file();
    stt_handle to = lane(0);
    put_begin(to, 0, 0);
    put_u64(to, 100);
    fake_write(&f, to, data, 50);
    fake_finish(&f, to);
}

static void ends_all_lanes_with_a_file_wanted(void)
{
    begin_file();
    stt_handle one = lane(0), other = lane(1);
    end_list(1);
    fake_finish(&f, one);
    fake_finish(&f, other);
}

static void resets_a_lane(void)
{
    begin_file();
    stt_handle to = lane(0);
    put_begin(to, 0, 0);
    put_run(to, 1000);
    for (int i = 0; i < 5; i++)
        fake_step(&f, STT_MS(1));
    (void)!stt_stream_reset(stt_node_endpoint(f.node), stt_node_now(f.node), to, 1);
}

static void opens_another_control_stream(void)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    stt_handle stream;
    options.messages = true;
    begin_file();
    ck_assert_int_eq(stt_stream_open(stt_node_endpoint(f.node), stt_node_now(f.node), f.session,
                                     &options, &stream),
                     STT_OK);
    f.control = stream;
    SAY(.type = WIRE_DONE);
}

static void settles_what_it_gives(void)
{
    begin_file();
    SAY(.type = WIRE_SETTLED, .index = 0);
}

static void wants_what_it_gives(void)
{
    begin_file();
    SAY(.type = WIRE_WANT, .index = 0);
}

static void says_same_unasked(void)
{
    begin_file();
    SAY(.type = WIRE_SAME, .index = 0, .is_same = true);
}

static void says_same_of_nothing(void)
{
    greet();
    SAY(.type = WIRE_SAME, .index = 7, .is_same = true);
}

static void says_end_of_a_pipe(void)
{
    greet();
    SAY(.type = WIRE_END, .bytes = 0);
}

static void says_receipt_of_a_pipe(void)
{
    greet();
    SAY(.type = WIRE_RECEIPT, .bytes = 0);
}

static void is_done_at_once(void)
{
    greet();
    say_done();
}

static void is_done_with_a_file_wanted(void)
{
    begin_file();
    end_list(1);
    say_done();
}

static void is_done_without_the_end_of_the_list(void)
{
    greet();
    name_it(0, ENTRY_DIRECTORY, 0, "sub");
    settles(0, OUTCOME_DONE);
    say_done();
}

static void names_more_when_it_is_done(void)
{
    greet();
    end_list(0);
    say_done();
    name_it(0, ENTRY_FILE, 7, "late");
}

static void names_more_behind_the_list(void)
{
    greet();
    name_it(0, ENTRY_FILE, 7, "file");
    end_list(1);
    name_it(1, ENTRY_FILE, 7, "late");
}

static void ends_another_list(void)
{
    greet();
    name_it(0, ENTRY_FILE, 7, "file");
    end_list(2);
}

static void ends_the_list_twice(void)
{
    greet();
    name_it(0, ENTRY_FILE, 7, "file");
    end_list(1);
    end_list(1);
}

static void greets_twice(void)
{
    greet();
    greet();
}

static void does_not_greet(void)
{
    name_it(0, ENTRY_DIRECTORY, 0, "a");
}

static void greets_with_no_lanes(void)
{
    hello(WIRE_GIVES, 0);
}

static void greets_with_65_lanes(void)
{
    hello(WIRE_GIVES, 65);
}

static void greets_with_unknown_flags(void)
{
    hello(WIRE_GIVES | 8, 1);
}

static void wants_another_job(void)
{
    SAY(.type = WIRE_HELLO, .job = JOB_FORWARD, .lanes = 1);
}

static void takes_as_well(void)
{
    hello(WIRE_TAKES, 1);
}

static void says_an_unknown_message(void)
{
    greet();
    fake_say_bytes(&f, "\x0b", 1);
}

static void says_half_a_message(void)
{
    greet();
    fake_say_bytes(&f, "\x04\0\0\0", 4);
}

static void says_more_than_a_message(void)
{
    greet();
    fake_say_bytes(&f, "\x0a\0", 2);
}

static void says_an_empty_message(void)
{
    greet();
    fake_say_bytes(&f, "", 0);
}

static void says_too_long_a_message(void)
{
    static uint8_t bytes[WIRE_MESSAGE_MAX + 1] = {WIRE_ENTRY};
    greet();
    fake_say_bytes(&f, bytes, sizeof bytes);
}

/* As many are open as it opens at once: the rest is not looked at. */
static void names_2000_and_sends_none(void)
{
    char name[16];
    greet();
    for (unsigned i = 0; i < 2000 && !f.is_closed; i++) {
        snprintf(name, sizeof name, "n%u", i);
        name_it(i, ENTRY_FILE, 7, name);
    }
}

static void leaves_in_the_middle(void)
{
    begin_file();
    stt_handle to = lane(0);
    put_begin(to, 0, 0);
    put_run(to, 1000);
    fake_close(&f, CODE_DONE);
}

static void leaves_before_the_end_of_the_list(void)
{
    greet();
    name_it(0, ENTRY_DIRECTORY, 0, "sub");
    settles(0, OUTCOME_DONE);
    fake_close(&f, CODE_DONE);
}

static void stops_talking(void)
{
    begin_file();
    (void)stt_stream_finish(stt_node_endpoint(f.node), stt_node_now(f.node), f.control);
}

static void breaks_the_control_stream(void)
{
    begin_file();
    (void)stt_stream_reset(stt_node_endpoint(f.node), stt_node_now(f.node), f.control, 1);
}

enum { CODE_OURS = 1000 }; /* the liar leaves by himself */
struct lie {
    const char *name;
    void (*play)(void);
    int exits;
    unsigned code;
    bool is_unheard; /* before HELLO: who listens goes on */
};
#define LIE(play, exits, code)                                                                     \
    {                                                                                              \
#play, play, exits, code, false                                                            \
    }
#define UNHEARD(play)                                                                              \
    {                                                                                              \
#play, play, EXIT_NETWORK, CODE_PROTOCOL, true                                             \
    }
#define BREAKS(play) LIE(play, EXIT_NETWORK, CODE_PROTOCOL)

static const struct lie givers[] = {
    LIE(gives_nothing_bad, EXIT_DONE, CODE_DONE),
    BREAKS(names_a_zero_byte),
    BREAKS(names_256_bytes),
    BREAKS(wants_set_user_id),
    LIE(names_through_links_that_are_there, EXIT_PARTIAL, CODE_DONE),
    LIE(makes_links_that_lead_out, EXIT_PARTIAL, CODE_DONE),
    LIE(makes_links_and_goes_through_them, EXIT_PARTIAL, CODE_DONE),
    BREAKS(names_an_index_twice),
    BREAKS(leaves_an_index_out),
    LIE(names_a_file_twice, EXIT_PARTIAL, CODE_DONE),
    LIE(names_a_part_file, EXIT_PARTIAL, CODE_DONE),
    LIE(sends_less_than_the_size, EXIT_INTEGRITY, CODE_DONE),
    LIE(lies_about_size, EXIT_INTEGRITY, CODE_DONE),
    LIE(lies_about_hash, EXIT_INTEGRITY, CODE_DONE),
    LIE(hides_zeros_in_a_hole, EXIT_INTEGRITY, CODE_DONE),
    BREAKS(runs_beyond_the_size),
    BREAKS(runs_far_beyond_the_size),
    BREAKS(has_a_hole_beyond_the_size),
    BREAKS(has_an_empty_hole),
    LIE(has_more_than_a_file_can, EXIT_LOCAL_IO, CODE_DONE),
    LIE(keeps_it_busy_and_leaves, EXIT_NETWORK, CODE_OURS),
    BREAKS(says_whole_is_two),
    LIE(changes_its_mind, EXIT_PARTIAL, CODE_DONE),
    BREAKS(sends_what_was_not_named),
    BREAKS(sends_a_directory),
    BREAKS(sends_a_file_twice),
    BREAKS(sends_a_file_on_two_lanes),
    BREAKS(sends_from_where_it_was_not_wanted),
    BREAKS(opens_a_lane_twice),
    BREAKS(opens_a_lane_too_many),
    BREAKS(opens_a_lane_that_says_nothing),
    BREAKS(ends_a_lane_in_a_record),
    BREAKS(ends_all_lanes_with_a_file_wanted),
    BREAKS(resets_a_lane),
    BREAKS(opens_another_control_stream),
    BREAKS(settles_what_it_gives),
    BREAKS(wants_what_it_gives),
    BREAKS(says_same_unasked),
    BREAKS(says_same_of_nothing),
    BREAKS(says_end_of_a_pipe),
    BREAKS(says_receipt_of_a_pipe),
    BREAKS(is_done_at_once),
    BREAKS(is_done_with_a_file_wanted),
    BREAKS(is_done_without_the_end_of_the_list),
    BREAKS(names_more_when_it_is_done),
    BREAKS(names_more_behind_the_list),
    BREAKS(ends_another_list),
    BREAKS(ends_the_list_twice),
    BREAKS(greets_twice),
    UNHEARD(does_not_greet),
    UNHEARD(greets_with_no_lanes),
    UNHEARD(greets_with_65_lanes),
    UNHEARD(greets_with_unknown_flags),
    LIE(wants_another_job, EXIT_REFUSED, CODE_REFUSED),
    LIE(takes_as_well, EXIT_REFUSED, CODE_REFUSED),
    BREAKS(says_an_unknown_message),
    BREAKS(says_half_a_message),
    BREAKS(says_more_than_a_message),
    BREAKS(says_an_empty_message),
    BREAKS(says_too_long_a_message),
    BREAKS(names_2000_and_sends_none),
    LIE(leaves_in_the_middle, EXIT_NETWORK, CODE_OURS),
    LIE(leaves_before_the_end_of_the_list, EXIT_NETWORK, CODE_OURS),
    BREAKS(stops_talking),
    BREAKS(breaks_the_control_stream),
};
enum { GIVERS = sizeof givers / sizeof *givers };

/* -- takers -------------------------------------------------------------------------------------
 *
 * `sttcat --send src`: 0 is src, 1 and 2 are the files src/one and src/two in any order, 3 the end
 * of src. */

static void take_it(void)
{
    hello(WIRE_TAKES, 1);
    fake_hear(&f, WIRE_LIST_END);
}

static void settle(uint64_t index, enum wire_outcome outcome)
{
    SAY(.type = WIRE_SETTLED, .index = index, .outcome = (uint8_t)outcome);
}

static void want(uint64_t index, uint64_t offset)
{
    SAY(.type = WIRE_WANT, .index = index, .bytes = offset, .hash = hash_of(data, 0));
}

static void have(uint64_t index)
{
    SAY(.type = WIRE_HAVE, .index = index, .bytes = FILE_BYTES,
        .hash = hash_of(data, FILE_BYTES - 1));
}

/* The head of a record, FILE_BYTES in a run, and its end. */
enum { RECORD_BYTES = 16 + 8 + FILE_BYTES + 33 };

static void settle_all(void)
{
    settle(0, OUTCOME_DONE);
    settle(1, OUTCOME_DONE);
    settle(2, OUTCOME_DONE);
    settle(3, OUTCOME_DONE);
    say_done();
    fake_hear(&f, WIRE_DONE);
}

static void takes_nothing_bad(void)
{
    take_it();
    want(1, 0);
    want(2, 0);
    ck_assert(fake_reads(&f, 1 + 2 * RECORD_BYTES));
    settle_all();
}

/* It gets it from the first byte. */
static void wants_from_beyond_the_end(void)
{
    take_it();
    want(1, FILE_BYTES + 1);
    want(2, UINT64_MAX);
    ck_assert(fake_reads(&f, 1 + 2 * RECORD_BYTES));
    struct rd r = rd_init(bytes_of(f.lane_head + 1, 24));
    ck_assert_uint_eq(rd_u64(&r), 1);
    ck_assert_uint_eq(rd_u64(&r), 0);
    ck_assert_uint_eq(rd_u64(&r), FILE_BYTES);
    settle_all();
}

static void has_another_beginning(void)
{
    take_it();
    want(1, 1000); /* with the hash of nothing */
    want(2, 0);
    ck_assert(fake_reads(&f, 1 + 2 * RECORD_BYTES));
    settle_all();
}

static void wants_twice(void)
{
    take_it();
    want(1, 0);
    want(1, 0);
}

static void wants_a_directory(void)
{
    take_it();
    want(0, 0);
}

static void wants_what_was_not_named(void)
{
    take_it();
    want(4, 0);
}

static void has_a_directory(void)
{
    take_it();
    have(0);
}

static void has_and_wants(void)
{
    take_it();
    have(1);
    want(1, 0);
}

static void has_twice(void)
{
    take_it();
    have(1);
    have(1);
}

static void settles_what_was_not_named(void)
{
    take_it();
    settle(4, OUTCOME_DONE);
}

static void settles_twice(void)
{
    take_it();
    settle(0, OUTCOME_DONE);
    settle(0, OUTCOME_DONE);
}

static void settles_what_was_not_sent(void)
{
    take_it();
    settle(1, OUTCOME_DONE);
}

static void settles_what_is_being_sent(void)
{
    f.is_deaf = true;
    take_it();
    want(1, 0);
    settle(1, OUTCOME_DONE);
}

static void settles_what_it_has_not(void)
{
    take_it();
    have(1);
    ck_assert(!fake_hear(&f, WIRE_SAME)->is_same);
    settle(1, OUTCOME_DONE);
}

static void says_that_all_exists(void)
{
    take_it();
    want(1, 0);
    settle(1, OUTCOME_EXISTS);
    have(2);
    settle(2, OUTCOME_EXISTS);
    settle(0, OUTCOME_EXISTS);
    settle(3, OUTCOME_EXISTS);
    say_done();
    fake_hear(&f, WIRE_DONE);
}

static void settles_with_an_unknown_outcome(void)
{
    take_it();
    settle(0, OUTCOME_COUNT);
}

static void settles_with_a_very_long_text(void)
{
    take_it();
    SAY(.type = WIRE_SETTLED, .index = 0, .outcome = OUTCOME_OUTPUT,
        .text = bytes_of(data, WIRE_TEXT_MAX + 1));
}

static void is_done_before_the_list(void)
{
    hello(WIRE_TAKES, 1);
    say_done();
}

static void is_done_with_nothing_settled(void)
{
    take_it();
    say_done();
}

static void is_done_with_a_file_unsettled(void)
{
    take_it();
    settle(0, OUTCOME_DONE);
    settle(3, OUTCOME_DONE);
    want(1, 0);
    want(2, 0);
    ck_assert(fake_reads(&f, 1 + 2 * RECORD_BYTES));
    settle(1, OUTCOME_DONE);
    say_done();
}

static void names_something(void)
{
    take_it();
    name_it(0, ENTRY_FILE, 7, "evil");
}

static void opens_a_lane(void)
{
    take_it();
    lane(0);
}

static void gives_a_receipt(void)
{
    take_it();
    SAY(.type = WIRE_RECEIPT, .bytes = 0);
}

static void wants_no_more_of_a_lane(void)
{
    struct stt_stream_event e;
    take_it();
    want(1, 0);
    f.is_deaf = true;
    for (bool stopped = false; !stopped;) {
        ck_assert_int_eq(stt_node_step(f.node), STT_OK);
        while (stt_endpoint_stream_event(stt_node_endpoint(f.node), &e))
            if (e.stream != f.control)
                stopped = stt_stream_stop(stt_node_endpoint(f.node), stt_node_now(f.node), e.stream,
                                          1) == STT_OK;
        (void)!stt_node_wait(f.node, STT_MS(10));
    }
}

static void leaves_as_if_done(void)
{
    take_it();
    want(1, 0);
    ck_assert(fake_reads(&f, 1 + RECORD_BYTES));
    settle(1, OUTCOME_DONE);
    fake_close(&f, CODE_DONE);
}

static void stops_taking(void)
{
    take_it();
    (void)stt_stream_finish(stt_node_endpoint(f.node), stt_node_now(f.node), f.control);
}

static void breaks_its_control_stream(void)
{
    take_it();
    (void)stt_stream_reset(stt_node_endpoint(f.node), stt_node_now(f.node), f.control, 1);
}

static void gives_as_well(void)
{
    hello(WIRE_GIVES, 1);
}

static const struct lie takers[] = {
    LIE(takes_nothing_bad, EXIT_DONE, CODE_DONE),
    LIE(wants_from_beyond_the_end, EXIT_DONE, CODE_DONE),
    LIE(has_another_beginning, EXIT_DONE, CODE_DONE),
    BREAKS(wants_twice),
    BREAKS(wants_a_directory),
    BREAKS(wants_what_was_not_named),
    BREAKS(has_a_directory),
    BREAKS(has_and_wants),
    BREAKS(has_twice),
    BREAKS(settles_what_was_not_named),
    BREAKS(settles_twice),
    BREAKS(settles_what_was_not_sent),
    BREAKS(settles_what_is_being_sent),
    BREAKS(settles_what_it_has_not),
    LIE(says_that_all_exists, EXIT_EXISTS, CODE_DONE),
    BREAKS(settles_with_an_unknown_outcome),
    BREAKS(settles_with_a_very_long_text),
    BREAKS(is_done_before_the_list),
    BREAKS(is_done_with_nothing_settled),
    BREAKS(is_done_with_a_file_unsettled),
    BREAKS(names_something),
    BREAKS(opens_a_lane),
    BREAKS(gives_a_receipt),
    BREAKS(wants_no_more_of_a_lane),
    LIE(leaves_as_if_done, EXIT_NETWORK, CODE_OURS),
    LIE(gives_as_well, EXIT_REFUSED, CODE_REFUSED),
    BREAKS(stops_taking),
    BREAKS(breaks_its_control_stream),
};
enum { TAKERS = sizeof takers / sizeof *takers };

/* -- the stage ----------------------------------------------------------------------------------
 */

static const char *const links[][2] = {
    {"dir/out", "../outside"},
    {"dir/canary-link", "../outside/canary"},
    {"dir/nowhere", "../outside/new"},
    {"dir/y.part", "../outside/new"},
    {"dir/here", "real"},
};
enum { LINKS = sizeof links / sizeof *links };

static void make_folder(const char *path)
{
    ck_assert_int_eq(mkdir(path, 0755), 0);
}

static bool begin(const char *io)
{
    if (!programs_begin_in_memory(&p, io))
        return false;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + (i >> 8) + 1);
    make_folder("outside");
    make_folder("dir");
    make_folder("dir/real");
    make_folder("src");
    for (size_t i = 0; i < LINKS; i++)
        ck_assert_int_eq(symlink(links[i][1], links[i][0]), 0);
    trees_write_text("outside/canary", "precious");
    trees_write_text("dir/mine", "mine");
    trees_write("src/one", data, sizeof data);
    trees_write("src/two", data, sizeof data);
    return true;
}

static void ends(struct job *j, const struct lie *lie)
{
    if (lie->code == CODE_DONE && f.goes)
        fake_close(&f, CODE_DONE);
    else if (lie->code == CODE_OURS)
        fake_wait_closed(&f);
    else
        fake_require_closed(&f, lie->code);
    if (lie->is_unheard && f.goes) {
        ck_assert(!job_ends_within(j, 0));
        job_line(j, "rules");
        return;
    }
    ck_assert_msg(job_ends_within(j, STT_S(5)), "%s: it does not end", lie->name);
    ck_assert_msg(j->status == lie->exits, "%s: status %d, not %d: %s", lie->name, j->status,
                  lie->exits, j->err.text);
}

static void holds(const char *path, const char *text)
{
    size_t len;
    char *there = trees_read(path, &len);
    ck_assert_str_eq(there, text);
    free(there);
}

static void leads_to(const char *path, const char *where)
{
    char there[100] = "";
    ck_assert_int_gt(readlink(path, there, sizeof there - 1), 0);
    ck_assert_str_eq(there, where);
}

/* What was there is as it was, nothing is where it should not be, and what came is whole. */
static void nothing_is_lost(void)
{
    struct stat st;
    holds("outside/canary", "precious");
    holds("dir/mine", "mine");
    for (size_t i = 0; i < LINKS; i++)
        leads_to(links[i][0], links[i][1]);
    ck_assert(stat("outside", &st) == 0 && (st.st_mode & 0777) == 0755);
    ck_assert_uint_eq(trees_count("outside"), 1);
    ck_assert_uint_eq(trees_count("dir/real"), 0);
    ck_assert_uint_eq(trees_count("src"), 2);
    ck_assert_uint_eq(trees_count("."), 3 + 1 + 2 + trees_count("dir"));
    if (trees_exists("dir/file")) {
        ck_assert_uint_eq(trees_bytes("dir/file"), FILE_BYTES);
        ck_assert_uint_eq(trees_hash("dir/file"), trees_hash("src/one"));
    }
}

/* Each with both drivers, and on both sides of the handshake. */
static void play(const char *what, const struct lie *lie)
{
    for (int side = 0; side < PROGRAMS_IOS; side++) {
        if (!begin(programs_ios[side]))
            continue;
        struct job *j = fake_cat_meet(&f, &p, side, what);
        lie->play();
        ends(j, lie);
        nothing_is_lost();
        fake_cat_end(&f);
        programs_end(&p);
    }
}

START_TEST(who_takes_is_safe_from_a_dishonest_giver_case_70)
{
    play("--recv dir", &givers[_i]);
}
END_TEST

START_TEST(who_gives_is_safe_from_a_dishonest_taker)
{
    play("--send src", &takers[_i]);
}
END_TEST

START_TEST(names_that_lead_out_are_refused_case_71)
{
    const struct lie lie = {bad_names[_i], NULL, EXIT_NETWORK, CODE_PROTOCOL, false};
    const int side = _i % PROGRAMS_IOS;
    if (!begin(programs_ios[side]))
        return;
    struct job *j = fake_cat_meet(&f, &p, side, "--recv dir");
    names_a_bad_one(bad_names[_i]);
    ends(j, &lie);
    nothing_is_lost();
    fake_cat_end(&f);
    programs_end(&p);
}
END_TEST

SUITE("hostile_tree", LOOP(who_takes_is_safe_from_a_dishonest_giver_case_70, 0, GIVERS),
      LOOP(who_gives_is_safe_from_a_dishonest_taker, 0, TAKERS),
      LOOP(names_that_lead_out_are_refused_case_71, 0, (int)(sizeof bad_names / sizeof *bad_names)))
