package main

// The state of go-fdo's owner service and rendezvous server, for one device, in memory.

import (
	"context"
	"crypto"
	"crypto/x509"
	"time"

	fdo "github.com/fido-device-onboard/go-fdo"
	"github.com/fido-device-onboard/go-fdo/cbor"
	"github.com/fido-device-onboard/go-fdo/cose"
	"github.com/fido-device-onboard/go-fdo/kex"
	"github.com/fido-device-onboard/go-fdo/protocol"
	"github.com/fido-device-onboard/go-fdo/serviceinfo"
)

type service struct {
	key       crypto.Signer
	chain     []*x509.Certificate
	voucher   *fdo.Voucher
	blob      *cose.Sign1[protocol.To1d, []byte]
	guid      protocol.GUID
	rv        [][]protocol.RvInstruction
	newGUID   protocol.GUID
	newHmac   protocol.Hmac
	suite     kex.Suite
	session   []byte
	nonces    [4]protocol.Nonce
	mtu       uint16
	devmod    serviceinfo.Devmod
	modules   []string
	described bool
	// replaced is set when the device has new credentials.
	replaced *fdo.Voucher
}

func (s *service) SetGUID(_ context.Context, g protocol.GUID) error { s.guid = g; return nil }
func (s *service) GUID(context.Context) (protocol.GUID, error)      { return s.guid, nil }
func (s *service) SetRvInfo(_ context.Context, rv [][]protocol.RvInstruction) error {
	s.rv = rv
	return nil
}
func (s *service) RvInfo(context.Context) ([][]protocol.RvInstruction, error) { return s.rv, nil }
func (s *service) SetReplacementGUID(_ context.Context, g protocol.GUID) error {
	s.newGUID = g
	return nil
}
func (s *service) ReplacementGUID(context.Context) (protocol.GUID, error) { return s.newGUID, nil }
func (s *service) SetReplacementHmac(_ context.Context, h protocol.Hmac) error {
	s.newHmac = h
	return nil
}
func (s *service) ReplacementHmac(context.Context) (protocol.Hmac, error) {
	if s.newHmac.Value == nil {
		return s.newHmac, fdo.ErrNotFound // the device keeps its credentials
	}
	return s.newHmac, nil
}

// What SetXSession gets is valid during the call only.
func (s *service) SetXSession(_ context.Context, suite kex.Suite, session kex.Session) (err error) {
	s.suite = suite
	s.session, err = cbor.Marshal(session)
	return err
}
func (s *service) XSession(context.Context) (kex.Suite, kex.Session, error) {
	session := s.suite.New(nil, kex.A128GcmCipher)
	return s.suite, session, cbor.Unmarshal(s.session, &session)
}

func (s *service) SetTO0SignNonce(_ context.Context, n protocol.Nonce) error {
	s.nonces[0] = n
	return nil
}
func (s *service) TO0SignNonce(context.Context) (protocol.Nonce, error) { return s.nonces[0], nil }
func (s *service) SetTO1ProofNonce(_ context.Context, n protocol.Nonce) error {
	s.nonces[1] = n
	return nil
}
func (s *service) TO1ProofNonce(context.Context) (protocol.Nonce, error) { return s.nonces[1], nil }
func (s *service) SetProveDeviceNonce(_ context.Context, n protocol.Nonce) error {
	s.nonces[2] = n
	return nil
}
func (s *service) ProveDeviceNonce(context.Context) (protocol.Nonce, error) { return s.nonces[2], nil }
func (s *service) SetSetupDeviceNonce(_ context.Context, n protocol.Nonce) error {
	s.nonces[3] = n
	return nil
}
func (s *service) SetupDeviceNonce(context.Context) (protocol.Nonce, error) { return s.nonces[3], nil }

func (s *service) SetMTU(_ context.Context, mtu uint16) error { s.mtu = mtu; return nil }
func (s *service) MTU(context.Context) (uint16, error)        { return s.mtu, nil }
func (s *service) SetDevmod(_ context.Context, d serviceinfo.Devmod, modules []string, complete bool) error {
	s.devmod, s.modules, s.described = d, modules, complete
	return nil
}
func (s *service) Devmod(context.Context) (serviceinfo.Devmod, []string, bool, error) {
	return s.devmod, s.modules, s.described, nil
}

func (s *service) OwnerKey(context.Context, protocol.KeyType, int) (crypto.Signer, []*x509.Certificate, error) {
	return s.key, s.chain, nil
}
func (s *service) AddVoucher(_ context.Context, ov *fdo.Voucher) error { s.voucher = ov; return nil }
func (s *service) Voucher(context.Context, protocol.GUID) (*fdo.Voucher, error) {
	return s.voucher, nil
}
func (s *service) ReplaceVoucher(_ context.Context, _ protocol.GUID, ov *fdo.Voucher) error {
	s.replaced = ov
	return nil
}
func (s *service) SetRVBlob(_ context.Context, _ *fdo.Voucher, blob *cose.Sign1[protocol.To1d, []byte], _ time.Time) error {
	s.blob = blob
	return nil
}
func (s *service) RVBlob(context.Context, protocol.GUID) (*cose.Sign1[protocol.To1d, []byte], *fdo.Voucher, error) {
	return s.blob, s.voucher, nil
}

// No modules: what an owner installs on its device is no matter of vouchers.
func (s *service) Module(context.Context) (string, serviceinfo.OwnerModule, error) {
	return "", nil, fdo.ErrNotFound
}
func (s *service) NextModule(context.Context) (bool, error) { return false, nil }
func (s *service) CleanupModules(context.Context)           {}
