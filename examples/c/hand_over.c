/*
 * Takes a voucher, signs it over to the next owner through a callback, and writes PEM.
 *
 *     hand_over VOUCHER MANUFACTURER.pem OWNER-PRIVATE-KEY.pem NEXT-OWNER.pem OUTPUT.pem
 *
 * The voucher must come from the manufacturer with that public key: nobody should sign what
 * anybody could have made.
 *
 * The callback stands for a TPM or an HSM. Here it signs with a key in memory; a real one would
 * send the message (or its digest) to the device whose session the user pointer holds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ownership_voucher.h"

struct session {
    ov_local_key *key;
    unsigned signatures;
};

static int32_t sign(void *user, int32_t algorithm, const uint8_t *message, size_t message_len,
                    uint8_t *signature, size_t capacity, size_t *signature_len) {
    struct session *session = user;
    ov_buffer *signed_bytes = NULL;
    ov_status status = ov_local_key_sign(session->key, algorithm, message, message_len,
                                         &signed_bytes, NULL);
    if (status != OV_OK) return status;
    ov_slice bytes = ov_buffer_bytes(signed_bytes);
    if (bytes.len <= capacity) {
        memcpy(signature, bytes.data, bytes.len);
        *signature_len = bytes.len;
        session->signatures++;
    }
    ov_buffer_free(&signed_bytes);
    return status;
}

static uint8_t *read_file(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(1 << 20);
    if (file == NULL || data == NULL) {
        perror(path);
        exit(2);
    }
    *len = fread(data, 1, 1 << 20, file);
    fclose(file);
    return data;
}

/* Says what went wrong. */
static int failed(const char *what, const ov_error *error) {
    fprintf(stderr, "%s: %s\n", what, ov_error_message(error));
    return 1;
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: hand_over VOUCHER MANUFACTURER.pem OWNER-KEY.pem NEXT-OWNER.pem "
                        "OUTPUT.pem\n");
        return 2;
    }
    int code = 1;
    size_t voucher_len, maker_len, key_len, next_len;
    uint8_t *voucher_file = read_file(argv[1], &voucher_len);
    uint8_t *maker_file = read_file(argv[2], &maker_len);
    uint8_t *key_file = read_file(argv[3], &key_len);
    uint8_t *next_file = read_file(argv[4], &next_len);
    struct session session = {NULL, 0};
    ov_error *error = NULL;
    ov_public_key *maker = NULL, *owner = NULL, *next_key = NULL;
    ov_policy *policy = NULL;
    ov_next_owner *next = NULL;
    ov_buffer *cbor = NULL, *pem = NULL;
    ov_verified *sold = NULL;
    ov_receipt *receipt = NULL;
    ov_receipt_info info;
    ov_slice bytes;

    if (ov_error_new(&error) != OV_OK) goto out;
    if (ov_public_key_parse(maker_file, maker_len, OV_FORM_PEM, &maker, error) != OV_OK) {
        code = failed(argv[2], error);
        goto out;
    }
    if (ov_policy_from_manufacturer(maker, &policy) != OV_OK) goto out;
    if (ov_local_key_parse(key_file, key_len, OV_FORM_PEM, &session.key, error) != OV_OK) {
        code = failed(argv[3], error);
        goto out;
    }
    if (ov_public_key_parse(next_file, next_len, OV_FORM_PEM, &next_key, error) != OV_OK) {
        code = failed(argv[4], error);
        goto out;
    }
    if (ov_file_single(voucher_file, voucher_len, &cbor, error) != OV_OK) {
        code = failed(argv[1], error);
        goto out;
    }
    bytes = ov_buffer_bytes(cbor);
    if (ov_local_key_public_key(session.key, &owner) != OV_OK ||
        ov_next_owner_from_key(next_key, &next) != OV_OK)
        goto out;

    ov_signer signer = {.user = &session, .public_key = owner, .sign = sign};
    if (ov_hand_over(bytes.data, bytes.len, policy, &signer, next, NULL, &sold, &receipt, error) !=
        OV_OK) {
        code = failed(argv[1], error);
        goto out;
    }
    if (ov_receipt_get_info(receipt, &info) != OV_OK ||
        ov_voucher_to_pem(ov_verified_voucher(sold), &pem) != OV_OK)
        goto out;
    bytes = ov_buffer_bytes(pem);
    FILE *output = fopen(argv[5], "wb");
    if (output == NULL || fwrite(bytes.data, 1, bytes.len, output) != bytes.len ||
        fclose(output) != 0) {
        perror(argv[5]);
        goto out;
    }
    printf("entry %llu added with %u signature, written to %s\n", (unsigned long long)info.entry,
           session.signatures, argv[5]);
    code = 0;
out:
    ov_buffer_free(&pem);
    ov_receipt_free(&receipt);
    ov_verified_free(&sold);
    ov_next_owner_free(&next);
    ov_public_key_free(&next_key);
    ov_public_key_free(&owner);
    ov_policy_free(&policy);
    ov_public_key_free(&maker);
    ov_buffer_free(&cbor);
    ov_local_key_free(&session.key);
    ov_error_free(&error);
    if (key_file != NULL) memset(key_file, 0, key_len);
    free(next_file);
    free(maker_file);
    free(key_file);
    free(voucher_file);
    return code;
}
