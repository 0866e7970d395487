/* Children of fork(): what another thread was using, and what a callback was called by. */
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

struct used {
    ov_error *error;
    ov_policy *policy;
    ov_next_owner *next;
    ov_verified *verified;
    ov_extend_options *options;
    ov_local_key *key;
    ov_batch *batch;
    /* A callback says that it was called, and waits until it may go on. */
    int called[2], go_on[2];
    ov_status status;
    /* Answers of a child. It does not tell by its exit code, of which valgrind has its own opinion. */
    int answer[2];
    int in_child;
    char good;
};

static void wait_for_main(struct used *used) {
    char byte = 1;
    CHECK(write(used->called[1], &byte, 1) == 1 && read(used->go_on[0], &byte, 1) == 1);
}

static int32_t slow_sign(void *user, int32_t algorithm, const uint8_t *message, size_t message_len,
                         uint8_t *signature, size_t capacity, size_t *signature_len) {
    struct used *used = user;
    wait_for_main(used);
    return ov_local_key_sign_callback(used->key, algorithm, message, message_len, signature, capacity,
                                      signature_len);
}

static int32_t slow_next(void *user, ov_slice *voucher) {
    (void)voucher;
    wait_for_main(user);
    return 0;
}

static int32_t no_result(void *user, uint64_t number, ov_slice voucher, const ov_verified *verified,
                         const ov_error *error) {
    (void)user, (void)number, (void)voucher, (void)verified, (void)error;
    return 0;
}

static ov_status hand_over(struct used *used, ov_sign_fn sign) {
    ov_verified *sold = NULL;
    ov_signer signer = {used, NULL, sign};
    ov_status status = ov_hand_over_verified(used->verified, used->policy, &signer, used->next, used->options,
                                             &sold, NULL, used->error);
    ov_verified_free(&sold);
    return status;
}

static void *hand_over_slowly(void *argument) {
    struct used *used = argument;
    used->status = hand_over(used, slow_sign);
    return NULL;
}

static void *stream_slowly(void *argument) {
    struct used *used = argument;
    used->status = ov_batch_stream(used->batch, slow_next, no_result, NULL, used, NULL, NULL, used->error);
    return NULL;
}

static int freed_all(struct used *used) {
    return ov_policy_free(&used->policy) == OV_OK && ov_next_owner_free(&used->next) == OV_OK &&
           ov_verified_free(&used->verified) == OV_OK && ov_extend_options_free(&used->options) == OV_OK &&
           ov_error_free(&used->error) == OV_OK && ov_local_key_free(&used->key) == OV_OK;
}

/* The other thread does not exist in the child: nothing that it used is in use, for ever or at all. */
static int after_a_hand_over(struct used *used) {
    return ov_policy_set(used->policy, OV_POLICY_STRICT, 1) == OV_OK &&
           ov_policy_get(used->policy, OV_POLICY_STRICT) == 1 &&
           ov_extend_options_set(used->options, OV_EXTEND_CA_OWNER, 1) == OV_OK && freed_all(used);
}

/* A batch at work is as the other thread left it: it can be freed and not used. */
static int after_a_stream(struct used *used) {
    return ov_batch_verify(used->batch, NULL, 0, NULL, NULL, NULL, NULL, NULL) == OV_ERR_BUSY &&
           ov_batch_set(used->batch, OV_BATCH_SET_THREADS, 2) == OV_ERR_BUSY &&
           ov_batch_free(&used->batch) == OV_OK && used->batch == NULL && freed_all(used);
}

static void tell(struct used *used, int good) {
    used->good = (char)good;
    _exit(write(used->answer[1], &used->good, 1) == 1 ? 0 : 1);
}

static void ask(struct used *used, pid_t child) {
    used->good = 0;
    close(used->answer[1]);
    CHECK(child > 0 && read(used->answer[0], &used->good, 1) == 1 && used->good);
    close(used->answer[0]);
    CHECK(waitpid(child, NULL, 0) == child);
}

/* Forks while another thread is in a callback of this call. */
static void fork_during(struct used *used, void *call(void *), int child_does(struct used *)) {
    pthread_t thread;
    char byte = 1;
    CHECK(pipe(used->called) == 0 && pipe(used->go_on) == 0 && pipe(used->answer) == 0);
    CHECK(pthread_create(&thread, NULL, call, used) == 0);
    CHECK(read(used->called[0], &byte, 1) == 1);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        tell(used, child_does(used));
    }
    ask(used, child);
    /* For the parent nothing has changed. */
    IS(ov_error_free(&used->error), OV_ERR_BUSY);
    CHECK(write(used->go_on[1], &byte, 1) == 1 && pthread_join(thread, NULL) == 0);
    OK(used->status);
    for (int i = 0; i < 2; i++) close(used->called[i]), close(used->go_on[i]);
}

static int32_t forking_sign(void *user, int32_t algorithm, const uint8_t *message, size_t message_len,
                            uint8_t *signature, size_t capacity, size_t *signature_len) {
    struct used *used = user;
    pid_t child = fork();
    if (child != 0) {
        ask(used, child);
    } else {
        alarm(60);
        used->in_child = 1;
        ov_policy *policy = used->policy;
        /* The call goes on here too. */
        used->good = ov_policy_free(&policy) == OV_ERR_BUSY &&
                     ov_policy_set(policy, OV_POLICY_STRICT, 1) == OV_ERR_BUSY &&
                     ov_policy_get(policy, OV_POLICY_STRICT) == 0;
    }
    return ov_local_key_sign_callback(used->key, algorithm, message, message_len, signature, capacity,
                                      signature_len);
}

static void fork_in_a_callback(struct used *used) {
    CHECK(pipe(used->answer) == 0);
    ov_status status = hand_over(used, forking_sign);
    if (used->in_child) tell(used, status == OV_OK && used->good && freed_all(used));
    OK(status);
}

#ifndef SANITIZED
static size_t address_space(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) return 0;
    int found = fscanf(file, "%lu", &pages);
    fclose(file);
    return found == 1 ? pages * (size_t)sysconf(_SC_PAGESIZE) : 0;
}
#endif

/* The system has no room for the stack of a thread: an error, and no end of the process. The batch goes on
   with the thread that there is. */
void test_no_threads(void) {
#ifndef SANITIZED
    ov_voucher *voucher = made_voucher(6);
    ov_slice bytes = ov_voucher_bytes(voucher, OV_PART_VOUCHER);
    ov_status status = OV_OK, answers[2] = {OV_OK, OV_ERR_BUSY};
    ov_batch *batch = NULL;
    int answer[2];
    OK(ov_batch_new(any_origin(), &batch));
    OK(ov_batch_set(batch, OV_BATCH_SET_TABLE_BUDGET, 0));
    OK(ov_batch_set(batch, OV_BATCH_SET_THREADS, 2));
    CHECK(pipe(answer) == 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        size_t most = address_space() + ((size_t)1 << 20);
        struct rlimit limit = {most, most};
        if (setrlimit(RLIMIT_AS, &limit) != 0) _exit(1);
        answers[0] = ov_batch_verify(batch, &bytes, 1, NULL, NULL, &status, NULL, NULL);
        ov_batch_set(batch, OV_BATCH_SET_THREADS, 1);
        answers[1] = ov_batch_verify(batch, &bytes, 1, NULL, NULL, &status, NULL, NULL);
        if (answers[1] == OV_OK) answers[1] = status;
        _exit(write(answer[1], answers, sizeof answers) == sizeof answers ? 0 : 1);
    }
    close(answer[1]);
    CHECK(child > 0 && read(answer[0], answers, sizeof answers) == sizeof answers);
    close(answer[0]);
    CHECK(waitpid(child, NULL, 0) == child);
    OK(answers[1]);
    /* With one core no thread would be asked for: then it takes none without the limit either. */
    size_t before = address_space();
    OK(ov_batch_verify(batch, &bytes, 1, NULL, NULL, &status, NULL, NULL));
    if (address_space() > before + ((size_t)2 << 20)) IS(answers[0], OV_ERR_RESOURCES);
    OK(ov_batch_free(&batch));
    OK(ov_voucher_free(&voucher));
#endif
}

void test_forking(void) {
    ov_voucher *voucher = made_voucher(5);
    struct used used = {.next = next_owner(2), .key = local_key(1)};
    OK(ov_error_new(&used.error));
    OK(ov_policy_any_origin(&used.policy));
    OK(ov_extend_options_new(&used.options));
    OK(ov_voucher_verify(voucher, used.policy, &used.verified, NULL));
    OK(ov_batch_new(used.policy, &used.batch));
    fork_during(&used, hand_over_slowly, after_a_hand_over);
    fork_during(&used, stream_slowly, after_a_stream);
    fork_in_a_callback(&used);
    OK(ov_batch_free(&used.batch));
    CHECK(freed_all(&used));
    OK(ov_voucher_free(&voucher));
}
