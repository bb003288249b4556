/* SPDX-License-Identifier: MIT
 * tls: TLS 1.3 with AES-256-GCM over a connected socket, by OpenSSL, where that is built in. */
#ifndef TOOLS_STTBENCH_COMPARE_TLS_H
#define TOOLS_STTBENCH_COMPARE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tls;

/* "OpenSSL 3.0.19"; NULL: it is not built in. */
const char *tls_version(void);

/* Handshakes; the server makes a certificate that nobody checks, as only what follows is measured.
 * NULL: it failed. */
struct tls *tls_new(int fd, bool is_server);
void tls_free(struct tls *t);

/* As write() and read(), with what the handshake agreed on. */
ssize_t tls_write(struct tls *t, const void *data, size_t len);
ssize_t tls_read(struct tls *t, void *data, size_t room);
void tls_finish(struct tls *t);

#endif
