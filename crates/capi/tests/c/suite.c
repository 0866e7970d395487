/* Runs all of it: suite LIST-OF-VECTORS LIST-OF-FDO-2.0-VECTORS */
#include <stdlib.h>

#include "suite.h"

unsigned checks, failures;

unsigned char *read_file(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    unsigned char *bytes = malloc((size_t)size + 1);
    *len = fread(bytes, 1, (size_t)size, file);
    bytes[*len] = 0;
    fclose(file);
    return bytes;
}

static int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return 0;
}

unsigned char *from_hex(const char *text, size_t *len) {
    *len = strlen(text) / 2;
    unsigned char *bytes = malloc(*len + 1);
    for (size_t i = 0; i < *len; i++)
        bytes[i] = (unsigned char)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    return bytes;
}

ov_local_key *local_key(unsigned char secret) {
    unsigned char scalar[32];
    memset(scalar, secret, sizeof scalar);
    ov_local_key *key = NULL;
    OK(ov_local_key_from_secret(OV_KEY_SECP256R1, scalar, sizeof scalar, &key, NULL));
    return key;
}

ov_next_owner *next_owner(unsigned char secret) {
    ov_local_key *key = local_key(secret);
    ov_public_key *public_key = NULL;
    ov_next_owner *next = NULL;
    OK(ov_local_key_public_key(key, &public_key));
    OK(ov_next_owner_from_key(public_key, &next));
    OK(ov_public_key_free(&public_key));
    OK(ov_local_key_free(&key));
    return next;
}

static ov_policy *shared;

const ov_policy *any_origin(void) {
    if (shared == NULL) OK(ov_policy_any_origin(&shared));
    return shared;
}

ov_voucher *made_voucher(unsigned char device) {
    unsigned char guid[16], secret_bytes[32];
    memset(guid, device, sizeof guid);
    memset(secret_bytes, 7, sizeof secret_bytes);
    ov_local_key *maker = local_key(1);
    ov_public_key *maker_key = NULL;
    ov_next_owner *first = NULL;
    ov_new_voucher *made = NULL;
    ov_rv_directive *directive = NULL;
    ov_header *header = NULL;
    ov_hmac_secret *secret = NULL;
    ov_voucher *voucher = NULL;
    OK(ov_local_key_public_key(maker, &maker_key));
    OK(ov_next_owner_from_key(maker_key, &first));
    OK(ov_new_voucher_new(guid, "Model 7", 7, first, &made, NULL));
    OK(ov_rv_directive_new(&directive));
    OK(ov_rv_directive_dns(directive, "rv.example.com", 14));
    OK(ov_rv_directive_set(directive, OV_RV_SET_DEVICE_PORT, 443));
    OK(ov_rv_directive_set(directive, OV_RV_SET_PROTOCOL, OV_RV_PROTOCOL_HTTPS));
    OK(ov_new_voucher_add_rendezvous(made, directive));
    OK(ov_new_voucher_set(made, OV_NEW_EPID, 1));
    OK(ov_new_voucher_header(made, &header, NULL));
    OK(ov_hmac_secret_new(secret_bytes, sizeof secret_bytes, &secret));
    OK(ov_header_with_secret(header, secret, &voucher, NULL));
    OK(ov_hmac_secret_free(&secret));
    OK(ov_header_free(&header));
    OK(ov_rv_directive_free(&directive));
    OK(ov_new_voucher_free(&made));
    OK(ov_next_owner_free(&first));
    OK(ov_public_key_free(&maker_key));
    OK(ov_local_key_free(&maker));
    return voucher;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: suite LIST-OF-VECTORS LIST-OF-FDO-2.0-VECTORS\n");
        return 2;
    }
    /* Before any thread: the C library would use the stack of one that has ended. */
    test_no_threads();
    test_functions();
    test_misuse();
    test_batch();
    test_forking();
    test_named();
    test_fdo_data();
    test_onboard();
    test_roles();
    test_privacy();
    test_vectors(argv[1]);
    test_fdo20(argv[2]);
    OK(ov_policy_free(&shared));
    printf("%u checks, %u failed\n", checks, failures);
    return failures == 0 ? 0 : 1;
}
