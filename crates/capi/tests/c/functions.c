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
    OK(ov_voucher_device_info(voucher, &text));
    CHECK(text.len == 7 && memcmp(text.data, "Model 7", 7) == 0);
    OK(ov_voucher_protocol_version(voucher, &version));
    CHECK(version == 101);
    OK(ov_voucher_hmac(voucher, &digest));
    CHECK(digest.algorithm == OV_HASH_SHA256 && digest.len == 32);
    IS(ov_voucher_chain_hash(voucher, &digest), OV_ERR_ABSENT);
    IS(ov_voucher_chain_bytes(voucher, &bytes), OV_ERR_ABSENT);
    OK(ov_voucher_device_certificate_count(voucher, &number));
    CHECK(number == 0);
    IS(ov_voucher_device_certificate(voucher, 0, &bytes), OV_ERR_INDEX);
    OK(ov_voucher_bytes(voucher, &bytes));
    OK(ov_voucher_header_bytes(voucher, &header));
    OK(ov_voucher_header_offset(voucher, &number));
    CHECK(memcmp(bytes.data + number, header.data, header.len) == 0);
    OK(ov_voucher_hmac_bytes(voucher, &header));
    OK(ov_voucher_rendezvous_bytes(voucher, &header));
    IS(ov_voucher_rendezvous_unread(voucher, &header), OV_ERR_ABSENT);
    OK(ov_voucher_rendezvous_count(voucher, &number));
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
    OK(ov_public_key_equal(maker, owner, &equal));
    CHECK(equal);
    IS(ov_voucher_key_info(voucher, 0, &key), OV_ERR_INDEX);
    OK(ov_voucher_key_certificate_count(voucher, OV_OWNER, &number));
    CHECK(number == 0);
    IS(ov_voucher_key_certificate(voucher, OV_OWNER, 0, &bytes), OV_ERR_INDEX);
    OK(ov_public_key_free(&maker));
    OK(ov_public_key_free(&owner));

    ov_findings *findings = NULL;
    OK(ov_voucher_deviations(voucher, &findings));
    OK(ov_findings_len(findings, &number));
    CHECK(number == 0);
    OK(ov_findings_free(&findings));
    OK(ov_voucher_findings(voucher, NULL, &findings));
    ov_finding finding;
    OK(ov_findings_get(findings, 0, &finding));
    CHECK(finding.code == OV_FINDING_NO_ENTRIES && !finding.is_deviation);
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
    OK(ov_extend_options_set_max_entry(options, 4096));
    OK(ov_extend_options_allow_other_key_type(options));
    OK(ov_extend_options_allow_experimental_key(options));
    OK(ov_extend_options_allow_ca_owner(options));
    OK(ov_extend_options_allow_draft_aad(options));
    OK(ov_extend_options_set_hash(options, OV_HASH_SHA256));
    OK(ov_extend_options_set_encoding(options, OV_ENCODING_COSEKEY));
    OK(ov_verified_extend(verified, next, options, &extension, NULL));
    OK(ov_extension_algorithm(extension, &algorithm));
    CHECK(algorithm == OV_ALGORITHM_ES256);
    OK(ov_extension_to_be_signed(extension, &message));
    OK(ov_buffer_bytes(message, &tbs));
    OK(ov_extension_prehash(extension, &prehash));
    OK(ov_hash_digest(OV_HASH_SHA256, tbs.data, tbs.len, &again));
    OK(ov_digest_equal(&prehash, &again, &equal));
    CHECK(equal);
    /* A journal keeps the hash of the message, which is what ES256 signs. */
    ov_sale sale;
    OK(ov_extension_sale(extension, &sale));
    CHECK(memcmp(sale.continuation, prehash.bytes, 32) == 0);
    CHECK(memcmp(sale.state, prehash.bytes, 32) != 0);
    OK(ov_local_key_sign(key, algorithm, tbs.data, tbs.len, &signature, NULL));
    OK(ov_buffer_bytes(signature, &sig));
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
    OK(ov_public_key_equal(heir, named, &equal));
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
    OK(ov_voucher_entry_extra_count(voucher, 0, &count));
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
    ov_proved proved;
    ov_status status = ov_voucher_verify(voucher, policy, &verified, NULL);
    *origin = -1;
    if (status == OV_OK) {
        OK(ov_verified_proved(verified, &proved));
        *origin = proved.origin;
    }
    OK(ov_verified_free(&verified));
    OK(ov_policy_free(&policy));
    return status;
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
    OK(ov_public_key_to_spki_der(maker_key, &spki));
    OK(ov_buffer_bytes(spki, &der));
    OK(ov_hash_digest(OV_HASH_SHA256, der.data, der.len, &hash));

    OK(ov_policy_any_origin(&policy));
    IS(judged(policy, sold, &origin), OV_OK);
    CHECK(origin == OV_ORIGIN_NOT_CHECKED);
    OK(ov_policy_from_manufacturer(maker_key, &policy));
    IS(judged(policy, sold, &origin), OV_OK);
    CHECK(origin == OV_ORIGIN_MANUFACTURER);
    OK(ov_policy_from_manufacturer_hash(&hash, &policy));
    IS(judged(policy, sold, &origin), OV_OK);
    CHECK(origin == OV_ORIGIN_MANUFACTURER);
    OK(ov_policy_from_hmac_secret(secret, &policy));
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
    /* Its key is no certificate. */
    OK(ov_roots_new(&roots));
    OK(ov_policy_from_manufacturer_roots(roots, &policy));
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
    IS(ov_policy_from_manufacturer_hash(NULL, &policy), OV_ERR_NULL);
    IS(ov_policy_from_manufacturer_roots(NULL, &policy), OV_ERR_NULL);
    IS(ov_policy_from_hmac_secret(NULL, &policy), OV_ERR_NULL);
    IS(ov_policy_from_hmac(NULL, &policy), OV_ERR_NULL);
    CHECK(policy == NULL);
    IS(ov_policy_any_origin(NULL), OV_ERR_NULL);
    OK(ov_roots_free(&roots));
    OK(ov_buffer_free(&spki));
    OK(ov_public_key_free(&stranger_key));
    OK(ov_public_key_free(&maker_key));
    OK(ov_hmac_secret_free(&secret));
    OK(ov_local_key_free(&stranger));
    OK(ov_local_key_free(&maker));
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
    OK(ov_voucher_bytes(voucher, &bytes));
    OK(ov_local_key_public_key(maker, &maker_key));
    ov_signer signer = {maker, maker_key, ov_local_key_sign_callback};
    OK(ov_hand_over(bytes.data, bytes.len, any_origin(), &signer, next, NULL, &sold, &receipt, error));
    OK(ov_receipt_get_info(receipt, &info));
    CHECK(info.entry == 0 && info.entry_hash.len == 32 && info.guid[0] == 9);
    OK(ov_receipt_from(receipt, &key));
    OK(ov_public_key_equal(key, maker_key, &equal));
    CHECK(equal);
    OK(ov_public_key_free(&key));
    OK(ov_receipt_to(receipt, &key));
    OK(ov_public_key_equal(key, maker_key, &equal));
    CHECK(!equal);
    OK(ov_public_key_free(&key));
    OK(ov_receipt_free(&receipt));
    const ov_voucher *view = NULL;
    OK(ov_verified_voucher(sold, &view));
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
    ov_str message;
    OK(ov_error_message(error, &message));
    CHECK(calls == 1 && memmem(message.data, message.len, "17", 2) != NULL);
    size_t lengths[] = {0, 1, 63, 64, 65, 72, 1024, 1025, SIZE_MAX};
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
    ov_verdict verdicts[3];
    ov_verified *all[3];
    ov_receipt *receipts[3];
    signer.public_key = maker_key;
    OK(ov_hand_over_all(shipment, 3, any_origin(), &signer, next, NULL, 2, verdicts, all, receipts, error));
    CHECK(verdicts[0].status == OV_OK && verdicts[2].status == OV_OK);
    CHECK(verdicts[1].status == OV_ERR_WRONG_TYPE && all[1] == NULL && receipts[1] == NULL);
    uint64_t number = 7;
    IS(ov_receipt_duplicate_of(receipts[0], &number), OV_ERR_ABSENT);
    OK(ov_receipt_duplicate_of(receipts[2], &number));
    CHECK(number == 0);
    for (int i = 0; i < 3; i++) {
        OK(ov_verified_free(&all[i]));
        OK(ov_receipt_free(&receipts[i]));
    }
    OK(ov_verified_free(&sold));
    OK(ov_next_owner_free(&next));
    OK(ov_public_key_free(&maker_key));
    OK(ov_local_key_free(&maker));
    OK(ov_error_free(&error));
}

static void test_forks(const ov_verified *verified) {
    ov_voucher *left = extended(verified, 1, 2), *right = extended(verified, 1, 3);
    ov_verified *a = verify(left), *b = verify(right);
    const ov_verified *list[3] = {verified, a, b};
    ov_forks *forks = NULL;
    ov_fork fork;
    ov_public_key *signer = NULL;
    uint64_t count = 0, entry = 0;
    int32_t kind = -1;
    OK(ov_find_forks(list, 3, &forks));
    OK(ov_forks_len(forks, &count));
    CHECK(count == 1);
    OK(ov_forks_get(forks, 0, &fork));
    CHECK(fork.first == 1 && fork.second == 2 && fork.entry == 0);
    OK(ov_forks_signer(forks, 0, &signer));
    OK(ov_public_key_free(&signer));
    IS(ov_forks_get(forks, 1, &fork), OV_ERR_INDEX);
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
    OK(ov_rv_directive_ipv4(directive, address));
    OK(ov_rv_directive_device_port(directive, 80));
    OK(ov_rv_directive_owner_port(directive, 81));
    OK(ov_rv_directive_protocol(directive, OV_RV_PROTOCOL_HTTP));
    OK(ov_rv_directive_delay(directive, 60));
    OK(ov_rv_directive_flag(directive, 14));
    IS(ov_rv_directive_flag(directive, 3), OV_ERR_BAD_CALL);
    IS(ov_rv_directive_protocol(directive, 99), OV_ERR_BAD_CALL);
    OK(ov_rv_directive_new(&other));
    OK(ov_rv_directive_ipv6(other, address));
    OK(ov_rv_directive_device_port(other, 80));
    OK(ov_rv_directive_protocol(other, OV_RV_PROTOCOL_HTTP));
    const ov_rv_directive *directives[2] = {directive, other};
    OK(ov_replacement_new(guid, directives, 2, owner, &replacement, NULL));
    /* What strict readers refuse is not written. */
    ov_replacement *none = NULL;
    OK(ov_rv_directive_device_port(other, 81));
    IS(ov_replacement_new(guid, directives, 2, owner, &none, NULL), OV_ERR_INCOMPLETE);
    OK(ov_rv_directive_free(&other));
    OK(ov_replacement_is_reuse(replacement, verified, &reuse));
    CHECK(!reuse);
    OK(ov_replacement_guid(replacement, guid));
    CHECK(guid[15] == 0x77);
    OK(ov_replacement_rendezvous(replacement, &bytes));
    IS(ov_replacement_finish(replacement, verified, NULL, &voucher, NULL), OV_ERR_BAD_CALL);
    OK(ov_replacement_header(replacement, verified, &header, NULL));
    OK(ov_header_bytes(header, &bytes));
    OK(ov_header_algorithm(header, &hash));
    OK(ov_hash_digest(hash, bytes.data, bytes.len, &hmac));
    OK(ov_replacement_finish(replacement, verified, &hmac, &voucher, NULL));
    CHECK(voucher != NULL);
    OK(ov_voucher_free(&voucher));
    OK(ov_header_finish(header, &hmac, &voucher, NULL));
    OK(ov_voucher_free(&voucher));
    OK(ov_header_free(&header));
    OK(ov_replacement_free(&replacement));
    OK(ov_replacement_reuse(verified, &replacement));
    OK(ov_replacement_is_reuse(replacement, verified, &reuse));
    CHECK(reuse);
    OK(ov_replacement_finish(replacement, verified, NULL, &voucher, NULL));
    CHECK(voucher == NULL);
    OK(ov_replacement_free(&replacement));
    OK(ov_rv_directive_free(&directive));
    OK(ov_next_owner_free(&owner));
}

static void test_files(const ov_voucher *voucher) {
    ov_buffer *pem = NULL, *cbor = NULL;
    ov_slice text, bytes, item;
    ov_voucher *back = NULL;
    ov_vouchers *steps = NULL;
    ov_pem_blocks *blocks = NULL;
    ov_byte_list *certificates = NULL;
    ov_str label;
    uint64_t offset = 0, count = 0;
    OK(ov_voucher_bytes(voucher, &bytes));
    OK(ov_voucher_to_pem(voucher, &pem));
    OK(ov_buffer_bytes(pem, &text));
    CHECK(memcmp(text.data, "-----BEGIN OWNERSHIP VOUCHER-----", 33) == 0);
    OK(ov_voucher_parse_file(text.data, text.len, NULL, &back, NULL));
    OK(ov_voucher_free(&back));
    OK(ov_file_single(text.data, text.len, &cbor, NULL));
    OK(ov_buffer_bytes(cbor, &item));
    CHECK(item.len == bytes.len && memcmp(item.data, bytes.data, item.len) == 0);
    OK(ov_buffer_free(&cbor));
    OK(ov_vouchers_new(text.data, text.len, &steps));
    OK(ov_vouchers_next(steps, &item, NULL));
    CHECK(item.len == bytes.len);
    IS(ov_vouchers_next(steps, &item, NULL), OV_ERR_INDEX);
    OK(ov_vouchers_free(&steps));
    OK(ov_pem_blocks_new(text.data, text.len, &blocks));
    IS(ov_pem_blocks_decode(blocks, &cbor, NULL), OV_ERR_INDEX);
    OK(ov_pem_blocks_next(blocks, &label, &offset, NULL));
    CHECK(label.len == 17 && offset == 0);
    OK(ov_pem_blocks_decode(blocks, &cbor, NULL));
    OK(ov_buffer_free(&cbor));
    IS(ov_pem_blocks_next(blocks, &label, &offset, NULL), OV_ERR_INDEX);
    OK(ov_pem_blocks_free(&blocks));
    OK(ov_file_certificates(text.data, text.len, &certificates, NULL));
    OK(ov_byte_list_len(certificates, &count));
    CHECK(count == 0);
    IS(ov_byte_list_get(certificates, 0, &item), OV_ERR_INDEX);
    OK(ov_byte_list_free(&certificates));
    OK(ov_file_to_pem(bytes.data, bytes.len, &cbor));
    OK(ov_buffer_free(&cbor));
    OK(ov_buffer_free(&pem));

    bool complete = false;
    ov_error *fault = NULL;
    ov_status status = OV_OK;
    OK(ov_error_new(&fault));
    OK(ov_diagnostic(bytes.data, bytes.len, false, &pem, &complete, fault));
    CHECK(complete);
    OK(ov_buffer_free(&pem));
    OK(ov_diagnostic(bytes.data, bytes.len - 1, false, &pem, &complete, fault));
    OK(ov_error_status(fault, &status));
    CHECK(!complete && status == OV_ERR_TRUNCATED);
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

static void test_policy(const ov_voucher *voucher) {
    ov_policy *policy = NULL;
    ov_hmac_secret *secret = NULL;
    ov_verified *verified = NULL;
    ov_proved proved;
    uint8_t bytes[32];
    uint64_t value = 0;
    bool allows = true;
    memset(bytes, 7, sizeof bytes);
    OK(ov_hmac_secret_new(bytes, sizeof bytes, &secret));
    ov_hmac device = {secret, ask_device};
    OK(ov_policy_from_hmac(&device, &policy));
    OK(ov_voucher_verify(voucher, policy, &verified, NULL));
    OK(ov_verified_proved(verified, &proved));
    CHECK(proved.hmac && proved.manufacturer == OV_MANUFACTURER_NOT_PROVED);
    CHECK(proved.origin == OV_ORIGIN_HMAC);
    CHECK(proved.chain_hash == OV_CHAIN_HASH_NONE);
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
    OK(ov_policy_limit(policy, OV_LIMIT_INPUT, &value));
    CHECK(value == 1 << 20);
    OK(ov_policy_set_limit(policy, OV_LIMIT_INPUT, 10));
    ov_slice all;
    ov_voucher *small = NULL;
    OK(ov_voucher_bytes(voucher, &all));
    IS(ov_voucher_parse(all.data, all.len, policy, &small, NULL), OV_ERR_LIMIT_INPUT);
    IS(ov_policy_set_limit(policy, 0, 1), OV_ERR_BAD_CALL);
    OK(ov_policy_allows(policy, OV_ALLOW_LEGACY_UNTAGGED, &allows));
    CHECK(!allows);
    OK(ov_policy_allow(policy, OV_ALLOW_LEGACY_UNTAGGED));
    OK(ov_policy_allows(policy, OV_ALLOW_LEGACY_UNTAGGED, &allows));
    CHECK(allows);
    IS(ov_policy_allow(policy, 99), OV_ERR_BAD_CALL);
    OK(ov_policy_set_engine(policy, OV_ENGINE_PORTABLE));
    OK(ov_policy_set_engine(policy, OV_ENGINE_RUST_CRYPTO));
    OK(ov_policy_set_engine(policy, OV_ENGINE_FASTEST));
    IS(ov_policy_set_engine(policy, 3), OV_ERR_BAD_CALL);
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
    OK(ov_local_key_to_pkcs8_der(key, &der, NULL));
    OK(ov_buffer_bytes(der, &bytes));
    OK(ov_local_key_from_der(bytes.data, bytes.len, &back, NULL));
    OK(ov_buffer_free(&der));
    OK(ov_local_key_public_key(back, &a));
    ov_buffer *pem = NULL;
    ov_slice text;
    OK(ov_local_key_to_pem(key, &pem, NULL));
    OK(ov_buffer_bytes(pem, &text));
    CHECK(memcmp(text.data, "-----BEGIN PRIVATE KEY-----\n", 28) == 0);
    OK(ov_local_key_free(&back));
    OK(ov_local_key_from_pem(text.data, text.len, &back, NULL));
    OK(ov_buffer_free(&pem));
    OK(ov_public_key_to_pem(a, &pem));
    OK(ov_buffer_bytes(pem, &text));
    OK(ov_public_key_from_pem(text.data, text.len, &b, NULL));
    OK(ov_public_key_equal(a, b, &equal));
    CHECK(equal);
    OK(ov_buffer_free(&pem));
    OK(ov_public_key_free(&b));
    OK(ov_public_key_to_spki_der(a, &der));
    OK(ov_buffer_bytes(der, &bytes));
    OK(ov_public_key_from_spki_der(bytes.data, bytes.len, &b, NULL));
    OK(ov_public_key_equal(a, b, &equal));
    CHECK(equal);
    OK(ov_public_key_free(&b));
    OK(ov_public_key_from_sec1(bytes.data + bytes.len - 65, 65, &b, NULL));
    OK(ov_public_key_equal(a, b, &equal));
    CHECK(equal);
    OK(ov_public_key_free(&b));
    uint8_t modulus[257] = {0};
    modulus[1] = 0x80;
    modulus[256] = 1;
    OK(ov_public_key_from_rsa(modulus, 257, (const uint8_t *)"\1\0\1", 3, &b, NULL));
    OK(ov_public_key_bits(b, &bits));
    CHECK(bits == 2048);
    OK(ov_public_key_free(&b));
    IS(ov_public_key_from_rsa(modulus, 256, (const uint8_t *)"\1\0\1", 3, &b, NULL), OV_ERR_RSA_MODULUS);
    IS(ov_public_key_from_rsa(modulus, 257, (const uint8_t *)"\3", 1, &b, NULL), OV_ERR_RSA_EXPONENT);
    OK(ov_public_key_clone(a, &b));
    OK(ov_public_key_bits(b, &bits));
    CHECK(bits == 256);
    OK(ov_public_key_natural_type(b, &code));
    CHECK(code == OV_KEY_SECP256R1);
    OK(ov_local_key_algorithm(key, &code));
    CHECK(code == OV_ALGORITHM_ES256);
    IS(ov_public_key_from_pem((const uint8_t *)"x", 1, &b, NULL), OV_ERR_BAD_ARGUMENT);
    IS(ov_local_key_from_pem((const uint8_t *)"x", 1, &back, NULL), OV_ERR_BAD_ARGUMENT);
    ov_roots *roots = NULL;
    OK(ov_roots_new(&roots));
    IS(ov_roots_add_crl_der(roots, (const uint8_t *)"x", 1, NULL), OV_ERR_REVOCATION_LIST);
    OK(ov_roots_require_revocation_lists(roots));
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
    ov_str name;
    size_t len = 0;
    bool flag = false;
    ov_buffer *text = NULL;
    ov_slice bytes;
    OK(ov_algorithm_name(OV_ALGORITHM_ES384, &name));
    CHECK(name.len == 5 && memcmp(name.data, "ES384", 5) == 0);
    OK(ov_algorithm_signature_len(OV_ALGORITHM_RS256, &len));
    CHECK(len == 256);
    OK(ov_key_type_name(OV_KEY_ED25519, &name));
    OK(ov_key_encoding_name(OV_ENCODING_X5CHAIN, &name));
    OK(ov_hash_name(OV_HASH_SHA384, &name));
    OK(ov_hash_len(OV_HASH_SHA384, &len));
    CHECK(len == 48);
    OK(ov_rv_variable_name(5, &name));
    OK(ov_rv_variable_is_flag(14, &flag));
    CHECK(flag);
    OK(ov_allowance_name(OV_ALLOW_FDO_2_0_DRAFT_AAD, &name));
    OK(ov_finding_name(OV_FINDING_NO_ENTRIES, &name));
    IS(ov_algorithm_name(1, &name), OV_ERR_BAD_CALL);
    IS(ov_key_type_name(2, &name), OV_ERR_BAD_CALL);
    IS(ov_key_encoding_name(4, &name), OV_ERR_BAD_CALL);
    IS(ov_hash_name(5, &name), OV_ERR_BAD_CALL);
    IS(ov_rv_variable_name(16, &name), OV_ERR_BAD_CALL);
    IS(ov_finding_name(1, &name), OV_ERR_BAD_CALL);
    OK(ov_time_format(0, &text));
    OK(ov_buffer_bytes(text, &bytes));
    CHECK(bytes.len == 20 && memcmp(bytes.data, "1970-01-01T00:00:00Z", 20) == 0);
    OK(ov_buffer_free(&text));
    CHECK(ov_version().len >= 5);
    CHECK(memcmp(ov_status_name(OV_ERR_SIGNATURE_INVALID).data, "signature-invalid", 17) == 0);
    CHECK(memcmp(ov_status_name(OV_ERR_FREED).data, "freed-handle", 12) == 0);
    CHECK(memcmp(ov_status_name(12345).data, "unknown", 7) == 0);
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

/* Certificates that are no chain, or an authority's, are refused before anybody signs. */
static void test_chains(const ov_verified *verified) {
    ov_next_owner *good = owner_of_files(OLD_LEAF, ROOT), *ca = owner_of_files(ROOT, NULL);
    ov_next_owner *reversed = owner_of_files(ROOT, LEAF), *other = owner_of_files(LEAF, OTHER);
    ov_extend_options *options = NULL;
    ov_extension *extension = NULL;
    ov_findings *findings = NULL;
    uint64_t count = 0;
    OK(ov_extend_options_new(&options));
    IS(ov_verified_extend(verified, ca, options, &extension, NULL), OV_ERR_CA_AS_OWNER);
    IS(ov_verified_extend(verified, ca, NULL, &extension, NULL), OV_ERR_CA_AS_OWNER);
    OK(ov_extend_options_allow_ca_owner(options));
    OK(ov_extend_options_allow_draft_aad(options));
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
    OK(ov_findings_len(findings, &count));
    bool old = false;
    for (uint64_t i = 0; i < count; i++) {
        ov_finding finding;
        OK(ov_findings_get(findings, i, &finding));
        old |= finding.code == OV_FINDING_CERTIFICATE_V1;
    }
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
    OK(ov_rv_directive_device_port(directive, 443));
    OK(ov_rv_directive_protocol(directive, OV_RV_PROTOCOL_HTTPS));
    OK(ov_new_voucher_new(guid, "Model 7", 7, ca, &made, NULL));
    OK(ov_new_voucher_add_rendezvous(made, directive));
    OK(ov_new_voucher_set_epid(made));
    IS(ov_new_voucher_header(made, &header, NULL), OV_ERR_CA_AS_OWNER);
    OK(ov_new_voucher_allow_ca_owner(made));
    OK(ov_new_voucher_header(made, &header, NULL));
    OK(ov_header_findings(header, NULL, &findings));
    OK(ov_findings_len(findings, &count));
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
    OK(ov_policy_require_revocation_lists(policy));
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
    OK(ov_verified_into_voucher(verified, &clone));
    OK(ov_voucher_free(&clone));
    test_keys();
    test_names();
    OK(ov_verified_free(&verified));
    OK(ov_voucher_free(&voucher));
}
