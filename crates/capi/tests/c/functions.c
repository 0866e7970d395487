/* What the library can do, from the factory to the second resale. */
#include <stdlib.h>

#include "suite.h"

static ov_verified *verify(const ov_voucher *voucher) {
    ov_verified *verified = NULL;
    OK(ov_voucher_verify(voucher, any_origin(), &verified, NULL));
    return verified;
}

static void test_accessors(const ov_voucher *voucher) {
    ov_str text;
    ov_slice bytes, header;
    ov_digest digest;
    uint16_t version = 0;
    uint64_t number = 0;
    ov_rv_instruction rv;
    ov_key_info key;
    ov_public_key *maker = NULL, *owner = NULL;
    bool equal = false;
    text = ov_voucher_device_info(voucher);
    CHECK(text.len == 7 && memcmp(text.data, "Model 7", 7) == 0);
    version = ov_voucher_protocol_version(voucher);
    CHECK(version == 101);
    digest = ov_voucher_hmac(voucher);
    CHECK(digest.algorithm == OV_HASH_SHA256 && digest.len == 32);
    IS(ov_voucher_chain_hash(voucher, &digest), OV_ERR_ABSENT);
    CHECK(ov_voucher_bytes(voucher, OV_PART_CHAIN).data == NULL);
    number = ov_voucher_certificate_count(voucher, OV_DEVICE);
    CHECK(number == 0);
    CHECK(ov_voucher_certificate(voucher, OV_DEVICE, 0).data == NULL);
    /* "No entry" names no key. */
    IS(ov_voucher_key_info(voucher, OV_NONE, &key), OV_ERR_INDEX);
    IS(ov_voucher_key(voucher, OV_NONE, &maker, NULL), OV_ERR_INDEX);
    IS(ov_voucher_key_info(voucher, OV_DEVICE, &key), OV_ERR_INDEX);
    bytes = ov_voucher_bytes(voucher, OV_PART_VOUCHER);
    header = ov_voucher_bytes(voucher, OV_PART_HEADER);
    for (int32_t part = OV_PART_HEADER; part <= OV_PART_RENDEZVOUS; part++) {
        if (part == OV_PART_CHAIN) continue;
        header = ov_voucher_bytes(voucher, part);
        CHECK(header.len > 0 && header.data >= bytes.data);
        CHECK(header.data + header.len <= bytes.data + bytes.len);
    }
    CHECK(ov_voucher_bytes(voucher, OV_PART_RENDEZVOUS_UNREAD).data == NULL);
    CHECK(ov_voucher_bytes(voucher, 99).data == NULL);
    number = ov_voucher_rendezvous_count(voucher);
    CHECK(number == 3);
    OK(ov_voucher_rendezvous(voucher, 0, &rv));
    CHECK(rv.kind == OV_RV_TEXT && rv.text.len == 14 && !rv.secret);
    OK(ov_voucher_rendezvous(voucher, 1, &rv));
    CHECK(rv.kind == OV_RV_NUMBER && rv.number == 443);
    IS(ov_voucher_rendezvous(voucher, 3, &rv), OV_ERR_INDEX);
    OK(ov_voucher_key_info(voucher, OV_MANUFACTURER, &key));
    CHECK(key.key_type == OV_KEY_SECP256R1 && key.encoding == OV_ENCODING_X509);
    CHECK(key.algorithm == OV_ALGORITHM_ES256);
    CHECK(memcmp(bytes.data + key.offset, key.bytes.data, key.bytes.len) == 0);
    OK(ov_voucher_key(voucher, OV_MANUFACTURER, &maker, NULL));
    OK(ov_voucher_key(voucher, OV_OWNER, &owner, NULL));
    equal = ov_public_key_equal(maker, owner);
    CHECK(equal);
    IS(ov_voucher_key_info(voucher, 0, &key), OV_ERR_INDEX);
    number = ov_voucher_certificate_count(voucher, OV_OWNER);
    CHECK(number == 0);
    CHECK(ov_voucher_certificate(voucher, OV_OWNER, 0).data == NULL);
    OK(ov_public_key_free(&maker));
    OK(ov_public_key_free(&owner));

    ov_findings *findings = NULL;
    size_t count = 0;
    OK(ov_voucher_findings(voucher, NULL, &findings));
    const ov_finding *finding = ov_findings_all(findings, &count);
    CHECK(count == 1 && finding->code == OV_FINDING_NO_ENTRIES && !finding->is_deviation);
    CHECK(strcmp(finding->name, "no-entries") == 0);
    OK(ov_findings_free(&findings));
}

/* Two steps, both directions: r and s from a local key, then the digest. */
static ov_voucher *extended(const ov_verified *verified, unsigned char from, unsigned char to) {
    ov_local_key *key = local_key(from);
    ov_next_owner *next = next_owner(to);
    ov_extension *extension = NULL;
    ov_extend_options *options = NULL;
    ov_buffer *message = NULL, *signature = NULL;
    ov_slice tbs, sig;
    ov_digest prehash, again;
    ov_voucher *voucher = NULL;
    int32_t algorithm = 0;
    bool equal = false;
    OK(ov_extend_options_new(&options));
    OK(ov_extend_options_add_extra(options, -70000, (const uint8_t *)"note", 4));
    OK(ov_extend_options_set(options, OV_EXTEND_MAX_ENTRY, 4096));
    OK(ov_extend_options_set(options, OV_EXTEND_OTHER_KEY_TYPE, 1));
    OK(ov_extend_options_set(options, OV_EXTEND_EXPERIMENTAL_KEY, 1));
    OK(ov_extend_options_set(options, OV_EXTEND_CA_OWNER, 1));
    OK(ov_extend_options_set(options, OV_EXTEND_DRAFT_AAD, 1));
    OK(ov_extend_options_set(options, OV_EXTEND_HASH, OV_HASH_SHA256));
    OK(ov_extend_options_set(options, OV_EXTEND_ENCODING, OV_ENCODING_COSEKEY));
    OK(ov_verified_extend(verified, next, options, &extension, NULL));
    algorithm = ov_extension_algorithm(extension);
    CHECK(algorithm == OV_ALGORITHM_ES256);
    OK(ov_extension_to_be_signed(extension, &message));
    tbs = ov_buffer_bytes(message);
    OK(ov_extension_prehash(extension, &prehash));
    OK(ov_hash_digest(OV_HASH_SHA256, tbs.data, tbs.len, &again));
    equal = ov_digest_equal(&prehash, &again);
    CHECK(equal);
    /* A journal keeps the hash of the message, which is what ES256 signs. */
    ov_sale sale;
    OK(ov_extension_sale(extension, &sale));
    CHECK(memcmp(sale.continuation, prehash.bytes, 32) == 0);
    CHECK(memcmp(sale.state, prehash.bytes, 32) != 0);
    OK(ov_local_key_sign(key, algorithm, tbs.data, tbs.len, &signature, NULL));
    sig = ov_buffer_bytes(signature);
    CHECK(sig.len == 64);
    /* A wrong signature first: nothing changes, and the next attempt works. */
    IS(ov_extension_finish(extension, sig.data, 63, &voucher, NULL), OV_ERR_SIGNER_ANSWER);
    IS(ov_extension_finish(extension, NULL, 0, &voucher, NULL), OV_ERR_SIGNER_ANSWER);
    CHECK(voucher == NULL);
    OK(ov_extension_finish(extension, sig.data, sig.len, &voucher, NULL));
    ov_verified *handed = NULL;
    ov_receipt *receipt = NULL;
    ov_public_key *heir = NULL, *named = NULL;
    IS(ov_extension_hand_over(extension, sig.data, 63, any_origin(), &handed, &receipt, NULL),
       OV_ERR_SIGNER_ANSWER);
    CHECK(handed == NULL && receipt == NULL);
    OK(ov_extension_hand_over(extension, sig.data, sig.len, any_origin(), &handed, &receipt, NULL));
    OK(ov_extension_next(extension, &heir));
    OK(ov_receipt_to(receipt, &named));
    equal = ov_public_key_equal(heir, named);
    CHECK(equal);
    OK(ov_public_key_free(&heir));
    OK(ov_public_key_free(&named));
    OK(ov_receipt_free(&receipt));
    OK(ov_verified_free(&handed));

    ov_public_key *owner = NULL;
    OK(ov_extension_owner(extension, &owner));
    OK(ov_public_key_verify(owner, algorithm, tbs.data, tbs.len, sig.data, sig.len, NULL));
    IS(ov_public_key_verify(owner, algorithm, tbs.data, tbs.len - 1, sig.data, sig.len, NULL),
       OV_ERR_SIGNATURE_INVALID);
    OK(ov_public_key_free(&owner));
    OK(ov_buffer_free(&signature));
    OK(ov_buffer_free(&message));
    OK(ov_extension_free(&extension));
    OK(ov_extend_options_free(&options));
    OK(ov_next_owner_free(&next));
    OK(ov_local_key_free(&key));

    int64_t type = 0;
    uint64_t count = 0;
    ov_slice value;
    count = ov_voucher_entry_extra_count(voucher, 0);
    CHECK(count == 1);
    OK(ov_voucher_entry_extra(voucher, 0, 0, &type, &value));
    CHECK(type == -70000 && value.len == 4);
    IS(ov_voucher_entry_extra(voucher, 0, 1, &type, &value), OV_ERR_INDEX);
    return voucher;
}

static int32_t refuse(void *user, int32_t algorithm, const uint8_t *message, size_t message_len,
                      uint8_t *signature, size_t capacity, size_t *signature_len) {
    (void)algorithm, (void)message, (void)message_len, (void)signature, (void)capacity;
    (void)signature_len;
    (*(int *)user)++;
    return 17;
}

static int32_t garbage(void *user, int32_t algorithm, const uint8_t *message, size_t message_len,
                       uint8_t *signature, size_t capacity, size_t *signature_len) {
    (void)algorithm, (void)message, (void)message_len;
    memset(signature, 0x55, capacity);
    *signature_len = *(size_t *)user;
    return 0;
}

/* A policy, which this frees, judges a voucher: the status, and the origin where there is one. */
static ov_status judged(ov_policy *policy, const ov_voucher *voucher, int32_t *origin) {
    ov_verified *verified = NULL;
    ov_status status = ov_voucher_verify(voucher, policy, &verified, NULL);
    *origin = -1;
    if (status == OV_OK) *origin = (int32_t)ov_verified_fact(verified, OV_FACT_ORIGIN);
    CHECK(status == OV_OK || ov_verified_fact(verified, OV_FACT_ORIGIN) == 0);
    OK(ov_verified_free(&verified));
    OK(ov_policy_free(&policy));
    return status;
}

/* Both keys of a text in PEM are the manufacturer's; of a text that ends in the middle, none is. */
static void test_keys_in_pem(const ov_voucher *voucher, const ov_public_key *first, const ov_public_key *second) {
    ov_policy *policy = NULL;
    ov_error *error = NULL;
    ov_buffer *pem[2] = {NULL, NULL};
    ov_slice a, b;
    int32_t origin = 0;
    OK(ov_error_new(&error));
    OK(ov_public_key_write(first, OV_FORM_PEM, &pem[0]));
    OK(ov_public_key_write(second, OV_FORM_PEM, &pem[1]));
    a = ov_buffer_bytes(pem[0]);
    b = ov_buffer_bytes(pem[1]);
    uint8_t *text = malloc(a.len + b.len);
    memcpy(text, a.data, a.len);
    memcpy(text + a.len, b.data, b.len);

    OK(ov_policy_new(&policy));
    OK(ov_policy_add_manufacturers_pem(policy, text, a.len + b.len, error));
    IS(judged(policy, voucher, &origin), OV_OK);
    CHECK(origin == OV_ORIGIN_MANUFACTURER);
    OK(ov_policy_new(&policy));
    OK(ov_policy_add_manufacturers_pem(policy, text, a.len, error));
    IS(judged(policy, voucher, &origin), OV_ERR_WRONG_MANUFACTURER);
    OK(ov_policy_new(&policy));
    CHECK(ov_policy_add_manufacturers_pem(policy, text, a.len + b.len / 2, error) != OV_OK);
    CHECK(strlen(ov_error_message(error)) > 8);
    CHECK(ov_policy_add_manufacturers_pem(policy, text, 8, error) != OV_OK);
    IS(ov_policy_add_manufacturers_pem(policy, NULL, 1, error), OV_ERR_NULL);
    IS(ov_policy_add_manufacturers_pem(NULL, text, a.len, error), OV_ERR_NULL);
    IS(judged(policy, voucher, &origin), OV_ERR_ORIGIN_NOT_CHECKED);
    free(text);
    OK(ov_buffer_free(&pem[0]));
    OK(ov_buffer_free(&pem[1]));
    OK(ov_error_free(&error));
}

/* Begins from each anchor there is. `fresh` has no entries; `sold` was signed by its maker. */
static void test_anchors(const ov_voucher *fresh, const ov_voucher *sold) {
    ov_policy *policy = NULL;
    ov_roots *roots = NULL;
    ov_local_key *maker = local_key(1), *stranger = local_key(9);
    ov_public_key *maker_key = NULL, *stranger_key = NULL;
    ov_hmac_secret *secret = NULL;
    ov_buffer *spki = NULL;
    ov_slice der;
    ov_digest hash;
    uint8_t bytes[32];
    int32_t origin = 0;
    memset(bytes, 7, sizeof bytes);
    OK(ov_hmac_secret_new(bytes, sizeof bytes, &secret));
    OK(ov_local_key_public_key(maker, &maker_key));
    OK(ov_local_key_public_key(stranger, &stranger_key));
    OK(ov_public_key_write(maker_key, OV_FORM_DER, &spki));
    der = ov_buffer_bytes(spki);
    OK(ov_hash_digest(OV_HASH_SHA256, der.data, der.len, &hash));

    OK(ov_policy_any_origin(&policy));
    IS(judged(policy, sold, &origin), OV_OK);
    CHECK(origin == OV_ORIGIN_NOT_CHECKED);
    OK(ov_policy_from_manufacturer(maker_key, &policy));
    IS(judged(policy, sold, &origin), OV_OK);
    CHECK(origin == OV_ORIGIN_MANUFACTURER);
    OK(ov_policy_new(&policy));
    IS(judged(policy, sold, &origin), OV_ERR_ORIGIN_NOT_CHECKED);
    OK(ov_policy_new(&policy));
    OK(ov_policy_add_manufacturer_hash(policy, &hash));
    IS(judged(policy, sold, &origin), OV_OK);
    CHECK(origin == OV_ORIGIN_MANUFACTURER);
    OK(ov_policy_new(&policy));
    OK(ov_policy_set_hmac_secret(policy, secret));
    IS(judged(policy, sold, &origin), OV_OK);
    CHECK(origin == OV_ORIGIN_HMAC);
    OK(ov_policy_from_manufacturer(stranger_key, &policy));
    IS(judged(policy, sold, &origin), OV_ERR_WRONG_MANUFACTURER);
    OK(ov_policy_any_origin(&policy));
    OK(ov_policy_add_manufacturer(policy, stranger_key));
    IS(judged(policy, sold, &origin), OV_ERR_WRONG_MANUFACTURER);
    OK(ov_policy_any_origin(&policy));
    OK(ov_policy_add_manufacturer(policy, maker_key));
    IS(judged(policy, sold, &origin), OV_OK);
    CHECK(origin == OV_ORIGIN_MANUFACTURER);
    test_keys_in_pem(sold, stranger_key, maker_key);
    /* Its key is no certificate. */
    OK(ov_roots_new(&roots));
    OK(ov_policy_new(&policy));
    OK(ov_policy_set_manufacturer_roots(policy, roots));
    IS(judged(policy, sold, &origin), OV_ERR_WRONG_MANUFACTURER);
    /* Nobody has signed a voucher without entries. */
    OK(ov_policy_from_manufacturer(maker_key, &policy));
    IS(judged(policy, fresh, &origin), OV_ERR_ORIGIN_NOT_CHECKED);
    OK(ov_policy_from_manufacturer(maker_key, &policy));
    OK(ov_policy_set_hmac_secret(policy, secret));
    IS(judged(policy, fresh, &origin), OV_OK);
    CHECK(origin == OV_ORIGIN_HMAC);

    policy = NULL;
    IS(ov_policy_from_manufacturer(NULL, &policy), OV_ERR_NULL);
    CHECK(policy == NULL);
    OK(ov_policy_new(&policy));
    IS(ov_policy_add_manufacturer_hash(policy, NULL), OV_ERR_NULL);
    IS(ov_policy_set_manufacturer_roots(policy, NULL), OV_ERR_NULL);
    IS(ov_policy_set_hmac_secret(policy, NULL), OV_ERR_NULL);
    IS(ov_policy_set_hmac(policy, NULL), OV_ERR_NULL);
    OK(ov_policy_free(&policy));
    IS(ov_policy_any_origin(NULL), OV_ERR_NULL);
    OK(ov_roots_free(&roots));
    OK(ov_buffer_free(&spki));
    OK(ov_public_key_free(&stranger_key));
    OK(ov_public_key_free(&maker_key));
    OK(ov_hmac_secret_free(&secret));
    OK(ov_local_key_free(&stranger));
    OK(ov_local_key_free(&maker));
}

/* Each voucher to an owner of its own, with options of its own; what one request lacks harms no other. */
static void test_requests(ov_slice bytes, const ov_signer *signer, const ov_next_owner *next) {
    ov_voucher *second = made_voucher(10), *third = made_voucher(11);
    ov_next_owner *other = next_owner(4);
    ov_extend_options *options = NULL;
    ov_public_key *owner = NULL, *wanted = NULL;
    OK(ov_extend_options_new(&options));
    OK(ov_extend_options_add_extra(options, -70000, (const uint8_t *)"order 7", 7));
    ov_slice shipment[4] = {
        bytes,
        ov_voucher_bytes(second, OV_PART_VOUCHER),
        ov_voucher_bytes(third, OV_PART_VOUCHER),
        {NULL, 3},
    };
    ov_request requests[4] = {
        {signer, next, NULL}, {signer, other, options}, {signer, NULL, NULL}, {signer, next, NULL},
    };
    ov_status statuses[4];
    ov_verified *sold[4];
    ov_error *faults[4];
    OK(ov_hand_over_all(shipment, requests, 4, any_origin(), 1, statuses, sold, NULL, faults, NULL));
    CHECK(statuses[0] == OV_OK && statuses[1] == OV_OK);
    CHECK(statuses[2] == OV_ERR_NULL && statuses[3] == OV_ERR_NULL);
    CHECK(ov_error_status(faults[2]) == OV_ERR_NULL && ov_error_status(faults[3]) == OV_ERR_NULL);
    CHECK(ov_voucher_entry_extra_count(ov_verified_voucher(sold[0]), 0) == 0);
    CHECK(ov_voucher_entry_extra_count(ov_verified_voucher(sold[1]), 0) == 1);
    OK(ov_verified_owner(sold[1], &owner));
    OK(ov_next_owner_public_key(other, &wanted, NULL));
    CHECK(ov_public_key_equal(owner, wanted));
    OK(ov_public_key_free(&owner));
    OK(ov_public_key_free(&wanted));
    for (int i = 0; i < 4; i++) {
        OK(ov_verified_free(&sold[i]));
        OK(ov_error_free(&faults[i]));
    }
    OK(ov_extend_options_free(&options));
    OK(ov_next_owner_free(&other));
    OK(ov_voucher_free(&second));
    OK(ov_voucher_free(&third));
}

static void test_hand_over(const ov_voucher *voucher) {
    ov_local_key *maker = local_key(1);
    ov_public_key *maker_key = NULL, *key = NULL;
    ov_next_owner *next = next_owner(2);
    ov_verified *sold = NULL;
    ov_receipt *receipt = NULL;
    ov_receipt_info info;
    ov_slice bytes;
    ov_error *error = NULL;
    bool equal = false;
    OK(ov_error_new(&error));
    bytes = ov_voucher_bytes(voucher, OV_PART_VOUCHER);
    OK(ov_local_key_public_key(maker, &maker_key));
    ov_signer signer = {maker, maker_key, ov_local_key_sign_callback};
    OK(ov_hand_over(bytes.data, bytes.len, any_origin(), &signer, next, NULL, &sold, &receipt, error));
    OK(ov_receipt_get_info(receipt, &info));
    CHECK(info.entry == 0 && info.entry_hash.len == 32 && info.guid[0] == 9);
    OK(ov_receipt_from(receipt, &key));
    equal = ov_public_key_equal(key, maker_key);
    CHECK(equal);
    OK(ov_public_key_free(&key));
    OK(ov_receipt_to(receipt, &key));
    equal = ov_public_key_equal(key, maker_key);
    CHECK(!equal);
    OK(ov_public_key_free(&key));
    OK(ov_receipt_free(&receipt));
    const ov_voucher *view = NULL;
    view = ov_verified_voucher(sold);
    test_anchors(voucher, view);

    /* The maker owns it no more. */
    ov_verified *again = NULL;
    IS(ov_hand_over_verified(sold, any_origin(), &signer, next, NULL, &again, NULL, error),
       OV_ERR_NOT_OWNER);
    CHECK(again == NULL);
    /* A token that cannot tell its key: found by its signature. */
    signer.public_key = NULL;
    IS(ov_hand_over_verified(sold, any_origin(), &signer, next, NULL, &again, NULL, error),
       OV_ERR_SIGNER_ANSWER);

    /* Callbacks that fail, and that answer nonsense of any length. */
    int calls = 0;
    ov_signer broken = {&calls, NULL, refuse};
    IS(ov_hand_over(bytes.data, bytes.len, any_origin(), &broken, next, NULL, &again, NULL, error),
       OV_ERR_SIGNER_FAILED);
    CHECK(calls == 1 && strstr(ov_error_message(error), "17") != NULL);
    size_t lengths[] = {0, 1, 63, 64, 65, 72, OV_SIGNATURE_CAPACITY, OV_SIGNATURE_CAPACITY + 1, SIZE_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        ov_signer nonsense = {&lengths[i], NULL, garbage};
        IS(ov_hand_over(bytes.data, bytes.len, any_origin(), &nonsense, next, NULL, &again, NULL, error),
           OV_ERR_SIGNER_ANSWER);
    }
    ov_signer empty = {NULL, NULL, NULL};
    IS(ov_hand_over(bytes.data, bytes.len, any_origin(), &empty, next, NULL, &again, NULL, error),
       OV_ERR_NULL);
    CHECK(again == NULL);

    /* A shipment with a bad voucher in the middle. */
    ov_slice shipment[3] = {bytes, {(const uint8_t *)"no", 2}, bytes};
    ov_status statuses[3];
    ov_verified *all[3];
    ov_receipt *receipts[3];
    ov_error *faults[3];
    signer.public_key = maker_key;
    ov_request to_next = {&signer, next, NULL}, same[3] = {to_next, to_next, to_next};
    OK(ov_hand_over_all(shipment, same, 3, any_origin(), 2, statuses, all, receipts, faults, error));
    CHECK(statuses[0] == OV_OK && statuses[2] == OV_OK && faults[0] == NULL && faults[2] == NULL);
    CHECK(statuses[1] == OV_ERR_WRONG_TYPE && all[1] == NULL && receipts[1] == NULL);
    CHECK(ov_error_status(faults[1]) == OV_ERR_WRONG_TYPE && *ov_error_message(faults[1]) != 0);
    OK(ov_error_free(&faults[1]));
    uint64_t number = 7;
    IS(ov_receipt_duplicate_of(receipts[0], &number), OV_ERR_ABSENT);
    OK(ov_receipt_duplicate_of(receipts[2], &number));
    CHECK(number == 0);
    for (int i = 0; i < 3; i++) {
        OK(ov_verified_free(&all[i]));
        OK(ov_receipt_free(&receipts[i]));
    }
    test_requests(bytes, &signer, next);
    OK(ov_verified_free(&sold));
    OK(ov_next_owner_free(&next));
    OK(ov_public_key_free(&maker_key));
    OK(ov_local_key_free(&maker));
    OK(ov_error_free(&error));
}

static void test_forks(const ov_verified *verified) {
    ov_voucher *left = extended(verified, 1, 2), *right = extended(verified, 1, 3);
    ov_verified *a = verify(left), *b = verify(right);
    const ov_verified *list[4] = {verified, NULL, a, b};
    ov_forks *forks = NULL;
    ov_public_key *signer = NULL;
    uint64_t entry = 0;
    size_t count = 0;
    int32_t kind = -1;
    OK(ov_find_forks(list, 4, &forks));
    const ov_fork *fork = ov_forks_all(forks, &count);
    CHECK(count == 1 && fork->first == 2 && fork->second == 3 && fork->entry == 0);
    OK(ov_forks_signer(forks, 0, &signer));
    OK(ov_public_key_free(&signer));
    IS(ov_forks_signer(forks, 1, &signer), OV_ERR_INDEX);
    OK(ov_forks_free(&forks));
    OK(ov_verified_relation(verified, a, &kind, NULL, NULL));
    CHECK(kind == OV_RELATION_OLDER);
    OK(ov_verified_relation(a, b, &kind, &entry, &signer));
    CHECK(kind == OV_RELATION_FORKED && entry == 0 && signer != NULL);
    OK(ov_public_key_free(&signer));
    OK(ov_verified_free(&a));
    OK(ov_verified_free(&b));
    OK(ov_voucher_free(&left));
    OK(ov_voucher_free(&right));
}

static void test_resale(const ov_verified *verified) {
    ov_replacement *replacement = NULL;
    ov_rv_directive *directive = NULL, *other = NULL;
    ov_next_owner *owner = next_owner(5);
    ov_header *header = NULL;
    ov_voucher *voucher = NULL;
    ov_slice bytes;
    ov_digest hmac;
    uint8_t guid[16], address[16] = {192, 0, 2, 1};
    int32_t hash = 0;
    bool reuse = true;
    memset(guid, 0x77, sizeof guid);
    OK(ov_rv_directive_new(&directive));
    OK(ov_rv_directive_ip(directive, address, 4));
    OK(ov_rv_directive_set(directive, OV_RV_SET_DEVICE_PORT, 80));
    OK(ov_rv_directive_set(directive, OV_RV_SET_OWNER_PORT, 81));
    OK(ov_rv_directive_set(directive, OV_RV_SET_PROTOCOL, OV_RV_PROTOCOL_HTTP));
    OK(ov_rv_directive_set(directive, OV_RV_SET_DELAY, 60));
    OK(ov_rv_directive_set(directive, OV_RV_SET_FLAG, 14));
    IS(ov_rv_directive_set(directive, OV_RV_SET_FLAG, 3), OV_ERR_BAD_CALL);
    IS(ov_rv_directive_set(directive, OV_RV_SET_PROTOCOL, 99), OV_ERR_BAD_CALL);
    OK(ov_rv_directive_new(&other));
    OK(ov_rv_directive_ip(other, address, 16));
    OK(ov_rv_directive_set(other, OV_RV_SET_DEVICE_PORT, 80));
    OK(ov_rv_directive_set(other, OV_RV_SET_PROTOCOL, OV_RV_PROTOCOL_HTTP));
    const ov_rv_directive *directives[2] = {directive, other};
    OK(ov_replacement_new(guid, directives, 2, owner, &replacement, NULL));
    /* What strict readers refuse is not written. */
    ov_replacement *none = NULL;
    OK(ov_rv_directive_set(other, OV_RV_SET_DEVICE_PORT, 81));
    IS(ov_replacement_new(guid, directives, 2, owner, &none, NULL), OV_ERR_INCOMPLETE);
    OK(ov_rv_directive_free(&other));
    reuse = ov_replacement_is_reuse(replacement, verified);
    CHECK(!reuse);
    OK(ov_replacement_guid(replacement, guid));
    CHECK(guid[15] == 0x77);
    bytes = ov_replacement_rendezvous(replacement);
    IS(ov_replacement_finish(replacement, verified, NULL, &voucher, NULL), OV_ERR_BAD_CALL);
    OK(ov_replacement_header(replacement, verified, &header, NULL));
    bytes = ov_header_bytes(header);
    hash = ov_header_algorithm(header);
    OK(ov_hash_digest(hash, bytes.data, bytes.len, &hmac));
    OK(ov_replacement_finish(replacement, verified, &hmac, &voucher, NULL));
    CHECK(voucher != NULL);
    OK(ov_voucher_free(&voucher));
    OK(ov_header_finish(header, &hmac, &voucher, NULL));
    OK(ov_voucher_free(&voucher));
    OK(ov_header_free(&header));
    OK(ov_replacement_free(&replacement));
    OK(ov_replacement_reuse(verified, &replacement));
    reuse = ov_replacement_is_reuse(replacement, verified);
    CHECK(reuse);
    OK(ov_replacement_finish(replacement, verified, NULL, &voucher, NULL));
    CHECK(voucher == NULL);
    OK(ov_replacement_free(&replacement));
    OK(ov_rv_directive_free(&directive));
    OK(ov_next_owner_free(&owner));
}

/* Where vouchers begin in their file: two in CBOR, and two in PEM behind a line of something else. */
static void test_places(ov_slice cbor, ov_slice pem) {
    size_t before = 13;
    unsigned char *file = malloc(before + 2 * pem.len + 2 * cbor.len);
    ov_vouchers *steps = NULL;
    ov_slice item;
    memcpy(file, cbor.data, cbor.len);
    memcpy(file + cbor.len, cbor.data, cbor.len);
    OK(ov_vouchers_new(file, 2 * cbor.len, &steps));
    for (size_t i = 0; i < 2; i++) {
        OK(ov_vouchers_next(steps, &item, NULL));
        CHECK(ov_vouchers_offset(steps) == i * cbor.len);
    }
    OK(ov_vouchers_free(&steps));
    memcpy(file, "From: seller\n", before);
    memcpy(file + before, pem.data, pem.len);
    memcpy(file + before + pem.len, pem.data, pem.len);
    OK(ov_vouchers_new(file, before + 2 * pem.len, &steps));
    for (size_t i = 0; i < 2; i++) {
        OK(ov_vouchers_next(steps, &item, NULL));
        CHECK(ov_vouchers_offset(steps) == before + i * pem.len);
    }
    IS(ov_vouchers_next(steps, &item, NULL), OV_ERR_INDEX);
    OK(ov_vouchers_free(&steps));
    free(file);
}

static void test_files(const ov_voucher *voucher) {
    ov_buffer *pem = NULL, *cbor = NULL;
    ov_slice text, bytes, item;
    ov_voucher *back = NULL;
    ov_vouchers *steps = NULL;
    ov_byte_list *certificates = NULL;
    size_t count = 1;
    bytes = ov_voucher_bytes(voucher, OV_PART_VOUCHER);
    OK(ov_voucher_to_pem(voucher, &pem));
    text = ov_buffer_bytes(pem);
    CHECK(memcmp(text.data, "-----BEGIN OWNERSHIP VOUCHER-----", 33) == 0);
    OK(ov_voucher_parse_file(text.data, text.len, NULL, &back, NULL));
    OK(ov_voucher_free(&back));
    OK(ov_file_single(text.data, text.len, &cbor, NULL));
    item = ov_buffer_bytes(cbor);
    CHECK(item.len == bytes.len && memcmp(item.data, bytes.data, item.len) == 0);
    OK(ov_buffer_free(&cbor));
    OK(ov_vouchers_new(text.data, text.len, &steps));
    OK(ov_vouchers_next(steps, &item, NULL));
    CHECK(item.len == bytes.len);
    IS(ov_vouchers_next(steps, &item, NULL), OV_ERR_INDEX);
    OK(ov_vouchers_free(&steps));
    OK(ov_file_certificates(text.data, text.len, &certificates, NULL));
    ov_byte_list_all(certificates, &count);
    CHECK(count == 0);
    OK(ov_byte_list_free(&certificates));
    test_places(bytes, text);
    OK(ov_buffer_free(&pem));

    bool complete = false;
    ov_error *fault = NULL;
    OK(ov_error_new(&fault));
    OK(ov_diagnostic(bytes.data, bytes.len, false, &pem, &complete, fault));
    CHECK(complete);
    OK(ov_buffer_free(&pem));
    OK(ov_diagnostic(bytes.data, bytes.len - 1, false, &pem, &complete, fault));
    CHECK(!complete && ov_error_status(fault) == OV_ERR_TRUNCATED);
    /* A copy of an error outlives it. */
    ov_error *copy = NULL;
    OK(ov_error_clone(fault, &copy));
    OK(ov_error_free(&fault));
    CHECK(ov_error_status(copy) == OV_ERR_TRUNCATED && *ov_error_message(copy) != 0);
    OK(ov_error_free(&copy));
    OK(ov_buffer_free(&pem));
    OK(ov_error_free(&fault));
    ov_verified *verified = NULL;
    OK(ov_policy_verify(any_origin(), bytes.data, bytes.len, &verified, NULL));
    OK(ov_verified_free(&verified));
}

static int32_t ask_device(void *user, int32_t hash, const uint8_t *header, size_t header_len,
                          uint8_t *hmac) {
    ov_digest digest;
    if (user == NULL) return 3;
    if (ov_hmac_secret_header_hmac(user, hash, header, header_len, &digest, NULL) != OV_OK) return 4;
    memcpy(hmac, digest.bytes, digest.len);
    return 0;
}

static int32_t nonsense(void *user, int32_t hash, const uint8_t *header, size_t header_len,
                        uint8_t *hmac) {
    (void)user, (void)hash, (void)header, (void)header_len;
    memset(hmac, 0xee, 48);
    return 0;
}

/* Settings are set, read and taken back, and a clone is a policy of its own. */
static void test_settings(const ov_policy *given) {
    ov_policy *policy = NULL;
    OK(ov_policy_clone(given, &policy));
    const int32_t flags[] = {OV_POLICY_STRICT, OV_POLICY_REFUSE_EXPIRED, OV_POLICY_REQUIRE_REVOCATION_LISTS};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        OK(ov_policy_set(policy, flags[i], 1));
        CHECK(ov_policy_get(policy, flags[i]) == 1 && ov_policy_get(given, flags[i]) == 0);
        IS(ov_policy_set(policy, flags[i], 2), OV_ERR_BAD_CALL);
        OK(ov_policy_unset(policy, flags[i]));
        CHECK(ov_policy_get(policy, flags[i]) == 0);
    }
    CHECK(ov_policy_get(policy, OV_POLICY_TIME) == OV_NONE);
    OK(ov_policy_set(policy, OV_POLICY_TIME, 1700000000));
    CHECK(ov_policy_get(policy, OV_POLICY_TIME) == 1700000000);
    OK(ov_policy_unset(policy, OV_POLICY_TIME));
    CHECK(ov_policy_get(policy, OV_POLICY_TIME) == OV_NONE);
    for (int32_t what = OV_POLICY_MANUFACTURERS; what <= OV_POLICY_ALLOWANCES; what++) {
        OK(ov_policy_unset(policy, what));
        CHECK(ov_policy_get(policy, what) == 0);
    }
    IS(ov_policy_unset(policy, 99), OV_ERR_BAD_CALL);
    CHECK(ov_policy_get(policy, 99) == OV_NONE);
    OK(ov_policy_free(&policy));
}

static void test_policy(const ov_voucher *voucher) {
    ov_policy *policy = NULL;
    ov_hmac_secret *secret = NULL;
    ov_verified *verified = NULL;
    uint8_t bytes[32];
    uint64_t value = 0;
    memset(bytes, 7, sizeof bytes);
    OK(ov_hmac_secret_new(bytes, sizeof bytes, &secret));
    ov_hmac device = {secret, ask_device};
    OK(ov_policy_new(&policy));
    OK(ov_policy_set_hmac(policy, &device));
    OK(ov_voucher_verify(voucher, policy, &verified, NULL));
    CHECK(ov_verified_fact(verified, OV_FACT_HMAC) == 1);
    CHECK(ov_verified_fact(verified, OV_FACT_MANUFACTURER) == OV_MANUFACTURER_NOT_PROVED);
    CHECK(ov_verified_fact(verified, OV_FACT_ORIGIN) == OV_ORIGIN_HMAC);
    CHECK(ov_verified_fact(verified, OV_FACT_CHAIN_HASH) == OV_CHAIN_HASH_NONE);
    CHECK(ov_verified_fact(verified, 99) == 0 && ov_verified_fact(NULL, OV_FACT_HMAC) == 0);
    OK(ov_verified_free(&verified));
    device.user = NULL;
    OK(ov_policy_set_hmac(policy, &device));
    IS(ov_voucher_verify(voucher, policy, &verified, NULL), OV_ERR_SIGNER_FAILED);
    device.hmac = nonsense;
    OK(ov_policy_set_hmac(policy, &device));
    IS(ov_voucher_verify(voucher, policy, &verified, NULL), OV_ERR_HMAC_MISMATCH);
    device.hmac = NULL;
    IS(ov_policy_set_hmac(policy, &device), OV_ERR_NULL);
    CHECK(verified == NULL);
    OK(ov_policy_free(&policy));
    OK(ov_policy_any_origin(&policy));
    value = ov_policy_get(policy, OV_LIMIT_INPUT);
    CHECK(value == 1 << 20);
    /* What is in force, and not what was asked for. */
    OK(ov_policy_set(policy, OV_LIMIT_INPUT, UINT64_MAX));
    CHECK(ov_policy_get(policy, OV_LIMIT_INPUT) == OV_LIMITS_MAX_INPUT);
    OK(ov_policy_set(policy, OV_LIMIT_ENTRIES, OV_LIMITS_MAX_ENTRIES + 1));
    CHECK(ov_policy_get(policy, OV_LIMIT_ENTRIES) == OV_LIMITS_MAX_ENTRIES);
    OK(ov_policy_set(policy, OV_LIMIT_DEPTH, 1 << 20));
    CHECK(ov_policy_get(policy, OV_LIMIT_DEPTH) == OV_LIMITS_MAX_DEPTH);
    OK(ov_policy_unset(policy, OV_LIMIT_INPUT));
    CHECK(ov_policy_get(policy, OV_LIMIT_INPUT) == 1 << 20);
    test_settings(policy);
    OK(ov_policy_set(policy, OV_LIMIT_INPUT, 10));
    ov_slice all;
    ov_voucher *small = NULL;
    all = ov_voucher_bytes(voucher, OV_PART_VOUCHER);
    IS(ov_voucher_parse(all.data, all.len, policy, &small, NULL), OV_ERR_LIMIT_INPUT);
    IS(ov_policy_set(policy, 0, 1), OV_ERR_BAD_CALL);
    CHECK(!ov_policy_allows(policy, OV_ALLOW_LEGACY_UNTAGGED));
    OK(ov_policy_allow(policy, OV_ALLOW_LEGACY_UNTAGGED, true));
    CHECK(ov_policy_allows(policy, OV_ALLOW_LEGACY_UNTAGGED));
    OK(ov_policy_allow(policy, OV_ALLOW_LEGACY_UNTAGGED, false));
    CHECK(!ov_policy_allows(policy, OV_ALLOW_LEGACY_UNTAGGED));
    IS(ov_policy_allow(policy, 99, true), OV_ERR_BAD_CALL);
    OK(ov_policy_set(policy, OV_POLICY_ENGINE, OV_ENGINE_PORTABLE));
    OK(ov_policy_set(policy, OV_POLICY_ENGINE, OV_ENGINE_RUST_CRYPTO));
    OK(ov_policy_set(policy, OV_POLICY_ENGINE, OV_ENGINE_FASTEST));
    IS(ov_policy_set(policy, OV_POLICY_ENGINE, 3), OV_ERR_BAD_CALL);
    OK(ov_policy_free(&policy));
    OK(ov_hmac_secret_free(&secret));
}

static void test_keys(void) {
    ov_local_key *key = local_key(1), *back = NULL;
    ov_public_key *a = NULL, *b = NULL;
    ov_buffer *der = NULL;
    ov_slice bytes;
    uint64_t bits = 0;
    int32_t code = 0;
    bool equal = false;
    OK(ov_local_key_write(key, OV_FORM_DER, &der, NULL));
    bytes = ov_buffer_bytes(der);
    OK(ov_local_key_parse(bytes.data, bytes.len, OV_FORM_DER, &back, NULL));
    OK(ov_buffer_free(&der));
    OK(ov_local_key_public_key(back, &a));
    ov_buffer *pem = NULL;
    ov_slice text;
    OK(ov_local_key_write(key, OV_FORM_PEM, &pem, NULL));
    text = ov_buffer_bytes(pem);
    CHECK(memcmp(text.data, "-----BEGIN PRIVATE KEY-----\n", 28) == 0);
    OK(ov_local_key_free(&back));
    OK(ov_local_key_parse(text.data, text.len, OV_FORM_PEM, &back, NULL));
    OK(ov_buffer_free(&pem));
    OK(ov_public_key_write(a, OV_FORM_PEM, &pem));
    text = ov_buffer_bytes(pem);
    OK(ov_public_key_parse(text.data, text.len, OV_FORM_PEM, &b, NULL));
    equal = ov_public_key_equal(a, b);
    CHECK(equal);
    OK(ov_buffer_free(&pem));
    OK(ov_public_key_free(&b));
    OK(ov_public_key_write(a, OV_FORM_DER, &der));
    bytes = ov_buffer_bytes(der);
    OK(ov_public_key_parse(bytes.data, bytes.len, OV_FORM_DER, &b, NULL));
    equal = ov_public_key_equal(a, b);
    CHECK(equal);
    OK(ov_public_key_free(&b));
    OK(ov_public_key_parse(bytes.data + bytes.len - 65, 65, OV_FORM_SEC1, &b, NULL));
    equal = ov_public_key_equal(a, b);
    CHECK(equal);
    OK(ov_public_key_free(&b));
    uint8_t modulus[257] = {0};
    modulus[1] = 0x80;
    modulus[256] = 1;
    OK(ov_public_key_from_rsa(modulus, 257, (const uint8_t *)"\1\0\1", 3, &b, NULL));
    bits = ov_public_key_bits(b);
    CHECK(bits == 2048);
    OK(ov_public_key_free(&b));
    IS(ov_public_key_from_rsa(modulus, 256, (const uint8_t *)"\1\0\1", 3, &b, NULL), OV_ERR_RSA_MODULUS);
    IS(ov_public_key_from_rsa(modulus, 257, (const uint8_t *)"\3", 1, &b, NULL), OV_ERR_RSA_EXPONENT);
    OK(ov_public_key_clone(a, &b));
    bits = ov_public_key_bits(b);
    CHECK(bits == 256);
    code = ov_public_key_default_key_type(b);
    CHECK(code == OV_KEY_SECP256R1);
    code = ov_local_key_algorithm(key);
    CHECK(code == OV_ALGORITHM_ES256);
    IS(ov_public_key_parse((const uint8_t *)"x", 1, OV_FORM_PEM, &b, NULL), OV_ERR_BAD_ARGUMENT);
    IS(ov_local_key_parse((const uint8_t *)"x", 1, OV_FORM_PEM, &back, NULL), OV_ERR_BAD_ARGUMENT);
    ov_roots *roots = NULL;
    OK(ov_roots_new(&roots));
    IS(ov_roots_add_crl_der(roots, (const uint8_t *)"x", 1, NULL), OV_ERR_REVOCATION_LIST);
    IS(ov_roots_add_pem(roots, (const uint8_t *)"no PEM", 6, NULL, NULL), OV_ERR_BAD_ARGUMENT);
    OK(ov_roots_free(&roots));
    ov_certificate *certificate = NULL;
    IS(ov_certificate_from_der(bytes.data, bytes.len, &certificate, NULL), OV_ERR_CERTIFICATE);
    IS(ov_local_key_from_secret(OV_KEY_RSAPKCS, bytes.data, 32, &back, NULL),
       OV_ERR_UNSUPPORTED_KEY_TYPE);
    OK(ov_buffer_free(&der));
    OK(ov_public_key_free(&a));
    OK(ov_public_key_free(&b));
    OK(ov_local_key_free(&key));
    OK(ov_local_key_free(&back));
}

static void test_names(void) {
    int32_t code = 0;
    ov_buffer *text = NULL;
    ov_slice bytes;
    struct {
        int32_t names, code;
        const char *name;
    } known[] = {
        {OV_NAMES_STATUS, OV_ERR_SIGNATURE_INVALID, "signature-invalid"},
        {OV_NAMES_STATUS, OV_ERR_FREED, "freed-handle"},
        {OV_NAMES_FINDING, OV_FINDING_NO_ENTRIES, "no-entries"},
        {OV_NAMES_ALLOWANCE, OV_ALLOW_FDO_2_0_DRAFT_AAD, "fdo-2.0-draft-aad"},
        {OV_NAMES_ALGORITHM, OV_ALGORITHM_ES384, "ES384"},
        {OV_NAMES_KEY, OV_KEY_SECP256R1, "SECP256R1"},
        {OV_NAMES_ENCODING, OV_ENCODING_X5CHAIN, "X5CHAIN"},
        {OV_NAMES_HASH, OV_HASH_SHA384, "SHA-384"},
        {OV_NAMES_RV_VARIABLE, 5, "RVDns"},
        {OV_NAMES_DISCLOSURE, 900, "wifi-password"},
        {OV_NAMES_LINK, 950, "current-owner"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const char *name = known[i].name;
        CHECK(strcmp(ov_name(known[i].names, known[i].code), name) == 0);
        OK(ov_number(known[i].names, name, strlen(name), &code));
        CHECK(code == known[i].code);
        IS(ov_number(known[i].names, name, strlen(name) - 1, &code), OV_ERR_BAD_CALL);
        CHECK(strcmp(ov_name(known[i].names, 12345), "unknown") == 0);
    }
    CHECK(strcmp(ov_name(99, 1), "unknown") == 0);
    IS(ov_number(99, "ES384", 5, &code), OV_ERR_BAD_CALL);
    CHECK(strcmp(ov_status_name(OV_OK), "ok") == 0);
    CHECK(strcmp(ov_status_name(OV_ERR_ABSENT), "absent") == 0);
    CHECK(strcmp(ov_status_name(12345), "unknown") == 0);
    CHECK(ov_signature_len(OV_ALGORITHM_RS256) == 256 && ov_signature_len(1) == 0);
    CHECK(ov_hash_len(OV_HASH_SHA384) == 48 && ov_hash_len(5) == 0);
    OK(ov_time_format(0, &text));
    bytes = ov_buffer_bytes(text);
    CHECK(bytes.len == 20 && memcmp(bytes.data, "1970-01-01T00:00:00Z", 20) == 0);
    OK(ov_buffer_free(&text));
    /* The last second that RFC 3339 can say, and the first that it cannot. */
    OK(ov_time_format(253402300799, &text));
    bytes = ov_buffer_bytes(text);
    CHECK(bytes.len == 20 && memcmp(bytes.data, "9999-12-31T23:59:59Z", 20) == 0);
    OK(ov_buffer_free(&text));
    IS(ov_time_format(253402300800, &text), OV_ERR_BAD_CALL);
    IS(ov_time_format(UINT64_MAX, &text), OV_ERR_BAD_CALL);
    CHECK(text == NULL);
    /* Header and library are of one version, in a number, its parts and a text. */
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", OV_VERSION_MAJOR, OV_VERSION_MINOR, OV_VERSION_PATCH);
    CHECK(strcmp(ov_version(), version) == 0 && ov_version_number() == OV_VERSION_NUMBER);
    CHECK(OV_VERSION_NUMBER == ((OV_VERSION_MAJOR << 16) | (OV_VERSION_MINOR << 8) | OV_VERSION_PATCH));
    unsigned char guid[OV_GUID_BYTES];
    char digits[OV_GUID_TEXT_BYTES];
    for (int i = 0; i < OV_GUID_BYTES; i++) guid[i] = (unsigned char)(17 * i);
    OK(ov_guid_text(guid, true, digits));
    CHECK(strcmp(digits, "00112233-4455-6677-8899-aabbccddeeff") == 0);
    OK(ov_guid_text(guid, false, digits));
    CHECK(strcmp(digits, "00112233445566778899aabbccddeeff") == 0);
    IS(ov_guid_text(NULL, false, digits), OV_ERR_NULL);
}

/* All keys of a file, and all roots and revocation lists of one. */
static void test_pem(void) {
    size_t len, count = 0;
    uint64_t added = 0;
    unsigned char *file = read_file("test-vectors/shipment-keys/manufacturers.pem", &len);
    ov_public_key *keys[16] = {NULL}, *first = NULL;
    OK(ov_public_keys_from_pem(file, len, NULL, 0, &count, NULL));
    CHECK(count > 1 && count <= 16);
    OK(ov_public_keys_from_pem(file, len, keys, 1, &count, NULL));
    CHECK(keys[0] != NULL && keys[1] == NULL);
    OK(ov_public_key_parse(file, len, OV_FORM_PEM, &first, NULL));
    CHECK(ov_public_key_equal(first, keys[0]));
    OK(ov_public_key_free(&keys[0]));
    OK(ov_public_keys_from_pem(file, len, keys, 16, &count, NULL));
    for (size_t i = 0; i < count; i++) {
        CHECK((i == 0) == ov_public_key_equal(first, keys[i]));
        OK(ov_public_key_free(&keys[i]));
    }
    CHECK(count == 16 || keys[count] == NULL);
    IS(ov_public_keys_from_pem((const uint8_t *)"x", 1, keys, 16, &count, NULL), OV_ERR_BAD_ARGUMENT);
    OK(ov_public_key_free(&first));
    free(file);

    ov_roots *roots = NULL;
    OK(ov_roots_new(&roots));
    file = read_file("test-vectors/shipment-keys/device-ca.pem", &len);
    OK(ov_roots_add_pem(roots, file, len, &added, NULL));
    CHECK(added >= 1 && ov_roots_len(roots) == added && ov_roots_get(roots, 0).len > 0);
    CHECK(ov_roots_get(roots, added).data == NULL);
    /* A block that cannot be read: nothing is added. */
    const char *bad = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
    unsigned char *both = malloc(len + strlen(bad));
    memcpy(both, file, len);
    memcpy(both + len, bad, strlen(bad));
    ov_roots *none = NULL;
    OK(ov_roots_new(&none));
    IS(ov_roots_add_pem(none, both, len + strlen(bad), NULL, NULL), OV_ERR_REVOCATION_LIST);
    CHECK(ov_roots_len(none) == 0);
    ov_slice der = ov_roots_get(roots, 0);
    ov_certificate *certificate = NULL;
    OK(ov_certificate_from_der(der.data, der.len, &certificate, NULL));
    const ov_certificate_info *info = ov_certificate_fields(certificate);
    CHECK(info->is_ca && *info->subject != 0 && info->version == 3);
    OK(ov_certificate_free(&certificate));
    OK(ov_roots_free(&none));
    OK(ov_roots_free(&roots));
    free(both);
    free(file);
}

/* Two certificates of `tests/certificates` as the next owner. */
static ov_next_owner *owner_of_files(const char *first, const char *second) {
    ov_slice chain[2];
    ov_next_owner *next = NULL;
    unsigned char *bytes[2] = {read_file(first, &chain[0].len), NULL};
    chain[0].data = bytes[0];
    if (second != NULL) bytes[1] = read_file(second, &chain[1].len);
    chain[1].data = bytes[1];
    OK(ov_next_owner_from_chain(chain, second == NULL ? 1 : 2, &next, NULL));
    free(bytes[0]);
    free(bytes[1]);
    return next;
}

#define LEAF "tests/certificates/leaf.der"
#define OLD_LEAF "tests/certificates/leaf-v1.der"
#define ROOT "tests/certificates/p256-root.der"
#define OTHER "tests/certificates/root-other.der"

/* Certificates that are no chain, or a CA's, are refused before anybody signs. */
static void test_chains(const ov_verified *verified) {
    ov_next_owner *good = owner_of_files(OLD_LEAF, ROOT), *ca = owner_of_files(ROOT, NULL);
    ov_next_owner *reversed = owner_of_files(ROOT, LEAF), *other = owner_of_files(LEAF, OTHER);
    ov_extend_options *options = NULL;
    ov_extension *extension = NULL;
    ov_findings *findings = NULL;
    size_t count = 0;
    OK(ov_extend_options_new(&options));
    IS(ov_verified_extend(verified, ca, options, &extension, NULL), OV_ERR_CA_AS_OWNER);
    IS(ov_verified_extend(verified, ca, NULL, &extension, NULL), OV_ERR_CA_AS_OWNER);
    OK(ov_extend_options_set(options, OV_EXTEND_CA_OWNER, 1));
    OK(ov_extend_options_set(options, OV_EXTEND_DRAFT_AAD, 1));
    IS(ov_verified_extend(verified, reversed, options, &extension, NULL), OV_ERR_UNFIT_CHAIN);
    IS(ov_verified_extend(verified, other, options, &extension, NULL), OV_ERR_UNFIT_CHAIN);
    /* Nor does a bare key come out of what is no chain. */
    ov_public_key *bare = NULL;
    IS(ov_next_owner_public_key(reversed, &bare, NULL), OV_ERR_UNFIT_CHAIN);
    IS(ov_next_owner_public_key(other, &bare, NULL), OV_ERR_UNFIT_CHAIN);
    OK(ov_verified_extend(verified, ca, options, &extension, NULL));
    OK(ov_extension_free(&extension));
    OK(ov_verified_extend(verified, good, NULL, &extension, NULL));
    OK(ov_extension_findings(extension, NULL, &findings, NULL));
    const ov_finding *all = ov_findings_all(findings, &count);
    bool old = false;
    for (size_t i = 0; i < count; i++) old |= all[i].code == OV_FINDING_CERTIFICATE_V1;
    CHECK(old);
    OK(ov_findings_free(&findings));
    OK(ov_extension_free(&extension));
    OK(ov_extend_options_free(&options));

    ov_new_voucher *made = NULL;
    ov_rv_directive *directive = NULL;
    ov_header *header = NULL;
    ov_hmac_secret *secret = NULL;
    ov_voucher *voucher = NULL;
    unsigned char guid[16];
    memset(guid, 3, sizeof guid);
    OK(ov_rv_directive_new(&directive));
    OK(ov_rv_directive_dns(directive, "rv.example.com", 14));
    OK(ov_rv_directive_set(directive, OV_RV_SET_DEVICE_PORT, 443));
    OK(ov_rv_directive_set(directive, OV_RV_SET_PROTOCOL, OV_RV_PROTOCOL_HTTPS));
    OK(ov_new_voucher_new(guid, "Model 7", 7, ca, &made, NULL));
    OK(ov_new_voucher_add_rendezvous(made, directive));
    OK(ov_new_voucher_set(made, OV_NEW_EPID, 1));
    IS(ov_new_voucher_header(made, &header, NULL), OV_ERR_CA_AS_OWNER);
    OK(ov_new_voucher_set(made, OV_NEW_CA_OWNER, 1));
    OK(ov_new_voucher_header(made, &header, NULL));
    OK(ov_header_findings(header, NULL, &findings));
    ov_findings_all(findings, &count);
    CHECK(count > 0);
    OK(ov_findings_free(&findings));
    OK(ov_hmac_secret_new(guid, 15, &secret));
    IS(ov_header_with_secret(header, secret, &voucher, NULL), OV_ERR_HMAC_SECRET_SHORT);
    OK(ov_hmac_secret_free(&secret));
    OK(ov_hmac_secret_new(guid, 16, &secret));
    OK(ov_header_with_secret(header, secret, &voucher, NULL));
    OK(ov_hmac_secret_free(&secret));
    OK(ov_voucher_free(&voucher));
    OK(ov_header_free(&header));
    OK(ov_rv_directive_free(&directive));
    OK(ov_new_voucher_free(&made));
    OK(ov_next_owner_free(&good));
    OK(ov_next_owner_free(&ca));
    OK(ov_next_owner_free(&reversed));
    OK(ov_next_owner_free(&other));

    ov_policy *policy = NULL;
    OK(ov_policy_any_origin(&policy));
    OK(ov_policy_set(policy, OV_POLICY_REQUIRE_REVOCATION_LISTS, 1));
    OK(ov_policy_free(&policy));
}

void test_functions(void) {
    ov_voucher *voucher = made_voucher(9), *clone = NULL;
    test_accessors(voucher);
    test_policy(voucher);
    test_hand_over(voucher);
    test_files(voucher);
    OK(ov_voucher_clone(voucher, &clone));
    ov_verified *verified = verify(clone);
    OK(ov_voucher_free(&clone));
    test_forks(verified);
    test_resale(verified);
    test_chains(verified);
    OK(ov_voucher_clone(ov_verified_voucher(verified), &clone));
    OK(ov_voucher_free(&clone));
    test_keys();
    test_names();
    test_pem();
    OK(ov_verified_free(&verified));
    OK(ov_voucher_free(&voucher));
}
