/* TO0, TO1 and TO2 from C, with owner, rendezvous server and device, and credentials of devices. */
#include <stdlib.h>

#include "suite.h"

/* The certificate of the device, and that of its authority. */
static const char *const leaf =
    "3082016b30820110a003020102020900d132dd00df4a1749300a06082a8648ce3d040302302e3110300e0603"
    "55040a0c074578616d706c65311a301806035504030c114578616d706c6520646576696365204341301e170d"
    "3234303130313030303030305a170d3439313233313233353935395a30333110300e060355040a0c07457861"
    "6d706c65311f301d06035504030c16446576696365206f6e626f6172642d6578616d706c653059301306072a"
    "8648ce3d020106082a8648ce3d0301070342000448a87abddc20d98058e3ef5e71c37dabcd70de26c6e0f56e"
    "5e369836d20cec456ce3b81cf38bcfaa0b4833c1eb2647bde239358c0400bbd7c079f903a6566c33a3123010"
    "300e0603551d0f0101ff040403020780300a06082a8648ce3d0403020349003046022100c17dadbca48696af"
    "86fddd58736e7f15a16f25cfa0c773488ffd2d1ed9f1da0e022100c3885f48f64b912e5067335d168618b39a"
    "a8b9a0a6407e8ef11244935afface8";
static const char *const root =
    "308201753082011ba00302010202084f9f74983fef9643300a06082a8648ce3d040302302e3110300e060355"
    "040a0c074578616d706c65311a301806035504030c114578616d706c6520646576696365204341301e170d32"
    "34303130313030303030305a170d3439313233313233353935395a302e3110300e060355040a0c074578616d"
    "706c65311a301806035504030c114578616d706c65206465766963652043413059301306072a8648ce3d0201"
    "06082a8648ce3d03010703420004e5b13f7c7f6ac309db708912bb82797d8e2f75af41bc10cc6234f83f010c"
    "baa7087312d39bbbf2e6893adaa1046dda0ec5916a6f3c915f0cc6d4bf8071241224a3233021300f0603551d"
    "130101ff040530030101ff300e0603551d0f0101ff040403020204300a06082a8648ce3d0403020348003045"
    "02203a58c4098ce46899dd47b8c4b8b284825f5f7d1824dc902410af4a149aba3e17022100a3ca4eec1554cf"
    "63d2ebdd06b1268ad63441d1b2f37bbf86c8bca6bfdc85f679";
static const char *const device_secret =
    "8aca0e8811fcabc94259cc747543642112d62ed5864c4f2ebf3a547209058fec";

static const unsigned char nonces[5][16] = {{1}, {2}, {3}, {4}, {5}};

static ov_slice bytes_of(const ov_buffer *buffer) {
    ov_slice bytes = {NULL, 0};
    bytes = ov_buffer_bytes(buffer);
    return bytes;
}

/* Signs, and frees what was to be signed. */
static ov_buffer *sign(ov_unsigned *message, const ov_local_key *key) {
    ov_signer signer = {(void *)key, NULL, ov_local_key_sign_callback};
    ov_buffer *bytes = NULL;
    OK(ov_unsigned_sign(message, &signer, &bytes, NULL));
    OK(ov_unsigned_free(&message));
    return bytes;
}

static ov_local_key *device_key(void) {
    size_t len;
    unsigned char *secret = from_hex(device_secret, &len);
    ov_local_key *key = NULL;
    OK(ov_local_key_from_secret(OV_KEY_SECP256R1, secret, len, &key, NULL));
    free(secret);
    return key;
}

static ov_hmac_secret *hmac_secret(unsigned char byte) {
    unsigned char secret[32];
    ov_hmac_secret *made = NULL;
    memset(secret, byte, sizeof secret);
    OK(ov_hmac_secret_new(secret, sizeof secret, &made));
    return made;
}

static ov_rv_directive *directive(void) {
    ov_rv_directive *directive = NULL;
    OK(ov_rv_directive_new(&directive));
    OK(ov_rv_directive_dns(directive, "rv.example.com", 14));
    OK(ov_rv_directive_set(directive, OV_RV_SET_DEVICE_PORT, 443));
    OK(ov_rv_directive_set(directive, OV_RV_SET_PROTOCOL, OV_RV_PROTOCOL_HTTPS));
    return directive;
}

/* What the factory leaves: the voucher with COSE_Keys, and the credential in the device. */
static ov_voucher *factory(ov_credential **credential) {
    unsigned char guid[16], *certificates[2];
    ov_slice chain[2];
    memset(guid, 0x17, sizeof guid);
    for (unsigned i = 0; i < 2; i++) {
        certificates[i] = from_hex(i == 0 ? leaf : root, &chain[i].len);
        chain[i].data = certificates[i];
    }
    ov_new_voucher *made = NULL;
    ov_header *header = NULL;
    ov_voucher *voucher = NULL;
    ov_next_owner *first = next_owner(1);
    ov_rv_directive *place = directive();
    ov_hmac_secret *secret = hmac_secret(7);
    OK(ov_new_voucher_new(guid, "Model 7", 7, first, &made, NULL));
    OK(ov_new_voucher_set(made, OV_NEW_ENCODING, OV_ENCODING_COSEKEY));
    OK(ov_new_voucher_add_rendezvous(made, place));
    OK(ov_new_voucher_set_device_chain(made, chain, 2));
    OK(ov_new_voucher_header(made, &header, NULL));
    OK(ov_header_with_secret(header, secret, &voucher, NULL));

    ov_local_key *key = device_key();
    ov_buffer *der = NULL, *bytes = NULL;
    OK(ov_local_key_write(key, OV_FORM_DER, &der, NULL));
    OK(ov_credential_of(voucher, credential));
    IS(ov_credential_bytes(*credential, OV_CREDENTIAL_REFERENCE, &bytes, NULL), OV_ERR_INCOMPLETE);
    OK(ov_credential_set_secret(*credential, secret));
    IS(ov_credential_bytes(*credential, OV_CREDENTIAL_GO_FDO, &bytes, NULL), OV_ERR_INCOMPLETE);
    OK(ov_credential_set_key(*credential, bytes_of(der).data, bytes_of(der).len));
    OK(ov_buffer_free(&der));
    OK(ov_local_key_free(&key));
    OK(ov_hmac_secret_free(&secret));
    OK(ov_rv_directive_free(&place));
    OK(ov_next_owner_free(&first));
    OK(ov_header_free(&header));
    OK(ov_new_voucher_free(&made));
    for (unsigned i = 0; i < 2; i++) free(certificates[i]);
    return voucher;
}

static void test_credential(const ov_credential *credential, const ov_voucher *voucher) {
    ov_voucher *other = made_voucher(3);
    ov_slice wanted;
    wanted = ov_voucher_bytes(voucher, OV_PART_RENDEZVOUS);
    for (int32_t format = OV_CREDENTIAL_REFERENCE; format <= OV_CREDENTIAL_FDO_RS; format++) {
        ov_credential *again = NULL;
        ov_credential_info info;
        ov_buffer *bytes = NULL;
        ov_local_key *key = NULL;
        int32_t found = 9;
        bool same = false;
        OK(ov_credential_bytes(credential, format, &bytes, NULL));
        ov_slice data = bytes_of(bytes);
        IS(ov_credential_parse(data.data, data.len - 1, &again, NULL, NULL), OV_ERR_TRUNCATED);
        OK(ov_credential_parse(data.data, data.len, &again, &found, NULL));
        CHECK(found == format);
        OK(ov_credential_get_info(again, &info));
        CHECK(info.active && info.guid[0] == 0x17 && info.guid[15] == 0x17);
        CHECK(info.device_info.len == 7 && memcmp(info.device_info.data, "Model 7", 7) == 0);
        CHECK(info.rendezvous.len == wanted.len);
        CHECK(memcmp(info.rendezvous.data, wanted.data, wanted.len) == 0);
        CHECK(info.manufacturer_hash.algorithm == OV_HASH_SHA256);
        same = ov_credential_has_manufacturer(again, voucher);
        CHECK(same);
        same = ov_credential_has_manufacturer(again, other);
        CHECK(!same);
        IS(ov_credential_key(again, &key, NULL),
           format == OV_CREDENTIAL_REFERENCE ? OV_ERR_INCOMPLETE : OV_OK);
        OK(ov_local_key_free(&key));
        OK(ov_credential_free(&again));
        OK(ov_buffer_free(&bytes));
    }
    ov_buffer *bytes = NULL;
    IS(ov_credential_bytes(credential, 3, &bytes, NULL), OV_ERR_BAD_CALL);
    OK(ov_voucher_free(&other));
}

/* TO0 and TO1. Returns to1d. */
static ov_buffer *redirected(const ov_verified *verified, const ov_local_key *holder,
                             const ov_local_key *device) {
    ov_owner_address addresses[2] = {
        {{"owner.example.com", 17}, 0, {0}, 8043, OV_TRANSPORT_HTTPS},
        {{NULL, 0}, 4, {192, 0, 2, 7}, 80, OV_TRANSPORT_HTTP},
    };
    ov_buffer *to0d = NULL, *to1d, *message = NULL, *proof;
    ov_unsigned *waiting = NULL;
    ov_verified *registered = NULL, *other = NULL;
    ov_to1d *contents = NULL;
    ov_owner_address address;
    ov_digest hash, expected;
    ov_slice part, slice;
    uint32_t seconds = 0;
    uint64_t count = 0;
    bool equal = false;
    OK(ov_verified_to0d(verified, 3600, nonces[0], &to0d));
    slice = bytes_of(to0d);
    IS(ov_verified_to1d(verified, addresses, 0, slice.data, slice.len, &waiting, NULL),
       OV_ERR_INCOMPLETE);
    addresses[1].ip_len = 5;
    IS(ov_verified_to1d(verified, addresses, 2, slice.data, slice.len, &waiting, NULL),
       OV_ERR_BAD_CALL);
    addresses[1].ip_len = 4;
    OK(ov_verified_to1d(verified, addresses, 2, slice.data, slice.len, &waiting, NULL));
    to1d = sign(waiting, holder);
    OK(ov_owner_sign(slice.data, slice.len, bytes_of(to1d).data, bytes_of(to1d).len, &message));

    part = bytes_of(message);
    IS(ov_registration_check(part.data, part.len, NULL, nonces[0], &registered, NULL, NULL, NULL),
       OV_ERR_BAD_CALL);
    IS(ov_registration_check(part.data, part.len, any_origin(), nonces[1], &registered, &seconds,
                             NULL, NULL),
       OV_ERR_WRONG_NONCE);
    CHECK(registered == NULL && seconds == 0);
    OK(ov_registration_check(part.data, part.len, any_origin(), nonces[0], &registered, &seconds,
                             &slice, NULL));
    CHECK(seconds == 3600 && slice.len == bytes_of(to1d).len);
    CHECK(memcmp(slice.data, bytes_of(to1d).data, slice.len) == 0);

    OK(ov_to1d_check(slice.data, slice.len, registered, &contents, NULL));
    OK(ov_to1d_free(&contents));
    OK(ov_to1d_read(slice.data, slice.len, &contents, NULL));
    count = ov_to1d_len(contents);
    CHECK(count == 2);
    OK(ov_to1d_address(contents, 0, &address));
    CHECK(address.dns.len == 17 && memcmp(address.dns.data, "owner.example.com", 17) == 0);
    CHECK(address.ip_len == 0 && address.port == 8043 && address.transport == OV_TRANSPORT_HTTPS);
    OK(ov_to1d_address(contents, 1, &address));
    CHECK(address.dns.len == 0 && address.ip_len == 4 && address.ip[0] == 192 && address.ip[3] == 7);
    IS(ov_to1d_address(contents, 2, &address), OV_ERR_INDEX);
    hash = ov_to1d_to0d_hash(contents);
    OK(ov_hash_digest(OV_HASH_SHA256, bytes_of(to0d).data, bytes_of(to0d).len, &expected));
    equal = ov_digest_equal(&hash, &expected);
    CHECK(equal);
    OK(ov_to1d_free(&contents));
    ov_voucher *stranger = made_voucher(4);
    OK(ov_voucher_verify(stranger, any_origin(), &other, NULL));
    IS(ov_to1d_check(slice.data, slice.len, other, &contents, NULL), OV_ERR_SIGNATURE_INVALID);

    unsigned char guid[16];
    ov_public_key *key = NULL;
    memset(guid, 0x17, sizeof guid);
    OK(ov_local_key_public_key(device, &key));
    OK(ov_prove_to_rv(guid, nonces[1], key, &waiting));
    OK(ov_unsigned_use_pss(waiting)); /* says nothing to P-256 */
    proof = sign(waiting, device);
    slice = bytes_of(proof);
    OK(ov_prove_to_rv_check(slice.data, slice.len, registered, nonces[1], NULL));
    IS(ov_prove_to_rv_check(slice.data, slice.len, registered, nonces[0], NULL), OV_ERR_WRONG_NONCE);
    IS(ov_prove_to_rv_check(slice.data, slice.len, other, nonces[1], NULL), OV_ERR_WRONG_DEVICE);
    OK(ov_public_key_free(&key));
    OK(ov_buffer_free(&proof));
    OK(ov_buffer_free(&message));
    OK(ov_buffer_free(&to0d));
    OK(ov_voucher_free(&stranger));
    OK(ov_verified_free(&other));
    OK(ov_verified_free(&registered));
    return to1d;
}

static int32_t credential_hmac(void *user, int32_t algorithm, const uint8_t *header, size_t len,
                               uint8_t *out) {
    ov_digest digest;
    ov_status status = ov_credential_header_hmac(user, algorithm, header, len, &digest, NULL);
    memcpy(out, digest.bytes, digest.len);
    return status;
}

/* TO2 as far as the device knows its owner. */
static ov_device_verifier *convinced(const ov_verified *verified, const ov_local_key *holder,
                                     const ov_credential *credential) {
    static const unsigned char sig_info[] = {0x82, 0x26, 0x40};
    ov_device_verifier *verifier = NULL;
    ov_credential_info info;
    ov_unsigned *waiting = NULL;
    ov_buffer *message, *asked = NULL;
    ov_slice slice, exchange, signature_info;
    ov_hmac hmac = {(void *)credential, credential_hmac};
    uint16_t most = 0;
    uint8_t number = 0;
    OK(ov_credential_get_info(credential, &info));
    ov_buffer *greeting = NULL;
    ov_slice hello, suite, asked_for;
    unsigned char guid[16], nonce[16];
    int64_t cipher = 0;
    OK(ov_hello_device(info.guid, nonces[2], "ECDH256", 7, 1, sig_info, sizeof sig_info, 4321, &greeting));
    hello = bytes_of(greeting);
    OK(ov_hello_device_read(hello.data, hello.len, guid, nonce, &suite, &cipher, &asked_for, &most, NULL));
    CHECK(memcmp(guid, info.guid, sizeof guid) == 0 && memcmp(nonce, nonces[2], sizeof nonce) == 0);
    CHECK(suite.len == 7 && memcmp(suite.data, "ECDH256", 7) == 0 && cipher == 1 && most == 4321);
    CHECK(asked_for.len == sizeof sig_info && memcmp(asked_for.data, sig_info, sizeof sig_info) == 0);
    IS(ov_hello_device_read(hello.data, hello.len - 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
       OV_ERR_TRUNCATED);
    OK(ov_prove_ov_hdr(verified, hello.data, hello.len, nonce, nonces[3], (const uint8_t *)"xA", 2,
                       asked_for.data, asked_for.len, 1234, &waiting, NULL));
    message = sign(waiting, holder);
    slice = bytes_of(message);
    OK(ov_device_verifier_start(info.guid, &info.manufacturer_hash, NULL, &hmac, NULL, hello.data,
                                hello.len, nonces[2], slice.data, slice.len, &verifier, NULL));
    OK(ov_buffer_free(&greeting));
    OK(ov_device_verifier_hello(verifier, &exchange, &signature_info, &most));
    CHECK(exchange.len == 2 && memcmp(exchange.data, "xA", 2) == 0 && most == 1234);
    CHECK(signature_info.len == sizeof sig_info);
    OK(ov_buffer_free(&message));
    while (ov_device_verifier_next(verifier, &number, NULL) == OV_OK) {
        OK(ov_get_next_entry(number, &asked));
        slice = bytes_of(asked);
        CHECK(slice.len == 2 && slice.data[0] == 0x81 && slice.data[1] == number);
        uint8_t wanted = 99;
        OK(ov_get_next_entry_read(slice.data, slice.len, &wanted, NULL));
        CHECK(wanted == number);
        OK(ov_next_entry(verified, number, &message, NULL));
        slice = bytes_of(message);
        OK(ov_device_verifier_entry(verifier, slice.data, slice.len, NULL));
        OK(ov_buffer_free(&message));
        OK(ov_buffer_free(&asked));
    }
    IS(ov_next_entry(verified, number + 1, &message, NULL), OV_ERR_WRONG_ENTRY);
    return verifier;
}

/* TO2 from there on. Returns the voucher of the second life, or NULL where nothing changes. */
static ov_voucher *settled(const ov_verified *verified, const ov_local_key *holder,
                           const ov_local_key *device, const ov_device_verifier *verifier,
                           const ov_replacement *replacement, ov_credential **credential,
                           bool allow_reuse) {
    ov_credential_info info;
    ov_public_key *owner_key = NULL, *key = NULL;
    ov_unsigned *waiting = NULL;
    ov_buffer *proof, *setup;
    ov_renewal *renewal = NULL;
    ov_voucher *voucher = NULL;
    ov_slice slice, exchange;
    ov_digest hmac;
    unsigned char nonce[16], setup_nonce[16];
    bool same = false;
    OK(ov_credential_get_info(*credential, &info));
    OK(ov_device_verifier_finish(verifier, &owner_key, nonce, NULL));
    CHECK(memcmp(nonce, nonces[3], sizeof nonce) == 0);
    OK(ov_verified_device_key(verified, &key, NULL));
    OK(ov_prove_device(info.guid, nonce, nonces[4], (const uint8_t *)"xB", 2, key, &waiting));
    proof = sign(waiting, device);
    slice = bytes_of(proof);
    IS(ov_prove_device_check(slice.data, slice.len, verified, nonces[0], NULL, setup_nonce, NULL),
       OV_ERR_WRONG_NONCE);
    OK(ov_prove_device_check(slice.data, slice.len, verified, nonces[3], &exchange, setup_nonce,
                             NULL));
    CHECK(exchange.len == 2 && memcmp(exchange.data, "xB", 2) == 0);
    CHECK(memcmp(setup_nonce, nonces[4], sizeof setup_nonce) == 0);
    IS(ov_prove_to_rv_check(slice.data, slice.len, verified, nonces[3], NULL), OV_ERR_WRONG_MESSAGE);

    OK(ov_setup_device(replacement, verified, setup_nonce, &waiting, NULL));
    setup = sign(waiting, holder);
    slice = bytes_of(setup);
    IS(ov_device_verifier_setup(verifier, *credential, slice.data, slice.len, nonces[0], allow_reuse,
                                &renewal, NULL),
       OV_ERR_WRONG_NONCE);
    same = ov_replacement_is_reuse(replacement, verified);
    if (same) {
        IS(ov_device_verifier_setup(verifier, *credential, slice.data, slice.len, nonces[4], false,
                                    &renewal, NULL),
           OV_ERR_CREDENTIAL_REUSE);
    }
    OK(ov_device_verifier_setup(verifier, *credential, slice.data, slice.len, nonces[4], allow_reuse,
                                &renewal, NULL));
    CHECK((renewal == NULL) == same);
    ov_buffer *ready = NULL;
    uint16_t most = 7;
    bool kept = false;
    if (renewal == NULL) {
        OK(ov_device_service_info_ready(NULL, 0, &ready));
        slice = bytes_of(ready);
        OK(ov_device_service_info_ready_read(slice.data, slice.len, &kept, &hmac, &most, NULL));
        CHECK(kept && most == 0);
        OK(ov_replacement_finish(replacement, verified, NULL, &voucher, NULL));
        CHECK(voucher == NULL);
    } else {
        ov_hmac_secret *secret = hmac_secret(8);
        ov_credential *new = NULL;
        ov_digest by_callback;
        ov_slice header;
        OK(ov_renewal_set_secret(renewal, secret));
        OK(ov_renewal_hmac(renewal, NULL, &hmac, NULL));
        OK(ov_renewal_credential(renewal, &new));
        ov_hmac callback = {new, credential_hmac};
        OK(ov_renewal_hmac(renewal, &callback, &by_callback, NULL));
        same = ov_digest_equal(&hmac, &by_callback);
        CHECK(same);
        OK(ov_device_service_info_ready(&hmac, 1300, &ready));
        slice = bytes_of(ready);
        OK(ov_device_service_info_ready_read(slice.data, slice.len, &kept, &by_callback, &most, NULL));
        same = ov_digest_equal(&hmac, &by_callback);
        CHECK(!kept && most == 1300 && same);
        IS(ov_device_service_info_ready_read(slice.data, 1, &kept, &hmac, NULL, NULL), OV_ERR_TRUNCATED);
        OK(ov_replacement_finish(replacement, verified, &by_callback, &voucher, NULL));
        header = ov_renewal_header(renewal);
        slice = ov_voucher_bytes(voucher, OV_PART_HEADER);
        CHECK(header.len == slice.len && memcmp(header.data, slice.data, slice.len) == 0);
        OK(ov_credential_free(credential));
        *credential = new;
        OK(ov_hmac_secret_free(&secret));
    }
    OK(ov_buffer_free(&ready));
    OK(ov_done(nonce, &ready));
    slice = bytes_of(ready);
    OK(ov_done_check(slice.data, slice.len, nonces[3], NULL));
    IS(ov_done_check(slice.data, slice.len, nonces[4], NULL), OV_ERR_WRONG_NONCE);
    OK(ov_buffer_free(&ready));
    OK(ov_done2(setup_nonce, &ready));
    slice = bytes_of(ready);
    OK(ov_done2_check(slice.data, slice.len, nonces[4], NULL));
    IS(ov_done2_check(slice.data, slice.len, nonces[3], NULL), OV_ERR_WRONG_NONCE);
    OK(ov_buffer_free(&ready));
    OK(ov_renewal_free(&renewal));
    OK(ov_buffer_free(&setup));
    OK(ov_buffer_free(&proof));
    OK(ov_public_key_free(&key));
    OK(ov_public_key_free(&owner_key));
    return voucher;
}

static void test_null(void) {
    IS(ov_verified_to0d(NULL, 0, NULL, NULL), OV_ERR_NULL);
    IS(ov_verified_to1d(NULL, NULL, 0, NULL, 0, NULL, NULL), OV_ERR_NULL);
    IS(ov_owner_sign(NULL, 0, NULL, 0, NULL), OV_ERR_NULL);
    IS(ov_registration_check(NULL, 0, any_origin(), NULL, NULL, NULL, NULL, NULL), OV_ERR_NULL);
    IS(ov_to1d_read(NULL, 0, NULL, NULL), OV_ERR_NULL);
    IS(ov_to1d_check(NULL, 0, NULL, NULL, NULL), OV_ERR_NULL);
    CHECK(ov_to1d_len(NULL) == 0);
    IS(ov_to1d_address(NULL, 0, NULL), OV_ERR_NULL);
    CHECK(ov_to1d_to0d_hash(NULL).len == 0);
    IS(ov_prove_to_rv(NULL, NULL, NULL, NULL), OV_ERR_NULL);
    IS(ov_prove_to_rv_check(NULL, 0, NULL, NULL, NULL), OV_ERR_NULL);
    IS(ov_unsigned_use_pss(NULL), OV_ERR_NULL);
    IS(ov_prove_ov_hdr(NULL, NULL, 0, NULL, NULL, NULL, 0, NULL, 0, 0, NULL, NULL), OV_ERR_NULL);
    IS(ov_next_entry(NULL, 0, NULL, NULL), OV_ERR_NULL);
    IS(ov_get_next_entry(0, NULL), OV_ERR_NULL);
    IS(ov_get_next_entry_read(NULL, 0, NULL, NULL), OV_ERR_NULL);
    IS(ov_hello_device(NULL, NULL, NULL, 0, 0, NULL, 0, 0, NULL), OV_ERR_NULL);
    IS(ov_hello_device_read(NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL), OV_ERR_NULL);
    IS(ov_device_service_info_ready(NULL, 0, NULL), OV_ERR_NULL);
    IS(ov_device_service_info_ready_read(NULL, 0, NULL, NULL, NULL, NULL), OV_ERR_NULL);
    IS(ov_done(NULL, NULL), OV_ERR_NULL);
    IS(ov_done_check(NULL, 0, NULL, NULL), OV_ERR_NULL);
    IS(ov_done2(NULL, NULL), OV_ERR_NULL);
    IS(ov_done2_check(NULL, 0, NULL, NULL), OV_ERR_NULL);
    IS(ov_error_guid(NULL, NULL), OV_ERR_NULL);
    IS(ov_public_key_write(NULL, OV_FORM_PEM, NULL), OV_ERR_NULL);
    IS(ov_local_key_write(NULL, OV_FORM_PEM, NULL, NULL), OV_ERR_NULL);
    IS(ov_prove_device(NULL, NULL, NULL, NULL, 0, NULL, NULL), OV_ERR_NULL);
    IS(ov_prove_device_check(NULL, 0, NULL, NULL, NULL, NULL, NULL), OV_ERR_NULL);
    IS(ov_verified_device_key(NULL, NULL, NULL), OV_ERR_NULL);
    IS(ov_setup_device(NULL, NULL, NULL, NULL, NULL), OV_ERR_NULL);
    IS(ov_device_verifier_setup(NULL, NULL, NULL, 0, NULL, true, NULL, NULL), OV_ERR_NULL);
    IS(ov_renewal_set_secret(NULL, NULL), OV_ERR_NULL);
    CHECK(ov_renewal_header(NULL).data == NULL);
    IS(ov_renewal_hmac(NULL, NULL, NULL, NULL), OV_ERR_NULL);
    IS(ov_renewal_credential(NULL, NULL), OV_ERR_NULL);
    IS(ov_credential_of(NULL, NULL), OV_ERR_NULL);
    IS(ov_credential_parse(NULL, 0, NULL, NULL, NULL), OV_ERR_NULL);
    IS(ov_credential_bytes(NULL, 0, NULL, NULL), OV_ERR_NULL);
    IS(ov_credential_get_info(NULL, NULL), OV_ERR_NULL);
    IS(ov_credential_set_secret(NULL, NULL), OV_ERR_NULL);
    IS(ov_credential_set_key(NULL, NULL, 0), OV_ERR_NULL);
    IS(ov_credential_key(NULL, NULL, NULL), OV_ERR_NULL);
    IS(ov_credential_header_hmac(NULL, 0, NULL, 0, NULL, NULL), OV_ERR_NULL);
    CHECK(!ov_credential_has_manufacturer(NULL, NULL));
    IS(ov_replacement_set_encoding(NULL, OV_ENCODING_X509), OV_ERR_NULL);
}

void test_roles(void) {
    test_null();
    ov_credential *credential = NULL;
    ov_voucher *voucher = factory(&credential);
    ov_local_key *maker = local_key(1), *holder = local_key(2), *device = device_key();
    ov_verified *first = NULL, *sold = NULL, *again = NULL;
    ov_next_owner *buyer = next_owner(2), *next = next_owner(3);
    ov_replacement *replacement = NULL;
    ov_public_key *named = NULL;
    ov_key_info key;
    unsigned char guid[16];
    test_credential(credential, voucher);
    OK(ov_voucher_verify(voucher, any_origin(), &first, NULL));
    ov_signer signer = {maker, NULL, ov_local_key_sign_callback};
    OK(ov_hand_over_verified(first, any_origin(), &signer, buyer, NULL, &sold, NULL, NULL));

    ov_buffer *to1d = redirected(sold, holder, device);
    ov_device_verifier *verifier = convinced(sold, holder, credential);
    OK(ov_device_verifier_check_to1d(verifier, bytes_of(to1d).data, bytes_of(to1d).len, NULL));

    OK(ov_replacement_reuse(sold, &replacement));
    CHECK(settled(sold, holder, device, verifier, replacement, &credential, true) == NULL);
    OK(ov_replacement_free(&replacement));

    const ov_rv_directive *place = directive();
    memset(guid, 0x18, sizeof guid);
    OK(ov_replacement_new(guid, &place, 1, next, &replacement, NULL));
    ov_voucher *new = settled(sold, holder, device, verifier, replacement, &credential, false);
    /* The new owner has the encoding of the factory, until the caller wants another. */
    OK(ov_voucher_key_info(new, OV_MANUFACTURER, &key));
    CHECK(key.encoding == OV_ENCODING_COSEKEY);
    OK(ov_replacement_set_encoding(replacement, OV_ENCODING_X509));
    IS(ov_replacement_set_encoding(replacement, 9), OV_ERR_BAD_CALL);
    OK(ov_device_verifier_free(&verifier));
    OK(ov_voucher_free(&new));
    /* With that encoding it is another life. */
    ov_credential *old = credential;
    credential = NULL;
    OK(ov_credential_of(voucher, &credential));
    ov_hmac_secret *secret = hmac_secret(7);
    OK(ov_credential_set_secret(credential, secret));
    verifier = convinced(sold, holder, credential);
    new = settled(sold, holder, device, verifier, replacement, &credential, false);
    OK(ov_voucher_key_info(new, OV_MANUFACTURER, &key));
    CHECK(key.encoding == OV_ENCODING_X509);
    /* Only the device with the new credentials confirms the new voucher. */
    ov_policy *policy = NULL;
    ov_hmac hmac = {credential, credential_hmac};
    OK(ov_policy_new(&policy));
    OK(ov_policy_set_hmac(policy, &hmac));
    OK(ov_voucher_verify(new, policy, &again, NULL));
    OK(ov_policy_free(&policy));
    hmac.user = old;
    OK(ov_verified_free(&again));
    ov_credential *stale = NULL;
    OK(ov_credential_of(voucher, &stale));
    OK(ov_credential_set_secret(stale, secret));
    hmac.user = stale;
    OK(ov_policy_new(&policy));
    OK(ov_policy_set_hmac(policy, &hmac));
    IS(ov_voucher_verify(new, policy, &again, NULL), OV_ERR_HMAC_MISMATCH);

    ov_voucher *epid = made_voucher(5);
    ov_verified *bare = NULL;
    OK(ov_voucher_verify(epid, any_origin(), &bare, NULL));
    IS(ov_verified_device_key(bare, &named, NULL), OV_ERR_UNSUPPORTED_ATTESTATION);
    OK(ov_verified_free(&bare));
    OK(ov_voucher_free(&epid));

    OK(ov_policy_free(&policy));
    OK(ov_credential_free(&stale));
    OK(ov_credential_free(&old));
    OK(ov_credential_free(&credential));
    OK(ov_hmac_secret_free(&secret));
    OK(ov_device_verifier_free(&verifier));
    OK(ov_rv_directive_free((ov_rv_directive **)&place));
    OK(ov_replacement_free(&replacement));
    OK(ov_voucher_free(&new));
    OK(ov_buffer_free(&to1d));
    OK(ov_next_owner_free(&next));
    OK(ov_next_owner_free(&buyer));
    OK(ov_verified_free(&sold));
    OK(ov_verified_free(&first));
    OK(ov_local_key_free(&device));
    OK(ov_local_key_free(&holder));
    OK(ov_local_key_free(&maker));
    OK(ov_voucher_free(&voucher));
}
