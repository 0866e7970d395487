/*
 * Verifies every voucher of a folder and prints a table: one line for each voucher.
 *
 *     verify_folder FOLDER MANUFACTURERS.pem
 *
 * The vouchers must come from a manufacturer whose public key is in that file: anybody can make a
 * voucher with a key of their own. Files may be CBOR, CBOR sequences, PEM with one or many vouchers,
 * or base64. Exits with 1 where a voucher was rejected, or a file could not be read, and with 2 where nothing
 * was verified. Folders in the folder are passed over.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ownership_voucher.h"

static ov_error *error;
static unsigned long vouchers, rejected;

/* A table is no place for what a stranger may have put into a device info. */
static void printable(ov_str text, char *out, size_t room) {
    size_t used = 0;
    for (; used < text.len && used + 1 < room; used++) {
        unsigned char c = (unsigned char)text.data[used];
        out[used] = c >= ' ' && c <= '~' ? (char)c : '?';
    }
    out[used] = 0;
}

static void print_error(const char *file) {
    ov_status status = ov_error_status(error);
    printf("%-28s REJECTED %s: %s\n", file, ov_status_name(status), ov_error_message(error));
    vouchers++;
    rejected++;
}

static void print_verified(const char *file, const ov_verified *verified) {
    const ov_voucher *voucher = ov_verified_voucher(verified);
    ov_public_key *owner = NULL;
    uint8_t guid[OV_GUID_BYTES];
    char guid_text[OV_GUID_TEXT_BYTES], owner_text[OV_FINGERPRINT_TEXT_BYTES], info_text[32];
    if (ov_verified_owner(verified, &owner) != OV_OK) return;
    ov_voucher_guid(voucher, guid);
    ov_guid_text(guid, false, guid_text);
    ov_public_key_fingerprint_text(owner, OV_FINGERPRINT_SPKI, owner_text);
    ov_public_key_free(&owner);
    printable(ov_voucher_device_info(voucher), info_text, sizeof info_text);
    printf("%-28s %s %3llu %.16s %s\n", file, guid_text,
           (unsigned long long)ov_verified_fact(verified, OV_FACT_ENTRIES), owner_text + strlen("sha256:"),
           info_text);
    vouchers++;
}

static void verify(const char *file, ov_slice bytes, const ov_policy *policy) {
    ov_voucher *voucher = NULL;
    ov_verified *verified = NULL;
    if (ov_voucher_parse(bytes.data, bytes.len, policy, &voucher, error) == OV_OK &&
        ov_voucher_verify(voucher, policy, &verified, error) == OV_OK)
        print_verified(file, verified);
    else
        print_error(file);
    ov_verified_free(&verified);
    ov_voucher_free(&voucher);
}

static bool is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* The bytes of a file and a zero behind them, or NULL, and then errno says why. */
static uint8_t *read_file(const char *path, size_t *len) {
    struct stat info;
    if (stat(path, &info) != 0) return NULL;
    if (!S_ISREG(info.st_mode)) {
        errno = EINVAL;
        return NULL;
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) return NULL;
    uint8_t *data = malloc((size_t)info.st_size + 1);
    if (data != NULL) {
        *len = fread(data, 1, (size_t)info.st_size, file);
        data[*len] = 0;
        if (ferror(file)) {
            free(data);
            data = NULL;
        }
    }
    fclose(file);
    return data;
}

/* Ends the program: what fails here is no voucher. */
static void end(const char *path, const char *why) {
    fprintf(stderr, "%s: %s\n", path, why);
    exit(2);
}

/* The anchor: a policy under which a public key of a PEM file is the manufacturer's. */
static ov_policy *anchored(const char *path) {
    ov_policy *policy = NULL;
    size_t len;
    uint8_t *data = read_file(path, &len);
    if (data == NULL) end(path, strerror(errno));
    if (ov_policy_new(&policy) != OV_OK) end(path, "no memory");
    if (ov_policy_add_manufacturers_pem(policy, data, len, error) != OV_OK) end(path, ov_error_message(error));
    free(data);
    return policy;
}

static void verify_file(const char *path, const char *name, const ov_policy *policy) {
    size_t len;
    uint8_t *data = read_file(path, &len);
    if (data == NULL) {
        printf("%-28s REJECTED %s\n", name, strerror(errno));
        vouchers++;
        rejected++;
        return;
    }

    ov_vouchers *steps = NULL;
    ov_slice bytes;
    ov_status status = ov_vouchers_new(data, len, &steps);
    while (status != OV_ERR_INDEX && steps != NULL) {
        status = ov_vouchers_next(steps, &bytes, error);
        if (status == OV_OK) verify(name, bytes, policy);
        else if (status != OV_ERR_INDEX) print_error(name);
    }
    ov_vouchers_free(&steps);
    free(data);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: verify_folder FOLDER MANUFACTURERS.pem\n");
        return 2;
    }
    if (ov_error_new(&error) != OV_OK) return 2;
    ov_policy *policy = anchored(argv[2]);
    struct dirent **names;
    int count = scandir(argv[1], &names, NULL, alphasort);
    if (count < 0) {
        perror(argv[1]);
        return 2;
    }
    printf("%-28s %-32s %3s %-16s %s\n", "file", "GUID", "n", "owner", "device");
    for (int i = 0; i < count; i++) {
        size_t room = strlen(argv[1]) + strlen(names[i]->d_name) + 2;
        char *path = malloc(room);
        if (path == NULL) return 2;
        snprintf(path, room, "%s/%s", argv[1], names[i]->d_name);
        if (!is_folder(path)) verify_file(path, names[i]->d_name, policy);
        free(path);
        free(names[i]);
    }
    free(names);
    printf("%lu vouchers, %lu rejected\n", vouchers, rejected);
    ov_policy_free(&policy);
    ov_error_free(&error);
    return rejected == 0 ? 0 : 1;
}
