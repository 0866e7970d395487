/* A harness of one macro: a check that fails says where, and the program goes on. */
#ifndef SUITE_H
#define SUITE_H

#include <stdio.h>
#include <string.h>

#include "ownership_voucher_privacy.h"

extern unsigned checks, failures;

#define CHECK(condition)                                                                  \
    do {                                                                                  \
        checks++;                                                                         \
        if (!(condition)) {                                                               \
            failures++;                                                                   \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);               \
        }                                                                                 \
    } while (0)

/* The status of a call, with both numbers where it is another one. */
#define IS(call, wanted)                                                                  \
    do {                                                                                  \
        ov_status is_ = (call);                                                           \
        checks++;                                                                         \
        if (is_ != (wanted)) {                                                            \
            failures++;                                                                   \
            fprintf(stderr, "%s:%d: %s: %d, not %d\n", __FILE__, __LINE__, #call,         \
                    (int)is_, (int)(wanted));                                             \
        }                                                                                 \
    } while (0)

#define OK(call) IS(call, OV_OK)

/* Bytes of a file or of hexadecimal text; the caller frees them. */
unsigned char *read_file(const char *path, size_t *len);
unsigned char *from_hex(const char *text, size_t *len);

/* A voucher of a P-256 maker with secret 1, made through the library. */
ov_voucher *made_voucher(unsigned char device);
ov_local_key *local_key(unsigned char secret);
ov_next_owner *next_owner(unsigned char secret);

/* A policy for vouchers of any origin, the same in every call. */
const ov_policy *any_origin(void);

void test_vectors(const char *list);
void test_fdo20(const char *list);
void test_functions(void);
void test_misuse(void);
void test_batch(void);
void test_forking(void);
void test_no_threads(void);
void test_named(void);
void test_fdo_data(void);
void test_onboard(void);
void test_roles(void);
void test_privacy(void);

#endif
