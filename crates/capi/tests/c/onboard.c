/* A proof of ownership, and the device's side of TO2 over the messages of test-vectors/device. */
#include <stdlib.h>

#include "suite.h"

#define NAME "market.example.com"

static void test_challenge(void) {
    ov_voucher *voucher = made_voucher(9), *other = made_voucher(8);
    ov_verified *verified = NULL, *other_verified = NULL;
    ov_challenge *challenge = NULL, *again = NULL;
    ov_unsigned *answer = NULL;
    ov_buffer *bytes = NULL, *message = NULL, *proof = NULL;
    ov_public_key *owner = NULL, *signer_key = NULL;
    ov_slice slice, question;
    ov_str name;
    ov_digest digest;
    unsigned char nonce[32], guid[16], expected[16];
    bool equal = false;
    int32_t algorithm = 0;
    memset(nonce, 7, sizeof nonce);
    memset(expected, 9, sizeof expected);
    OK(ov_voucher_verify(voucher, any_origin(), &verified, NULL));
    OK(ov_voucher_verify(other, any_origin(), &other_verified, NULL));

    IS(ov_verified_challenge(verified, "", 0, nonce, &challenge, NULL), OV_ERR_INCOMPLETE);
    OK(ov_verified_challenge(verified, NAME, strlen(NAME), nonce, &challenge, NULL));
    name = ov_challenge_verifier(challenge);
    CHECK(name.len == strlen(NAME) && memcmp(name.data, NAME, name.len) == 0);
    OK(ov_challenge_guid(challenge, guid));
    CHECK(memcmp(guid, expected, sizeof guid) == 0);
    digest = ov_challenge_state(challenge);
    CHECK(digest.algorithm == OV_HASH_SHA384 && digest.len == 48);
    OK(ov_challenge_bytes(challenge, &bytes));
    question = ov_buffer_bytes(bytes);
    OK(ov_challenge_parse(question.data, question.len, &again, NULL));
    IS(ov_challenge_parse(question.data, question.len - 1, &again, NULL), OV_ERR_TRUNCATED);

    IS(ov_challenge_respond(again, verified, "other", 5, &answer, NULL), OV_ERR_WRONG_VERIFIER);
    IS(ov_challenge_respond(again, other_verified, NAME, strlen(NAME), &answer, NULL),
       OV_ERR_WRONG_DEVICE);
    OK(ov_challenge_respond(again, verified, NAME, strlen(NAME), &answer, NULL));
    algorithm = ov_unsigned_algorithm(answer);
    CHECK(algorithm == OV_ALGORITHM_ES256);
    ov_local_key *key = local_key(1), *stranger = local_key(2);
    OK(ov_local_key_public_key(key, &owner));
    OK(ov_unsigned_signer(answer, &signer_key));
    equal = ov_public_key_equal(owner, signer_key);
    CHECK(equal);
    OK(ov_unsigned_to_be_signed(answer, &message));
    slice = ov_buffer_bytes(message);
    OK(ov_unsigned_prehash(answer, &digest));
    CHECK(digest.algorithm == OV_HASH_SHA256);
    IS(ov_unsigned_finish(answer, slice.data, 64, &proof, NULL), OV_ERR_SIGNER_ANSWER);
    ov_signer wrong = {stranger, NULL, ov_local_key_sign_callback};
    IS(ov_unsigned_sign(answer, &wrong, &proof, NULL), OV_ERR_SIGNER_ANSWER);
    ov_signer right = {key, owner, ov_local_key_sign_callback};
    OK(ov_unsigned_sign(answer, &right, &proof, NULL));
    slice = ov_buffer_bytes(proof);
    OK(ov_challenge_check(challenge, verified, slice.data, slice.len, NULL));
    IS(ov_challenge_check(challenge, other_verified, slice.data, slice.len, NULL),
       OV_ERR_WRONG_DEVICE);
    IS(ov_challenge_check(challenge, verified, slice.data, slice.len - 1, NULL), OV_ERR_TRUNCATED);
    IS(ov_challenge_check(NULL, verified, slice.data, slice.len, NULL), OV_ERR_NULL);

    OK(ov_buffer_free(&proof));
    OK(ov_buffer_free(&message));
    OK(ov_buffer_free(&bytes));
    OK(ov_unsigned_free(&answer));
    OK(ov_challenge_free(&again));
    OK(ov_challenge_free(&challenge));
    OK(ov_public_key_free(&signer_key));
    OK(ov_public_key_free(&owner));
    OK(ov_local_key_free(&stranger));
    OK(ov_local_key_free(&key));
    OK(ov_verified_free(&other_verified));
    OK(ov_verified_free(&verified));
    OK(ov_voucher_free(&other));
    OK(ov_voucher_free(&voucher));
}

/* What a device keeps: the secret is 0, 1, 2, … */
static int32_t device_hmac(void *user, int32_t algorithm, const uint8_t *header, size_t len,
                           uint8_t *out) {
    ov_digest digest;
    ov_status status = ov_hmac_secret_header_hmac(user, algorithm, header, len, &digest, NULL);
    memcpy(out, digest.bytes, digest.len);
    return status;
}

static void test_device(const char *curve) {
    static const unsigned char guid[16] = {0x3f, 0x1c, 0x6a, 0x0e, 0x5b, 0x7d, 0x4c, 0x2f,
                                           0x9a, 0x8e, 0x01, 0xd2, 0xc3, 0xb4, 0xa5, 0x96};
    unsigned char secret_bytes[32], nonce[16], found[16];
    unsigned char *messages[3], *hello, *to1d;
    size_t lens[3], hello_len, to1d_len;
    char path[64];
    for (unsigned i = 0; i < 32; i++) secret_bytes[i] = (unsigned char)i;
    for (unsigned i = 0; i < 16; i++) nonce[i] = (unsigned char)(0x10 + i);
    const char *names[3] = {"61", "63-0", "63-1"};
    for (unsigned i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "test-vectors/device/%s-%s.cbor", curve, names[i]);
        messages[i] = read_file(path, &lens[i]);
    }
    snprintf(path, sizeof path, "test-vectors/device/%s-to1d.cbor", curve);
    to1d = read_file(path, &to1d_len);
    hello = read_file("test-vectors/device/hello.cbor", &hello_len);

    ov_hmac_secret *secret = NULL;
    ov_device_verifier *verifier = NULL;
    ov_public_key *owner = NULL;
    ov_slice exchange;
    uint8_t number = 9;
    OK(ov_hmac_secret_new(secret_bytes, sizeof secret_bytes, &secret));
    ov_hmac callback = {secret, device_hmac};
    IS(ov_device_verifier_start(guid, NULL, NULL, NULL, NULL, hello, hello_len, nonce, messages[0],
                                lens[0], &verifier, NULL),
       OV_ERR_NULL);
    IS(ov_device_verifier_start(guid, NULL, secret, NULL, NULL, hello, hello_len - 1, nonce,
                                messages[0], lens[0], &verifier, NULL),
       OV_ERR_HELLO_HASH_MISMATCH);
    OK(ov_device_verifier_start(guid, NULL, NULL, &callback, NULL, hello, hello_len, nonce,
                                messages[0], lens[0], &verifier, NULL));
    OK(ov_device_verifier_hello(verifier, &exchange, NULL, NULL));
    CHECK(exchange.len == 13 && memcmp(exchange.data, "xAKeyExchange", 13) == 0);
    OK(ov_device_verifier_next(verifier, &number, NULL));
    CHECK(number == 0);
    IS(ov_device_verifier_finish(verifier, &owner, NULL, NULL), OV_ERR_WRONG_ENTRY);
    OK(ov_device_verifier_entry(verifier, messages[1], lens[1], NULL));
    OK(ov_device_verifier_entry(verifier, messages[2], lens[2], NULL));
    IS(ov_device_verifier_next(verifier, &number, NULL), OV_ERR_ABSENT);
    OK(ov_device_verifier_finish(verifier, &owner, found, NULL));
    CHECK(found[0] == 0x20 && found[15] == 0x2f);
    OK(ov_device_verifier_check_to1d(verifier, to1d, to1d_len, NULL));
    to1d[to1d_len - 1] ^= 1;
    IS(ov_device_verifier_check_to1d(verifier, to1d, to1d_len, NULL), OV_ERR_SIGNATURE_INVALID);
    OK(ov_public_key_free(&owner));
    OK(ov_device_verifier_free(&verifier));

    /* An entry twice: named, and remembered. */
    ov_error *error = NULL;
    OK(ov_device_verifier_start(guid, NULL, secret, NULL, NULL, hello, hello_len, nonce, messages[0],
                                lens[0], &verifier, NULL));
    OK(ov_device_verifier_entry(verifier, messages[1], lens[1], NULL));
    OK(ov_error_new(&error));
    IS(ov_device_verifier_entry(verifier, messages[1], lens[1], error), OV_ERR_WRONG_ENTRY);
    CHECK(ov_error_entry(error) == 1);
    /* Nothing more is to be asked for. */
    IS(ov_device_verifier_next(verifier, &number, error), OV_ERR_WRONG_ENTRY);
    CHECK(ov_error_entry(error) == 1);
    OK(ov_error_free(&error));
    IS(ov_device_verifier_entry(verifier, messages[2], lens[2], NULL), OV_ERR_WRONG_ENTRY);
    OK(ov_device_verifier_free(&verifier));
    OK(ov_hmac_secret_free(&secret));
    for (unsigned i = 0; i < 3; i++) free(messages[i]);
    free(hello);
    free(to1d);
}

void test_onboard(void) {
    test_challenge();
    test_device("p256");
    test_device("p384");
}
