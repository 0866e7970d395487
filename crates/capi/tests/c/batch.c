/* Batches: arrays, streams, progress, cancelling. */
#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

enum { MANY = 10 };

/* Threads that run now; 0 where the system does not say. */
static unsigned threads_of_the_process(void) {
    DIR *folder = opendir("/proc/self/task");
    unsigned count = 0;
    if (folder == NULL) return 0;
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count;
}

static int32_t count_calls(void *user, uint64_t done, uint64_t rejected, uint64_t total) {
    (void)rejected, (void)total;
    uint64_t *calls = user;
    (*calls)++;
    return done >= 6 && calls[1] != 0;
}

struct stream {
    ov_slice *vouchers;
    uint64_t next, count, results, rejected, stop_at;
    ov_batch *batch;
};

static int32_t next(void *user, ov_slice *voucher) {
    struct stream *s = user;
    if (s->next == s->count) return 0;
    *voucher = s->vouchers[s->next++];
    return 1;
}

/* A source that is out of its mind. */
static int32_t nowhere(void *user, ov_slice *voucher) {
    struct stream *s = user;
    if (s->next == s->count) return 0;
    *voucher = s->vouchers[s->next++];
    if (s->next == 2) voucher->data = NULL;
    return 1;
}

static int32_t neither(void *user, ov_slice *voucher) {
    (void)user, (void)voucher;
    return -7;
}

static int32_t result(void *user, uint64_t number, ov_slice voucher, const ov_verified *verified,
                      const ov_error *error) {
    struct stream *s = user;
    CHECK(number == s->results && voucher.len == s->vouchers[number].len);
    CHECK((verified == NULL) == (error != NULL));
    s->results++;
    s->rejected += verified == NULL;
    if (verified != NULL) {
        ov_verified *keep = NULL, *lent = (ov_verified *)verified;
        OK(ov_verified_clone(verified, &keep));
        OK(ov_verified_free(&keep));
        IS(ov_verified_free(&lent), OV_ERR_LENT);
    } else {
        CHECK(ov_error_status(error) != OV_OK && *ov_error_message(error) != 0);
    }
    /* The batch is at work. */
    ov_status other;
    IS(ov_batch_verify(s->batch, s->vouchers, 1, NULL, NULL, &other, NULL, NULL), OV_ERR_BUSY);
    ov_batch *same = s->batch;
    IS(ov_batch_free(&same), OV_ERR_BUSY);
    return s->results == s->stop_at;
}

static int32_t nowhere_result(void *user, uint64_t number, ov_slice voucher, const ov_verified *verified,
                              const ov_error *error) {
    struct stream *s = user;
    CHECK((verified == NULL) == (number == 1) && (voucher.len == 0) == (number == 1));
    CHECK(number != 1 || ov_error_status(error) == OV_ERR_NULL);
    s->results++;
    return 0;
}

/* A voucher that is too long for the policy is not copied, and not asked for. */
static int32_t huge(void *user, ov_slice *voucher) {
    struct stream *s = user;
    if (s->next == 3) return 0;
    /* Addresses that nobody may read: 1 TiB behind a voucher. */
    *voucher = s->vouchers[0];
    if (s->next++ == 1) voucher->len = (size_t)1 << 40;
    return 1;
}

static int32_t huge_result(void *user, uint64_t number, ov_slice voucher, const ov_verified *verified,
                           const ov_error *error) {
    struct stream *s = user;
    CHECK((verified == NULL) == (number == 1));
    CHECK((voucher.len == 0) == (number == 1));
    if (number == 1) {
        CHECK(ov_error_status(error) == OV_ERR_LIMIT_INPUT);
        CHECK(strstr(ov_error_message(error), "1099511627776") != NULL);
    }
    s->results++;
    return 0;
}

/* Threads do not follow a fork: the child starts its own, and frees what it has. It answers by a pipe,
   since valgrind has its own opinion of its exit code: the parent's threads are lost to it. */
static void in_a_child(ov_batch **batch, ov_slice *vouchers) {
    int answer[2];
    char good = 0;
    CHECK(pipe(answer) == 0);
    pid_t child = fork();
    if (child == 0) {
        ov_status statuses[MANY];
        alarm(60);
        ov_status status = ov_batch_verify(*batch, vouchers, MANY, NULL, NULL, statuses, NULL, NULL);
        if (status == OV_OK) status = statuses[0];
        ov_status freed = ov_batch_free(batch);
        good = status == OV_OK && freed == OV_OK;
        _exit(write(answer[1], &good, 1) == 1 ? 0 : 1);
    }
    close(answer[1]);
    CHECK(child > 0 && read(answer[0], &good, 1) == 1 && good);
    close(answer[0]);
    CHECK(waitpid(child, NULL, 0) == child);
}

#ifndef SANITIZED
/* Bytes of memory that the process takes; 0 where the system does not say. */
static size_t memory_of_the_process(void) {
    unsigned long whole = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) return 0;
    int found = fscanf(file, "%lu %lu", &whole, &resident);
    fclose(file);
    return found == 2 ? resident * (size_t)sysconf(_SC_PAGESIZE) : 0;
}

enum { JUNK = 120000, JUNK_BATCH = 500 };

struct junk {
    uint64_t given, faults;
    /* After the tenth batch, when all that is used again is there, and after the last one. */
    size_t early, late;
};

static int32_t next_junk(void *user, ov_slice *voucher) {
    static const uint8_t bytes[6] = {0x85, 0x18, 0x65, 0x41, 0x00, 0x80};
    struct junk *junk = user;
    if (junk->given == JUNK) return 0;
    junk->given++;
    *voucher = (ov_slice){bytes, sizeof bytes};
    return 1;
}

static int32_t junk_result(void *user, uint64_t number, ov_slice voucher, const ov_verified *verified,
                           const ov_error *error) {
    struct junk *junk = user;
    (void)number, (void)voucher;
    junk->faults += verified == NULL && *ov_error_message(error) != 0;
    return 0;
}

static int32_t junk_progress(void *user, uint64_t done, uint64_t rejected, uint64_t total) {
    struct junk *junk = user;
    (void)rejected, (void)total;
    if (done == 10 * JUNK_BATCH) junk->early = memory_of_the_process();
    if (done == JUNK) junk->late = memory_of_the_process();
    return 0;
}

/* However much junk a stream has, its faults are given out and not kept: kept, they were 200 bytes each. */
static void junk_takes_no_memory(void) {
    ov_batch *batch = NULL;
    ov_error *error = NULL;
    struct junk junk = {0, 0, 0, 0};
    uint64_t rejected = 0;
    OK(ov_error_new(&error));
    OK(ov_batch_new(any_origin(), &batch));
    OK(ov_batch_set(batch, OV_BATCH_SET_SIZE, JUNK_BATCH));
    OK(ov_batch_stream(batch, next_junk, junk_result, junk_progress, &junk, NULL, &rejected, error));
    CHECK(rejected == JUNK && junk.faults == JUNK);
    CHECK(junk.late <= junk.early + ((size_t)4 << 20));
    IS(ov_batch_fault(batch, 0, error), OV_ERR_ABSENT);
    OK(ov_batch_free(&batch));
    OK(ov_error_free(&error));
}
#endif

void test_batch(void) {
    ov_voucher *made[MANY];
    ov_slice vouchers[MANY];
    ov_status statuses[MANY];
    ov_verified *verified[MANY];
    ov_batch *batch = NULL;
    ov_error *error = NULL;
    for (int i = 0; i < MANY; i++) {
        made[i] = made_voucher((unsigned char)(i + 1));
        vouchers[i] = ov_voucher_bytes(made[i], OV_PART_VOUCHER);
    }
    vouchers[4].len--;
    unsigned before = threads_of_the_process();
    OK(ov_error_new(&error));
    OK(ov_batch_new(any_origin(), &batch));
    OK(ov_batch_verify(batch, vouchers, MANY, NULL, NULL, statuses, verified, error));
    for (int i = 0; i < MANY; i++) {
        CHECK(statuses[i] == (i == 4 ? OV_ERR_TRUNCATED : OV_OK));
        CHECK((verified[i] == NULL) == (i == 4));
        OK(ov_verified_free(&verified[i]));
    }
    /* One thread means that of the caller: none was started, here or in a pool of the process. */
    CHECK(threads_of_the_process() == before);
    OK(ov_batch_fault(batch, 4, error));
    CHECK(ov_error_status(error) == OV_ERR_TRUNCATED && ov_error_offset(error) != OV_NONE);
    IS(ov_batch_fault(batch, 5, error), OV_ERR_ABSENT);
    /* The vouchers have no entries, and nobody named a manufacturer. */
    CHECK(ov_batch_fact(batch, 5, OV_FACT_CHAIN_HASH) == OV_CHAIN_HASH_NONE);
    CHECK(ov_batch_fact(batch, 5, OV_FACT_ORIGIN) == OV_ORIGIN_NOT_CHECKED);
    CHECK(ov_batch_fact(batch, MANY, OV_FACT_ENTRIES) == 0);

    /* One that is NULL among many has its own verdict, and the others theirs. */
    ov_slice absent[3] = {vouchers[0], {NULL, 7}, vouchers[1]};
    OK(ov_batch_verify(batch, absent, 3, NULL, NULL, statuses, verified, error));
    CHECK(statuses[0] == OV_OK && statuses[1] == OV_ERR_NULL && statuses[2] == OV_OK);
    CHECK(verified[1] == NULL);
    OK(ov_batch_fault(batch, 1, error));
    CHECK(ov_error_status(error) == OV_ERR_NULL && *ov_error_message(error) != 0);
    /* What verification left out is passed over. */
    ov_forks *forks = NULL;
    size_t count = 9;
    OK(ov_find_forks((const ov_verified *const *)verified, 3, &forks));
    ov_forks_all(forks, &count);
    CHECK(count == 0);
    OK(ov_forks_free(&forks));
    for (int i = 0; i < 3; i++) OK(ov_verified_free(&verified[i]));

    /* Batches of two: five calls; cancelled after three of them. */
    uint64_t calls[2] = {0, 0};
    OK(ov_batch_set(batch, OV_BATCH_SET_SIZE, 2));
    OK(ov_batch_verify(batch, vouchers, MANY, count_calls, calls, statuses, NULL, error));
    CHECK(calls[0] == 5);
    calls[1] = 1;
    IS(ov_batch_verify(batch, vouchers, MANY, count_calls, calls, statuses, verified, error),
       OV_ERR_CANCELLED);
    for (int i = 0; i < MANY; i++) {
        CHECK((statuses[i] == OV_ERR_CANCELLED) == (i >= 6));
        CHECK((verified[i] != NULL) == (i < 6 && i != 4));
        OK(ov_verified_free(&verified[i]));
    }
    /* One that was not reached says so too. */
    OK(ov_batch_fault(batch, 6, error));
    CHECK(ov_error_status(error) == OV_ERR_CANCELLED && *ov_error_message(error) != 0);
    IS(ov_batch_fault(batch, MANY, error), OV_ERR_ABSENT);
    IS(ov_batch_set(batch, 99, 1), OV_ERR_BAD_CALL);

    OK(ov_batch_set(batch, OV_BATCH_SET_THREADS, 2));
    OK(ov_batch_set(batch, OV_BATCH_SET_TABLE_BUDGET, 0));
    OK(ov_batch_set(batch, OV_BATCH_SET_BYTES, 1));
    struct stream s = {vouchers, 0, MANY, 0, 0, 0, batch};
    uint64_t done = 0, rejected = 0;
    OK(ov_batch_stream(batch, next, result, NULL, &s, &done, &rejected, error));
    CHECK(done == MANY && rejected == 1 && s.rejected == 1);
    /* The error was given to the callback. */
    IS(ov_batch_fault(batch, 4, error), OV_ERR_ABSENT);
    s = (struct stream){vouchers, 0, MANY, 0, 0, 3, batch};
    IS(ov_batch_stream(batch, next, result, NULL, &s, &done, NULL, error), OV_ERR_CANCELLED);
    CHECK(done == 3 && s.results == 3);
    s = (struct stream){vouchers, 0, 3, 0, 0, 0, batch};
    OK(ov_batch_stream(batch, nowhere, nowhere_result, NULL, &s, &done, &rejected, error));
    CHECK(done == 3 && rejected == 1 && s.results == 3);
    IS(ov_batch_stream(batch, neither, result, NULL, &s, &done, NULL, error), OV_ERR_CANCELLED);
    IS(ov_batch_stream(batch, NULL, result, NULL, &s, &done, NULL, error), OV_ERR_NULL);

    s = (struct stream){vouchers, 0, MANY, 0, 0, 0, batch};
    OK(ov_batch_stream(batch, huge, huge_result, NULL, &s, &done, &rejected, error));
    CHECK(done == 3 && rejected == 1 && s.results == 3);
    in_a_child(&batch, vouchers);
#ifndef SANITIZED
    junk_takes_no_memory();
#endif
    OK(ov_batch_verify(batch, vouchers, MANY, NULL, NULL, statuses, NULL, error));

    /* No more threads than cores, whatever is asked for. */
    OK(ov_batch_set(batch, OV_BATCH_SET_THREADS, UINT32_MAX));
    OK(ov_batch_verify(batch, vouchers, MANY, NULL, NULL, statuses, NULL, error));
    CHECK(threads_of_the_process() <= before + (unsigned)sysconf(_SC_NPROCESSORS_ONLN));

    OK(ov_batch_free(&batch));
    CHECK(threads_of_the_process() == before);
    OK(ov_error_free(&error));
    for (int i = 0; i < MANY; i++) OK(ov_voucher_free(&made[i]));
}
