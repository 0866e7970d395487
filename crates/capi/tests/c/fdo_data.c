/* The old interface, used as old programs use it. */
#include <pthread.h>
#include <stdlib.h>

#include "fdo_data.h"
#include "suite.h"

static void *other_thread(void *unused) {
    (void)unused;
    CHECK(fdo_get_last_error() == NULL);
    return NULL;
}

static void expect_error(void) {
    char *error = fdo_get_last_error();
    CHECK(error != NULL && strlen(error) > 0);
    fdo_free_string(error);
    CHECK(fdo_get_last_error() == NULL);
}

void test_fdo_data(void) {
    ov_voucher *made = made_voucher(0xab);
    ov_slice bytes;
    bytes = ov_voucher_bytes(made, OV_PART_VOUCHER);

    FdoOwnershipVoucher *v = fdo_ownershipvoucher_from_data(bytes.data, bytes.len);
    CHECK(v != NULL && fdo_get_last_error() == NULL);
    CHECK(fdo_ownershipvoucher_header_get_protocol_version(v) == 101);
    const char *guid = fdo_ownershipvoucher_header_get_guid(v);
    CHECK(guid != NULL && strcmp(guid, "abababab-abab-abab-abab-abababababab") == 0);
    fdo_free_string((char *)guid);
    const char *info = fdo_ownershipvoucher_header_get_device_info_string(v);
    CHECK(info != NULL && strcmp(info, "Model 7") == 0);
    fdo_free_string((char *)info);
    fdo_ownershipvoucher_free(v);
    fdo_ownershipvoucher_free(NULL);

    /* Two vouchers, the second of them cut, and none. */
    unsigned char *two = malloc(2 * bytes.len);
    memcpy(two, bytes.data, bytes.len);
    memcpy(two + bytes.len, bytes.data, bytes.len);
    const FdoOwnershipVoucherList *list =
        fdo_ownershipvoucher_many_from_data(two, 2 * bytes.len);
    CHECK(fdo_ownershipvoucher_list_len(list) == 2);
    const FdoOwnershipVoucher *second = fdo_ownershipvoucher_list_get(list, 1);
    CHECK(fdo_ownershipvoucher_header_get_protocol_version(second) == 101);
    CHECK(fdo_ownershipvoucher_list_get(list, 2) == NULL && fdo_get_last_error() == NULL);
    fdo_ownershipvoucher_list_free((FdoOwnershipVoucherList *)list);
    CHECK(fdo_ownershipvoucher_many_from_data(two, 2 * bytes.len - 1) == NULL);
    expect_error();
    list = fdo_ownershipvoucher_many_from_data(two, 0);
    CHECK(list != NULL && fdo_ownershipvoucher_list_len(list) == 0);
    fdo_ownershipvoucher_list_free((FdoOwnershipVoucherList *)list);
    /* What follows a single voucher is not looked at. */
    v = fdo_ownershipvoucher_from_data(two, bytes.len + 3);
    CHECK(v != NULL);
    fdo_ownershipvoucher_free(v);

    CHECK(fdo_ownershipvoucher_from_data("", 0) == NULL);
    expect_error();
    CHECK(fdo_ownershipvoucher_from_data(NULL, 5) == NULL);
    expect_error();
    CHECK(fdo_ownershipvoucher_from_data("text", 4) == NULL);
    pthread_t thread;
    pthread_create(&thread, NULL, other_thread, NULL);
    pthread_join(thread, NULL);
    expect_error();
    CHECK(fdo_ownershipvoucher_header_get_protocol_version(NULL) == -1);
    expect_error();
    CHECK(fdo_ownershipvoucher_header_get_guid(NULL) == NULL);
    CHECK(fdo_ownershipvoucher_header_get_device_info_string(NULL) == NULL);
    CHECK(fdo_ownershipvoucher_list_len(NULL) == 0);
    CHECK(fdo_ownershipvoucher_list_get(NULL, 0) == NULL);
    fdo_ownershipvoucher_list_free(NULL);
    expect_error();
    fdo_free_string(NULL);
    for (size_t len = 0; len < bytes.len; len++)
        CHECK(fdo_ownershipvoucher_from_data(bytes.data, len) == NULL);
    fdo_free_string(NULL);
    free(two);
    OK(ov_voucher_free(&made));
}
