/* SPDX-License-Identifier: MIT
 * Nodes on a machine that denies something: io_uring, locked memory, descriptors, system calls; and
 * in a child of fork(). */
#include "tests/support/deny.h"
#include "tests/support/nodes.h"
#include "tests/support/sanitized.h"
#include "tests/support/suite.h"
#include "tests/support/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IOS = 2, MIB = 1 << 20 };
static const enum stt_io ios[] = {STT_IO_URING, STT_IO_MMSG};

static void echo(struct nodes *n)
{
    n->server.echoes = true;
    nodes_send(n, MIB);
    ck_assert(nodes_until(n, nodes_have_echo, STT_S(20)));
}

static void connect_and_echo(struct nodes *n)
{
    nodes_connect(n, NULL);
    echo(n);
    nodes_end(n);
}

/* -- CASE 36 ------------------------------------------------------------------------------------
 */

static void require_fallback(const struct nodes *n, const char *words)
{
    ck_assert_str_eq(stt_node_io(n->client.node), "mmsg");
    ck_assert_str_eq(stt_node_io(n->server.node), "mmsg");
    ck_assert_msg(strstr(stt_node_io_why(n->client.node), words) ||
                      strstr(stt_node_io_why(n->client.node), "io_uring_disabled"),
                  "%s", stt_node_io_why(n->client.node));
}

START_TEST(where_io_uring_is_denied_plain_calls_do_and_it_is_said_why_case_36)
{
    static const struct {
        long call;
        int with_errno;
        const char *words;
    } rows[] = {
        {SYS_io_uring_setup, ENOSYS, "no io_uring"},
        {SYS_io_uring_setup, EPERM, "allow"},
        {SYS_io_uring_setup, ENOMEM, "RLIMIT_MEMLOCK"},
        {SYS_io_uring_register, EPERM, "allow"},
    };
    struct nodes n;
    if (!deny(rows[_i].call, DENY_ANY, rows[_i].with_errno))
        return;
    ck_assert(!nodes_begin(&n, STT_IO_URING, "127.0.0.1:0", NULL));
    ck_assert(nodes_begin(&n, STT_IO_AUTO, "127.0.0.1:0", NULL));
    require_fallback(&n, rows[_i].words);
    connect_and_echo(&n);
}
END_TEST

/* As a kernel before 5.19: rings, but none that has buffers to choose from. */
static bool deny_shelves(void)
{
    const size_t op =
        offsetof(struct seccomp_data, args) + 8 + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0);
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_register, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)op),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IORING_REGISTER_PBUF_RING, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

START_TEST(where_the_probe_finds_nothing_amiss_there_is_a_reason_nevertheless_case_36)
{
    struct nodes n;
    if (!deny_shelves())
        return;
    ck_assert(nodes_begin(&n, STT_IO_AUTO, "127.0.0.1:0", NULL));
    ck_assert_str_eq(stt_node_io(n.client.node), "mmsg");
    ck_assert_str_ne(stt_node_io_why(n.client.node), "");
    connect_and_echo(&n);
}
END_TEST

/* What root may do all the same. */
static void lose_capability(unsigned which)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    ck_assert_int_eq(syscall(SYS_capget, &header, data), 0);
    data[0].effective &= ~(1u << which);
    data[0].permitted &= ~(1u << which);
    data[0].inheritable = data[1].inheritable = 0;
    ck_assert_int_eq(syscall(SYS_capset, &header, data), 0);
}

START_TEST(a_node_needs_no_more_than_64_kib_of_locked_memory_or_none_case_36)
{
    struct nodes n;
    const struct rlimit limit = {.rlim_cur = _i ? 0 : 65536, .rlim_max = _i ? 0 : 65536};
    ck_assert_int_eq(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    lose_capability(CAP_IPC_LOCK);
    ck_assert(nodes_begin(&n, STT_IO_AUTO, "127.0.0.1:0", NULL));
    ck_assert(IS_SANITIZED || n.client.node->secret.locked_bytes <= limit.rlim_cur);
    ck_assert((strcmp(stt_node_io(n.client.node), "mmsg") == 0) ==
              (*stt_node_io_why(n.client.node) != 0 || getenv("STT_IO")));
    connect_and_echo(&n);
}
END_TEST

/* Exactly so many are free from now on. */
static void leave_descriptors(unsigned n, const struct rlimit *was)
{
    struct rlimit limit = {.rlim_cur = 0, .rlim_max = was->rlim_max};
    for (unsigned free = 0; free < n || fcntl((int)limit.rlim_cur, F_GETFD) >= 0; limit.rlim_cur++)
        free += fcntl((int)limit.rlim_cur, F_GETFD) < 0;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static bool make(struct stt_node **node, enum stt_io io)
{
    struct stt_node_config config = STT_NODE_CONFIG_INIT;
    config.io = io;
    strcpy(config.endpoint.application, "limits/1");
    ck_assert_int_eq(stt_node_identity(&config, NULL), STT_OK);
    int error = stt_node_new(node, &config);
    if (error) {
        ck_assert(error == STT_E_LIMIT || error == STT_E_UNSUPPORTED);
        return false;
    }
    error = stt_node_listen(*node, "127.0.0.1:0", NULL);
    if (!error)
        return true;
    ck_assert_int_eq(error, STT_E_LIMIT);
    stt_node_free(*node);
    return false;
}

/* liburing raises the softer limit where it is below the 16 sockets of a ring: then 3 may do. */
START_TEST(however_few_descriptors_are_left_a_node_is_made_or_says_so_case_36)
{
    struct stt_node *node;
    struct rlimit was;
    if (!make(&node, ios[_i])) /* also asks the probe, while there are some */
        return;
    stt_node_free(node);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
    const int before = udp_descriptors();
    for (unsigned left = 0; left < 8; left++) {
        leave_descriptors(left, &was);
        bool is_made = make(&node, ios[_i]);
        if (is_made)
            stt_node_free(node);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
        ck_assert_msg(left == 3 || is_made == (left > 3), "%u left", left);
        ck_assert_int_eq(udp_descriptors(), before);
    }
}
END_TEST

START_TEST(a_place_that_the_driver_does_not_take_leaves_no_descriptor)
{
    struct nodes n;
    const long calls[IOS] = {SYS_io_uring_register, SYS_epoll_ctl};
    if (!nodes_begin(&n, ios[_i], "127.0.0.1:0", NULL) || !deny(calls[_i], DENY_ANY, EPERM))
        return;
    const int before = udp_descriptors();
    ck_assert_int_eq(stt_node_listen(n.client.node, "127.0.0.1:0", NULL), STT_E_IO);
    ck_assert_int_eq(udp_descriptors(), before);
    nodes_end(&n);
}
END_TEST

/* The socket for it is opened when there is something to send. */
START_TEST(a_connect_without_a_descriptor_succeeds_when_there_is_one_case_36)
{
    struct nodes n;
    struct rlimit was;
    if (!nodes_begin(&n, ios[_i], "127.0.0.1:0", NULL))
        return;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
    leave_descriptors(0, &was);
    nodes_connect_begin(&n, NULL);
    nodes_turn(&n);
    nodes_turn(&n);
    ck_assert_uint_gt(n.client.node->no_way, 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
    ck_assert(nodes_until(&n, nodes_are_connected, STT_S(10)));
    echo(&n);
    nodes_end(&n);
}
END_TEST

/* All that check and a pair of nodes need. */
START_TEST(sixteen_descriptors_are_enough_for_two_nodes_case_36)
{
    struct nodes n;
    struct rlimit limit = {.rlim_cur = 16, .rlim_max = 16};
    for (int fd = 3; fd < 16; fd++) /* what this program has inherited counts for nothing */
        if (fcntl(fd, F_GETFD) >= 0)
            limit.rlim_cur = limit.rlim_max += 1;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (!nodes_begin(&n, ios[_i], "127.0.0.1:0", NULL))
        return;
    connect_and_echo(&n);
}
END_TEST

/* -- which calls --------------------------------------------------------------------------------
 */

static const long plain_calls[] = {SYS_sendto,   SYS_sendmsg, SYS_sendmmsg,
                                   SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg};

/* Who makes one of these calls from now on is killed. */
static bool kill_for_plain_calls(void)
{
    enum { CALLS = sizeof plain_calls / sizeof plain_calls[0] };
    struct sock_filter code[CALLS + 3] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    for (unsigned i = 0; i < CALLS; i++)
        code[1 + i] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (unsigned)plain_calls[i], (uint8_t)(CALLS - i), 0);
    code[CALLS + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    code[CALLS + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* How a child ends that does all this; -1: it has no such driver. */
static int fate_of_child(enum stt_io io)
{
    int status = -1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct nodes n;
        if (!nodes_begin(&n, io, "127.0.0.1:0", NULL) || !kill_for_plain_calls())
            _exit(77);
        connect_and_echo(&n);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 77 ? -1 : status;
}

START_TEST(all_datagrams_go_through_the_ring_and_no_plain_call_is_made)
{
    int status = fate_of_child(STT_IO_URING);
    if (status == -1)
        return;
    ck_assert_msg(status == 0, "status %x", (unsigned)status);
    status = fate_of_child(STT_IO_MMSG); /* the filter does what it says */
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}
END_TEST

/* -- CASE 60 ------------------------------------------------------------------------------------
 */

static int wrong_in_child(struct nodes_side *s, const char *at)
{
    struct stt_connect connect = STT_CONNECT_INIT;
    struct stt_event event;
    struct stt_address bound;
    connect.mode = STT_MODE_K;
    connect.has_peer = true;
    if (stt_node_step(s->node) != STT_E_FORKED || stt_node_wait(s->node, 0) != STT_E_FORKED)
        return 1;
    if (stt_node_listen(s->node, "127.0.0.1:0", &bound) != STT_E_FORKED)
        return 2;
    if (stt_node_connect(s->node, &connect, at, NULL) != STT_E_FORKED ||
        stt_node_connect(s->node, &connect, "no.such.name.invalid:1", NULL) != STT_E_FORKED)
        return 3;
    (void)stt_node_timeout_ns(s->node);
    (void)stt_node_event(s->node, &event);
    stt_node_free(s->node);
    return 0;
}

START_TEST(in_a_forked_child_nothing_works_and_the_parent_does_not_notice_case_60)
{
    struct nodes n;
    struct stt_connect connect = STT_CONNECT_INIT;
    int status = -1;
    if (!nodes_begin(&n, ios[_i], "127.0.0.1:0", NULL))
        return;
    nodes_connect(&n, NULL);
    connect.mode = STT_MODE_K;
    connect.has_peer = true;
    ck_assert_int_eq(/* and something is pending */
                     stt_node_connect(n.client.node, &connect, "no.such.name.invalid:1", NULL),
                     STT_OK);
    for (unsigned round = 0; round < 3; round++) {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            int wrong = wrong_in_child(&n.client, n.at_text);
            _exit(wrong ? wrong : 10 * wrong_in_child(&n.server, n.at_text));
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_msg(status == 0, "the child ends with %x", (unsigned)status);
    }
    echo(&n);
    nodes_end(&n);
}
END_TEST

SUITE("node_limits", LOOP(where_io_uring_is_denied_plain_calls_do_and_it_is_said_why_case_36, 0, 4),
      TEST(where_the_probe_finds_nothing_amiss_there_is_a_reason_nevertheless_case_36),
      LOOP(a_node_needs_no_more_than_64_kib_of_locked_memory_or_none_case_36, 0, 2),
      LOOP(however_few_descriptors_are_left_a_node_is_made_or_says_so_case_36, 0, IOS),
      LOOP(a_place_that_the_driver_does_not_take_leaves_no_descriptor, 0, IOS),
      LOOP(a_connect_without_a_descriptor_succeeds_when_there_is_one_case_36, 0, IOS),
      LOOP(sixteen_descriptors_are_enough_for_two_nodes_case_36, 0, IOS),
      TEST(all_datagrams_go_through_the_ring_and_no_plain_call_is_made),
      LOOP(in_a_forked_child_nothing_works_and_the_parent_does_not_notice_case_60, 0, IOS))
