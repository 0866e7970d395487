package main

// go-fdo.

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	fdo "github.com/fido-device-onboard/go-fdo"
	"github.com/fido-device-onboard/go-fdo/cbor"
	"github.com/fido-device-onboard/go-fdo/kex"
	"github.com/fido-device-onboard/go-fdo/protocol"
)

// panicked is go-fdo's answer where it panics instead.
type panicked struct{ what string }

func (p panicked) Error() string { return "panic: " + p.what }

// stage is an error of go-fdo, and the check that it comes from.
type stage struct {
	name string
	err  error
}

func (s stage) Error() string { return s.name + ": " + s.err.Error() }
func (s stage) Unwrap() error { return s.err }

func guarded(name string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = stage{name, panicked{fmt.Sprint(p)}}
		}
	}()
	if err := f(); err != nil {
		return stage{name, err}
	}
	return nil
}

func hmacs(secret []byte) (hash.Hash, hash.Hash) {
	return hmac.New(sha256.New, secret), hmac.New(sha512.New384, secret)
}

// theirsJudge runs every check that go-fdo has for what is known; the first that fails is the answer.
func theirsJudge(voucher []byte, f facts) error {
	ov := new(fdo.Voucher)
	checks := []struct {
		name string
		run  func() error
	}{
		{"parse", func() error { return cbor.Unmarshal(voucher, ov) }},
		{"header", func() error { return ov.VerifyHeader(hmacs(f.secret)) }},
		{"chain hash", ov.VerifyCertChainHash},
		{"entries", ov.VerifyEntries},
		{"owner", func() error { return sameKey(ov.OwnerPublicKey, f.owner) }},
		{"manufacturer", func() error { return sameKey(ov.Header.Val.ManufacturerKey.Public, f.manufacturer) }},
		{"manufacturer hash", func() error {
			if f.keyHash == nil {
				return nil
			}
			return ov.VerifyManufacturerKey(protocol.Hash{Algorithm: protocol.Sha256Hash, Value: f.keyHash})
		}},
		{"device chain", func() error {
			if f.deviceCA == nil {
				return nil
			}
			roots := x509.NewCertPool()
			roots.AddCert(f.deviceCA)
			return ov.VerifyDeviceCertChain(roots)
		}},
	}
	for _, c := range checks {
		if err := guarded(c.name, c.run); err != nil {
			return err
		}
	}
	return nil
}

// theirsSame says whether go-fdo writes what it read byte for byte.
func theirsSame(voucher []byte) error {
	return guarded("same bytes", func() error {
		ov := new(fdo.Voucher)
		if err := cbor.Unmarshal(voucher, ov); err != nil {
			return err
		}
		if again, err := cbor.Marshal(ov); err != nil || !bytes.Equal(again, voucher) {
			return errors.Join(err, errors.New("it is written differently"))
		}
		return nil
	})
}

func sameKey(found func() (crypto.PublicKey, error), expected crypto.PublicKey) error {
	key, err := found()
	if err != nil || expected == nil {
		return err
	}
	if !expected.(interface{ Equal(crypto.PublicKey) bool }).Equal(key) {
		return errors.New("another key")
	}
	return nil
}

func theirsKey(t keyType, o owner, encoding protocol.KeyEncoding) (*protocol.PublicKey, error) {
	if encoding == protocol.X5ChainKeyEnc {
		return protocol.NewPublicKey(t.fdo, o.chain, false)
	}
	switch key := o.key.Public().(type) {
	case *ecdsa.PublicKey:
		return protocol.NewPublicKey(t.fdo, key, encoding == protocol.CoseKeyEnc)
	case *rsa.PublicKey:
		return protocol.NewPublicKey(t.fdo, key, encoding == protocol.CoseKeyEnc)
	}
	return nil, fmt.Errorf("no FDO key of %T", o.key)
}

// factory is go-fdo's server of DI and its state, for one device.
type factory struct {
	fdo.VoucherPersistentState
	server  *fdo.DIServer[struct{}]
	chain   []*x509.Certificate
	header  *fdo.VoucherHeader
	voucher *fdo.Voucher
}

func (f *factory) SetDeviceCertChain(_ context.Context, c []*x509.Certificate) error {
	f.chain = c
	return nil
}
func (f *factory) DeviceCertChain(context.Context) ([]*x509.Certificate, error) { return f.chain, nil }
func (f *factory) SetIncompleteVoucherHeader(_ context.Context, h *fdo.VoucherHeader) error {
	f.header = h
	return nil
}
func (f *factory) IncompleteVoucherHeader(context.Context) (*fdo.VoucherHeader, error) {
	return f.header, nil
}
func (f *factory) AddVoucher(_ context.Context, ov *fdo.Voucher) error {
	f.voucher = ov
	return nil
}

// Send makes the factory the device's transport: everything passes as bytes.
func (f *factory) Send(ctx context.Context, kind uint8, message any, _ kex.Session) (uint8, io.ReadCloser, error) {
	sent, err := cbor.Marshal(message)
	if err != nil {
		return 0, nil, err
	}
	answer, body := f.server.Respond(ctx, kind, bytes.NewReader(sent))
	received, err := cbor.Marshal(body)
	return answer, io.NopCloser(bytes.NewReader(received)), err
}

// theirsCreate runs DI between go-fdo's device and go-fdo's factory.
func theirsCreate(t keyType, maker owner, encoding protocol.KeyEncoding, d device, secret []byte) (voucher []byte, err error) {
	key, err := theirsKey(t, maker, encoding)
	if err != nil {
		return nil, err
	}
	encode := func(v any) []byte { return must(cbor.Marshal(v)) }
	f := &factory{}
	f.server = &fdo.DIServer[struct{}]{
		Session: f, Vouchers: f,
		SignDeviceCertificate: func(*struct{}) ([]*x509.Certificate, error) { return d.chain, nil },
		DeviceInfo: func(context.Context, *struct{}, []*x509.Certificate) (string, protocol.PublicKey, error) {
			return "interop", *key, nil
		},
		RvInfo: func(context.Context, *fdo.Voucher) ([][]protocol.RvInstruction, error) {
			return [][]protocol.RvInstruction{{
				{Variable: protocol.RVDns, Value: encode("rv.example.com")},
				{Variable: protocol.RVDevPort, Value: encode(8443)},
				{Variable: protocol.RVProtocol, Value: encode(protocol.RVProtHTTPS)},
			}}, nil
		},
	}
	h256, h384 := hmacs(secret)
	err = guarded("DI", func() error {
		_, err := fdo.DI(context.Background(), f, nil, fdo.DIConfig{HmacSha256: h256, HmacSha384: h384, Key: d.key})
		if err == nil {
			voucher, err = cbor.Marshal(f.voucher)
		}
		return err
	})
	return voucher, err
}

func theirsExtend(voucher []byte, from signer, to owner, encoding protocol.KeyEncoding, extra map[int][]byte) (extended []byte, err error) {
	err = guarded("extend", func() error {
		ov := new(fdo.Voucher)
		if err := cbor.Unmarshal(voucher, ov); err != nil {
			return err
		}
		var next *fdo.Voucher
		var err error
		if encoding == protocol.X5ChainKeyEnc {
			next, err = fdo.ExtendVoucher(ov, from, to.chain, extra)
		} else if key, ok := to.key.Public().(*rsa.PublicKey); ok {
			next, err = fdo.ExtendVoucher(ov, from, key, extra)
		} else {
			next, err = fdo.ExtendVoucher(ov, from, to.key.Public().(*ecdsa.PublicKey), extra)
		}
		if err == nil {
			extended, err = cbor.Marshal(next)
		}
		return err
	})
	return extended, err
}

// digits are cut out of go-fdo's errors, so that a class does not depend on where a mutant was changed.
func general(err error) string {
	text := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return '#'
		}
		return r
	}, err.Error())
	for strings.Contains(text, "##") {
		text = strings.ReplaceAll(text, "##", "#")
	}
	return text
}
