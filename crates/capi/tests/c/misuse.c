/* Calls that nobody should make: each gives a status, none crashes. */
#include <pthread.h>
#include <stdlib.h>

#include "suite.h"

static void test_null(void) {
    ov_slice bytes;
    ov_str text;
    uint64_t number = 77;
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
    IS(ov_voucher_bytes(NULL, &bytes), OV_ERR_NULL);
    IS(ov_voucher_device_info(NULL, &text), OV_ERR_NULL);
    IS(ov_voucher_entry_count(NULL, &number), OV_ERR_NULL);
    IS(ov_verified_extend(NULL, NULL, NULL, NULL, error), OV_ERR_NULL);
    IS(ov_policy_allow(NULL, OV_ALLOW_LEGACY_UNTAGGED), OV_ERR_NULL);
    IS(ov_policy_set_engine(NULL, OV_ENGINE_FASTEST), OV_ERR_NULL);
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
    CHECK(voucher == NULL && verified == NULL && number == 77);

    ov_status status = OV_OK;
    OK(ov_error_status(error, &status));
    CHECK(status != OV_OK);
    IS(ov_error_status(NULL, &status), OV_ERR_NULL);
    IS(ov_error_message(error, NULL), OV_ERR_NULL);
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
    ov_str message;
    ov_verdict verdict;
    OK(ov_error_new(&error));
    OK(ov_voucher_bytes(voucher, &bytes));
    IS(ov_voucher_verify(voucher, NULL, &verified, error), OV_ERR_BAD_CALL);
    OK(ov_error_message(error, &message));
    CHECK(memmem(message.data, message.len, "ov_policy_from_manufacturer", 27) != NULL);
    CHECK(memmem(message.data, message.len, "ov_policy_any_origin", 20) != NULL);
    IS(ov_policy_verify(NULL, bytes.data, bytes.len, &verified, error), OV_ERR_BAD_CALL);
    IS(ov_audit_new(bytes.data, bytes.len, NULL, &audit), OV_ERR_BAD_CALL);
    IS(ov_batch_new(NULL, &batch), OV_ERR_BAD_CALL);
    IS(ov_hand_over(bytes.data, bytes.len, NULL, NULL, NULL, NULL, &verified, NULL, error),
       OV_ERR_BAD_CALL);
    IS(ov_hand_over_all(&bytes, 1, NULL, NULL, NULL, NULL, 1, &verdict, &verified, NULL, error),
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
    ov_slice bytes;
    OK(ov_error_new(&error));
    OK(ov_policy_any_origin(&policy));
    OK(ov_voucher_verify(voucher, policy, &verified, error));

    /* A handle of another kind, also where one is freed or an error is reported. */
    IS(ov_voucher_bytes((const ov_voucher *)policy, &bytes), OV_ERR_HANDLE);
    IS(ov_voucher_verify(voucher, (const ov_policy *)voucher, &verified, error), OV_ERR_HANDLE);
    IS(ov_voucher_free((ov_voucher **)(void *)&policy), OV_ERR_HANDLE);
    CHECK(policy != NULL);
    IS(ov_voucher_parse(NULL, 0, NULL, &voucher, (ov_error *)policy), OV_ERR_TRUNCATED);
    IS(ov_local_key_sign_callback(policy, -7, NULL, 0, NULL, 0, NULL), OV_ERR_HANDLE);
    uint64_t words[16] = {0};
    IS(ov_voucher_bytes((const ov_voucher *)words, &bytes), OV_ERR_HANDLE);
    IS(ov_voucher_bytes((const ov_voucher *)((char *)words + 1), &bytes), OV_ERR_HANDLE);

    /* Lent handles are freed with their owner. */
    OK(ov_verified_voucher(verified, &view));
    ov_voucher *lent = (ov_voucher *)view;
    IS(ov_voucher_free(&lent), OV_ERR_LENT);

    /* Freed twice through one variable, and through two. */
    OK(ov_verified_free(&verified));
    CHECK(verified == NULL);
    OK(ov_verified_free(&verified));
#ifndef SANITIZED
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
    OK(ov_voucher_bytes(voucher, &bytes));
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
        OK(ov_audit_new(copy, bytes.len, any_origin(), &audit));
        OK(ov_audit_free(&audit));
        if (ov_voucher_parse(copy, bytes.len, NULL, &cut, NULL) == OV_OK) OK(ov_voucher_free(&cut));
    }
    free(copy);
    OK(ov_voucher_free(&voucher));
}

static void test_text(void) {
    int32_t code = 0;
    uint64_t seconds = 0;
    IS(ov_allowance_from_name("\xff\xfe", 2, &code), OV_ERR_NOT_UTF8);
    IS(ov_allowance_from_name("no such", 7, &code), OV_ERR_BAD_CALL);
    IS(ov_allowance_from_name(NULL, 0, &code), OV_ERR_BAD_CALL);
    IS(ov_time_parse("yesterday", 9, &seconds, NULL), OV_ERR_BAD_ARGUMENT);
    ov_digest digest = {OV_HASH_SHA256, 99, {0}}, other = {1, 32, {0}};
    bool equal = false;
    IS(ov_digest_equal(&digest, &digest, &equal), OV_ERR_BAD_CALL);
    IS(ov_digest_equal(&other, &other, &equal), OV_ERR_BAD_CALL);
}

#ifdef OV_DEBUG
ov_status ov_debug_panic(ov_error *error);

static void test_panic(void) {
    ov_error *error = NULL;
    ov_status status = OV_OK;
    OK(ov_error_new(&error));
    IS(ov_debug_panic(error), OV_ERR_PANIC);
    OK(ov_error_status(error, &status));
    CHECK(status == OV_ERR_PANIC);
    IS(ov_debug_panic(NULL), OV_ERR_PANIC);
    OK(ov_error_free(&error));
}
#endif

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
        ov_proved proved;
        ov_str info;
        ov_public_key *owner = NULL;
        h->wrong += ov_verified_voucher(h->verified, &view) != OV_OK;
        h->wrong += ov_voucher_device_info(view, &info) != OV_OK || info.len != 7;
        h->wrong += ov_verified_proved(h->verified, &proved) != OV_OK || !proved.hmac;
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
    test_threads();
}
