/*
 * A program without operating system, C library or heap around the device library: it begins at _start and
 * asks Linux only to write and to end. It verifies an owner message by message through one buffer, refuses
 * what a device must refuse, makes a proof, takes new credentials, reads one, and measures its stack.
 *
 * .ci/device compiles and runs it, for either curve (CURVE); where the library was built for that curve alone, OTHER
 * is the curve that it must refuse. Exit code 0: all as it must be, and nobody asked for memory.
 */
#include "ownership_voucher_device.h"

#define FILE_OF(name, path)                                                               \
    __asm__(".section .vectors, \"a\"\n.global " #name "\n" #name ":\n.incbin \"" path \
            "\"\n.global " #name "_end\n" #name "_end:\n.byte 0\n.text\n");               \
    extern const uint8_t name[], name##_end[]

#ifndef CURVE
#define CURVE "p256"
#endif
#define VECTOR(name, file) FILE_OF(name, "test-vectors/device/" CURVE "-" file ".cbor")

FILE_OF(hello, "test-vectors/device/hello.cbor");
VECTOR(owner, "61");
VECTOR(entry0, "63-0");
VECTOR(entry1, "63-1");
VECTOR(to1d, "to1d");
VECTOR(setup, "65");
VECTOR(header, "65-header");
#ifdef OTHER
FILE_OF(foreign, "test-vectors/device/" OTHER "-61.cbor");
#endif

/* What compilers call, and a bare program has to have. */
void *memcpy(void *to, const void *from, size_t len) {
    unsigned char *t = to;
    const unsigned char *f = from;
    while (len--) *t++ = *f++;
    return to;
}
void *memmove(void *to, const void *from, size_t len) {
    unsigned char *t = to;
    const unsigned char *f = from;
    if (t < f) return memcpy(to, from, len);
    while (len--) t[len] = f[len];
    return to;
}
void *memset(void *to, int value, size_t len) {
    unsigned char *t = to;
    while (len--) *t++ = (unsigned char)value;
    return to;
}
int memcmp(const void *a, const void *b, size_t len) {
    const unsigned char *x = a, *y = b;
    for (; len--; x++, y++)
        if (*x != *y) return *x - *y;
    return 0;
}
int bcmp(const void *a, const void *b, size_t len) { return memcmp(a, b, len); }

static long ask(long number, long a, const void *b, long c) {
    long answer;
    __asm__ volatile("syscall" : "=a"(answer) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return answer;
}

_Noreturn static void end(int code) {
    ask(60, code, 0, 0);
    __builtin_unreachable();
}

/* A panic, or somebody who wants memory. */
_Noreturn void ov_device_fault(void) {
    end(99);
}

static void say(const char *text) {
    size_t len = 0;
    while (text[len] != 0) len++;
    ask(1, 1, text, (long)len);
}

static void number(size_t value) {
    char digits[24];
    size_t at = sizeof digits;
    digits[--at] = 0;
    do digits[--at] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    say(digits + at);
}

enum { BUFFER = 1300, PAINTED = 96 << 10 };

static ov_device_state state;
static uint8_t buffer[BUFFER];
static unsigned failed;

#define CHECK(condition) ((condition) ? (void)0 : (failed++, say(#condition "\n")))

/* Every message goes through one buffer; one bit of it may be flipped. */
static size_t receive(const uint8_t *begin, const uint8_t *after, size_t flip) {
    size_t len = (size_t)(after - begin);
    memcpy(buffer, begin, len);
    if (flip < len * 8) buffer[flip / 8] ^= (uint8_t)(1 << flip % 8);
    return len;
}

static const uint8_t GUID[16] = {0x3f, 0x1c, 0x6a, 0x0e, 0x5b, 0x7d, 0x4c, 0x2f,
                                 0x9a, 0x8e, 0x01, 0xd2, 0xc3, 0xb4, 0xa5, 0x96};
static const uint8_t NONCE[16] = {0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
                                  0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f};
static uint8_t secret[32];

static int32_t onboard(size_t changed, size_t flip, uint8_t *nonce, ov_device_error *error) {
    const uint8_t *entries[2][2] = {{entry0, entry0_end}, {entry1, entry1_end}};
    ov_device_secret own = {secret, sizeof secret};
    ov_device_facts facts = {{0}, NULL, 0, 0, ov_device_secret_hmac, &own};
    memcpy(facts.guid, GUID, sizeof GUID);
    size_t len = receive(owner, owner_end, changed == 0 ? flip : (size_t)-1);
    int32_t status = ov_device_start(&state, &facts, hello, (size_t)(hello_end - hello), NONCE, buffer, len,
                                     NULL, error);
    if (status != OV_DEVICE_OK) return status;
    for (int32_t next; (next = ov_device_next(&state)) >= 0;) {
        len = receive(entries[next][0], entries[next][1], changed == (size_t)next + 1 ? flip : (size_t)-1);
        status = ov_device_entry(&state, buffer, len, error);
        if (status != OV_DEVICE_OK) return status;
    }
    return ov_device_finish(&state, nonce, error);
}

static void verified(void) {
    uint8_t nonce[16];
    CHECK(onboard((size_t)-1, 0, nonce, NULL) == OV_DEVICE_OK);
    CHECK(ov_device_check_to1d(&state, to1d, (size_t)(to1d_end - to1d), NULL) == OV_DEVICE_OK);
}

/* New credentials: the header that the HMAC covers is the one of the vectors' generator. */
static const uint8_t SETUP[16] = {0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37,
                                  0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f};
static void renewed(void) {
    static uint8_t made[600];
    static const char info[] = "Gateway GW-100";
    const uint8_t *text = (const uint8_t *)info;
    ov_device_setup new;
    ov_device_error error = {0, 0, 0};
    size_t len = receive(setup, setup_end, (size_t)-1), wanted = (size_t)(header_end - header), written = 0;
    CHECK(ov_device_setup_read(&state, buffer, len, NONCE, &new, &error) == 319);
    CHECK(ov_device_setup_read(&state, buffer, len, SETUP, &new, &error) == OV_DEVICE_OK);
    CHECK(new.guid[0] == 0xa0 && new.guid[15] == 0xaf && !new.same_owner);
    CHECK(ov_device_setup_header(&state, &new, text, sizeof info - 1, made, sizeof made, &written, NULL) ==
          OV_DEVICE_OK);
    CHECK(written == wanted && memcmp(made, header, wanted) == 0);
    CHECK(ov_device_setup_header(&state, &new, text, sizeof info - 1, made, wanted - 1, &written, NULL) ==
          OV_DEVICE_ERR_ROOM);
    buffer[len - 1] ^= 1;
    CHECK(ov_device_setup_read(&state, buffer, len, SETUP, &new, &error) == 306);
}

static void refused(void) {
    ov_device_error error = {0, 0, 0};
    ov_device_state none = {{0}};
    /* What is no state, or past the call. */
    CHECK(ov_device_entry(&none, entry0, 5, NULL) == OV_DEVICE_ERR_STATE);
    CHECK(ov_device_next(&none) == -1);
    CHECK(ov_device_finish(NULL, NULL, NULL) == OV_DEVICE_ERR_NULL);
    CHECK(ov_device_entry(&state, entry0, 5, NULL) == OV_DEVICE_ERR_STATE);
    CHECK(ov_device_check_to1d(&state, to1d, 9, &error) == 100 && error.status == 100);
    /* A bit of the second entry: its place is named, and the verification is over. */
    CHECK(onboard(2, 8 * 200, NULL, &error) != OV_DEVICE_OK && error.entry == 1);
    CHECK(ov_device_next(&state) == -1);
    CHECK(ov_device_finish(&state, NULL, NULL) == OV_DEVICE_ERR_STATE);
    /* Bits all over the messages; the nonce for the device, 16 bytes, is signed by nobody. */
    unsigned accepted = 0;
    const size_t sizes[3] = {(size_t)(owner_end - owner), (size_t)(entry0_end - entry0),
                             (size_t)(entry1_end - entry1)};
    for (size_t message = 0; message < 3; message++)
        for (size_t bit = 0; bit < sizes[message] * 8; bit += 61)
            accepted += onboard(message, bit, NULL, NULL) == OV_DEVICE_OK;
    CHECK(accepted <= 16 * 8 / 61 + 1);
}

#ifdef OTHER
/* The owner of a device like this one, with keys on the curve that the library was built without. */
static void other_curve(void) {
    ov_device_secret own = {secret, sizeof secret};
    ov_device_facts facts = {{0}, NULL, 0, 0, ov_device_secret_hmac, &own};
    ov_device_error error = {0, 0, 0};
    memcpy(facts.guid, GUID, sizeof GUID);
    size_t len = receive(foreign, foreign_end, (size_t)-1);
    int32_t status = ov_device_start(&state, &facts, hello, (size_t)(hello_end - hello), NONCE, buffer, len, NULL,
                                     &error);
    CHECK(status == 208 && error.status == 208);
    CHECK(ov_device_next(&state) == -1);
}
#endif

static void proofs(void) {
    uint8_t out[400], signature[64] = {1};
    size_t len = 0;
    ov_device_proof proof = {{1}, {2}, OV_DEVICE_ES256, NULL, 0, {3}};
    CHECK(ov_device_proof_to_be_signed(&proof, out, sizeof out, &len, NULL) == OV_DEVICE_OK);
    CHECK(len <= 128 && out[0] == 0x84);
    CHECK(ov_device_proof_message(&proof, signature, 64, out, sizeof out, &len, NULL) == OV_DEVICE_OK);
    CHECK(len <= 256 && out[0] == 0xd2);
    CHECK(ov_device_proof_message(&proof, signature, 64, out, len - 1, &len, NULL) == OV_DEVICE_ERR_ROOM);
    ov_device_credential credential = {true, {4}, secret, 32, (const uint8_t *)"Model 7", 7,
                                       (const uint8_t *)"\x80", 1, secret, 32};
    ov_device_credential again;
    CHECK(ov_device_credential_write(&credential, out, sizeof out, &len, NULL) == OV_DEVICE_OK);
    CHECK(ov_device_credential_read(out, len, &again, NULL) == OV_DEVICE_OK);
    CHECK(again.secret_len == 32 && again.device_info_len == 7 && again.rendezvous_len == 1);
}

/* How many bytes of stack a function takes: the stack below is painted, and what is left of the paint is
   counted from the far end. */
static uintptr_t __attribute__((noinline)) paint(void) {
    volatile uint8_t area[PAINTED];
    for (size_t i = 0; i < PAINTED; i++) area[i] = 0xa5;
    return (uintptr_t)area;
}

static size_t __attribute__((noinline)) stack_of(void (*function)(void)) {
    volatile uint8_t *far_end = (volatile uint8_t *)paint();
    function();
    size_t left = 0;
    while (left < PAINTED && far_end[left] == 0xa5) left++;
    return PAINTED - left;
}

__attribute__((force_align_arg_pointer, noreturn, used)) void _start(void) {
    for (int i = 0; i < 32; i++) secret[i] = (uint8_t)i;
    size_t verify = stack_of(verified), renew = stack_of(renewed), prove = stack_of(proofs),
           all = stack_of(refused);
#ifdef OTHER
    other_curve();
#endif
    say("state ");
    number(sizeof state);
    say(" bytes, buffer ");
    number(sizeof buffer);
    say(" bytes; stack: verification with " CURVE " ");
    number(verify);
    say(", new credentials ");
    number(renew);
    say(", proofs and credential ");
    number(prove);
    say(", everything ");
    number(all);
    say(" bytes\n");
    end(failed == 0 ? 0 : 1);
}
