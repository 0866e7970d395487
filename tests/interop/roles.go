package main

// ownership-voucher in the three roles of onboarding, through its C interface: each makes the messages
// of its role and judges those that it gets.

/*
#include "ownership_voucher_onboard.h"

extern int32_t interopSign(uintptr_t, int32_t, uint8_t *, size_t, uint8_t *, size_t, size_t *);

static int32_t sign_here(void *user, int32_t algorithm, const uint8_t *message, size_t len,
                         uint8_t *signature, size_t capacity, size_t *signature_len) {
    return interopSign((uintptr_t)user, algorithm, (uint8_t *)message, len, signature, capacity, signature_len);
}

static ov_status sign_message(const ov_unsigned *message, uintptr_t handle, ov_buffer **bytes, ov_error *error) {
    ov_signer signer = {(void *)handle, NULL, sign_here};
    return ov_unsigned_sign(message, &signer, bytes, error);
}
*/
import "C"

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"runtime"
	"runtime/cgo"
	"unsafe"

	"github.com/fido-device-onboard/go-fdo/protocol"
)

func taken(buffer *C.ov_buffer) []byte {
	out := slice(C.ov_buffer_bytes(buffer))
	plain(C.ov_buffer_free(&buffer))
	return out
}

func signed(message *C.ov_unsigned, key signer, pss bool) ([]byte, error) {
	defer C.ov_unsigned_free(&message)
	if pss {
		plain(C.ov_unsigned_use_pss(message))
	}
	handle := cgo.NewHandle(key)
	defer handle.Delete()
	var out *C.ov_buffer
	if err := try(func(e *C.ov_error) C.ov_status {
		return C.sign_message(message, C.uintptr_t(handle), &out, e)
	}); err != nil {
		return nil, err
	}
	return taken(out), nil
}

// digest is an HMAC of the C library, for files without C.
type digest = C.ov_digest

func nonce(b []byte) *C.uint8_t {
	if len(b) != 16 {
		check(fmt.Errorf("a nonce of %d bytes", len(b)))
	}
	return (*C.uint8_t)(unsafe.SliceData(b))
}

func secretKey() (key *C.ov_hmac_secret) {
	data, size := bytesOf(secret)
	plain(C.ov_hmac_secret_new(data, size, &key))
	return key
}

// oursOwner has a voucher, and the new credentials for its device.
type oursOwner struct {
	key         signer
	verified    *C.ov_verified
	replacement *C.ov_replacement
	setupNonce  []byte
}

func newOwner(voucher []byte, holder owner) (*oursOwner, error) {
	p := policy(facts{secret: secret, owner: holder.key.Public()})
	defer C.ov_policy_free(&p)
	o := &oursOwner{key: holder.key}
	data, size := bytesOf(voucher)
	return o, try(func(e *C.ov_error) C.ov_status { return C.ov_policy_verify(p, data, size, &o.verified, e) })
}

// reuse keeps the credentials of the device.
func (o *oursOwner) reuse() { plain(C.ov_replacement_reuse(o.verified, &o.replacement)) }

// replace chooses the new credentials of the device.
func (o *oursOwner) replace(holder owner, encoding protocol.KeyEncoding, guid protocol.GUID) error {
	place := rendezvous()
	defer C.ov_rv_directive_free(&place)
	next := nextOwner(holder, encoding)
	defer C.ov_next_owner_free(&next)
	return try(func(e *C.ov_error) C.ov_status {
		return C.ov_replacement_new(nonce(guid[:]), &place, 1, next, &o.replacement, e)
	})
}

func (o *oursOwner) free() {
	plain(C.ov_replacement_free(&o.replacement))
	plain(C.ov_verified_free(&o.verified))
}

// ownerSign is TO0.OwnerSign.
func (o *oursOwner) ownerSign(serverNonce []byte) ([]byte, error) {
	var to0d, message *C.ov_buffer
	plain(C.ov_verified_to0d(o.verified, 3600, nonce(serverNonce), &to0d))
	request := taken(to0d)
	var pin runtime.Pinner
	defer pin.Unpin()
	host := []byte("owner.example.com")
	pin.Pin(&host[0])
	address := C.ov_owner_address{port: 8043, transport: C.OV_TRANSPORT_HTTP}
	address.dns = C.ov_str{data: (*C.char)(unsafe.Pointer(&host[0])), len: C.size_t(len(host))}
	data, size := bytesOf(request)
	var waiting *C.ov_unsigned
	if err := try(func(e *C.ov_error) C.ov_status {
		return C.ov_verified_to1d(o.verified, &address, 1, data, size, &waiting, e)
	}); err != nil {
		return nil, err
	}
	to1d, err := signed(waiting, o.key, false)
	if err != nil {
		return nil, err
	}
	blob, blobSize := bytesOf(to1d)
	plain(C.ov_owner_sign(data, size, blob, blobSize, &message))
	return taken(message), nil
}

// readHello reads TO2.HelloDevice: what the owner repeats in its answer.
func readHello(message []byte) (proveNonce, sigInfo []byte, err error) {
	data, size := bytesOf(message)
	// What the result points to stays where it is.
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(data)
	var asked [16]C.uint8_t
	var info C.ov_slice
	if err := try(func(e *C.ov_error) C.ov_status {
		return C.ov_hello_device_read(data, size, nil, &asked[0], nil, nil, &info, nil, e)
	}); err != nil {
		return nil, nil, err
	}
	return C.GoBytes(unsafe.Pointer(&asked[0]), 16), slice(info), nil
}

// proveOVHdr is TO2.ProveOVHdr. The key exchange is the one in the answer of go-fdo's owner.
func (o *oursOwner) proveOVHdr(hello, theirs, deviceNonce []byte) ([]byte, error) {
	asked, info, err := readHello(hello)
	if err != nil {
		return nil, err
	}
	exchange, exchangeSize := bytesOf(parseVoucher(theirs).at(2, 5).content())
	sigInfo, sigInfoSize := bytesOf(info)
	data, size := bytesOf(hello)
	var waiting *C.ov_unsigned
	if err := try(func(e *C.ov_error) C.ov_status {
		return C.ov_prove_ov_hdr(o.verified, data, size, nonce(asked), nonce(deviceNonce),
			exchange, exchangeSize, sigInfo, sigInfoSize, 65535, &waiting, e)
	}); err != nil {
		return nil, err
	}
	return signed(waiting, o.key, false)
}

// readRequest is the number in a TO2.GetOVNextEntry.
func readRequest(message []byte) (number byte, err error) {
	data, size := bytesOf(message)
	var asked C.uint8_t
	err = try(func(e *C.ov_error) C.ov_status { return C.ov_get_next_entry_read(data, size, &asked, e) })
	return byte(asked), err
}

func (o *oursOwner) nextEntry(number byte) ([]byte, error) {
	var message *C.ov_buffer
	if err := try(func(e *C.ov_error) C.ov_status {
		return C.ov_next_entry(o.verified, C.uint8_t(number), &message, e)
	}); err != nil {
		return nil, err
	}
	return taken(message), nil
}

// proved judges TO2.ProveDevice.
func (o *oursOwner) proved(message, deviceNonce []byte) error {
	data, size := bytesOf(message)
	var setup [16]C.uint8_t
	err := try(func(e *C.ov_error) C.ov_status {
		return C.ov_prove_device_check(data, size, o.verified, nonce(deviceNonce), nil, &setup[0], e)
	})
	o.setupNonce = C.GoBytes(unsafe.Pointer(&setup[0]), 16)
	return err
}

func (o *oursOwner) setupDevice() ([]byte, error) {
	var waiting *C.ov_unsigned
	if err := try(func(e *C.ov_error) C.ov_status {
		return C.ov_setup_device(o.replacement, o.verified, nonce(o.setupNonce), &waiting, e)
	}); err != nil {
		return nil, err
	}
	return signed(waiting, o.key, false)
}

// readReady reads TO2.DeviceServiceInfoReady. There is no HMAC if the device keeps its credentials.
func readReady(message []byte) (*C.ov_digest, error) {
	data, size := bytesOf(message)
	var kept C.bool
	var hmac C.ov_digest
	err := try(func(e *C.ov_error) C.ov_status {
		return C.ov_device_service_info_ready_read(data, size, &kept, &hmac, nil, e)
	})
	if err != nil || bool(kept) {
		return nil, err
	}
	return &hmac, nil
}

// finish makes the new voucher from the HMAC of the device. There is none if that is nil.
func (o *oursOwner) finish(hmac *C.ov_digest) ([]byte, error) {
	var voucher *C.ov_voucher
	if err := try(func(e *C.ov_error) C.ov_status {
		return C.ov_replacement_finish(o.replacement, o.verified, hmac, &voucher, e)
	}); err != nil {
		return nil, err
	}
	defer C.ov_voucher_free(&voucher)
	if (voucher == nil) != (hmac == nil) {
		return nil, errors.New("a new voucher although the device kept its credentials, or none")
	}
	if voucher == nil {
		return nil, nil
	}
	return slice(C.ov_voucher_bytes(voucher, C.OV_PART_VOUCHER)), nil
}

// checkDone judges TO2.Done.
func (o *oursOwner) checkDone(message, deviceNonce []byte) error {
	data, size := bytesOf(message)
	return try(func(e *C.ov_error) C.ov_status { return C.ov_done_check(data, size, nonce(deviceNonce), e) })
}

// done2 is TO2.Done2.
func (o *oursOwner) done2() []byte {
	var message *C.ov_buffer
	plain(C.ov_done2(nonce(o.setupNonce), &message))
	return taken(message)
}

// checkTo1d judges TO1.RVRedirect by the key of the voucher's owner.
func (o *oursOwner) checkTo1d(message []byte) error {
	data, size := bytesOf(message)
	var to1d *C.ov_to1d
	if err := try(func(e *C.ov_error) C.ov_status { return C.ov_to1d_check(data, size, o.verified, &to1d, e) }); err != nil {
		return err
	}
	defer C.ov_to1d_free(&to1d)
	var address C.ov_owner_address
	plain(C.ov_to1d_address(to1d, 0, &address))
	if host := C.GoStringN(address.dns.data, C.int(address.dns.len)); host != "owner.example.com" || address.port != 8043 {
		return fmt.Errorf("the owner is at %q, port %d", host, address.port)
	}
	return nil
}

// oursRendezvous is a rendezvous server for one device.
type oursRendezvous struct {
	manufacturer crypto.PublicKey
	verified     *C.ov_verified
	seconds      C.uint32_t
	to1d         []byte
}

// register judges TO0.OwnerSign.
func (r *oursRendezvous) register(message, serverNonce []byte) error {
	key := publicKey(r.manufacturer)
	defer C.ov_public_key_free(&key)
	var p *C.ov_policy
	plain(C.ov_policy_from_manufacturer(key, &p))
	defer C.ov_policy_free(&p)
	data, size := bytesOf(message)
	// What the result points to stays where it is.
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(data)
	var to1d C.ov_slice
	err := try(func(e *C.ov_error) C.ov_status {
		return C.ov_registration_check(data, size, p, nonce(serverNonce), &r.verified, &r.seconds, &to1d, e)
	})
	if err == nil {
		r.to1d = slice(to1d)
	}
	return err
}

// proved judges TO1.ProveToRV.
func (r *oursRendezvous) proved(message, serverNonce []byte) error {
	if r.verified == nil {
		return errors.New("nobody has registered")
	}
	data, size := bytesOf(message)
	return try(func(e *C.ov_error) C.ov_status {
		return C.ov_prove_to_rv_check(data, size, r.verified, nonce(serverNonce), e)
	})
}

func (r *oursRendezvous) free() { plain(C.ov_verified_free(&r.verified)) }

// oursDevice is a device. It keeps the first error that it finds in TO2.
type oursDevice struct {
	key        signer
	pss        bool
	credential *C.ov_credential
	verifier   *C.ov_device_verifier
	renewal    *C.ov_renewal
	ownerNonce [16]C.uint8_t
	err        error
}

// newDevice reads a credential that either side has written.
func newDevice(credential []byte, key signer, pss bool) (*oursDevice, error) {
	d := &oursDevice{key: key, pss: pss}
	data, size := bytesOf(credential)
	format := C.int32_t(-1)
	err := try(func(e *C.ov_error) C.ov_status { return C.ov_credential_parse(data, size, &d.credential, &format, e) })
	if err == nil && format != C.OV_CREDENTIAL_GO_FDO {
		err = fmt.Errorf("credential of format %d", format)
	}
	return d, err
}

func (d *oursDevice) info() (info C.ov_credential_info) {
	plain(C.ov_credential_get_info(d.credential, &info))
	return info
}

func (d *oursDevice) public() *C.ov_public_key { return publicKey(d.key.Public()) }

func (d *oursDevice) proveToRV(serverNonce []byte) ([]byte, error) {
	key, info := d.public(), d.info()
	defer C.ov_public_key_free(&key)
	var waiting *C.ov_unsigned
	plain(C.ov_prove_to_rv(&info.guid[0], nonce(serverNonce), key, &waiting))
	return signed(waiting, d.key, d.pss)
}

// hello is TO2.HelloDevice, with the nonce and the names of go-fdo's.
func (d *oursDevice) hello(theirs []byte) ([]byte, error) {
	asked, info := parseVoucher(theirs), d.info()
	suite, suiteLen := bytesOf(asked.at(3).content())
	cipher, _ := asked.at(4).number()
	sigInfo, sigInfoLen := bytesOf(asked.at(5).encode(nil))
	var message *C.ov_buffer
	plain(C.ov_hello_device(&info.guid[0], nonce(asked.at(2).content()), (*C.char)(unsafe.Pointer(suite)), suiteLen,
		C.int64_t(cipher), sigInfo, sigInfoLen, C.uint16_t(asked.at(0).arg), &message))
	ours := taken(message)
	if !bytes.Equal(ours, theirs) {
		return nil, fmt.Errorf("the two sides begin with %x and %x", ours, theirs)
	}
	return ours, nil
}

func getNextEntry(number byte) []byte {
	var message *C.ov_buffer
	plain(C.ov_get_next_entry(C.uint8_t(number), &message))
	return taken(message)
}

// start takes TO2.ProveOVHdr, the answer to TO2.HelloDevice.
func (d *oursDevice) start(hello, message []byte) {
	key, info := secretKey(), d.info()
	defer C.ov_hmac_secret_free(&key)
	asked := nonce(parseVoucher(hello).at(2).content())
	sent, sentLen := bytesOf(hello)
	data, size := bytesOf(message)
	d.err = try(func(e *C.ov_error) C.ov_status {
		return C.ov_device_verifier_start(&info.guid[0], &info.manufacturer_hash, key, nil, nil, sent, sentLen,
			asked, data, size, &d.verifier, e)
	})
}

func (d *oursDevice) entry(message []byte) {
	if d.err != nil {
		return
	}
	data, size := bytesOf(message)
	d.err = try(func(e *C.ov_error) C.ov_status { return C.ov_device_verifier_entry(d.verifier, data, size, e) })
}

// finish is the last check: the owner has proved to be this one. Entries that go-fdo's device did not
// request, because it has given up, are those of the owner.
func (d *oursDevice) finish(o *oursOwner) error {
	if d.err != nil {
		return d.err
	}
	if d.verifier == nil {
		return errors.New("TO2 did not begin")
	}
	var number C.uint8_t
	for d.err == nil && C.ov_device_verifier_next(d.verifier, &number, nil) == C.OV_OK {
		d.entry(must(o.nextEntry(byte(number))))
	}
	if d.err != nil {
		return d.err
	}
	var owner *C.ov_public_key
	if err := try(func(e *C.ov_error) C.ov_status { return C.ov_device_verifier_finish(d.verifier, &owner, nil, e) }); err != nil {
		return err
	}
	defer C.ov_public_key_free(&owner)
	key := publicKey(o.key.Public())
	defer C.ov_public_key_free(&key)
	if !C.ov_public_key_equal(owner, key) {
		return errors.New("another owner")
	}
	return nil
}

func (d *oursDevice) checkTo1d(message []byte) error {
	data, size := bytesOf(message)
	return try(func(e *C.ov_error) C.ov_status { return C.ov_device_verifier_check_to1d(d.verifier, data, size, e) })
}

// proveDevice is TO2.ProveDevice, with the key exchange and the nonce of go-fdo's.
func (d *oursDevice) proveDevice(theirs []byte) ([]byte, error) {
	token := parseVoucher(theirs)
	exchange, exchangeSize := bytesOf(token.at(2).open1().label(-257).at(0).content())
	setup := token.at(1).label(-259).content()
	var owner *C.ov_public_key
	if err := try(func(e *C.ov_error) C.ov_status {
		return C.ov_device_verifier_finish(d.verifier, &owner, &d.ownerNonce[0], e)
	}); err != nil {
		return nil, err
	}
	plain(C.ov_public_key_free(&owner))
	key, info := d.public(), d.info()
	defer C.ov_public_key_free(&key)
	var waiting *C.ov_unsigned
	plain(C.ov_prove_device(&info.guid[0], &d.ownerNonce[0], nonce(setup), exchange, exchangeSize, key, &waiting))
	return signed(waiting, d.key, d.pss)
}

// setup judges TO2.SetupDevice.
func (d *oursDevice) setup(message, setupNonce []byte, reuse bool) error {
	data, size := bytesOf(message)
	if d.verifier == nil {
		return errors.New("TO2 did not begin")
	}
	return try(func(e *C.ov_error) C.ov_status {
		return C.ov_device_verifier_setup(d.verifier, d.credential, data, size, nonce(setupNonce), C.bool(reuse), &d.renewal, e)
	})
}

// replacementHMac is nil if the device keeps its credentials.
func (d *oursDevice) replacementHMac() (*C.ov_digest, error) {
	if d.renewal == nil {
		return nil, nil
	}
	var digest C.ov_digest
	err := try(func(e *C.ov_error) C.ov_status { return C.ov_renewal_hmac(d.renewal, nil, &digest, e) })
	return &digest, err
}

// ready is TO2.DeviceServiceInfoReady, with the size that go-fdo's device accepts.
func (d *oursDevice) ready(hmac *C.ov_digest, theirs *item) []byte {
	var message *C.ov_buffer
	size := C.uint16_t(0)
	if !isNull(theirs.at(1)) {
		size = C.uint16_t(theirs.at(1).arg)
	}
	plain(C.ov_device_service_info_ready(hmac, size, &message))
	return taken(message)
}

// confirms says whether this is the device's HMAC over the new header, under the algorithm that it names.
func (d *oursDevice) confirms(hmac *C.ov_digest) error {
	if (hmac == nil) != (d.renewal == nil) {
		return errors.New("only one device keeps its credentials")
	}
	if d.renewal == nil {
		return nil
	}
	header := C.ov_renewal_header(d.renewal)
	key := secretKey()
	defer C.ov_hmac_secret_free(&key)
	var digest C.ov_digest
	plain(C.ov_hmac_secret_header_hmac(key, hmac.algorithm, header.data, header.len, &digest, nil))
	if digest != *hmac {
		return errors.New("the devices compute different HMACs")
	}
	return nil
}

// done is TO2.Done.
func (d *oursDevice) done() []byte {
	var message *C.ov_buffer
	plain(C.ov_done(&d.ownerNonce[0], &message))
	return taken(message)
}

// checkDone2 judges TO2.Done2.
func (d *oursDevice) checkDone2(message, setupNonce []byte) error {
	data, size := bytesOf(message)
	return try(func(e *C.ov_error) C.ov_status { return C.ov_done2_check(data, size, nonce(setupNonce), e) })
}

// kept is the credential that the device stores after TO2.
func (d *oursDevice) kept() ([]byte, error) {
	if d.renewal == nil {
		return credentialBytes(d.credential)
	}
	var new *C.ov_credential
	plain(C.ov_renewal_credential(d.renewal, &new))
	defer C.ov_credential_free(&new)
	return credentialBytes(new)
}

func (d *oursDevice) free() {
	plain(C.ov_renewal_free(&d.renewal))
	plain(C.ov_device_verifier_free(&d.verifier))
	plain(C.ov_credential_free(&d.credential))
}

func credentialBytes(credential *C.ov_credential) ([]byte, error) {
	var out *C.ov_buffer
	if err := try(func(e *C.ov_error) C.ov_status {
		return C.ov_credential_bytes(credential, C.OV_CREDENTIAL_GO_FDO, &out, e)
	}); err != nil {
		return nil, err
	}
	return taken(out), nil
}

// oursCredential is what the factory leaves in the device of a voucher.
func oursCredential(voucher []byte, key signer) ([]byte, error) {
	data, size := bytesOf(voucher)
	var read *C.ov_voucher
	if err := try(func(e *C.ov_error) C.ov_status { return C.ov_voucher_parse(data, size, nil, &read, e) }); err != nil {
		return nil, err
	}
	defer C.ov_voucher_free(&read)
	var credential *C.ov_credential
	plain(C.ov_credential_of(read, &credential))
	defer C.ov_credential_free(&credential)
	hmac := secretKey()
	defer C.ov_hmac_secret_free(&hmac)
	plain(C.ov_credential_set_secret(credential, hmac))
	der, derSize := bytesOf(must(x509.MarshalPKCS8PrivateKey(key)))
	plain(C.ov_credential_set_key(credential, der, derSize))
	return credentialBytes(credential)
}

// label is the value of a label in a map.
func (it *item) label(wanted int64) *item {
	for i := 0; it != nil && i+1 < len(it.kids); i += 2 {
		if n, ok := it.kids[i].number(); ok && n == wanted {
			return it.kids[i+1]
		}
	}
	return nil
}

func isNull(it *item) bool { return it.major == simple && it.arg == 22 }
