package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"time"

	fdo "github.com/fido-device-onboard/go-fdo"
	"github.com/fido-device-onboard/go-fdo/cbor"
)

// shipment has the vouchers in test-vectors/shipment whose keys are all for P-256.
func shipment(root string) (vouchers [][]byte, manufacturers []crypto.PublicKey, entries int) {
	for _, path := range must(filepath.Glob(filepath.Join(root, "test-vectors/shipment/*"))) {
		data := must(os.ReadFile(path))
		var all [][]byte
		if filepath.Ext(path) == ".cbor" {
			all = [][]byte{data}
		}
		for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
			all = append(all, block.Bytes)
		}
		for _, voucher := range all {
			ov := new(fdo.Voucher)
			if cbor.Unmarshal(voucher, ov) != nil || ov.VerifyEntries() != nil || ov.VerifyCertChainHash() != nil {
				continue // a dialect that go-fdo does not read
			}
			key, _ := ov.Header.Val.ManufacturerKey.Public()
			if ec, ok := key.(*ecdsa.PublicKey); ok && ec.Curve == elliptic.P256() {
				vouchers = append(vouchers, voucher)
				entries += len(ov.Entries)
			}
		}
	}
	rest := must(os.ReadFile(filepath.Join(root, "test-vectors/shipment-keys/manufacturers.pem")))
	for block, rest := pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
		manufacturers = append(manufacturers, must(x509.ParsePKIXPublicKey(block.Bytes)))
	}
	return vouchers, manufacturers, entries
}

// theirsVerify is what go-fdo has for a voucher without the device's secret: read, manufacturer,
// device chain hash, entries, owner.
func theirsVerify(voucher []byte, manufacturers []crypto.PublicKey) error {
	ov := new(fdo.Voucher)
	if err := cbor.Unmarshal(voucher, ov); err != nil {
		return err
	}
	maker, err := ov.Header.Val.ManufacturerKey.Public()
	if err != nil {
		return err
	}
	for _, m := range manufacturers {
		if m.(interface{ Equal(crypto.PublicKey) bool }).Equal(maker) {
			if err := ov.VerifyCertChainHash(); err != nil {
				return err
			}
			if err := ov.VerifyEntries(); err != nil {
				return err
			}
			_, err := ov.OwnerPublicKey()
			return err
		}
	}
	return fmt.Errorf("another manufacturer")
}

// benchmark prints the median time for one voucher of go-fdo, of ownership-voucher alone and in a
// batch. They take turns, on one thread.
func benchmark(root string, rounds int) {
	runtime.GOMAXPROCS(1)
	vouchers, manufacturers, entries := shipment(root)
	p := manufacturersPolicy(manufacturers)
	fmt.Printf("%d vouchers for P-256 of test-vectors/shipment, %.2f entries each, %s, one thread, medians of %d rounds\n",
		len(vouchers), float64(entries)/float64(len(vouchers)), runtime.Version(), rounds)
	fmt.Println("| vouchers | go-fdo, µs | ov_policy_verify, µs | ratio | ov_batch_verify, µs | ratio |")
	fmt.Println("|---:|---:|---:|---:|---:|---:|")
	for _, count := range []int{1, 10, 100, 10000} {
		var some [][]byte
		for i := range count {
			some = append(some, vouchers[i%len(vouchers)])
		}
		turns := rounds
		if count == 1 {
			turns *= 20
		} else if count == 10000 {
			turns = max(1, rounds/5)
		}
		var times [3][]time.Duration
		for turn := range turns {
			if count < len(vouchers) {
				for i := range some {
					some[i] = vouchers[(turn*count+i)%len(vouchers)]
				}
			}
			// A new batch each time: what it remembers of keys is part of the work.
			batch := newBatch(p, some)
			for which, run := range []func(){
				func() {
					for _, v := range some {
						check(theirsVerify(v, manufacturers))
					}
				},
				func() {
					for _, v := range some {
						check(verify(p, v))
					}
				},
				func() {
					if n := batch.verify(); n > 0 {
						check(fmt.Errorf("%d refused in a batch", n))
					}
				},
			} {
				begun := time.Now()
				run()
				times[which] = append(times[which], time.Since(begun))
			}
			batch.free()
		}
		var each [3]float64
		for which := range times {
			sort.Slice(times[which], func(i, j int) bool { return times[which][i] < times[which][j] })
			each[which] = float64(times[which][len(times[which])/2].Nanoseconds()) / 1000 / float64(count)
		}
		fmt.Printf("| %d | %.1f | %.1f | %.1f | %.1f | %.1f |\n", count, each[0], each[1], each[0]/each[1], each[2], each[0]/each[2])
	}
}
