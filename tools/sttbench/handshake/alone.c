/* SPDX-License-Identifier: MIT
 * alone: handshakes from memory to memory, one after the other. A side's time is the processor's
 * in its own calls, until both have been told of the session.
 *
 * The floor is what the multiplications alone take here and now, measured in between: 4 of X25519
 * and a new key in K, 3 in S; in W 3, two new keys, and two in CPace's group. */
#include "tools/sttbench/handshake/handshake.h"

#include "crypto/cpace.h"
#include "crypto/noise.h"
#include "tools/common/say.h"
#include "tools/sttbench/shared/counted.h"

#include <string.h>

enum { SIDES = 2, PACKETS = 16, PACKET_ROOM = 1500, TURNS_MAX = 10, FLOOR_EVERY = 16 };

/* What one side has said in its turn. */
struct said {
    size_t n;
    struct {
        size_t len;
        uint8_t data[PACKET_ROOM];
    } packets[PACKETS];
};

static struct alone {
    const struct handshake_alone *what;
    struct counted memory[SIDES];
    struct stt_config configs[SIDES];
    struct stt_address addresses[SIDES];
    struct stt_endpoint *eps[SIDES];
    struct said said[SIDES];
    stt_handle session;
    bool is_told[SIDES];
    stt_ns now;
} all;

static double cpu_us(void)
{
    return figures_clock_ns(CLOCK_THREAD_CPUTIME_ID) * 1e-3;
}

/* -- the floor --------------------------------------------------------------------------------- */

static double dh_us(void)
{
    enum { TIMES = 8 };
    struct stt_noise_keypair a, b;
    uint8_t bytes[32] = {1}, shared[32];
    bool ok = true;
    stt_noise_keypair_init(&a, bytes);
    bytes[0] = 2;
    stt_noise_keypair_init(&b, bytes);
    double began = cpu_us();
    for (int i = 0; i < TIMES; i++)
        ok = stt_noise_dh(shared, a.secret_key, b.public_key) && ok;
    return ok ? (cpu_us() - began) / TIMES : 0;
}

static double key_us(void)
{
    enum { TIMES = 8 };
    struct stt_noise_keypair pair;
    uint8_t bytes[32] = {1};
    double began = cpu_us();
    for (int i = 0; i < TIMES; i++) {
        bytes[1] = (uint8_t)i;
        stt_noise_keypair_init(&pair, bytes);
    }
    return (cpu_us() - began) / TIMES;
}

static double group_us(void)
{
    enum { TIMES = 8 };
    const uint8_t uniform[64] = {3};
    uint8_t scalar[STT_CPACE_SCALAR_BYTES], g[STT_CPACE_SHARE_BYTES], share[STT_CPACE_SHARE_BYTES];
    bool ok = stt_cpace_scalar(uniform, scalar);
    stt_cpace_generator(bytes_of(scalar, sizeof scalar), bytes_of(NULL, 0), bytes_of(NULL, 0), g);
    double began = cpu_us();
    for (int i = 0; i < TIMES; i++)
        ok = stt_cpace_share(scalar, g, share) && ok;
    return ok ? (cpu_us() - began) / TIMES : 0;
}

static double floor_us(enum stt_mode mode)
{
    if (mode == STT_MODE_K)
        return 4 * dh_us() + key_us();
    if (mode == STT_MODE_S)
        return 3 * dh_us() + key_us();
    return 3 * dh_us() + 2 * key_us() + 2 * group_us();
}

/* -- two endpoints ----------------------------------------------------------------------------- */

static void configure(int side, uint32_t number)
{
    struct stt_config *c = &all.configs[side];
    const uint8_t secret[32] = {(uint8_t)(side + 1), (uint8_t)number, (uint8_t)(number >> 8)};
    *c = (struct stt_config)STT_CONFIG_INIT;
    stt_identity_init(&c->identity, secret);
    strcpy(c->application, "sttbench/1");
    memset(c->seeds[0], 7, sizeof c->seeds[0]);
    c->n_seeds = 1;
    c->accept = STT_ACCEPT(STT_MODE_K) | STT_ACCEPT(STT_MODE_S) | STT_ACCEPT(STT_MODE_W);
    c->keep_alive_ns = STT_NEVER;
    c->handshake_work_percent = 100;
    c->handshakes_per_second = c->handshakes_per_prefix_second = 1000000;
    c->max_half_open_per_peer = c->max_half_open_per_prefix = 4096;
    all.addresses[side] = (struct stt_address){
        .ip = {[10] = 0xff, 0xff, 10, 0, 0, (uint8_t)(side + 1)}, .port = 4433};
}

static bool make(int side, uint32_t number)
{
    configure(side, number);
    return ends_well(
        stt_endpoint_new(&all.eps[side], &all.configs[side], &all.memory[side].env, all.now),
        "no endpoint");
}

static void note_events(int side)
{
    struct stt_event e;
    while (stt_endpoint_event(all.eps[side], &e))
        if (e.type == STT_EVENT_CONNECTED || e.type == STT_EVENT_ACCEPTED) {
            all.is_told[side] = true;
            all.session = side ? all.session : e.session;
        }
}

/* Takes what the other side has said, and says what there is. */
static void take_turn(int side)
{
    const struct said *in = &all.said[1 - side];
    struct said *out = &all.said[side];
    struct stt_train train = {
        .path = {.local = all.addresses[side], .remote = all.addresses[1 - side]}};
    for (size_t i = 0; i < in->n; i++) {
        train.data = (uint8_t *)(uintptr_t)in->packets[i].data;
        train.len = in->packets[i].len;
        stt_endpoint_receive(all.eps[side], all.now, &train);
    }
    out->n = 0;
    for (; out->n < PACKETS; out->n++) {
        train = (struct stt_train){.data = out->packets[out->n].data, .len = PACKET_ROOM};
        if (!stt_endpoint_transmit(all.eps[side], all.now, &train))
            break;
        out->packets[out->n].len = train.len;
    }
    note_events(side);
}

/* Until both are silent, uncounted. */
static void settle(void)
{
    for (int i = 0; i < TURNS_MAX; i++)
        take_turn(i % SIDES);
    for (int side = 0; side < SIDES; side++) {
        if (stt_endpoint_deadline(all.eps[side]) <= all.now)
            stt_endpoint_expire(all.eps[side], all.now);
        all.said[side].n = 0;
    }
}

static int begin(const char *code)
{
    struct stt_connect c = STT_CONNECT_INIT;
    c.mode = all.what->mode;
    c.path = (struct stt_path){.local = all.addresses[0], .remote = all.addresses[1]};
    c.has_peer = c.mode == STT_MODE_K;
    c.peer = all.configs[1].identity.peer_id;
    c.has_seed = c.mode == STT_MODE_S;
    memset(c.seed, 7, sizeof c.seed);
    c.code = c.mode == STT_MODE_W ? code : NULL;
    return stt_endpoint_connect(all.eps[0], all.now, &c, &all.session);
}

/* -- a handshake ------------------------------------------------------------------------------- */

static bool shake(double us[SIDES])
{
    char code[STT_CODE_TEXT_MAX];
    uint32_t slot;
    if (all.what->mode == STT_MODE_W &&
        !ends_well(stt_endpoint_code_new(all.eps[1], all.now, code, &slot), "no code"))
        return false;
    memset(all.is_told, 0, sizeof all.is_told);
    us[0] = us[1] = 0;
    double began = cpu_us();
    if (!ends_well(begin(code), "no handshake"))
        return false;
    us[0] = cpu_us() - began;
    for (int i = 0; i < TURNS_MAX && !(all.is_told[0] && all.is_told[1]); i++) {
        began = cpu_us();
        take_turn(i % SIDES);
        us[i % SIDES] += cpu_us() - began;
    }
    if (!all.is_told[0] || !all.is_told[1]) {
        say_error("a handshake between two endpoints in memory was not completed");
        return false;
    }
    settle();
    (void)stt_session_close(all.eps[0], all.now, all.session, 0, NULL);
    all.now += STT_MS(10);
    settle();
    return true;
}

static bool shake_all(struct handshake_alone *a)
{
    double us[SIDES];
    uint32_t floors = 0;
    a->floor_us = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        if (a->are_strangers && i) {
            stt_endpoint_free(all.eps[0]);
            if (!make(0, i))
                return false;
        }
        if (i % FLOOR_EVERY == 0) { /* in the same weather */
            a->floor_us += floor_us(a->mode);
            floors++;
        }
        if (!shake(us))
            return false;
        a->us[0][i] = us[0];
        a->us[1][i] = us[1];
    }
    a->floor_us /= floors;
    return true;
}

bool handshake_alone(struct handshake_alone *a)
{
    memset(&all, 0, sizeof all);
    all.what = a;
    all.now = STT_S(1);
    bool ok = counted_init(&all.memory[0]);
    ok = ok && counted_init(&all.memory[1]);
    ok = ok && make(0, 0) && make(1, 0) && shake_all(a);
    for (int side = 0; side < SIDES; side++) {
        stt_endpoint_free(all.eps[side]);
        counted_fini(&all.memory[side]);
    }
    return ok;
}
