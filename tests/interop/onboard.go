package main

// Whole onboardings of go-fdo (TO0, TO1, TO2), with ownership-voucher's device listening: it
// judges each message to the device that carries a part of the voucher.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand"

	fdo "github.com/fido-device-onboard/go-fdo"
	"github.com/fido-device-onboard/go-fdo/cbor"
	"github.com/fido-device-onboard/go-fdo/kex"
	"github.com/fido-device-onboard/go-fdo/protocol"
	"github.com/fido-device-onboard/go-fdo/serviceinfo"
)

// transport brings the device's messages to the three services, in clear: encryption would only hide
// from this library's device what it has to judge.
type transport struct {
	servers map[protocol.Protocol]protocol.Responder
	device  *oursDevice
	// change may alter an answer on its way.
	change func(kind uint8, answer []byte) []byte
	last   uint8
}

func (w *transport) Send(ctx context.Context, kind uint8, message any, _ kex.Session) (uint8, io.ReadCloser, error) {
	sent, err := cbor.Marshal(message)
	if err != nil {
		return 0, nil, err
	}
	if kind == protocol.ErrorMsgType {
		return 0, nil, nil
	}
	w.last = kind
	answer, body := w.servers[protocol.Of(kind)].Respond(ctx, kind, bytes.NewReader(sent))
	received, err := cbor.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	if answer == protocol.ErrorMsgType {
		return 0, nil, fmt.Errorf("message %d is answered with an error: %v", kind, body)
	}
	if w.change != nil {
		received = w.change(answer, received)
	}
	switch answer {
	case protocol.TO2ProveOVHdrMsgType:
		w.device.start(sent, received)
	case protocol.TO2OVNextEntryMsgType:
		w.device.entry(received)
	}
	return answer, io.NopCloser(bytes.NewReader(received)), nil
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

// onboard runs TO0, TO1 and TO2 for this owner, and returns the voucher that replaces the old one.
func onboard(t keyType, voucher []byte, holder owner, d device, change func(uint8, []byte) []byte) (replacement []byte, ours, theirs error) {
	s := &service{key: holder.key, voucher: new(fdo.Voucher)}
	if err := cbor.Unmarshal(voucher, s.voucher); err != nil {
		return nil, nil, err
	}
	header := s.voucher.Header.Val
	if header.ManufacturerKey.Encoding == protocol.X5ChainKeyEnc {
		s.chain = holder.chain
	}
	keyHash := sha256.Sum256(parseVoucher(voucher).at(1, 4).encode(nil))
	hash := protocol.Hash{Algorithm: protocol.Sha256Hash, Value: keyHash[:]}
	credential := fdo.DeviceCredential{
		Version: 101, DeviceInfo: header.DeviceInfo, GUID: header.GUID, RvInfo: header.RvInfo, PublicKeyHash: hash,
	}
	w := &transport{change: change, device: &oursDevice{guid: header.GUID[:], keyHash: keyHash[:]}}
	defer w.device.free()
	w.servers = map[protocol.Protocol]protocol.Responder{
		protocol.TO0Protocol: &fdo.TO0Server{Session: s, RVBlobs: s},
		protocol.TO1Protocol: &fdo.TO1Server{Session: s, RVBlobs: s},
		protocol.TO2Protocol: &fdo.TO2Server{
			Session: s, Modules: s, Vouchers: s, OwnerKeys: s,
			RvInfo: func(context.Context, fdo.Voucher) ([][]protocol.RvInstruction, error) {
				return header.RvInfo, nil
			},
			ReuseCredential: func(context.Context, fdo.Voucher) (bool, error) { return false, nil },
			VerifyVoucher:   func(_ context.Context, v fdo.Voucher) error { return v.VerifyEntries() },
		},
	}
	pss := t.fdo == protocol.RsaPssKeyType
	theirs = guarded("onboarding", func() error {
		ctx := context.Background()
		host := "owner.example.com"
		client := &fdo.TO0Client{Vouchers: s, OwnerKeys: s}
		if _, err := client.RegisterBlob(ctx, w, header.GUID, []protocol.RvTO2Addr{
			{DNSAddress: &host, Port: 8043, TransportProtocol: protocol.HTTPTransport},
		}); err != nil {
			return fmt.Errorf("TO0: %w", err)
		}
		to1d, err := fdo.TO1(ctx, w, credential, d.key, &fdo.TO1Options{PSS: pss})
		if err != nil {
			return fmt.Errorf("TO1: %w", err)
		}
		w.device.to1d = must(cbor.Marshal(to1d.Tag()))
		h256, h384 := hmacs(secret)
		_, err = fdo.TO2(ctx, w, to1d, fdo.TO2Config{
			Cred: credential, HmacSha256: h256, HmacSha384: h384, Key: d.key, PSS: pss,
			Devmod:      serviceinfo.Devmod{Os: "linux", Arch: "amd64", Version: "1", Device: "interop", FileSep: ";", Bin: "amd64"},
			KeyExchange: suites[t.name], CipherSuite: kex.A128GcmCipher,
		})
		return err
	})
	ours = w.device.finish(holder.key.Public())
	if change != nil && w.last >= protocol.TO2ProveDeviceMsgType {
		theirs = nil // the device is convinced of its owner: what follows is another matter
	}
	if theirs == nil && s.replaced != nil {
		replacement = must(cbor.Marshal(s.replaced))
	}
	return replacement, ours, theirs
}

// lives onboards devices twice, with a resale between.
func lives(ring keyring) (results []result) {
	for _, t := range keyTypes {
		owners := t.owners(ring)
		for _, encoding := range encodings {
			if t.isRSA() && encoding == protocol.CoseKeyEnc {
				continue
			}
			for _, theirs := range []bool{false, true} {
				r := result{row: t.name + ", " + encodingNames[encoding], column: "made by " + side(theirs)}
				if t.name == "RSAPKCS 2048" {
					r.expected = deviceLabel
				}
				r.err = twice(t, owners, encoding, makeDevice(ring, t.attestation()), theirs)
				r.print()
				results = append(results, r)
			}
		}
	}
	return results
}

var deviceLabel = &exception{
	"go-fdo's owner takes any device with RSA of 2048 bits for RSA2048RESTR, and wants the label of the manufacturer's key",
	"message 60 is answered with an error",
}

// twice has the device made, sold two times and onboarded; and that again with its new voucher. The
// side that did not make the first voucher makes the first entry.
func twice(t keyType, owners [4]owner, encoding protocol.KeyEncoding, d device, theirs bool) (err error) {
	var voucher []byte
	if theirs {
		voucher, err = theirsCreate(t, owners[0], encoding, d, secret)
	} else {
		voucher, err = oursCreate(t, owners[0], encoding, d, []byte("interop-guid-016"), secret)
	}
	if err != nil {
		return err
	}
	maker := owners[0]
	for life := 1; life <= 2; life++ {
		holder := maker
		for hop := range 2 {
			next := owners[1+(life+hop)%3]
			if theirs != (hop == 0) {
				voucher, err = theirsExtend(voucher, holder.key, next, encoding, nil)
			} else {
				voucher, err = oursExtend(voucher, holder.key, next, encoding, nil, facts{secret: secret, manufacturer: maker.key.Public()})
			}
			if err != nil {
				return fmt.Errorf("life %d, entry %d: %w", life, hop, err)
			}
			holder = next
		}
		replacement, ours, theirs := onboard(t, voucher, holder, d, nil)
		if ours != nil || theirs != nil {
			return fmt.Errorf("life %d: ownership-voucher: %v; go-fdo: %v", life, ours, theirs)
		}
		if replacement == nil {
			return fmt.Errorf("life %d: no new voucher", life)
		}
		// This library writes the new owner's key as X509 where go-fdo keeps COSEKEY.
		same, err := oursReplace(voucher, replacement, holder, encoding)
		if err != nil {
			return fmt.Errorf("life %d: ownership-voucher makes no new voucher: %w", life, err)
		}
		if bytes.Equal(same, replacement) != (encoding != protocol.CoseKeyEnc) {
			return fmt.Errorf("life %d: the new vouchers of the two sides are %x and %x", life, same, replacement)
		}
		voucher, maker = replacement, holder
		f := facts{secret: secret, manufacturer: maker.key.Public(), owner: maker.key.Public()}
		if err := errors.Join(oursJudge(voucher, f), theirsJudge(voucher, f)); err != nil {
			return fmt.Errorf("life %d, the new voucher: %w", life, err)
		}
	}
	return nil
}

// flips changes one bit of one message to the device, and compares what the two devices think of it:
// `count` bits, or all of them if that is 0.
func flips(ring keyring, count int, seed int64, wrong bool) bool {
	t := keyTypes[0]
	owners, d := t.owners(ring), makeDevice(ring, "P-256")
	voucher := must(oursCreate(t, owners[0], protocol.X509KeyEnc, d, []byte("interop-guid-016"), secret))
	holder := owners[0]
	for hop := range 2 {
		voucher = must(oursExtend(voucher, holder.key, owners[1+hop], protocol.X509KeyEnc, nil, facts{secret: secret}))
		holder = owners[1+hop]
	}
	// TO2.ProveOVHdr and the two entries, at their real lengths.
	var lengths []int
	_, ours, theirs := onboard(t, voucher, holder, d, func(kind uint8, answer []byte) []byte {
		if kind == protocol.TO2ProveOVHdrMsgType || kind == protocol.TO2OVNextEntryMsgType {
			lengths = append(lengths, len(answer))
		}
		return answer
	})
	check(errors.Join(ours, theirs))
	var bits [][3]int
	for message, length := range lengths {
		for at := range length {
			for bit := range 8 {
				bits = append(bits, [3]int{message, at, bit})
			}
		}
	}
	if count > 0 {
		rand.New(rand.NewSource(seed)).Shuffle(len(bits), func(i, j int) { bits[i], bits[j] = bits[j], bits[i] })
		bits = bits[:min(count, len(bits))]
	}
	accepted, refused, failed := 0, 0, false
	found := map[string]int{}
	for n, where := range bits {
		target, place, bit := where[0], where[1], byte(1)<<where[2]
		seen, around := 0, ""
		_, ours, theirs := onboard(t, voucher, holder, d, func(kind uint8, answer []byte) []byte {
			if kind != protocol.TO2ProveOVHdrMsgType && kind != protocol.TO2OVNextEntryMsgType {
				return answer
			}
			if seen == target {
				place = min(place, len(answer)-1)
				around = fmt.Sprintf("%x", answer[max(0, place-8):min(len(answer), place+9)])
				answer[place] ^= bit
			}
			seen++
			return answer
		})
		if wrong && n == 0 {
			ours, theirs = nil, errors.New("a mismatch on purpose")
		}
		if ours == nil && theirs == nil {
			accepted++
			continue
		}
		if ours != nil && theirs != nil {
			refused++
			continue
		}
		class := fmt.Sprintf("ownership-voucher refuses, %v", ours)
		var named refusal
		if errors.As(ours, &named) {
			class = "ownership-voucher refuses, " + named.name
		} else if ours == nil {
			class = "go-fdo refuses, " + general(theirs)
		}
		found[class]++
		if _, ok := flipClasses[class]; !ok {
			failed = true
			fmt.Printf("FAIL     bit %#x of byte %d (%s) in message %d to the device: %s\n", bit, place, around, target, class)
		}
	}
	fmt.Printf("%d flips in messages to the device: %d accepted by both, %d refused by both\n", len(bits), accepted, refused)
	for class, n := range found {
		fmt.Printf("%8d %s\n", n, class)
	}
	return !failed
}
