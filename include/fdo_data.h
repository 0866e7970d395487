#ifndef FDO_DATA_H
#define FDO_DATA_H

/*
 * The eleven functions of libfdo-data, for programs that were written for it: they compile against
 * this header and link with -lownership_voucher. Programs of today use ownership_voucher.h, which
 * can verify what it reads.
 *
 * Nothing is verified here: what the functions return is what the voucher claims.
 *
 * A function that fails returns NULL (or -1, or 0) and leaves a sentence that fdo_get_last_error
 * gives out. There is one for each thread; each call but fdo_get_last_error clears it first.
 * Vouchers of protocol version 100 are not read.
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define FDO_DATA_MAJOR 0
#define FDO_DATA_MINOR 5
#define FDO_DATA_PATCH 6

#ifdef __cplusplus
extern "C" {
#endif

/* A voucher. */
typedef struct FdoOwnershipVoucher FdoOwnershipVoucher;

/* A list of vouchers. */
typedef struct FdoOwnershipVoucherList FdoOwnershipVoucherList;

/* Frees a string that a function of this header gave. NULL is allowed. */
void fdo_free_string(char *s);

/* The last error of this thread, to be freed with fdo_free_string; NULL where there is none. */
char *fdo_get_last_error(void);

/* The voucher at an index, counted from 0. It belongs to the list: do not free it. NULL, without
 * an error, past the end. */
const struct FdoOwnershipVoucher *fdo_ownershipvoucher_list_get(
    const struct FdoOwnershipVoucherList *list, uint64_t index);

/* How many vouchers a list has. */
uint64_t fdo_ownershipvoucher_list_len(const struct FdoOwnershipVoucherList *list);

/* Frees a list and its vouchers. */
void fdo_ownershipvoucher_list_free(struct FdoOwnershipVoucherList *list);

/* Reads a sequence of vouchers in CBOR; an empty input gives an empty list. NULL if one of them
 * cannot be read. */
const struct FdoOwnershipVoucherList *fdo_ownershipvoucher_many_from_data(const void *data,
                                                                          size_t len);

/* Reads the voucher in CBOR that the data begins with. */
struct FdoOwnershipVoucher *fdo_ownershipvoucher_from_data(const void *data, size_t len);

/* Frees a voucher. NULL is allowed. */
void fdo_ownershipvoucher_free(struct FdoOwnershipVoucher *v);

/* The protocol version, such as 101; -1 on failure. */
int32_t fdo_ownershipvoucher_header_get_protocol_version(const struct FdoOwnershipVoucher *v);

/* The GUID in lower case with dashes, to be freed with fdo_free_string. */
const char *fdo_ownershipvoucher_header_get_guid(const struct FdoOwnershipVoucher *v);

/* The device info, to be freed with fdo_free_string. NULL where it holds a zero byte. */
const char *fdo_ownershipvoucher_header_get_device_info_string(
    const struct FdoOwnershipVoucher *v);

#ifdef __cplusplus
}
#endif

#endif /* FDO_DATA_H */
