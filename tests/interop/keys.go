package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/fido-device-onboard/go-fdo/protocol"
)

type signer = crypto.Signer

// The published keys of the test vectors: mutants are the same in every run.
type keyring map[string]string

func loadKeys(root string) keyring {
	ring := keyring{}
	check(json.Unmarshal(must(os.ReadFile(filepath.Join(root, "test-vectors/keys.json"))), &ring))
	return ring
}

func (ring keyring) get(name string) signer {
	block, _ := pem.Decode([]byte(ring[name]))
	if block == nil {
		check(fmt.Errorf("test-vectors/keys.json has no key %q", name))
	}
	return must(x509.ParsePKCS8PrivateKey(block.Bytes)).(signer)
}

// owner is a manufacturer or an owner: a key, and the certificates that X5CHAIN carries.
type owner struct {
	key   signer
	chain []*x509.Certificate
}

// device has what the factory put into it.
type device struct {
	key   signer
	chain []*x509.Certificate
}

// keyType is one row of the matrix.
type keyType struct {
	name   string
	fdo    protocol.KeyType
	keys   [4]string // manufacturer, and three owners who take turns
	device string    // of the same strength
}

var keyTypes = []keyType{
	{"SECP256R1", protocol.Secp256r1KeyType, family("p256", "p256-owner-c"), "P-256"},
	{"SECP384R1", protocol.Secp384r1KeyType, family("p384", "p384-owner-c"), "P-384"},
	{"RSA2048RESTR", protocol.Rsa2048RestrKeyType, family("rsa2048", "rsa2048-owner-c"), "P-256"},
	{"RSAPKCS 2048", protocol.RsaPkcsKeyType, family("rsa2048", "rsa2048-owner-c"), "P-256"},
	{"RSAPKCS 3072", protocol.RsaPkcsKeyType, family("rsa3072", "rsa3072-grove-maker"), "P-384"},
	{"RSAPSS 2048", protocol.RsaPssKeyType, family("rsa2048", "rsa2048-owner-c"), "P-256"},
	{"RSAPSS 3072", protocol.RsaPssKeyType, family("rsa3072", "rsa3072-grove-maker"), "P-384"},
}

func family(kind, third string) [4]string {
	return [4]string{kind + "-maker", kind + "-owner-a", kind + "-owner-b", third}
}

var deviceKeys = map[string]string{
	"P-256": "p256-device-alder-0001", "P-384": "p384-device-maker-0001",
	"RSA 2048": "rsa2048-device-maker-0001", "RSA 3072": "rsa3072-grove-maker",
}

func (t keyType) isRSA() bool { return t.fdo < protocol.Secp256r1KeyType }

// owners has the manufacturer first.
func (t keyType) owners(ring keyring) (all [4]owner) {
	for i, name := range t.keys {
		key := ring.get(name)
		all[i] = owner{key, certify(key, name, ring.get("p256-owner-ca-owner-1"))}
	}
	return all
}

func makeDevice(ring keyring, kind string) device {
	key := ring.get(deviceKeys[kind])
	return device{key, certify(key, "device", ring.get("p256-device-ca-maker"))}
}

// certify gives a key a certificate and that of its authority, the same bytes in every run.
func certify(key signer, name string, authority signer) []*x509.Certificate {
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Interop CA"},
		NotBefore: time.Unix(1735689600, 0), NotAfter: time.Unix(4102444800, 0),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
	}
	rootCert := must(x509.ParseCertificate(must(x509.CreateCertificate(nil, root, root, authority.Public(), authority))))
	serial := sha256.Sum256([]byte(name))
	leaf := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial[1:9]), Subject: pkix.Name{CommonName: name},
		NotBefore: root.NotBefore, NotAfter: root.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der := must(x509.CreateCertificate(nil, leaf, rootCert, key.Public(), authority))
	return []*x509.Certificate{must(x509.ParseCertificate(der)), rootCert}
}

// signMessage signs under a COSE algorithm. ECDSA signatures are r and s concatenated, and the same
// in every run.
func signMessage(key signer, algorithm int64, message []byte) ([]byte, error) {
	hash := crypto.SHA256
	if algorithm == -35 || algorithm == -258 || algorithm == -38 {
		hash = crypto.SHA384
	}
	h := hash.New()
	h.Write(message)
	digest := h.Sum(nil)
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		der, err := key.Sign(nil, digest, hash)
		if err != nil {
			return nil, err
		}
		var parts struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(der, &parts); err != nil {
			return nil, err
		}
		size := (key.Params().BitSize + 7) / 8
		return append(parts.R.FillBytes(make([]byte, size)), parts.S.FillBytes(make([]byte, size))...), nil
	case *rsa.PrivateKey:
		if algorithm == -37 || algorithm == -38 {
			return rsa.SignPSS(rand.Reader, key, hash, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
		return rsa.SignPKCS1v15(nil, key, hash, digest)
	}
	return nil, fmt.Errorf("no signatures with a %T", key)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(2)
	}
}

func must[T any](value T, err error) T {
	check(err)
	return value
}
