package main

// ownership-voucher, through its C interface.

/*
#include <stdlib.h>
#include "ownership_voucher_onboard.h"

extern int32_t interopSign(uintptr_t, int32_t, uint8_t *, size_t, uint8_t *, size_t, size_t *);

static int32_t sign(void *user, int32_t algorithm, const uint8_t *message, size_t len,
                    uint8_t *signature, size_t capacity, size_t *signature_len) {
    return interopSign((uintptr_t)user, algorithm, (uint8_t *)message, len, signature, capacity, signature_len);
}

// The handle of Go's signer is a number and stays one until C has it.
static ov_status hand_over(const uint8_t *data, size_t len, const ov_policy *policy, uintptr_t handle,
                           const ov_public_key *key, const ov_next_owner *next,
                           const ov_extend_options *options, ov_verified **extended, ov_error *error) {
    ov_signer signer = {(void *)handle, key, sign};
    return ov_hand_over(data, len, policy, &signer, next, options, extended, NULL, error);
}
*/
import "C"

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"runtime"
	"runtime/cgo"
	"unsafe"

	"github.com/fido-device-onboard/go-fdo/protocol"
)

// refusal is an error of ownership-voucher.
type refusal struct {
	name, message string
	malformed     bool // one of the numbers for what cannot be read
}

func (r refusal) Error() string { return r.name + ": " + r.message }

func try(call func(e *C.ov_error) C.ov_status) error {
	var e *C.ov_error
	plain(C.ov_error_new(&e))
	defer C.ov_error_free(&e)
	status := call(e)
	if status == C.OV_OK {
		return nil
	}
	name, message := C.GoString(C.ov_status_name(status)), C.GoString(C.ov_error_message(e))
	return refusal{name, message, status >= 100 && status < 200}
}

// plain is for calls that cannot fail here.
func plain(status C.ov_status) {
	if status != C.OV_OK {
		check(fmt.Errorf("the C library answers %s", C.GoString(C.ov_status_name(status))))
	}
}

func bytesOf(b []byte) (*C.uint8_t, C.size_t) {
	return (*C.uint8_t)(unsafe.SliceData(b)), C.size_t(len(b))
}

func slice(s C.ov_slice) []byte { return C.GoBytes(unsafe.Pointer(s.data), C.int(s.len)) }

// lend gives byte strings to C until `pin` is released.
func lend(pin *runtime.Pinner, all [][]byte) []C.ov_slice {
	out := make([]C.ov_slice, len(all))
	for i, b := range all {
		pin.Pin(unsafe.SliceData(b))
		out[i] = C.ov_slice{data: (*C.uint8_t)(unsafe.SliceData(b)), len: C.size_t(len(b))}
	}
	return out
}

func raw(chain []*x509.Certificate) (all [][]byte) {
	for _, c := range chain {
		all = append(all, c.Raw)
	}
	return all
}

func publicKey(key crypto.PublicKey) *C.ov_public_key {
	data, size := bytesOf(must(x509.MarshalPKIXPublicKey(key)))
	var out *C.ov_public_key
	check(try(func(e *C.ov_error) C.ov_status { return C.ov_public_key_parse(data, size, C.OV_FORM_DER, &out, e) }))
	return out
}

func nextOwner(to owner, encoding protocol.KeyEncoding) *C.ov_next_owner {
	var next *C.ov_next_owner
	if encoding == protocol.X5ChainKeyEnc {
		var pin runtime.Pinner
		defer pin.Unpin()
		certificates := lend(&pin, raw(to.chain))
		check(try(func(e *C.ov_error) C.ov_status {
			return C.ov_next_owner_from_chain(&certificates[0], C.size_t(len(certificates)), &next, e)
		}))
		return next
	}
	key := publicKey(to.key.Public())
	defer C.ov_public_key_free(&key)
	plain(C.ov_next_owner_from_key(key, &next))
	return next
}

// facts are what a verifier knows besides the voucher. All may be absent.
type facts struct {
	secret       []byte
	manufacturer crypto.PublicKey
	owner        crypto.PublicKey
	keyHash      []byte // SHA-256 of the CBOR of the manufacturer's key
	deviceCA     *x509.Certificate
}

func policy(f facts) *C.ov_policy {
	var p *C.ov_policy
	if f.secret == nil {
		plain(C.ov_policy_any_origin(&p))
	} else {
		var secret *C.ov_hmac_secret
		data, size := bytesOf(f.secret)
		plain(C.ov_hmac_secret_new(data, size, &secret))
		defer C.ov_hmac_secret_free(&secret)
		plain(C.ov_policy_new(&p))
		plain(C.ov_policy_set_hmac_secret(p, secret))
	}
	if f.manufacturer != nil {
		key := publicKey(f.manufacturer)
		plain(C.ov_policy_add_manufacturer(p, key))
		C.ov_public_key_free(&key)
	}
	if f.owner != nil {
		key := publicKey(f.owner)
		plain(C.ov_policy_add_owner(p, key))
		C.ov_public_key_free(&key)
	}
	if f.deviceCA != nil {
		var roots *C.ov_roots
		plain(C.ov_roots_new(&roots))
		data, size := bytesOf(f.deviceCA.Raw)
		check(try(func(e *C.ov_error) C.ov_status { return C.ov_roots_add_der(roots, data, size, e) }))
		plain(C.ov_policy_set_device_roots(p, roots))
		C.ov_roots_free(&roots)
	}
	return p
}

func sha256Digest(hash []byte) C.ov_digest {
	digest := C.ov_digest{algorithm: C.OV_HASH_SHA256, len: C.size_t(len(hash))}
	for i, b := range hash {
		digest.bytes[i] = C.uint8_t(b)
	}
	return digest
}

// hashPolicy recognises the manufacturer by DCPubKeyHash.
func hashPolicy(hash []byte) *C.ov_policy {
	digest := sha256Digest(hash)
	var p *C.ov_policy
	plain(C.ov_policy_new(&p))
	plain(C.ov_policy_add_manufacturer_hash(p, &digest))
	return p
}

func verify(p *C.ov_policy, voucher []byte) error {
	var verified *C.ov_verified
	data, size := bytesOf(voucher)
	err := try(func(e *C.ov_error) C.ov_status { return C.ov_policy_verify(p, data, size, &verified, e) })
	C.ov_verified_free(&verified)
	return err
}

// oursJudge verifies under everything that is known.
func oursJudge(voucher []byte, f facts) error {
	p := policy(f)
	defer C.ov_policy_free(&p)
	if err := verify(p, voucher); err != nil || f.keyHash == nil {
		return err
	}
	byHash := hashPolicy(f.keyHash)
	defer C.ov_policy_free(&byHash)
	err := verify(byHash, voucher)
	// Without entries nobody signed the header, and only the HMAC ties it to anything.
	if r, ok := err.(refusal); ok && r.name == "origin-not-checked" && entryCount(voucher) == 0 {
		return nil
	}
	return err
}

// deviations are the names of what ownership-voucher notes about the bytes of a voucher.
func deviations(voucher []byte, f facts) (names []string) {
	p := policy(f)
	defer C.ov_policy_free(&p)
	data, size := bytesOf(voucher)
	var audit *C.ov_audit
	plain(C.ov_audit_new(data, size, p, &audit, nil))
	defer C.ov_audit_free(&audit)
	var count C.size_t
	all := C.ov_findings_all(C.ov_audit_findings(audit), &count)
	seen := map[string]bool{}
	for _, finding := range unsafe.Slice(all, count) {
		if name := C.GoString(finding.name); bool(finding.is_deviation) && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

// oursCreate makes a voucher as a factory does.
func oursCreate(t keyType, maker owner, encoding protocol.KeyEncoding, d device, guid, secret []byte) ([]byte, error) {
	next := nextOwner(maker, encoding)
	defer C.ov_next_owner_free(&next)
	info := []byte("interop")
	guidData, _ := bytesOf(guid)
	var voucher *C.ov_new_voucher
	if err := try(func(e *C.ov_error) C.ov_status {
		return C.ov_new_voucher_new(guidData, (*C.char)(unsafe.Pointer(&info[0])), C.size_t(len(info)), next, &voucher, e)
	}); err != nil {
		return nil, err
	}
	defer C.ov_new_voucher_free(&voucher)
	plain(C.ov_new_voucher_set(voucher, C.OV_NEW_KEY_TYPE, C.int64_t(t.fdo)))
	if encoding != protocol.X5ChainKeyEnc {
		plain(C.ov_new_voucher_set(voucher, C.OV_NEW_ENCODING, C.int64_t(encoding)))
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	certificates := lend(&pin, raw(d.chain))
	plain(C.ov_new_voucher_set_device_chain(voucher, &certificates[0], C.size_t(len(certificates))))
	place := rendezvous()
	defer C.ov_rv_directive_free(&place)
	plain(C.ov_new_voucher_add_rendezvous(voucher, place))

	var header *C.ov_header
	if err := try(func(e *C.ov_error) C.ov_status { return C.ov_new_voucher_header(voucher, &header, e) }); err != nil {
		return nil, err
	}
	defer C.ov_header_free(&header)
	var key *C.ov_hmac_secret
	data, size := bytesOf(secret)
	plain(C.ov_hmac_secret_new(data, size, &key))
	defer C.ov_hmac_secret_free(&key)
	var made *C.ov_voucher
	if err := try(func(e *C.ov_error) C.ov_status { return C.ov_header_with_secret(header, key, &made, e) }); err != nil {
		return nil, err
	}
	defer C.ov_voucher_free(&made)
	return slice(C.ov_voucher_bytes(made, C.OV_PART_VOUCHER)), nil
}

func rendezvous() *C.ov_rv_directive {
	var place *C.ov_rv_directive
	plain(C.ov_rv_directive_new(&place))
	host := []byte("rv.example.com")
	plain(C.ov_rv_directive_dns(place, (*C.char)(unsafe.Pointer(&host[0])), C.size_t(len(host))))
	plain(C.ov_rv_directive_set(place, C.OV_RV_SET_DEVICE_PORT, 8443))
	plain(C.ov_rv_directive_set(place, C.OV_RV_SET_PROTOCOL, C.OV_RV_PROTOCOL_HTTPS))
	return place
}

// oursExtend hands a voucher over; Go signs.
func oursExtend(voucher []byte, from signer, to owner, encoding protocol.KeyEncoding, extra map[int][]byte, f facts) ([]byte, error) {
	p := policy(f)
	defer C.ov_policy_free(&p)
	next := nextOwner(to, encoding)
	defer C.ov_next_owner_free(&next)
	var options *C.ov_extend_options
	plain(C.ov_extend_options_new(&options))
	defer C.ov_extend_options_free(&options)
	for label, value := range extra {
		data, size := bytesOf(value)
		plain(C.ov_extend_options_add_extra(options, C.int64_t(label), data, size))
	}
	key := publicKey(from.Public())
	defer C.ov_public_key_free(&key)
	handle := cgo.NewHandle(from)
	defer handle.Delete()
	var extended *C.ov_verified
	data, size := bytesOf(voucher)
	if err := try(func(e *C.ov_error) C.ov_status {
		return C.hand_over(data, size, p, C.uintptr_t(handle), key, next, options, &extended, e)
	}); err != nil {
		return nil, err
	}
	defer C.ov_verified_free(&extended)
	return slice(C.ov_voucher_bytes(C.ov_verified_voucher(extended), C.OV_PART_VOUCHER)), nil
}

// oursBatch is a batch over vouchers that lie in the memory of C, as a caller in C has them.
type oursBatch struct {
	batch    *C.ov_batch
	vouchers []C.ov_slice
	statuses []C.ov_status
}

func newBatch(p *C.ov_policy, vouchers [][]byte) *oursBatch {
	n := len(vouchers)
	b := &oursBatch{
		vouchers: unsafe.Slice((*C.ov_slice)(C.calloc(C.size_t(n), C.sizeof_ov_slice)), n),
		statuses: unsafe.Slice((*C.ov_status)(C.calloc(C.size_t(n), C.sizeof_ov_status)), n),
	}
	for i, v := range vouchers {
		b.vouchers[i] = C.ov_slice{data: (*C.uint8_t)(C.CBytes(v)), len: C.size_t(len(v))}
	}
	plain(C.ov_batch_new(p, &b.batch))
	return b
}

// verify returns how many were refused.
func (b *oursBatch) verify() (refused int) {
	check(try(func(e *C.ov_error) C.ov_status {
		return C.ov_batch_verify(b.batch, &b.vouchers[0], C.size_t(len(b.vouchers)), nil, nil, &b.statuses[0], nil, e)
	}))
	for i := range b.statuses {
		if b.statuses[i] != C.OV_OK {
			refused++
		}
	}
	return refused
}

func (b *oursBatch) free() {
	plain(C.ov_batch_free(&b.batch))
	for _, v := range b.vouchers {
		C.free(unsafe.Pointer(v.data))
	}
	C.free(unsafe.Pointer(&b.vouchers[0]))
	C.free(unsafe.Pointer(&b.statuses[0]))
}

// manufacturersPolicy trusts these SubjectPublicKeyInfos.
func manufacturersPolicy(keys []crypto.PublicKey) *C.ov_policy {
	var p *C.ov_policy
	for _, k := range keys {
		key := publicKey(k)
		if p == nil {
			plain(C.ov_policy_from_manufacturer(key, &p))
		} else {
			plain(C.ov_policy_add_manufacturer(p, key))
		}
		C.ov_public_key_free(&key)
	}
	return p
}
