package main

// go-fdo's own client test suite (DI, TO0, TO1, TO2, resale) over a store in which ownership-voucher makes
// the entry of each voucher that has one.

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"testing"

	fdo "github.com/fido-device-onboard/go-fdo"
	"github.com/fido-device-onboard/go-fdo/cbor"
	"github.com/fido-device-onboard/go-fdo/custom"
	"github.com/fido-device-onboard/go-fdo/fdotest"
	"github.com/fido-device-onboard/go-fdo/protocol"
)

// state is what the suite's own store has.
type state interface {
	fdo.OwnerVoucherPersistentState
	fdo.OwnerKeyPersistentState
	ManufacturerKey(context.Context, protocol.KeyType, int) (crypto.Signer, []*x509.Certificate, error)
}

type store struct {
	state
	extended int
}

func (s *store) AddVoucher(ctx context.Context, ov *fdo.Voucher) error {
	if len(ov.Entries) == 0 {
		return s.state.AddVoucher(ctx, ov)
	}
	ours, err := s.again(ctx, ov)
	if err != nil {
		return fmt.Errorf("ownership-voucher: %w", err)
	}
	s.extended++
	return s.state.AddVoucher(ctx, ours)
}

// again makes the only entry of a voucher anew.
func (s *store) again(ctx context.Context, ov *fdo.Voucher) (*fdo.Voucher, error) {
	key := ov.Header.Val.ManufacturerKey
	holder, _, err := s.ManufacturerKey(ctx, key.Type, key.RsaBits())
	if err != nil {
		return nil, err
	}
	// After a resale the owner is the maker.
	next, _, err := s.OwnerKey(ctx, key.Type, key.RsaBits())
	if err != nil {
		return nil, err
	}
	maker, err := key.Public()
	if err != nil {
		return nil, err
	}
	if !maker.(interface{ Equal(crypto.PublicKey) bool }).Equal(holder.Public()) {
		holder = next
	}
	bare := *ov
	bare.Entries = nil
	voucher, err := oursExtend(must(cbor.Marshal(bare)), holder, owner{key: next}, protocol.X509KeyEnc, nil, facts{})
	if err != nil {
		return nil, err
	}
	if os.Getenv("INTEROP_MISMATCH") != "" {
		voucher[len(voucher)-1] ^= 1 // the suite must fail
	}
	ours := new(fdo.Voucher)
	if err := cbor.Unmarshal(voucher, ours); err != nil {
		return nil, err
	}
	if len(ours.Entries) != len(ov.Entries) {
		return nil, errors.New("another number of entries")
	}
	return ours, nil
}

func TestClientSuite(t *testing.T) {
	s := &store{}
	fdotest.RunClientTestSuite(t, fdotest.Config{
		NoDebug: true,
		NewTransport: func(t *testing.T, tokens protocol.TokenService, di, to0, to1, to2 protocol.Responder) fdo.Transport {
			w := &fdotest.Transport{
				T: t, Tokens: tokens, DIResponder: di.(*fdo.DIServer[custom.DeviceMfgInfo]),
				TO0Responder: to0.(*fdo.TO0Server), TO1Responder: to1.(*fdo.TO1Server), TO2Responder: to2.(*fdo.TO2Server),
			}
			s.state = w.TO2Responder.Vouchers.(state)
			w.DIResponder.Vouchers, w.TO2Responder.Vouchers = s, s
			return w
		},
	})
	// Of four kinds of keys: in the factory one of the first kind and two of the others, for go-fdo goes on
	// extending there; and two of each after onboarding.
	if want := 15; s.extended != want {
		t.Errorf("%d entries instead of %d", s.extended, want)
	}
}
