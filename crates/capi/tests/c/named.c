/* Keys that are named by their fingerprints. The digits were computed by another program. */
#include <stdlib.h>

#include "suite.h"

/* SHA-256 of the SubjectPublicKeyInfo of the key with secret 0101..., and its OwnerKeyFingerprint. */
static const char *const OF_KEY[] = {
    "f857ae4ed6e34e33761aea25caaee3fe54a15960fb92dcd63a375ab121deb2a9",
    "100bbe35557948640da0b3273262305e444270094ad4a40d6e3692cc8614c2df",
};

static ov_status judged(const ov_policy *policy, ov_slice voucher) {
    ov_verified *verified = NULL;
    ov_status status = ov_policy_verify(policy, voucher.data, voucher.len, &verified, NULL);
    CHECK((verified != NULL) == (status == OV_OK));
    OK(ov_verified_free(&verified));
    return status;
}

void test_named(void) {
    ov_voucher *made = made_voucher(3);
    ov_local_key *maker = local_key(1), *stranger = local_key(9);
    ov_public_key *key = NULL, *other = NULL;
    ov_hmac_secret *secret = NULL;
    ov_policy *policy = NULL;
    ov_slice voucher;
    uint8_t bytes[32], wrong[32] = {1};
    voucher = ov_voucher_bytes(made, OV_PART_VOUCHER);
    OK(ov_local_key_public_key(maker, &key));
    OK(ov_local_key_public_key(stranger, &other));
    memset(bytes, 7, sizeof bytes);
    OK(ov_hmac_secret_new(bytes, sizeof bytes, &secret));

    for (int kind = 0; kind < 2; kind++) {
        size_t len = 0;
        unsigned char *named = from_hex(OF_KEY[kind], &len);
        if (kind == 0) OK(ov_public_key_fingerprint(key, OV_FINGERPRINT_SPKI, bytes));
        if (kind == 1) OK(ov_public_key_fingerprint(key, OV_FINGERPRINT_OWNER_KEY, bytes));
        CHECK(len == 32 && memcmp(bytes, named, 32) == 0);
        CHECK(ov_public_key_has_fingerprint(key, named));
        CHECK(!ov_public_key_has_fingerprint(other, named));
        CHECK(!ov_public_key_has_fingerprint(NULL, named));
        /* As text, with the room that the header names. */
        char text[OV_FINGERPRINT_TEXT_BYTES + 1];
        memset(text, 'x', sizeof text);
        OK(ov_public_key_fingerprint_text(key, kind + 1, text));
        CHECK(strncmp(text, "sha256:", 7) == 0 && strcmp(text + 7, OF_KEY[kind]) == 0);
        CHECK(text[OV_FINGERPRINT_TEXT_BYTES] == 'x');

        /* The maker of a voucher without entries owns it. */
        OK(ov_policy_new(&policy));
        OK(ov_policy_set_hmac_secret(policy, secret));
        OK(ov_policy_add_owner_fingerprint(policy, named));
        IS(judged(policy, voucher), OV_OK);
        OK(ov_policy_unset(policy, OV_POLICY_OWNERS));
        OK(ov_policy_add_owner_fingerprint(policy, wrong));
        IS(judged(policy, voucher), OV_ERR_WRONG_OWNER);
        OK(ov_policy_add_owner(policy, other));
        IS(judged(policy, voucher), OV_ERR_WRONG_OWNER);
        OK(ov_policy_add_owner_fingerprint(policy, named));
        IS(judged(policy, voucher), OV_OK);
        CHECK(ov_policy_get(policy, OV_POLICY_OWNERS) == 3);
        OK(ov_policy_unset(policy, OV_POLICY_OWNERS));
        OK(ov_policy_add_owner(policy, other));
        IS(judged(policy, voucher), OV_ERR_WRONG_OWNER);
        OK(ov_policy_add_owner(policy, key));
        IS(judged(policy, voucher), OV_OK);
        OK(ov_policy_free(&policy));

        OK(ov_policy_new(&policy));
        OK(ov_policy_add_manufacturer_fingerprint(policy, wrong));
        OK(ov_policy_set_hmac_secret(policy, secret));
        IS(judged(policy, voucher), OV_ERR_WRONG_MANUFACTURER);
        OK(ov_policy_add_manufacturer_fingerprint(policy, named));
        IS(judged(policy, voucher), OV_OK);
        OK(ov_policy_free(&policy));
        OK(ov_policy_new(&policy));
        OK(ov_policy_add_manufacturer_fingerprint(policy, named));
        IS(judged(policy, voucher), OV_ERR_ORIGIN_NOT_CHECKED);
        OK(ov_policy_free(&policy));
        free(named);
    }
    IS(ov_policy_add_manufacturer_fingerprint(NULL, wrong), OV_ERR_NULL);
    IS(ov_public_key_fingerprint(key, 3, bytes), OV_ERR_BAD_CALL);

    OK(ov_hmac_secret_free(&secret));
    OK(ov_public_key_free(&key));
    OK(ov_public_key_free(&other));
    OK(ov_local_key_free(&maker));
    OK(ov_local_key_free(&stranger));
    OK(ov_voucher_free(&made));
}
