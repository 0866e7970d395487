/*
 * A program as they were written for libfdo-data: prints GUID and device info of a voucher, unverified.
 *
 *     fdo_data VOUCHER.cbor
 *
 * It links with -lfdo_data, which `.ci/capi --install` provides. Programs of today use
 * ownership_voucher.h: see verify_folder.c.
 */
#include <stdio.h>

#include "fdo_data.h"

int main(int argc, char **argv) {
    static unsigned char data[1 << 20];
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL) {
        fprintf(stderr, "usage: fdo_data VOUCHER.cbor\n");
        return 2;
    }
    size_t len = fread(data, 1, sizeof data, file);
    fclose(file);
    struct FdoOwnershipVoucher *voucher = fdo_ownershipvoucher_from_data(data, len);
    if (voucher == NULL) {
        char *error = fdo_get_last_error();
        fprintf(stderr, "%s: %s\n", argv[1], error);
        fdo_free_string(error);
        return 1;
    }
    char *guid = (char *)fdo_ownershipvoucher_header_get_guid(voucher);
    char *info = (char *)fdo_ownershipvoucher_header_get_device_info_string(voucher);
    printf("%s %s\n", guid, info);
    fdo_free_string(info);
    fdo_free_string(guid);
    fdo_ownershipvoucher_free(voucher);
    return 0;
}
