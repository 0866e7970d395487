package main

// Whole onboardings (TO0, TO1, TO2). go-fdo has transport, key exchange and service info; each role's
// messages come from either side, and ownership-voucher judges all of them on their way.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	fdo "github.com/fido-device-onboard/go-fdo"
	"github.com/fido-device-onboard/go-fdo/blob"
	"github.com/fido-device-onboard/go-fdo/cbor"
	"github.com/fido-device-onboard/go-fdo/kex"
	"github.com/fido-device-onboard/go-fdo/protocol"
	"github.com/fido-device-onboard/go-fdo/serviceinfo"
)

// roles are true where ownership-voucher has the role, and false where go-fdo has it.
type roles struct{ owner, rendezvous, device bool }

// transport brings messages to go-fdo's servers, in clear: encryption would only hide from this library
// what it has to judge. It is told which messages to replace.
type transport struct {
	onboarding
	servers map[protocol.Protocol]protocol.Responder
	state   *service
	mine    *oursOwner
	server  *oursRendezvous
	unit    *oursDevice
	// change may alter a message on its way.
	change     func(kind uint8, message []byte) []byte
	setupNonce []byte
	to1d       []byte
	hmac       *digest
	last       uint8
	// judged has what ownership-voucher found in messages but those of the voucher, in TO2, which its
	// device keeps.
	judged map[uint8]error
}

func (w *transport) Send(ctx context.Context, kind uint8, message any, _ kex.Session) (uint8, io.ReadCloser, error) {
	sent, err := cbor.Marshal(message)
	if err != nil || kind == protocol.ErrorMsgType {
		return 0, nil, err
	}
	w.last = kind
	if sent, err = w.request(kind, sent); err != nil {
		return 0, nil, fmt.Errorf("ownership-voucher makes no message %d: %w", kind, err)
	}
	made := bytes.Clone(sent)
	if w.change != nil {
		sent = w.change(kind, sent)
	}
	w.judge(kind, sent)
	answer, received, err := w.answer(ctx, kind, sent)
	if err != nil {
		return 0, nil, fmt.Errorf("message %d is answered with an error: %w", kind, err)
	}
	if w.change != nil {
		received = w.change(answer, received)
	}
	switch answer {
	case protocol.TO1RVRedirectMsgType:
		w.to1d = received
		w.judged[answer] = w.mine.checkTo1d(received)
	case protocol.TO2ProveOVHdrMsgType:
		w.unit.start(made, received)
	case protocol.TO2OVNextEntryMsgType:
		w.unit.entry(received)
	case protocol.TO2SetupDeviceMsgType:
		w.judged[answer] = w.unit.setup(received, w.setupNonce, w.reuse)
	case protocol.TO2Done2MsgType:
		w.judged[answer] = w.unit.checkDone2(received, w.setupNonce)
	}
	return answer, io.NopCloser(bytes.NewReader(received)), nil
}

// request puts ownership-voucher's message in the place of go-fdo's, where it has the role.
func (w *transport) request(kind uint8, theirs []byte) ([]byte, error) {
	switch kind {
	case protocol.TO0OwnerSignMsgType:
		if w.owner {
			return w.mine.ownerSign(w.state.nonces[0][:])
		}
	case protocol.TO1ProveToRVMsgType:
		if w.roles.device {
			return w.unit.proveToRV(w.state.nonces[1][:])
		}
	case protocol.TO2HelloDeviceMsgType:
		if w.roles.device {
			return w.unit.hello(theirs)
		}
	case protocol.TO2GetOVNextEntryMsgType:
		if w.roles.device {
			return getNextEntry(byte(parseVoucher(theirs).at(0).arg)), nil
		}
	case protocol.TO2ProveDeviceMsgType:
		w.setupNonce = bytes.Clone(parseVoucher(theirs).at(1).label(-259).content())
		if w.roles.device {
			return w.unit.proveDevice(theirs)
		}
	case protocol.TO2DeviceServiceInfoReadyMsgType:
		return w.ready(theirs)
	case protocol.TO2DoneMsgType:
		if w.roles.device {
			return w.unit.done(), nil
		}
	}
	return theirs, nil
}

// ready is TO2.DeviceServiceInfoReady: the two devices have to compute the same HMAC over the same header.
func (w *transport) ready(theirs []byte) ([]byte, error) {
	if w.judged[protocol.TO2SetupDeviceMsgType] != nil {
		return theirs, nil
	}
	wanted, err := readReady(theirs)
	if err != nil {
		return nil, err
	}
	if err := w.unit.confirms(wanted); err != nil {
		w.judged[protocol.TO2DeviceServiceInfoReadyMsgType] = err
	}
	hmac, err := w.unit.replacementHMac()
	if err != nil {
		return nil, err
	}
	ours := w.unit.ready(hmac, parseVoucher(theirs))
	if !bytes.Equal(ours, theirs) {
		return nil, fmt.Errorf("the two devices are ready with %x and %x", ours, theirs)
	}
	return ours, nil // the same bytes, whoever has the role
}

func (w *transport) judge(kind uint8, sent []byte) {
	switch kind {
	case protocol.TO0OwnerSignMsgType:
		w.judged[kind] = w.server.register(sent, w.state.nonces[0][:])
	case protocol.TO1ProveToRVMsgType:
		w.judged[kind] = w.server.proved(sent, w.state.nonces[1][:])
	case protocol.TO2ProveDeviceMsgType:
		w.judged[kind] = w.mine.proved(sent, w.state.nonces[2][:])
	case protocol.TO2HelloDeviceMsgType:
		_, _, w.judged[kind] = readHello(sent)
	case protocol.TO2GetOVNextEntryMsgType:
		number, err := readRequest(sent)
		if err == nil {
			_, err = w.mine.nextEntry(number)
		}
		if err != nil {
			w.judged[kind] = err
		}
	case protocol.TO2DeviceServiceInfoReadyMsgType:
		var err error
		if w.hmac, err = readReady(sent); err != nil {
			w.judged[kind] = err
		}
	case protocol.TO2DoneMsgType:
		w.judged[kind] = w.mine.checkDone(sent, w.state.nonces[2][:])
	}
}

func (w *transport) answer(ctx context.Context, kind uint8, sent []byte) (uint8, []byte, error) {
	if w.rendezvous && protocol.Of(kind) != protocol.TO2Protocol {
		return w.redirect(kind, sent)
	}
	answer, body := w.servers[protocol.Of(kind)].Respond(ctx, kind, bytes.NewReader(sent))
	if answer == protocol.ErrorMsgType {
		return 0, nil, fmt.Errorf("%v", body)
	}
	received, err := cbor.Marshal(body)
	if err != nil || !w.owner {
		return answer, received, err
	}
	switch kind {
	case protocol.TO2HelloDeviceMsgType:
		received, err = w.mine.proveOVHdr(sent, received, w.state.nonces[2][:])
	case protocol.TO2GetOVNextEntryMsgType:
		var number byte
		if number, err = readRequest(sent); err == nil {
			received, err = w.mine.nextEntry(number)
		}
	case protocol.TO2ProveDeviceMsgType:
		if err = w.judged[kind]; err == nil {
			err = w.replacement(w.guid)
		}
		if err == nil {
			received, err = w.mine.setupDevice()
		}
	case protocol.TO2DoneMsgType:
		received = w.mine.done2()
	}
	return answer, received, err
}

// replacement has ownership-voucher's owner choose what go-fdo's is to keep too.
func (w *transport) replacement(guid protocol.GUID) error {
	if w.reuse {
		w.mine.reuse()
		return nil
	}
	w.state.newGUID = guid
	return w.mine.replace(w.holder, w.encoding, guid)
}

// redirect is ownership-voucher's rendezvous server.
func (w *transport) redirect(kind uint8, sent []byte) (uint8, []byte, error) {
	array := func(kids ...any) []byte { return must(cbor.Marshal(kids)) }
	switch kind {
	case protocol.TO0HelloMsgType:
		w.state.nonces[0] = protocol.Nonce{0xa0, 1}
		return kind + 1, array(w.state.nonces[0]), nil
	case protocol.TO0OwnerSignMsgType:
		return kind + 1, array(uint32(w.server.seconds)), w.judged[kind]
	case protocol.TO1HelloRVMsgType:
		w.state.nonces[1] = protocol.Nonce{0xa1, 1}
		return kind + 1, array(w.state.nonces[1], cbor.RawBytes(parseVoucher(sent).at(1).encode(nil))), nil
	}
	return kind + 1, w.server.to1d, w.judged[kind]
}

var suites = map[string]kex.Suite{
	"SECP256R1": kex.ECDH256Suite, "SECP384R1": kex.ECDH384Suite,
	"RSA2048RESTR": kex.DHKEXid14Suite, "RSAPKCS 2048": kex.ASYMKEX2048Suite, "RSAPKCS 3072": kex.ASYMKEX3072Suite,
	"RSAPSS 2048": kex.DHKEXid14Suite, "RSAPSS 3072": kex.DHKEXid15Suite,
}

// attestation is the kind of device that go-fdo's owner wants for a kind of owner.
func (t keyType) attestation() string {
	switch {
	case !t.isRSA():
		return t.device
	case t.device == "P-256":
		return "RSA 2048"
	}
	return "RSA 3072"
}

// onboarding is one device and its owner before TO0.
type onboarding struct {
	roles
	t            keyType
	encoding     protocol.KeyEncoding
	voucher      []byte
	manufacturer signer
	holder       owner
	device       device
	credential   []byte // as a device stores it
	guid         protocol.GUID
	reuse        bool  // the device keeps its credentials
	question     uint8 // the kind of message that ownership-voucher's verdict is about, or 0
}

// outcome is what is left after TO2, or why there is nothing.
type outcome struct {
	voucher, credential []byte
	ours, theirs        error
	last                uint8 // message of go-fdo's clients
}

func (o onboarding) run(change func(uint8, []byte) []byte) (out outcome, err error) {
	s := &service{key: o.holder.key, voucher: new(fdo.Voucher)}
	var stored blob.DeviceCredential
	if err := errors.Join(cbor.Unmarshal(o.voucher, s.voucher), cbor.Unmarshal(o.credential, &stored)); err != nil {
		return out, err
	}
	header := s.voucher.Header.Val
	if o.encoding == protocol.X5ChainKeyEnc {
		s.chain = o.holder.chain
	}
	pss := o.t.fdo == protocol.RsaPssKeyType
	w := &transport{onboarding: o, state: s, change: change, judged: map[uint8]error{}}
	if w.mine, err = newOwner(o.voucher, o.holder); err != nil {
		return out, err
	}
	defer w.mine.free()
	w.server = &oursRendezvous{manufacturer: o.manufacturer.Public()}
	defer w.server.free()
	if w.unit, err = newDevice(o.credential, o.device.key, pss); err != nil {
		return out, err
	}
	defer w.unit.free()
	w.servers = map[protocol.Protocol]protocol.Responder{
		protocol.TO0Protocol: &fdo.TO0Server{Session: s, RVBlobs: s},
		protocol.TO1Protocol: &fdo.TO1Server{Session: s, RVBlobs: s},
		protocol.TO2Protocol: &fdo.TO2Server{
			Session: s, Modules: s, Vouchers: s, OwnerKeys: s,
			RvInfo: func(context.Context, fdo.Voucher) ([][]protocol.RvInstruction, error) {
				return header.RvInfo, nil
			},
			ReuseCredential: func(context.Context, fdo.Voucher) (bool, error) { return o.reuse, nil },
			VerifyVoucher:   func(_ context.Context, v fdo.Voucher) error { return v.VerifyEntries() },
		},
	}
	var kept *fdo.DeviceCredential
	out.theirs = guarded("onboarding", func() (err error) {
		ctx := context.Background()
		host := "owner.example.com"
		client := &fdo.TO0Client{Vouchers: s, OwnerKeys: s}
		if _, err := client.RegisterBlob(ctx, w, header.GUID, []protocol.RvTO2Addr{
			{DNSAddress: &host, Port: 8043, TransportProtocol: protocol.HTTPTransport},
		}); err != nil {
			return fmt.Errorf("TO0: %w", err)
		}
		to1d, err := fdo.TO1(ctx, w, stored.DeviceCredential, stored.PrivateKey, &fdo.TO1Options{PSS: pss})
		if err != nil {
			return fmt.Errorf("TO1: %w", err)
		}
		h256, h384 := stored.HMACs()
		kept, err = fdo.TO2(ctx, w, to1d, fdo.TO2Config{
			Cred: stored.DeviceCredential, HmacSha256: h256, HmacSha384: h384, Key: stored.PrivateKey, PSS: pss,
			Devmod:      serviceinfo.Devmod{Os: "linux", Arch: "amd64", Version: "1", Device: "interop", FileSep: ";", Bin: "amd64"},
			KeyExchange: suites[o.t.name], CipherSuite: kex.A128GcmCipher, AllowCredentialReuse: o.reuse,
		})
		return err
	})
	out.last = w.last
	if out.ours = w.verdict(o.question); out.ours != nil || out.theirs != nil {
		return out, nil
	}
	return out, out.settle(w, stored, kept)
}

// verdict is what ownership-voucher says about messages of this kind, or about all.
func (w *transport) verdict(kind uint8) error {
	switch kind {
	case protocol.TO2ProveOVHdrMsgType, protocol.TO2OVNextEntryMsgType:
		return w.unit.finish(w.mine)
	case protocol.TO2HelloDeviceMsgType, protocol.TO2GetOVNextEntryMsgType: // noticed by the answer
		return errors.Join(w.judged[kind], w.unit.finish(w.mine))
	case protocol.TO2ProveDeviceMsgType: // its nonce comes back in TO2.SetupDevice
		return errors.Join(w.judged[kind], w.judged[protocol.TO2SetupDeviceMsgType])
	case protocol.TO2SetupDeviceMsgType:
		return errors.Join(w.judged[kind], w.judged[protocol.TO2DeviceServiceInfoReadyMsgType])
	case 0:
		var all []error
		for kind, err := range w.judged {
			if err != nil {
				all = append(all, fmt.Errorf("message %d: %w", kind, err))
			}
		}
		err := w.unit.finish(w.mine)
		if err == nil {
			err = w.unit.checkTo1d(w.to1d)
		}
		return errors.Join(errors.Join(all...), err)
	}
	return w.judged[kind]
}

// settle compares what the two sides keep: owners a voucher, devices a credential.
func (out *outcome) settle(w *transport, stored blob.DeviceCredential, kept *fdo.DeviceCredential) error {
	// go-fdo's device answers with no credential if it keeps the old one.
	if (w.state.replaced == nil) != w.reuse || (kept == nil) != w.reuse {
		return errors.New("no new voucher, or one for old credentials")
	}
	var theirs []byte
	if !w.reuse {
		theirs = must(cbor.Marshal(w.state.replaced))
	}
	if !w.owner {
		if err := w.replacement(w.state.newGUID); err != nil {
			return err
		}
	}
	ours, err := w.mine.finish(w.hmac)
	if err != nil {
		return fmt.Errorf("ownership-voucher makes no new voucher: %w", err)
	}
	if !bytes.Equal(ours, theirs) {
		return fmt.Errorf("the new vouchers of the two sides are %x and %x", ours, theirs)
	}
	if kept != nil {
		stored.DeviceCredential = *kept
	}
	theirsKept := must(cbor.Marshal(stored))
	oursKept, err := w.unit.kept()
	if err != nil {
		return err
	}
	if !bytes.Equal(oursKept, theirsKept) {
		return fmt.Errorf("the new credentials of the two sides are %x and %x", oursKept, theirsKept)
	}
	if w.reuse && !bytes.Equal(oursKept, w.credential) {
		return errors.New("the devices change a credential that they keep")
	}
	if out.voucher, out.credential = ours, theirsKept; w.roles.device {
		out.credential = oursKept
	}
	return nil
}
