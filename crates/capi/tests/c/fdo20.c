/* Delegates and messages of FDO 2.0: every vector of test-vectors/fdo20, from a list of lines "word value" that
   crates/capi/tests/c_api.rs writes. A list has one line for each element; bytes are hexadecimal. */
#include <stdlib.h>

#include "suite.h"

enum { LINES = 64 };

/* One vector, as its lines. */
struct given {
    char name[128];
    const char *words[LINES], *values[LINES];
    size_t count;
};

/* The value of the line with this word and number among those; NULL if there is none. */
static const char *line_of(const struct given *g, const char *word, size_t number) {
    for (size_t i = 0; i < g->count; i++)
        if (strcmp(g->words[i], word) == 0 && number-- == 0) return g->values[i];
    return NULL;
}

struct bytes {
    unsigned char *data;
    size_t len;
};

static struct bytes bytes_of(const struct given *g, const char *word, size_t number) {
    const char *text = line_of(g, word, number);
    struct bytes bytes = {NULL, 0};
    bytes.data = from_hex(text == NULL ? "" : text, &bytes.len);
    return bytes;
}

static ov_status wanted(const struct given *g) {
    const char *code = line_of(g, "expect.code", 0);
    return code == NULL ? OV_OK : (ov_status)strtol(code, NULL, 10);
}

static int is_bytes(ov_slice found, const struct given *g, const char *word, size_t number) {
    struct bytes bytes = bytes_of(g, word, number);
    int same = found.len == bytes.len && memcmp(found.data, bytes.data, found.len) == 0;
    free(bytes.data);
    return same;
}

static int is_key(const ov_public_key *key, const struct given *g, const char *word) {
    uint8_t print[OV_FINGERPRINT_BYTES];
    OK(ov_public_key_fingerprint(key, OV_FINGERPRINT_SPKI, print));
    return is_bytes((ov_slice){print, sizeof print}, g, word, 0);
}

/* Seconds, or OV_NONE for a time that is not said. */
static uint64_t time_of(const struct given *g, const char *word) {
    const char *text = line_of(g, word, 0);
    uint64_t seconds = OV_NONE;
    if (text != NULL && strcmp(text, "true") != 0) OK(ov_time_parse(text, strlen(text), &seconds, NULL));
    return seconds;
}

static ov_policy *policy_of(const struct given *g) {
    ov_policy *policy = NULL;
    OK(ov_policy_any_origin(&policy));
    for (size_t i = 0; line_of(g, "given.allow", i) != NULL; i++) {
        const char *name = line_of(g, "given.allow", i);
        int32_t code = 0;
        OK(ov_number(OV_NAMES_ALLOWANCE, name, strlen(name), &code));
        OK(ov_policy_allow(policy, code, true));
    }
    return policy;
}

static ov_verified *voucher_of(const struct given *g) {
    struct bytes bytes = bytes_of(g, "given.voucher", 0);
    ov_policy *policy = NULL;
    ov_verified *verified = NULL;
    OK(ov_policy_any_origin(&policy));
    OK(ov_policy_allow(policy, OV_ALLOW_FDO_2_0, true));
    OK(ov_policy_verify(policy, bytes.data, bytes.len, &verified, NULL));
    OK(ov_policy_free(&policy));
    free(bytes.data);
    return verified;
}

static ov_status delegate_of(const struct given *g, const ov_verified *verified, uint64_t at,
                             ov_delegate **delegate) {
    ov_slice chain[16];
    struct bytes bytes[16];
    size_t count = 0;
    for (; line_of(g, "given.chain", count) != NULL && count < 16; count++) {
        bytes[count] = bytes_of(g, "given.chain", count);
        chain[count] = (ov_slice){bytes[count].data, bytes[count].len};
    }
    ov_status status = ov_verified_delegate(verified, chain, count, at, delegate, NULL);
    while (count > 0) free(bytes[--count].data);
    return status;
}

static void test_delegate(const struct given *g) {
    ov_verified *verified = voucher_of(g);
    ov_delegate *delegate = NULL;
    uint64_t at = time_of(g, "given.at");
    IS(delegate_of(g, verified, at, &delegate), wanted(g));
    CHECK((delegate != NULL) == (wanted(g) == OV_OK));
    if (delegate != NULL) {
        ov_public_key *key = NULL, *owner = NULL, *current = NULL;
        ov_byte_list *chain = NULL;
        uint64_t from = 0, to = 0;
        size_t count = 0, named = 0;
        for (int32_t code = OV_PERMISSION_REDIRECT; code <= OV_PERMISSION_PROVISION; code++) {
            if (!ov_delegate_may(delegate, code)) continue;
            const char *name = line_of(g, "expect.permissions", named++);
            CHECK(name != NULL && strcmp(name, ov_name(OV_NAMES_PERMISSION, code)) == 0);
        }
        CHECK(named > 0 && line_of(g, "expect.permissions", named) == NULL);
        CHECK(!ov_delegate_may(delegate, 0) && !ov_delegate_may(delegate, 8));
        OK(ov_delegate_key(delegate, &key));
        CHECK(is_key(key, g, "expect.key"));
        OK(ov_delegate_owner(delegate, &owner));
        OK(ov_verified_owner(verified, &current));
        CHECK(ov_public_key_equal(owner, current));
        CHECK(ov_delegate_checked_at(delegate) == at);
        CHECK((at != OV_NONE) == (strcmp(line_of(g, "expect.checked", 0), "true") == 0));
        OK(ov_delegate_validity(delegate, &from, &to));
        CHECK(from <= to && (at == OV_NONE || (from <= at && at <= to)));
        OK(ov_delegate_certificates(delegate, &chain));
        const ov_slice *all = ov_byte_list_all(chain, &count);
        for (size_t i = 0; i < count; i++) CHECK(is_bytes(all[i], g, "given.chain", i));
        CHECK(count > 0 && count <= OV_DELEGATE_CERTIFICATES);
        CHECK(line_of(g, "given.chain", count) == NULL);
        OK(ov_byte_list_free(&chain));
        OK(ov_public_key_free(&current));
        OK(ov_public_key_free(&owner));
        OK(ov_public_key_free(&key));
    }
    OK(ov_delegate_free(&delegate));
    OK(ov_verified_free(&verified));
}

/* The device after 83 and all entries. */
static ov_status device_of(const struct given *g, ov_device_verifier **verifier, ov_error *error) {
    struct bytes guid = bytes_of(g, "given.guid", 0), secret_bytes = bytes_of(g, "given.secret", 0);
    struct bytes nonce = bytes_of(g, "given.nonce", 0), mine = bytes_of(g, "given.device_nonce", 0);
    struct bytes message = bytes_of(g, "given.messages", 0);
    ov_policy *policy = policy_of(g);
    ov_hmac_secret *secret = NULL;
    ov_public_key *owner = NULL;
    unsigned char found[OV_NONCE_BYTES];
    OK(ov_hmac_secret_new(secret_bytes.data, secret_bytes.len, &secret));
    ov_status status = ov_device_verifier_start20(
        guid.data, NULL, secret, NULL, policy, line_of(g, "given.delegates", 0) != NULL,
        time_of(g, "given.delegates"), nonce.data, mine.data, message.data, message.len, verifier, error);
    free(message.data);
    for (size_t i = 1; status == OV_OK && line_of(g, "given.messages", i) != NULL; i++) {
        message = bytes_of(g, "given.messages", i);
        status = ov_device_verifier_entry(*verifier, message.data, message.len, error);
        free(message.data);
    }
    if (status == OV_OK) status = ov_device_verifier_finish(*verifier, &owner, found, error);
    if (status == OV_OK) CHECK(memcmp(found, mine.data, sizeof found) == 0);
    OK(ov_public_key_free(&owner));
    OK(ov_hmac_secret_free(&secret));
    OK(ov_policy_free(&policy));
    free(guid.data);
    free(secret_bytes.data);
    free(nonce.data);
    free(mine.data);
    return status;
}

/* Whether this is the delegate of the vector, or none. */
static void is_delegate(ov_status status, ov_delegate *delegate, const struct given *g) {
    if (line_of(g, "expect.delegate", 0) == NULL) {
        CHECK(status == OV_ERR_ABSENT && delegate == NULL);
        return;
    }
    ov_public_key *key = NULL;
    CHECK(status == OV_OK);
    OK(ov_delegate_key(delegate, &key));
    CHECK(is_key(key, g, "expect.delegate"));
    OK(ov_public_key_free(&key));
    OK(ov_delegate_free(&delegate));
}

/* Signs with the key of the vector and compares with what the generator made. */
static void makes(ov_unsigned **message, const struct given *g, const char *word) {
    struct bytes pem = bytes_of(g, "given.build", 0);
    ov_local_key *key = NULL;
    ov_buffer *bytes = NULL;
    OK(ov_local_key_parse(pem.data, pem.len, OV_FORM_PEM, &key, NULL));
    ov_signer signer = {key, NULL, ov_local_key_sign_callback};
    OK(ov_unsigned_sign(*message, &signer, &bytes, NULL));
    CHECK(is_bytes(ov_buffer_bytes(bytes), g, word, 0));
    OK(ov_buffer_free(&bytes));
    OK(ov_local_key_free(&key));
    OK(ov_unsigned_free(message));
    free(pem.data);
}

static void makes_proof(const struct given *g, const ov_device_verifier *verifier) {
    ov_verified *verified = voucher_of(g);
    ov_delegate *delegate = NULL;
    ov_unsigned *message = NULL;
    ov_buffer *bytes = NULL;
    ov_slice exchange;
    struct bytes nonce = bytes_of(g, "given.nonce", 0);
    if (line_of(g, "given.chain", 0) != NULL) OK(delegate_of(g, verified, OV_NONE, &delegate));
    OK(ov_device_verifier_hello(verifier, &exchange, NULL, NULL));
    OK(ov_prove_ov_hdr20(verified, delegate, nonce.data, exchange.data, exchange.len, 65535, &message, NULL));
    makes(&message, g, "given.messages");
    for (unsigned i = 0; line_of(g, "given.messages", i + 1) != NULL; i++) {
        OK(ov_next_entry20(verified, (uint8_t)i, &bytes, NULL));
        CHECK(is_bytes(ov_buffer_bytes(bytes), g, "given.messages", i + 1));
        OK(ov_buffer_free(&bytes));
    }
    IS(ov_next_entry20(verified, 200, &bytes, NULL), OV_ERR_WRONG_ENTRY);
    OK(ov_delegate_free(&delegate));
    OK(ov_verified_free(&verified));
    free(nonce.data);
}

static void test_device20(const struct given *g) {
    ov_device_verifier *verifier = NULL;
    ov_delegate *delegate = NULL;
    ov_public_key *owner = NULL;
    ov_error *error = NULL;
    OK(ov_error_new(&error));
    IS(device_of(g, &verifier, error), wanted(g));
    if (wanted(g) == OV_OK) {
        ov_slice sig_info;
        uint16_t most = 0;
        OK(ov_device_verifier_finish(verifier, &owner, NULL, NULL));
        CHECK(is_key(owner, g, "expect.owner"));
        OK(ov_device_verifier_hello(verifier, NULL, &sig_info, &most));
        CHECK(most == 65535 && sig_info.len == 0);
        ov_status status = ov_device_verifier_delegate(verifier, &delegate, NULL);
        is_delegate(status, delegate, g);
        if (line_of(g, "given.build", 0) != NULL) makes_proof(g, verifier);
    } else {
        const char *entry = line_of(g, "expect.entry", 0);
        CHECK(ov_error_entry(error) == (entry == NULL ? OV_NONE : strtoull(entry, NULL, 10)));
    }
    OK(ov_error_free(&error));
    OK(ov_public_key_free(&owner));
    OK(ov_device_verifier_free(&verifier));
}

/* The owner makes it again, with the addresses that were read. */
static void makes_to1d(const struct given *g, const ov_verified *verified, const ov_to1d *to1d) {
    static const unsigned char nonce[] = "@ABCDEFGHIJKLMNO";
    ov_owner_address addresses[4];
    size_t count = (size_t)ov_to1d_len(to1d);
    ov_buffer *to0d = NULL;
    ov_unsigned *message = NULL;
    ov_delegate *delegate = NULL;
    CHECK(count > 0 && count <= 4);
    for (size_t i = 0; i < count && i < 4; i++) OK(ov_to1d_address(to1d, i, &addresses[i]));
    OK(ov_verified_to0d(verified, 3600, nonce, &to0d));
    ov_slice bytes = ov_buffer_bytes(to0d);
    if (line_of(g, "given.chain", 0) != NULL) {
        OK(delegate_of(g, verified, OV_NONE, &delegate));
        OK(ov_verified_to1d_by_delegate(verified, delegate, addresses, count, bytes.data, bytes.len, &message,
                                        NULL));
    } else {
        OK(ov_verified_to1d(verified, addresses, count, bytes.data, bytes.len, &message, NULL));
        IS(ov_verified_to1d_by_delegate(verified, NULL, addresses, count, bytes.data, bytes.len, &message,
                                        NULL),
           OV_ERR_NULL);
    }
    makes(&message, g, "given.message");
    OK(ov_delegate_free(&delegate));
    OK(ov_buffer_free(&to0d));
}

static void test_to1d20(const struct given *g) {
    struct bytes message = bytes_of(g, "given.message", 0);
    ov_verified *verified = voucher_of(g);
    ov_device_verifier *verifier = NULL;
    ov_delegate *delegate = NULL;
    ov_to1d *to1d = NULL;
    OK(device_of(g, &verifier, NULL));
    IS(ov_device_verifier_check_to1d(verifier, message.data, message.len, NULL), wanted(g));
    if (line_of(g, "given.delegates", 0) == NULL)
        IS(ov_to1d_check(message.data, message.len, verified, &to1d, NULL), wanted(g));
    else
        IS(ov_to1d_check_delegated(message.data, message.len, verified, time_of(g, "given.delegates"), &to1d,
                                   NULL),
           wanted(g));
    if (to1d != NULL) {
        ov_status status = ov_to1d_delegate(to1d, &delegate);
        is_delegate(status, delegate, g);
        if (line_of(g, "given.build", 0) != NULL) makes_to1d(g, verified, to1d);
    }
    OK(ov_to1d_free(&to1d));
    OK(ov_device_verifier_free(&verifier));
    OK(ov_verified_free(&verified));
    free(message.data);
}

/* The rendezvous info of the generator's new credentials, and the new owner's key. */
static ov_replacement *replacement_of(const struct given *g, const ov_renewal *renewal) {
    ov_rv_directive *directive = NULL;
    ov_next_owner *next = NULL;
    ov_replacement *replacement = NULL;
    ov_credential *credential = NULL;
    ov_credential_info info;
    ov_local_key *key = NULL;
    ov_public_key *owner = NULL;
    struct bytes pem = bytes_of(g, "given.build", 0);
    OK(ov_local_key_parse(pem.data, pem.len, OV_FORM_PEM, &key, NULL));
    OK(ov_local_key_public_key(key, &owner));
    OK(ov_next_owner_from_key(owner, &next));
    OK(ov_rv_directive_new(&directive));
    OK(ov_rv_directive_dns(directive, "rv2.example.com", 15));
    OK(ov_rv_directive_set(directive, OV_RV_SET_DEVICE_PORT, 8443));
    OK(ov_rv_directive_set(directive, OV_RV_SET_PROTOCOL, OV_RV_PROTOCOL_HTTPS));
    OK(ov_renewal_credential(renewal, &credential));
    OK(ov_credential_get_info(credential, &info));
    const ov_rv_directive *all[] = {directive};
    OK(ov_replacement_new(info.guid, all, 1, next, &replacement, NULL));
    OK(ov_credential_free(&credential));
    OK(ov_rv_directive_free(&directive));
    OK(ov_next_owner_free(&next));
    OK(ov_public_key_free(&owner));
    OK(ov_local_key_free(&key));
    free(pem.data);
    return replacement;
}

/* Device and new owner make the same of it. */
static void renews(const struct given *g, const ov_verified *verified, const ov_renewal *renewal,
                   uint16_t limit) {
    struct bytes nonce = bytes_of(g, "given.setup_nonce", 0);
    ov_digest hmac;
    CHECK(is_bytes(ov_renewal_header(renewal), g, "expect.header", 0));
    OK(ov_renewal_hmac(renewal, NULL, &hmac, NULL));
    CHECK(is_bytes((ov_slice){hmac.bytes, hmac.len}, g, "expect.hmac", 0));
    ov_replacement *replacement = replacement_of(g, renewal);
    ov_unsigned *message = NULL;
    ov_voucher *voucher = NULL;
    OK(ov_setup_device20(replacement, verified, nonce.data, limit, &message, NULL));
    makes(&message, g, "given.message");
    OK(ov_replacement_finish(replacement, verified, &hmac, &voucher, NULL));
    CHECK(is_bytes(ov_voucher_bytes(voucher, OV_PART_VOUCHER), g, "expect.new_voucher", 0));
    OK(ov_voucher_free(&voucher));
    OK(ov_replacement_free(&replacement));
    free(nonce.data);
}

static void test_setup20(const struct given *g) {
    struct bytes message = bytes_of(g, "given.message", 0), nonce = bytes_of(g, "given.setup_nonce", 0);
    struct bytes secret_bytes = bytes_of(g, "given.secret", 0);
    ov_verified *verified = voucher_of(g);
    ov_device_verifier *verifier = NULL;
    ov_credential *credential = NULL;
    ov_hmac_secret *secret = NULL;
    ov_renewal *renewal = NULL;
    ov_delegate *delegate = NULL;
    ov_unsigned *made = NULL;
    int32_t disposition = 0;
    uint16_t limit = 9;
    OK(device_of(g, &verifier, NULL));
    OK(ov_credential_of(ov_verified_voucher(verified), &credential));
    OK(ov_hmac_secret_new(secret_bytes.data, secret_bytes.len, &secret));
    OK(ov_credential_set_secret(credential, secret));
    ov_status status = ov_device_verifier_setup20(verifier, credential, message.data, message.len, nonce.data,
                                                  &disposition, &limit, &renewal, NULL);
    IS(status, wanted(g));
    if (status == OV_OK) {
        const char *most = line_of(g, "expect.limit", 0);
        CHECK(limit == (most == NULL ? 0 : strtoul(most, NULL, 10)));
        CHECK(strcmp(ov_name(OV_NAMES_DISPOSITION, disposition), line_of(g, "expect.disposition", 0)) == 0);
        CHECK((renewal != NULL) == (disposition == OV_DISPOSITION_RESALE));
        if (line_of(g, "given.build", 0) != NULL && renewal != NULL) {
            renews(g, verified, renewal, limit);
        } else if (line_of(g, "given.build", 0) != NULL) {
            if (line_of(g, "given.chain", 0) != NULL) OK(delegate_of(g, verified, OV_NONE, &delegate));
            OK(ov_setup_device20_kept(verified, delegate, disposition, limit, &made, NULL));
            makes(&made, g, "given.message");
            IS(ov_setup_device20_kept(verified, delegate, 0, limit, &made, NULL), OV_ERR_BAD_CALL);
            IS(ov_setup_device20_kept(verified, NULL, OV_DISPOSITION_RESALE, limit, &made, NULL),
               OV_ERR_BAD_CALL);
            OK(ov_delegate_free(&delegate));
        }
    }
    OK(ov_renewal_free(&renewal));
    OK(ov_hmac_secret_free(&secret));
    OK(ov_credential_free(&credential));
    OK(ov_device_verifier_free(&verifier));
    OK(ov_verified_free(&verified));
    free(secret_bytes.data);
    free(message.data);
    free(nonce.data);
}

static void run(const struct given *g) {
    unsigned before = failures;
    const char *check = line_of(g, "check", 0);
    if (strcmp(check, "delegate") == 0) test_delegate(g);
    else if (strcmp(check, "device20") == 0) test_device20(g);
    else if (strcmp(check, "to1d20") == 0) test_to1d20(g);
    else if (strcmp(check, "setup20") == 0) test_setup20(g);
    else CHECK(!"a check that is known");
    if (failures != before) fprintf(stderr, "  in vector %s\n", g->name);
}

void test_fdo20(const char *list) {
    size_t len, count = 0;
    char *text = (char *)read_file(list, &len);
    struct given g;
    memset(&g, 0, sizeof g);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *value = strchr(line, ' ');
        if (value != NULL) *value++ = 0;
        else value = line + strlen(line);
        if (strcmp(line, "vector") == 0) {
            snprintf(g.name, sizeof g.name, "%s", value);
        } else if (strcmp(line, "end") == 0) {
            run(&g);
            memset(&g, 0, sizeof g);
            count++;
        } else if (g.count < LINES) {
            g.words[g.count] = line;
            g.values[g.count++] = value;
        } else {
            CHECK(!"few enough lines");
        }
    }
    free(text);
    CHECK(count >= 200);
    printf("%zu vectors of FDO 2.0\n", count);
}
