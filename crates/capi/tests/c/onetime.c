/* One-time owner keys: a list for one order, and a published address. */
#include <stdlib.h>

#include "suite.h"

static ov_master_secret *master(unsigned char byte) {
    unsigned char bytes[32];
    ov_master_secret *secret = NULL;
    memset(bytes, byte, sizeof bytes);
    OK(ov_master_secret_new(bytes, &secret));
    return secret;
}

/* Sold by its maker, whose secret is 1. */
static ov_voucher *sold(const ov_voucher *voucher, const ov_next_owner *next,
                        const ov_extend_options *options) {
    ov_verified *verified = NULL;
    ov_extension *extension = NULL;
    ov_voucher *extended = NULL;
    ov_local_key *maker = local_key(1);
    OK(ov_voucher_verify(voucher, any_origin(), &verified, NULL));
    OK(ov_verified_extend(verified, next, options, &extension, NULL));
    ov_signer signer = {maker, NULL, ov_local_key_sign_callback};
    OK(ov_extension_sign(extension, &signer, &extended, NULL));
    OK(ov_extension_free(&extension));
    OK(ov_verified_free(&verified));
    OK(ov_local_key_free(&maker));
    return extended;
}

/* Whether this signer can sign the voucher over to somebody. */
static ov_status signs(const ov_voucher *voucher, const ov_signer *signer) {
    ov_verified *verified = NULL;
    ov_extension *extension = NULL;
    ov_voucher *extended = NULL;
    ov_local_key *buyer = local_key(5);
    ov_public_key *key = NULL;
    ov_next_owner *next = NULL;
    OK(ov_local_key_public_key(buyer, &key));
    OK(ov_next_owner_from_key(key, &next));
    OK(ov_voucher_verify(voucher, any_origin(), &verified, NULL));
    OK(ov_verified_extend(verified, next, NULL, &extension, NULL));
    ov_status status = ov_extension_sign(extension, signer, &extended, NULL);
    OK(ov_voucher_free(&extended));
    OK(ov_extension_free(&extension));
    OK(ov_verified_free(&verified));
    OK(ov_next_owner_free(&next));
    OK(ov_public_key_free(&key));
    OK(ov_local_key_free(&buyer));
    return status;
}

static void test_list(void) {
    ov_master_secret *secret = master(3), *other = master(4);
    ov_local_key *keys[3] = {NULL, NULL, NULL}, *signer_key = NULL;
    ov_public_key *publics[3] = {NULL, NULL, NULL};
    ov_key_book *book = NULL, *empty = NULL;
    ov_next_owner *next = NULL;
    ov_str order;
    uint32_t index = 0;
    uint64_t len = 9;
    for (uint32_t i = 0; i < 3; i++) {
        OK(ov_master_secret_key(secret, OV_KEY_SECP256R1, "PO 1", 4, 7 + i, &keys[i], NULL));
        OK(ov_local_key_public_key(keys[i], &publics[i]));
    }
    IS(ov_master_secret_key(secret, OV_KEY_RSAPKCS, "PO 1", 4, 7, &signer_key, NULL),
       OV_ERR_UNSUPPORTED_KEY_TYPE);
    IS(ov_master_secret_key(secret, OV_KEY_SECP256R1, "\xff", 1, 7, &signer_key, NULL),
       OV_ERR_NOT_UTF8);
    IS(ov_master_secret_key(NULL, OV_KEY_SECP256R1, "", 0, 7, &signer_key, NULL), OV_ERR_NULL);
    OK(ov_key_book_new(&book));
    OK(ov_key_book_new(&empty));
    const ov_public_key *list[2] = {publics[0], publics[1]};
    OK(ov_key_book_add(book, "PO 1", 4, 7, list, 2, NULL));
    IS(ov_key_book_add(book, "PO 1", 4, UINT32_MAX, list, 2, NULL), OV_ERR_BAD_CALL);
    OK(ov_key_book_len(book, &len));
    CHECK(len == 2);
    OK(ov_key_book_find(book, publics[1], &order, &index));
    CHECK(order.len == 4 && memcmp(order.data, "PO 1", 4) == 0 && index == 8);
    IS(ov_key_book_find(book, publics[2], &order, &index), OV_ERR_ABSENT);

    ov_voucher *voucher = made_voucher(9);
    OK(ov_next_owner_from_key(publics[1], &next));
    ov_voucher *ours = sold(voucher, next, NULL);
    IS(ov_master_secret_key_of(secret, voucher, book, &signer_key, NULL), OV_ERR_NOT_OWNER);
    IS(ov_master_secret_key_of(other, ours, book, &signer_key, NULL), OV_ERR_NOT_OWNER);
    IS(ov_master_secret_key_of(secret, ours, empty, &signer_key, NULL), OV_ERR_NOT_OWNER);
    OK(ov_master_secret_key_of(secret, ours, book, &signer_key, NULL));
    ov_signer right = {signer_key, NULL, ov_local_key_sign_callback};
    OK(signs(ours, &right));

    OK(ov_voucher_free(&ours));
    OK(ov_voucher_free(&voucher));
    OK(ov_next_owner_free(&next));
    OK(ov_key_book_free(&empty));
    OK(ov_key_book_free(&book));
    OK(ov_local_key_free(&signer_key));
    for (unsigned i = 0; i < 3; i++) {
        OK(ov_public_key_free(&publics[i]));
        OK(ov_local_key_free(&keys[i]));
    }
    OK(ov_master_secret_free(&other));
    OK(ov_master_secret_free(&secret));
    CHECK(secret == NULL);
}

static void test_address(void) {
    ov_master_secret *secret = master(3), *other = master(4);
    ov_scan_key *scan = NULL, *again = NULL, *other_scan = NULL;
    ov_spend_key *spend = NULL, *other_spend = NULL;
    ov_address *address = NULL, *parsed = NULL;
    ov_buffer *text = NULL, *scan_bytes = NULL;
    ov_next_owner *next = NULL;
    ov_extend_options *options = NULL;
    ov_found *found = NULL;
    ov_one_time_key *key = NULL;
    ov_public_key *owner = NULL, *to = NULL;
    ov_slice slice;
    unsigned char bytes[66], seed[32];
    bool equal = false;
    memset(seed, 8, sizeof seed);
    OK(ov_master_secret_scan_key(secret, 0, &scan, NULL));
    OK(ov_master_secret_spend_key(secret, 0, &spend, NULL));
    OK(ov_master_secret_scan_key(other, 0, &other_scan, NULL));
    OK(ov_master_secret_spend_key(other, 0, &other_spend, NULL));
    OK(ov_scan_key_bytes(scan, &scan_bytes));
    OK(ov_buffer_bytes(scan_bytes, &slice));
    CHECK(slice.len == 65);
    OK(ov_scan_key_from_bytes(slice.data, slice.len, &again, NULL));
    IS(ov_scan_key_from_bytes(slice.data, 31, &again, NULL), OV_ERR_BAD_ARGUMENT);

    OK(ov_scan_key_address(again, &address));
    OK(ov_address_text(address, &text));
    OK(ov_buffer_bytes(text, &slice));
    CHECK(slice.len == 117 && memcmp(slice.data, "fdo1q", 5) == 0);
    OK(ov_address_parse((const char *)slice.data, slice.len, &parsed, NULL));
    OK(ov_address_free(&parsed));
    IS(ov_address_parse((const char *)slice.data, slice.len - 1, &parsed, NULL),
       OV_ERR_BAD_ARGUMENT);
    OK(ov_address_bytes(address, bytes));
    OK(ov_address_from_bytes(bytes, sizeof bytes, &parsed, NULL));
    IS(ov_address_from_bytes(bytes, 65, &parsed, NULL), OV_ERR_POINT_ENCODING);

    ov_voucher *voucher = made_voucher(9);
    OK(ov_extend_options_new(&options));
    IS(ov_address_owner_of(parsed, voucher, NULL, options, &next, NULL), OV_ERR_NULL);
    IS(ov_address_owner_of(parsed, voucher, seed, NULL, &next, NULL), OV_ERR_NULL);
    OK(ov_address_owner_of(parsed, voucher, seed, options, &next, NULL));
    OK(ov_next_owner_public_key(next, &to, NULL));
    ov_voucher *ours = sold(voucher, next, options);

    IS(ov_scan_key_recognise(scan, voucher, &found), OV_ERR_ABSENT);
    IS(ov_scan_key_recognise(other_scan, ours, &found), OV_ERR_ABSENT);
    OK(ov_scan_key_recognise(again, ours, &found));
    OK(ov_found_public_key(found, &owner));
    OK(ov_public_key_equal(owner, to, &equal));
    CHECK(equal);
    IS(ov_spend_key_signer(other_spend, found, &key, NULL), OV_ERR_NOT_OWNER);
    OK(ov_spend_key_signer(spend, found, &key, NULL));
    ov_signer signer = {key, owner, ov_one_time_key_sign_callback};
    OK(signs(ours, &signer));
    /* The user pointer is checked: this is no one-time key. */
    ov_signer wrong = {scan, owner, ov_one_time_key_sign_callback};
    IS(signs(ours, &wrong), OV_ERR_SIGNER_FAILED);

    /* A spend key from its bytes: that of another address signs for nothing here. */
    OK(ov_spend_key_free(&other_spend));
    OK(ov_spend_key_from_bytes(seed, sizeof seed, &other_spend, NULL));
    IS(ov_spend_key_from_bytes(seed, 31, &other_spend, NULL), OV_ERR_BAD_ARGUMENT);
    OK(ov_one_time_key_free(&key));
    IS(ov_spend_key_signer(other_spend, found, &key, NULL), OV_ERR_NOT_OWNER);

    OK(ov_voucher_free(&ours));
    OK(ov_voucher_free(&voucher));
    OK(ov_public_key_free(&to));
    OK(ov_public_key_free(&owner));
    OK(ov_found_free(&found));
    OK(ov_extend_options_free(&options));
    OK(ov_next_owner_free(&next));
    OK(ov_buffer_free(&scan_bytes));
    OK(ov_buffer_free(&text));
    OK(ov_address_free(&parsed));
    OK(ov_address_free(&address));
    OK(ov_spend_key_free(&other_spend));
    OK(ov_spend_key_free(&spend));
    OK(ov_scan_key_free(&other_scan));
    OK(ov_scan_key_free(&again));
    OK(ov_scan_key_free(&scan));
    OK(ov_master_secret_free(&other));
    OK(ov_master_secret_free(&secret));
}

void test_onetime(void) {
    test_list();
    test_address();
}
