package main

// Devices that live twice, with each role of onboarding in either hand; and changed bits.

import (
	"errors"
	"fmt"
	"math/rand"
	"strings"

	"github.com/fido-device-onboard/go-fdo/blob"
	"github.com/fido-device-onboard/go-fdo/cbor"
	"github.com/fido-device-onboard/go-fdo/protocol"
)

// String has a letter for owner, rendezvous server and device: O is ownership-voucher, G go-fdo.
func (r roles) String() (s string) {
	for _, ours := range []bool{r.owner, r.rendezvous, r.device} {
		s += map[bool]string{true: "O", false: "G"}[ours]
	}
	return s
}

func allRoles() (all []roles) {
	for n := range 8 {
		all = append(all, roles{n&4 != 0, n&2 != 0, n&1 != 0})
	}
	return all
}

// lives onboards devices twice, with a resale between. With `wrong`, one bit of TO2.SetupDevice is changed
// in the first case.
func lives(ring keyring, wrong bool) (results []result) {
	for _, t := range keyTypes {
		owners := t.owners(ring)
		for _, encoding := range encodings {
			if t.isRSA() && encoding == protocol.CoseKeyEnc {
				continue
			}
			for _, hands := range allRoles() {
				r := result{row: t.name + ", " + encodingNames[encoding], column: hands.String()}
				if t.name == "RSAPKCS 2048" {
					r.expected = deviceLabel
				}
				r.err = twice(t, owners, encoding, makeDevice(ring, t.attestation()), hands, wrong)
				r.print()
				results = append(results, r)
				if wrong {
					return results
				}
			}
		}
	}
	return results
}

var deviceLabel = &exception{
	"go-fdo's owner takes any device with RSA of 2048 bits for RSA2048RESTR, and requires the label of the manufacturer's key",
	"message 60 is answered with an error",
}

// twice has the device made by the side that is not the owner's, sold two times and onboarded; and that
// again with its new voucher and credential. The two sides take turns in selling.
func twice(t keyType, owners [4]owner, encoding protocol.KeyEncoding, d device, hands roles, wrong bool) (err error) {
	var voucher, credential []byte
	if hands.owner {
		voucher, err = theirsCreate(t, owners[0], encoding, d, secret)
	} else {
		voucher, err = oursCreate(t, owners[0], encoding, d, []byte("interop-guid-016"), secret)
	}
	if err != nil {
		return err
	}
	if credential, err = firstCredential(voucher, d, hands.device); err != nil {
		return err
	}
	maker := owners[0]
	for life := 1; life <= 2; life++ {
		holder := maker
		for hop := range 2 {
			next := owners[1+(life+hop)%3]
			if hands.owner != (hop == 0) {
				voucher, err = theirsExtend(voucher, holder.key, next, encoding, nil)
			} else {
				voucher, err = oursExtend(voucher, holder.key, next, encoding, nil, facts{secret: secret, manufacturer: maker.key.Public()})
			}
			if err != nil {
				return fmt.Errorf("life %d, entry %d: %w", life, hop, err)
			}
			holder = next
		}
		var change func(uint8, []byte) []byte
		if wrong {
			change = func(kind uint8, message []byte) []byte {
				if kind == protocol.TO2SetupDeviceMsgType {
					message[len(message)-1] ^= 1
				}
				return message
			}
		}
		// First with credential reuse, which leaves everything as it is.
		o := onboarding{
			roles: hands, t: t, encoding: encoding, voucher: voucher, manufacturer: maker.key, holder: holder,
			device: d, credential: credential, guid: protocol.GUID{0x17, byte(life), 1}, reuse: true,
		}
		if _, err := o.complete(nil); err != nil {
			return fmt.Errorf("life %d, credential reuse: %w", life, err)
		}
		o.reuse = false
		out, err := o.complete(change)
		if err != nil {
			return fmt.Errorf("life %d: %w", life, err)
		}
		voucher, credential, maker = out.voucher, out.credential, holder
		f := facts{secret: secret, manufacturer: maker.key.Public(), owner: maker.key.Public()}
		if err := errors.Join(oursJudge(voucher, f), theirsJudge(voucher, f)); err != nil {
			return fmt.Errorf("life %d, the new voucher: %w", life, err)
		}
	}
	return nil
}

// complete is an onboarding that succeeds.
func (o onboarding) complete(change func(uint8, []byte) []byte) (outcome, error) {
	out, err := o.run(change)
	return out, errors.Join(err, labelled("ownership-voucher", out.ours), labelled("go-fdo", out.theirs))
}

func labelled(side string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", side, err)
}

// firstCredential is what the factory leaves in a device. Both sides have to write the same.
func firstCredential(voucher []byte, d device, ours bool) ([]byte, error) {
	written, err := oursCredential(voucher, d.key)
	if err != nil {
		return nil, err
	}
	var read blob.DeviceCredential
	if err := cbor.Unmarshal(written, &read); err != nil {
		return nil, fmt.Errorf("go-fdo does not read the credential: %w", err)
	}
	again := must(cbor.Marshal(read))
	if string(again) != string(written) {
		return nil, fmt.Errorf("go-fdo writes the credential %x as %x", written, again)
	}
	if ours {
		return written, nil
	}
	return again, nil
}

// flipKinds are the messages whose bits are changed, and the message after which go-fdo has accepted
// them.
var flipKinds = map[uint8]struct {
	name  string
	until uint8
}{
	protocol.TO2HelloDeviceMsgType:            {"TO2.HelloDevice", protocol.TO2GetOVNextEntryMsgType},
	protocol.TO2GetOVNextEntryMsgType:         {"TO2.GetOVNextEntry", protocol.TO2ProveDeviceMsgType},
	protocol.TO2DeviceServiceInfoReadyMsgType: {"TO2.DeviceServiceInfoReady", protocol.TO2DeviceServiceInfoMsgType},
	protocol.TO2DoneMsgType:                   {"TO2.Done", protocol.ErrorMsgType},
	protocol.TO2Done2MsgType:                  {"TO2.Done2", protocol.ErrorMsgType},
	protocol.TO0OwnerSignMsgType:              {"TO0.OwnerSign", protocol.TO1HelloRVMsgType},
	protocol.TO1ProveToRVMsgType:              {"TO1.ProveToRV", protocol.TO2HelloDeviceMsgType},
	protocol.TO1RVRedirectMsgType:             {"TO1.RVRedirect", protocol.TO2ProveDeviceMsgType},
	protocol.TO2ProveOVHdrMsgType:             {"TO2.ProveOVHdr", protocol.TO2ProveDeviceMsgType},
	protocol.TO2OVNextEntryMsgType:            {"TO2.OVNextEntry", protocol.TO2ProveDeviceMsgType},
	protocol.TO2ProveDeviceMsgType:            {"TO2.ProveDevice", protocol.TO2DeviceServiceInfoReadyMsgType},
	protocol.TO2SetupDeviceMsgType:            {"TO2.SetupDevice", protocol.TO2DeviceServiceInfoReadyMsgType},
}

// flips changes one bit of one message, and compares what the two sides think of it: `count` bits, or
// all of them if that is 0.
func flips(ring keyring, count int, seed int64, wrong bool) bool {
	t := keyTypes[0]
	owners, d := t.owners(ring), makeDevice(ring, "P-256")
	voucher := must(oursCreate(t, owners[0], protocol.X509KeyEnc, d, []byte("interop-guid-016"), secret))
	holder := owners[0]
	for hop := range 2 {
		voucher = must(oursExtend(voucher, holder.key, owners[1+hop], protocol.X509KeyEnc, nil, facts{secret: secret}))
		holder = owners[1+hop]
	}
	base := onboarding{
		t: t, encoding: protocol.X509KeyEnc, voucher: voucher, manufacturer: owners[0].key, holder: holder,
		device: d, credential: must(oursCredential(voucher, d.key)), guid: protocol.GUID{0x17, 1, 1},
	}
	type place struct {
		number, at, bit int
		kind            uint8
	}
	var places []place
	number := 0
	out, err := base.run(func(kind uint8, message []byte) []byte {
		if _, ok := flipKinds[kind]; ok {
			for at := range message {
				for bit := range 8 {
					places = append(places, place{number, at, bit, kind})
				}
			}
			number++
		}
		return message
	})
	check(errors.Join(err, out.ours, out.theirs))
	if count > 0 {
		rand.New(rand.NewSource(seed)).Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
		places = places[:min(count, len(places))]
	}
	accepted, refused, failed := 0, 0, false
	found, crashes := map[string]int{}, map[string]int{}
	for n, p := range places {
		seen, around := 0, ""
		base.question = p.kind
		out, err := base.run(func(kind uint8, message []byte) []byte {
			if _, ok := flipKinds[kind]; !ok {
				return message
			}
			if seen == p.number {
				at := min(p.at, len(message)-1)
				around = fmt.Sprintf("%x", message[max(0, at-8):min(len(message), at+9)])
				message[at] ^= 1 << p.bit
			}
			seen++
			return message
		})
		named := flipKinds[p.kind]
		ours, theirs := out.ours, out.theirs
		if out.last >= named.until {
			theirs = nil // what follows is another matter
		}
		if ours == nil && theirs == nil && out.theirs == nil {
			check(err)
		}
		if wrong && n == 0 {
			ours, theirs = nil, errors.New("a mismatch on purpose")
		}
		if ours == nil && theirs == nil {
			accepted++
			if p.kind != protocol.TO2ProveOVHdrMsgType && p.kind != protocol.TO2DeviceServiceInfoReadyMsgType {
				failed = true
				fmt.Printf("FAIL     bit %d of byte %d in message %d: nobody noticed\n", p.bit, p.at, p.kind)
			}
			continue
		}
		if theirs != nil && strings.Contains(theirs.Error(), "panic:") {
			crashes[named.name]++
		}
		if ours != nil && theirs != nil {
			refused++
			continue
		}
		class := fmt.Sprintf("%s: ownership-voucher refuses, %v", named.name, ours)
		var reason refusal
		if errors.As(ours, &reason) {
			if reason.malformed {
				reason.name = "malformed" // which fault it is depends on random bytes behind it
			}
			class = named.name + ": ownership-voucher refuses, " + reason.name
		} else if ours == nil {
			class = named.name + ": go-fdo refuses, " + general(theirs)
		}
		found[class]++
		if _, ok := flipClasses[class]; !ok {
			failed = true
			fmt.Printf("FAIL     bit %d of byte %d (%s) in message %d: %s\n", p.bit, p.at, around, p.kind, class)
		}
	}
	for class := range flipClasses {
		if count == 0 && !wrong && found[class] == 0 {
			failed = true
			fmt.Printf("FAIL     no longer seen: %s\n", class)
		}
	}
	fmt.Printf("%d flips in messages: %d accepted by both, %d refused by both\n", len(places), accepted, refused)
	for class, n := range found {
		fmt.Printf("%8d %s\n", n, class)
	}
	for name, n := range crashes {
		fmt.Printf("%8d go-fdo panics, counted: %s\n", n, name)
	}
	return !failed
}
