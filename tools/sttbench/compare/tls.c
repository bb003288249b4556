/* SPDX-License-Identifier: MIT
 * tls: owns a certificate that lives as long as the receiver, and one connection. Records are as
 * large as TLS allows, 16 KiB; those of one write go in one call, and what comes is read ahead. */
#include "tools/sttbench/compare/tls.h"

#ifdef STT_HAS_OPENSSL
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdlib.h>

enum { AHEAD_BYTES = 128 << 10, GATHERED_BYTES = 256 << 10, VALID_S = 24 * 3600 };

struct tls {
    SSL_CTX *context;
    SSL *ssl;
};

const char *tls_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}

static bool sign(X509 *certificate, EVP_PKEY *key)
{
    static const unsigned char name[] = "sttbench";
    X509_NAME *subject = X509_get_subject_name(certificate);
    return X509_set_version(certificate, 2) &&
           ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), 0) &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_S) &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, name, -1, -1, 0) &&
           X509_set_issuer_name(certificate, subject) && X509_set_pubkey(certificate, key) &&
           X509_sign(certificate, key, EVP_sha256());
}

static bool certify(SSL_CTX *context)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    bool is_good = key && certificate && sign(certificate, key) &&
                   SSL_CTX_use_certificate(context, certificate) == 1 &&
                   SSL_CTX_use_PrivateKey(context, key) == 1;
    X509_free(certificate);
    EVP_PKEY_free(key);
    return is_good;
}

/* No tickets: nobody would read them. */
static bool furnish(SSL_CTX *context, bool is_server)
{
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, AHEAD_BYTES);
    return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_ciphersuites(context, "TLS_AES_256_GCM_SHA384") == 1 &&
           SSL_CTX_set_num_tickets(context, 0) == 1 && (!is_server || certify(context));
}

/* From now on, the records of one write go to the kernel in one call: on a veth that is worth 80 %.
 */
static bool gather_records(SSL *ssl)
{
    BIO *gathered = BIO_new(BIO_f_buffer()), *socket = SSL_get_wbio(ssl);
    if (!gathered || BIO_set_write_buffer_size(gathered, GATHERED_BYTES) != 1)
        return false;
    BIO_up_ref(socket);
    SSL_set0_wbio(ssl, BIO_push(gathered, socket));
    return true;
}

struct tls *tls_new(int fd, bool is_server)
{
    struct tls *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    (void)signal(SIGPIPE, SIG_IGN);
    t->context = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
    t->ssl = t->context && furnish(t->context, is_server) ? SSL_new(t->context) : NULL;
    if (t->ssl && SSL_set_fd(t->ssl, fd) == 1 &&
        (is_server ? SSL_accept(t->ssl) : SSL_connect(t->ssl)) == 1 && gather_records(t->ssl))
        return t;
    tls_free(t);
    return NULL;
}

void tls_free(struct tls *t)
{
    SSL_free(t->ssl);
    SSL_CTX_free(t->context);
    free(t);
}

ssize_t tls_write(struct tls *t, const void *data, size_t len)
{
    int n = SSL_write(t->ssl, data, (int)len);
    return n > 0 && BIO_flush(SSL_get_wbio(t->ssl)) == 1 ? n : -1;
}

ssize_t tls_read(struct tls *t, void *data, size_t room)
{
    int n = SSL_read(t->ssl, data, (int)room);
    return n > 0 ? n : SSL_get_error(t->ssl, n) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

void tls_finish(struct tls *t)
{
    (void)SSL_shutdown(t->ssl);
    (void)BIO_flush(SSL_get_wbio(t->ssl));
}

#else

const char *tls_version(void)
{
    return NULL;
}

struct tls *tls_new(int fd, bool is_server)
{
    (void)fd, (void)is_server;
    return NULL;
}

void tls_free(struct tls *t)
{
    (void)t;
}

ssize_t tls_write(struct tls *t, const void *data, size_t len)
{
    (void)t, (void)data, (void)len;
    return -1;
}

ssize_t tls_read(struct tls *t, void *data, size_t room)
{
    (void)t, (void)data, (void)room;
    return -1;
}

void tls_finish(struct tls *t)
{
    (void)t;
}
#endif
