/* The shipped vectors, from a list of lines "word value"; crates/capi/tests/c_api.rs writes it. */
#include <stdlib.h>

#include "suite.h"

struct vector {
    char name[128];
    unsigned char *voucher;
    size_t len;
    ov_policy *policy;
    ov_roots *roots;
    long code;
    long entry;
    char guid[64];
    char owner[80];
    char findings[4096];
    long entries;
};

static void hex(const unsigned char *bytes, size_t len, char *text) {
    for (size_t i = 0; i < len; i++) sprintf(text + 2 * i, "%02x", bytes[i]);
}

static void add_root(struct vector *v, const unsigned char *der, size_t len) {
    if (v->roots == NULL) OK(ov_roots_new(&v->roots));
    OK(ov_roots_add_der(v->roots, der, len, NULL));
}

static void option(struct vector *v, const char *word, const char *value) {
    size_t len;
    unsigned char *bytes = from_hex(value, &len);
    if (strcmp(word, "allow") == 0) {
        int32_t code = 0;
        OK(ov_number(OV_NAMES_ALLOWANCE, value, strlen(value), &code));
        OK(ov_policy_allow(v->policy, code, true));
    } else if (strcmp(word, "hmac_secret") == 0) {
        ov_hmac_secret *secret = NULL;
        OK(ov_hmac_secret_new(bytes, len, &secret));
        OK(ov_policy_set_hmac_secret(v->policy, secret));
        OK(ov_hmac_secret_free(&secret));
    } else if (strcmp(word, "owner") == 0 || strcmp(word, "manufacturer") == 0) {
        ov_public_key *key = NULL;
        OK(ov_public_key_parse(bytes, len, OV_FORM_DER, &key, NULL));
        if (word[0] == 'o') OK(ov_policy_add_owner(v->policy, key));
        else OK(ov_policy_add_manufacturer(v->policy, key));
        OK(ov_public_key_free(&key));
    } else if (strcmp(word, "manufacturer_hash") == 0) {
        ov_digest digest = {len == 32 ? OV_HASH_SHA256 : OV_HASH_SHA384, len, {0}};
        memcpy(digest.bytes, bytes, len);
        OK(ov_policy_add_manufacturer_hash(v->policy, &digest));
    } else if (strcmp(word, "root") == 0) {
        add_root(v, bytes, len);
    } else if (strcmp(word, "at") == 0) {
        uint64_t seconds = 0;
        OK(ov_time_parse(value, strlen(value), &seconds, NULL));
        OK(ov_policy_set(v->policy, OV_POLICY_TIME, seconds));
    } else if (strcmp(word, "refuse_expired") == 0) {
        OK(ov_policy_set(v->policy, OV_POLICY_REFUSE_EXPIRED, 1));
    } else {
        fprintf(stderr, "unknown option %s\n", word);
        failures++;
    }
    free(bytes);
}

/* Deviations but for the hash table, as "name:entry," in their order. */
static void check_findings(const struct vector *v, const ov_audit *audit) {
    size_t count = 0;
    char found[4096] = "";
    size_t used = 0;
    const ov_finding *all = ov_findings_all(ov_audit_findings(audit), &count);
    for (size_t i = 0; i < count; i++) {
        const ov_finding *finding = &all[i];
        CHECK(strcmp(finding->name, ov_name(OV_NAMES_FINDING, finding->code)) == 0);
        CHECK(*finding->message != 0);
        if (!finding->is_deviation || finding->code >= 750) continue;
        if (strcmp(finding->name, "hash-table") == 0) continue;
        if (used + strlen(finding->name) + 32 > sizeof found) break;
        used += (size_t)sprintf(found + used, "%s", finding->name);
        if (finding->entry == OV_NONE) used += (size_t)sprintf(found + used, ":-,");
        else used += (size_t)sprintf(found + used, ":%lu,", (unsigned long)finding->entry);
    }
    found[used] = 0;
    CHECK(strcmp(found, v->findings) == 0);
}

static void check_error(const struct vector *v, const ov_error *error, ov_status status) {
    uint64_t entry = ov_error_entry(error);
    CHECK(status == v->code && ov_error_status(error) == v->code);
    CHECK(v->entry < 0 ? entry == OV_NONE : entry == (uint64_t)v->entry);
    CHECK(*ov_error_message(error) != 0 && strcmp(ov_status_name(status), "unknown") != 0);
    /* An error of a voucher that can be parsed says whose it is. */
    unsigned char guid[16];
    ov_status known = ov_error_guid(error, guid);
    CHECK(known == OV_OK || (known == OV_ERR_ABSENT && status < 300));
}

static void run(struct vector *v) {
    unsigned before = failures;
    ov_error *error = NULL;
    ov_voucher *voucher = NULL;
    ov_verified *verified = NULL;
    ov_audit *audit = NULL;
    ov_batch *batch = NULL;
    if (v->roots != NULL) OK(ov_policy_set_device_roots(v->policy, v->roots));
    OK(ov_error_new(&error));
    ov_status status = ov_voucher_parse(v->voucher, v->len, v->policy, &voucher, error);
    if (status == OV_OK) status = ov_voucher_verify(voucher, v->policy, &verified, error);
    CHECK((status == OV_OK) == (verified != NULL));

    uint64_t faults = 0;
    OK(ov_audit_new(v->voucher, v->len, v->policy, &audit, NULL));
    faults = ov_audit_error_count(audit);

    ov_slice one = {v->voucher, v->len};
    ov_status verdict = -1;
    OK(ov_batch_new(v->policy, &batch));
    OK(ov_batch_verify(batch, &one, 1, NULL, NULL, &verdict, NULL, NULL));
    CHECK(verdict == v->code);

    if (v->code != OV_OK) {
        check_error(v, error, status);
        CHECK(faults > 0);
        check_error(v, ov_audit_error(audit, 0), status);
        CHECK(ov_audit_error(audit, faults) == NULL);
        IS(ov_batch_fault(batch, 0, error), OV_OK);
        check_error(v, error, status);
    } else if (verified != NULL) {
        const ov_voucher *view = ov_verified_voucher(verified);
        ov_public_key *owner = NULL;
        unsigned char guid[16], print[32];
        char text[80];
        uint64_t entries = 0;
        CHECK(status == OV_OK && faults == 0);
        OK(ov_voucher_guid(view, guid));
        OK(ov_guid_text(guid, false, text));
        CHECK(strcmp(text, v->guid) == 0);
        entries = ov_voucher_entry_count(view);
        CHECK(entries == (uint64_t)v->entries);
        CHECK(ov_verified_fact(verified, OV_FACT_ENTRIES) == entries);
        CHECK(ov_batch_fact(batch, 0, OV_FACT_ENTRIES) == entries);
        CHECK(ov_audit_fact(audit, OV_FACT_ENTRIES) == entries);
        for (int fact = OV_FACT_CHAIN_HASH; fact <= OV_FACT_DEVICE_PATH; fact++)
            CHECK(ov_verified_fact(verified, fact) == ov_batch_fact(batch, 0, fact));
        OK(ov_verified_owner(verified, &owner));
        OK(ov_public_key_fingerprint(owner, OV_FINGERPRINT_SPKI, print));
        hex(print, 32, text);
        CHECK(strcmp(text, v->owner) == 0);
        OK(ov_public_key_free(&owner));
        check_findings(v, audit);
        // Offsets are counted from the voucher itself, not from what may be around it.
        ov_slice whole = ov_voucher_bytes(view, OV_PART_VOUCHER);
        CHECK(whole.len <= v->len);
        CHECK(memcmp(v->voucher + v->len - whole.len, whole.data, whole.len) == 0);
        for (uint64_t i = 0; i < entries; i++) {
            ov_entry entry;
            OK(ov_voucher_entry(view, i, &entry));
            CHECK(memcmp((const char *)whole.data + entry.offset, entry.bytes.data, entry.bytes.len) == 0);
        }
    } else {
        CHECK(status == OV_OK);
    }
    if (failures != before) fprintf(stderr, "  in vector %s\n", v->name);
    OK(ov_batch_free(&batch));
    OK(ov_audit_free(&audit));
    OK(ov_verified_free(&verified));
    OK(ov_voucher_free(&voucher));
    OK(ov_error_free(&error));
}

static void finish(struct vector *v) {
    ov_policy_free(&v->policy);
    ov_roots_free(&v->roots);
    free(v->voucher);
    memset(v, 0, sizeof *v);
}

void test_vectors(const char *list) {
    size_t len, count = 0;
    char *text = (char *)read_file(list, &len);
    struct vector v;
    memset(&v, 0, sizeof v);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *value = strchr(line, ' ');
        if (value != NULL) *value++ = 0;
        else value = line + strlen(line);
        if (strcmp(line, "vector") == 0) {
            snprintf(v.name, sizeof v.name, "%s", value);
            OK(ov_policy_any_origin(&v.policy));
        } else if (strcmp(line, "strict") == 0) {
            OK(ov_policy_set(v.policy, OV_POLICY_STRICT, 1));
        } else if (strcmp(line, "voucher") == 0) {
            v.voucher = from_hex(value, &v.len);
        } else if (strcmp(line, "code") == 0) {
            v.code = strtol(value, NULL, 10);
        } else if (strcmp(line, "entry") == 0) {
            v.entry = strtol(value, NULL, 10);
        } else if (strcmp(line, "entries") == 0) {
            v.entries = strtol(value, NULL, 10);
        } else if (strcmp(line, "guid") == 0) {
            snprintf(v.guid, sizeof v.guid, "%s", value);
        } else if (strcmp(line, "print") == 0) {
            snprintf(v.owner, sizeof v.owner, "%s", value);
        } else if (strcmp(line, "findings") == 0) {
            snprintf(v.findings, sizeof v.findings, "%s", value);
        } else if (strcmp(line, "end") == 0) {
            run(&v);
            finish(&v);
            count++;
        } else {
            option(&v, line, value);
        }
    }
    free(text);
    CHECK(count >= 260);
    printf("%zu vectors\n", count);
}
