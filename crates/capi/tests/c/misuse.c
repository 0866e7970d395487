/* Calls that nobody should make: each gives a status, none crashes. */
#include <pthread.h>
#include <stdlib.h>

#include "suite.h"

static void test_null(void) {
    ov_error *error = NULL;
    ov_voucher *voucher = NULL;
    ov_verified *verified = NULL;
    ov_batch *batch = NULL;
    uint8_t byte = 0;
    OK(ov_error_new(&error));
    IS(ov_error_new(NULL), OV_ERR_NULL);
    IS(ov_error_free(NULL), OV_ERR_NULL);
    IS(ov_voucher_parse(NULL, 5, NULL, &voucher, error), OV_ERR_NULL);
    IS(ov_voucher_parse(&byte, 1, NULL, NULL, error), OV_ERR_NULL);
    IS(ov_voucher_parse(NULL, 0, NULL, &voucher, error), OV_ERR_TRUNCATED);
    IS(ov_voucher_parse(&byte, SIZE_MAX, NULL, &voucher, error), OV_ERR_BAD_CALL);
    IS(ov_voucher_parse_file(NULL, 0, NULL, &voucher, NULL), OV_ERR_NO_VOUCHER);
    IS(ov_voucher_verify(NULL, NULL, &verified, error), OV_ERR_NULL);
    CHECK(ov_voucher_bytes(NULL, OV_PART_VOUCHER).data == NULL);
    CHECK(ov_voucher_device_info(NULL).len == 0 && ov_voucher_hmac(NULL).len == 0);
    CHECK(ov_voucher_entry_count(NULL) == 0 && ov_audit_error_count(NULL) == OV_NONE);
    CHECK(ov_verified_voucher(NULL) == NULL && ov_audit_error(NULL, 0) == NULL);
    IS(ov_verified_extend(NULL, NULL, NULL, NULL, error), OV_ERR_NULL);
    IS(ov_policy_allow(NULL, OV_ALLOW_LEGACY_UNTAGGED, true), OV_ERR_NULL);
    IS(ov_policy_set(NULL, OV_POLICY_ENGINE, OV_ENGINE_FASTEST), OV_ERR_NULL);
    IS(ov_policy_set(NULL, OV_LIMIT_INPUT, 1), OV_ERR_NULL);
    CHECK(ov_policy_get(NULL, OV_LIMIT_INPUT) == OV_NONE && !ov_policy_allows(NULL, 1));
    IS(ov_batch_new(any_origin(), NULL), OV_ERR_NULL);
    IS(ov_batch_verify(NULL, NULL, 0, NULL, NULL, NULL, NULL, error), OV_ERR_NULL);
    IS(ov_batch_stream(NULL, NULL, NULL, NULL, NULL, NULL, NULL, error), OV_ERR_NULL);
    IS(ov_hand_over(&byte, 1, any_origin(), NULL, NULL, NULL, NULL, NULL, error), OV_ERR_NULL);
    IS(ov_next_owner_from_chain(NULL, 0, NULL, error), OV_ERR_NULL);
    ov_next_owner *next = NULL;
    IS(ov_next_owner_from_chain(NULL, 0, &next, error), OV_ERR_CHAIN_EMPTY);
    IS(ov_find_forks(NULL, 3, NULL), OV_ERR_NULL);
    OK(ov_batch_new(any_origin(), &batch));
    OK(ov_batch_verify(batch, NULL, 0, NULL, NULL, NULL, NULL, error));
    IS(ov_batch_verify(batch, NULL, 2, NULL, NULL, NULL, NULL, error), OV_ERR_NULL);
    OK(ov_batch_free(&batch));
    OK(ov_batch_free(&batch));
    /* What failed wrote nothing. */
    CHECK(voucher == NULL && verified == NULL);

    CHECK(ov_error_status(error) != OV_OK);
    CHECK(ov_error_status(NULL) == OV_ERR_NULL && *ov_error_message(NULL) == 0);
    CHECK(ov_error_offset(NULL) == OV_NONE && ov_error_entry(NULL) == OV_NONE);
    IS(ov_local_key_sign_callback(NULL, -7, NULL, 0, NULL, 0, NULL), OV_ERR_NULL);
    OK(ov_error_free(&error));
}

/* Without a policy there is no verdict, and the message says what to begin from. */
static void test_no_policy(void) {
    ov_voucher *voucher = made_voucher(3);
    ov_verified *verified = NULL;
    ov_batch *batch = NULL;
    ov_audit *audit = NULL;
    ov_error *error = NULL;
    ov_slice bytes;
    ov_status verdict;
    OK(ov_error_new(&error));
    bytes = ov_voucher_bytes(voucher, OV_PART_VOUCHER);
    IS(ov_voucher_verify(voucher, NULL, &verified, error), OV_ERR_BAD_CALL);
    CHECK(strstr(ov_error_message(error), "ov_policy_from_manufacturer") != NULL);
    CHECK(strstr(ov_error_message(error), "ov_policy_any_origin") != NULL);
    IS(ov_policy_verify(NULL, bytes.data, bytes.len, &verified, error), OV_ERR_BAD_CALL);
    IS(ov_audit_new(bytes.data, bytes.len, NULL, &audit, NULL), OV_ERR_BAD_CALL);
    IS(ov_batch_new(NULL, &batch), OV_ERR_BAD_CALL);
    IS(ov_hand_over(bytes.data, bytes.len, NULL, NULL, NULL, NULL, &verified, NULL, error),
       OV_ERR_BAD_CALL);
    ov_request request = {NULL, NULL, NULL};
    IS(ov_hand_over_all(&bytes, &request, 1, NULL, 1, &verdict, &verified, NULL, NULL, error),
       OV_ERR_BAD_CALL);
    ov_verified *good = NULL, *sold = NULL;
    OK(ov_voucher_verify(voucher, any_origin(), &good, error));
    IS(ov_hand_over_verified(good, NULL, NULL, NULL, NULL, &sold, NULL, error), OV_ERR_BAD_CALL);
    ov_extension *extension = NULL;
    ov_local_key *key = local_key(2);
    ov_public_key *public_key = NULL;
    ov_next_owner *next = NULL;
    OK(ov_local_key_public_key(key, &public_key));
    OK(ov_next_owner_from_key(public_key, &next));
    OK(ov_verified_extend(good, next, NULL, &extension, error));
    IS(ov_extension_hand_over(extension, NULL, 0, NULL, &sold, NULL, error), OV_ERR_BAD_CALL);
    CHECK(verified == NULL && audit == NULL && batch == NULL && sold == NULL);
    OK(ov_extension_free(&extension));
    OK(ov_next_owner_free(&next));
    OK(ov_public_key_free(&public_key));
    OK(ov_local_key_free(&key));
    OK(ov_verified_free(&good));
    OK(ov_voucher_free(&voucher));
    OK(ov_error_free(&error));
}

static void test_handles(void) {
    ov_voucher *voucher = made_voucher(3);
    ov_policy *policy = NULL;
    ov_verified *verified = NULL;
    const ov_voucher *view = NULL;
    ov_error *error = NULL;
    unsigned char guid[OV_GUID_BYTES];
    OK(ov_error_new(&error));
    OK(ov_policy_any_origin(&policy));
    OK(ov_voucher_verify(voucher, policy, &verified, error));

    /* A handle of another kind, also where one is freed or an error is reported. */
    CHECK(ov_voucher_bytes((const ov_voucher *)policy, OV_PART_VOUCHER).data == NULL);
    IS(ov_voucher_guid((const ov_voucher *)policy, guid), OV_ERR_HANDLE);
    IS(ov_voucher_verify(voucher, (const ov_policy *)voucher, &verified, error), OV_ERR_HANDLE);
    IS(ov_voucher_free((ov_voucher **)(void *)&policy), OV_ERR_HANDLE);
    CHECK(policy != NULL);
    IS(ov_voucher_parse(NULL, 0, NULL, &voucher, (ov_error *)policy), OV_ERR_TRUNCATED);
    IS(ov_local_key_sign_callback(policy, -7, NULL, 0, NULL, 0, NULL), OV_ERR_HANDLE);
    uint64_t words[16] = {0};
    IS(ov_voucher_guid((const ov_voucher *)words, guid), OV_ERR_HANDLE);
    IS(ov_voucher_guid((const ov_voucher *)((char *)words + 1), guid), OV_ERR_HANDLE);

    /* Lent handles are freed with their owner. */
    view = ov_verified_voucher(verified);
    ov_voucher *lent = (ov_voucher *)view;
    IS(ov_voucher_free(&lent), OV_ERR_LENT);

    /* Freed twice through one variable, and through two. */
    OK(ov_verified_free(&verified));
    CHECK(verified == NULL);
    OK(ov_verified_free(&verified));
#ifndef SANITIZED
    /* What was lent says that it went with its owner. */
    ov_status gone = ov_voucher_guid(view, guid);
    CHECK(gone == OV_ERR_FREED || gone == OV_ERR_HANDLE);
    CHECK(ov_voucher_bytes(view, OV_PART_VOUCHER).data == NULL);
    ov_audit *audit = NULL;
    OK(ov_audit_new(NULL, 0, policy, &audit, NULL));
    const ov_error *fault = ov_audit_error(audit, 0);
    CHECK(ov_error_status(fault) == OV_ERR_TRUNCATED);
    OK(ov_audit_free(&audit));
    gone = ov_error_status(fault);
    CHECK(gone == OV_ERR_FREED || gone == OV_ERR_HANDLE);
    ov_policy *copy = policy;
    OK(ov_policy_free(&policy));
    ov_status again = ov_policy_free(&copy);
    CHECK(again == OV_ERR_FREED || again == OV_ERR_HANDLE);
#else
    OK(ov_policy_free(&policy));
#endif
    OK(ov_voucher_free(&voucher));
    OK(ov_error_free(&error));
}

/* Every prefix of a voucher, and every byte changed. */
static void test_truncations(void) {
    ov_voucher *voucher = made_voucher(4), *cut = NULL;
    ov_slice bytes;
    bytes = ov_voucher_bytes(voucher, OV_PART_VOUCHER);
    for (size_t len = 0; len < bytes.len; len++) {
        /* A block of its own, so that a read past its end is seen. */
        unsigned char *copy = malloc(len + 1);
        memcpy(copy, bytes.data, len);
        CHECK(ov_voucher_parse(copy, len, NULL, &cut, NULL) != OV_OK && cut == NULL);
        free(copy);
    }
    unsigned char *copy = malloc(bytes.len);
    for (size_t at = 0; at < bytes.len; at++) {
        memcpy(copy, bytes.data, bytes.len);
        copy[at] ^= 0x40;
        ov_audit *audit = NULL;
        OK(ov_audit_new(copy, bytes.len, any_origin(), &audit, NULL));
        OK(ov_audit_free(&audit));
        if (ov_voucher_parse(copy, bytes.len, NULL, &cut, NULL) == OV_OK) OK(ov_voucher_free(&cut));
    }
    free(copy);
    OK(ov_voucher_free(&voucher));
}

static void test_text(void) {
    int32_t code = 0;
    uint64_t seconds = 0;
    IS(ov_number(OV_NAMES_ALLOWANCE, "\xff\xfe", 2, &code), OV_ERR_NOT_UTF8);
    IS(ov_number(OV_NAMES_ALLOWANCE, "no such", 7, &code), OV_ERR_BAD_CALL);
    IS(ov_number(OV_NAMES_ALLOWANCE, NULL, 0, &code), OV_ERR_BAD_CALL);
    IS(ov_time_parse("yesterday", 9, &seconds, NULL), OV_ERR_BAD_ARGUMENT);
    ov_digest digest = {OV_HASH_SHA256, 99, {0}}, other = {1, 32, {0}}, good = {OV_HASH_SHA256, 32, {0}};
    CHECK(!ov_digest_equal(&digest, &digest) && !ov_digest_equal(&other, &other));
    CHECK(ov_digest_equal(&good, &good) && !ov_digest_equal(&good, NULL));
}

#ifdef OV_DEBUG
ov_status ov_debug_panic(ov_error *error);

static void heard(void *user, const char *line) {
    (*(unsigned *)user)++;
    CHECK(strstr(line, "asked for by a test") != NULL);
}

static void test_panic(void) {
    ov_error *error = NULL;
    unsigned lines = 0;
    OK(ov_error_new(&error));
    /* The line goes where the program wants it, and not to stderr. */
    OK(ov_set_log(heard, &lines));
    IS(ov_debug_panic(error), OV_ERR_PANIC);
    CHECK(ov_error_status(error) == OV_ERR_PANIC);
    IS(ov_debug_panic(NULL), OV_ERR_PANIC);
    CHECK(lines == 2);
    OK(ov_set_log(NULL, NULL));
    IS(ov_debug_panic(NULL), OV_ERR_PANIC);
    CHECK(lines == 2);
    OK(ov_error_free(&error));
}
#endif

/* What callbacks must not do to the call that called them. */
struct intruder {
    ov_error *error;
    ov_policy *policy;
    ov_next_owner *next;
    ov_verified *verified;
    ov_extend_options *options;
    ov_local_key *key;
    unsigned calls;
};

static int32_t free_the_error(void *user, uint64_t done, uint64_t rejected, uint64_t total) {
    struct intruder *own = user;
    (void)done, (void)rejected, (void)total;
    ov_error *error = own->error;
    IS(ov_error_free(&error), OV_ERR_BUSY);
    CHECK(error == own->error);
    /* To report into it is no harm. */
    ov_voucher *voucher = NULL;
    IS(ov_voucher_parse(NULL, 0, NULL, &voucher, own->error), OV_ERR_TRUNCATED);
    CHECK(ov_error_status(own->error) == OV_ERR_TRUNCATED);
    own->calls++;
    return 1;
}

static int32_t free_everything(void *user, int32_t algorithm, const uint8_t *message, size_t message_len,
                               uint8_t *signature, size_t capacity, size_t *signature_len) {
    struct intruder *own = user;
    ov_policy *policy = own->policy;
    ov_next_owner *next = own->next;
    ov_verified *verified = own->verified;
    ov_extend_options *options = own->options;
    IS(ov_policy_free(&policy), OV_ERR_BUSY);
    IS(ov_policy_set(policy, OV_POLICY_STRICT, 1), OV_ERR_BUSY);
    CHECK(ov_policy_get(policy, OV_POLICY_STRICT) == 0);
    IS(ov_next_owner_free(&next), OV_ERR_BUSY);
    IS(ov_verified_free(&verified), OV_ERR_BUSY);
    IS(ov_extend_options_free(&options), OV_ERR_BUSY);
    IS(ov_extend_options_set(options, OV_EXTEND_CA_OWNER, 1), OV_ERR_BUSY);
    own->calls++;
    return ov_local_key_sign_callback(own->key, algorithm, message, message_len, signature, capacity,
                                      signature_len);
}

/* A callback can free or change nothing that the call uses; afterwards it is free again. */
static void test_callbacks(void) {
    ov_voucher *voucher = made_voucher(3);
    ov_slice bytes = ov_voucher_bytes(voucher, OV_PART_VOUCHER);
    struct intruder own = {NULL, NULL, next_owner(2), NULL, NULL, local_key(1), 0};
    ov_batch *batch = NULL;
    ov_verified *sold = NULL;
    ov_status status = OV_OK;
    OK(ov_error_new(&own.error));
    OK(ov_policy_any_origin(&own.policy));
    OK(ov_extend_options_new(&own.options));
    OK(ov_voucher_verify(voucher, own.policy, &own.verified, NULL));
    OK(ov_batch_new(own.policy, &batch));
    IS(ov_batch_verify(batch, &bytes, 1, free_the_error, &own, &status, NULL, own.error), OV_ERR_CANCELLED);
    CHECK(own.calls == 1 && ov_error_status(own.error) == OV_ERR_CANCELLED);
    ov_signer signer = {&own, NULL, free_everything};
    OK(ov_hand_over_verified(own.verified, own.policy, &signer, own.next, own.options, &sold, NULL, own.error));
    CHECK(own.calls == 2);
    OK(ov_policy_set(own.policy, OV_POLICY_STRICT, 1));
    OK(ov_verified_free(&sold));
    OK(ov_batch_free(&batch));
    OK(ov_verified_free(&own.verified));
    OK(ov_extend_options_free(&own.options));
    OK(ov_policy_free(&own.policy));
    OK(ov_next_owner_free(&own.next));
    OK(ov_local_key_free(&own.key));
    OK(ov_error_free(&own.error));
    OK(ov_voucher_free(&voucher));
}

struct hammer {
    const ov_verified *verified;
    const ov_policy *policy;
    unsigned wrong;
};

static void *hammer(void *argument) {
    struct hammer *h = argument;
    ov_error *error = NULL;
    ov_error_new(&error);
    for (int i = 0; i < 50; i++) {
        const ov_voucher *view = NULL;
        ov_verified *again = NULL, *clone = NULL;
        ov_str info;
        ov_public_key *owner = NULL;
        view = ov_verified_voucher(h->verified);
        info = ov_voucher_device_info(view);
        h->wrong += view == NULL || info.len != 7;
        h->wrong += ov_verified_fact(h->verified, OV_FACT_HMAC) != 1;
        h->wrong += ov_verified_owner(h->verified, &owner) != OV_OK;
        h->wrong += ov_verified_clone(h->verified, &clone) != OV_OK;
        h->wrong += ov_voucher_verify(view, h->policy, &again, error) != OV_OK;
        h->wrong += ov_voucher_parse(NULL, 0, NULL, NULL, error) == OV_OK;
        h->wrong += ov_public_key_free(&owner) != OV_OK;
        h->wrong += ov_verified_free(&again) != OV_OK;
        h->wrong += ov_verified_free(&clone) != OV_OK;
    }
    ov_error_free(&error);
    return NULL;
}

/* Eight threads on one verified voucher and one policy. */
static void test_threads(void) {
    ov_voucher *voucher = made_voucher(5);
    ov_verified *verified = NULL;
    ov_policy *policy = NULL;
    ov_hmac_secret *secret = NULL;
    unsigned char bytes[32];
    memset(bytes, 7, sizeof bytes);
    OK(ov_policy_any_origin(&policy));
    OK(ov_hmac_secret_new(bytes, sizeof bytes, &secret));
    OK(ov_policy_set_hmac_secret(policy, secret));
    OK(ov_hmac_secret_free(&secret));
    OK(ov_voucher_verify(voucher, policy, &verified, NULL));
    pthread_t threads[8];
    struct hammer work[8];
    for (int i = 0; i < 8; i++) {
        work[i] = (struct hammer){verified, policy, 0};
        pthread_create(&threads[i], NULL, hammer, &work[i]);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        CHECK(work[i].wrong == 0);
    }
    OK(ov_verified_free(&verified));
    OK(ov_policy_free(&policy));
    OK(ov_voucher_free(&voucher));
}

void test_misuse(void) {
    test_null();
    test_no_policy();
    test_handles();
    test_truncations();
    test_text();
#ifdef OV_DEBUG
    test_panic();
#endif
    test_callbacks();
    test_threads();
}
