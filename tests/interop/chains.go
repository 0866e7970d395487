package main

import (
	"crypto/sha256"
	"fmt"
	"runtime"
	"strings"

	"github.com/fido-device-onboard/go-fdo/protocol"
)

var secret = []byte("interop, a secret of 48 bytes for both hashes...")

var encodings = []protocol.KeyEncoding{protocol.X509KeyEnc, protocol.X5ChainKeyEnc, protocol.CoseKeyEnc}

var encodingNames = map[protocol.KeyEncoding]string{
	protocol.X509KeyEnc: "X509", protocol.X5ChainKeyEnc: "X5CHAIN", protocol.CoseKeyEnc: "COSEKEY",
}

var extras = map[int][]byte{-65537: {0}, -70000: {0xff, 0xee}, -4294967297: []byte(strings.Repeat("x", 40))}

// journey is one voucher from the factory over `hops` hand-overs, by the two sides in turn.
type journey struct {
	t        keyType
	encoding protocol.KeyEncoding
	device   device
	theirs   bool // go-fdo makes the voucher
	first    bool // go-fdo makes the first hand-over
	extra    map[int][]byte
	hops     int
	// seed is the hop at which one hash is changed before anybody judges, or -1.
	seed int
}

// judge asks both sides about everything that is known.
func (j journey) judge(voucher []byte, maker, holder owner) error {
	keyHash := sha256.Sum256(parseVoucher(voucher).at(1, 4).encode(nil))
	f := facts{secret, maker.key.Public(), holder.key.Public(), keyHash[:], j.device.chain[1]}
	if err := oursJudge(voucher, f); err != nil {
		return fmt.Errorf("ownership-voucher refuses: %w", err)
	}
	if err := theirsJudge(voucher, f); err != nil {
		return fmt.Errorf("go-fdo refuses: %w", err)
	}
	return theirsSame(voucher)
}

// run returns what went wrong first.
func (j journey) run(owners [4]owner) error {
	guid := []byte("interop-guid-016")
	var voucher []byte
	var err error
	if j.theirs {
		voucher, err = theirsCreate(j.t, owners[0], j.encoding, j.device, secret)
	} else {
		voucher, err = oursCreate(j.t, owners[0], j.encoding, j.device, guid, secret)
	}
	if err != nil {
		return fmt.Errorf("%s cannot make it: %w", side(j.theirs), err)
	}
	holder := owners[0]
	for hop := 0; ; hop++ {
		if hop == j.seed {
			voucher = flipHash(voucher)
		}
		// Of 255 states of one voucher, every tenth is enough.
		if hop <= 16 || hop%10 == 0 || hop == j.hops {
			if err := j.judge(voucher, owners[0], holder); err != nil {
				return fmt.Errorf("after %d entries %w", hop, err)
			}
		}
		if hop == j.hops {
			return nil
		}
		next := owners[1+hop%3]
		theirs := j.first == (hop%2 == 0)
		if hop > 16 {
			theirs = hop%10 != 0 // ours verifies the whole chain before and after each hand-over
		}
		if theirs {
			voucher, err = theirsExtend(voucher, holder.key, next, j.encoding, j.extra)
		} else {
			f := facts{secret: secret, manufacturer: owners[0].key.Public(), owner: holder.key.Public()}
			voucher, err = oursExtend(voucher, holder.key, next, j.encoding, j.extra, f)
		}
		if err != nil {
			return fmt.Errorf("%s cannot make entry %d: %w", side(theirs), hop, err)
		}
		holder = next
	}
}

func side(theirs bool) string {
	if theirs {
		return "go-fdo"
	}
	return "ownership-voucher"
}

// flipHash changes one bit of the last entry's hash of its predecessor, or of the HMAC.
func flipHash(voucher []byte) []byte {
	tree := parseVoucher(voucher)
	hash := tree.at(2, 1)
	if n := len(tree.at(4).kids); n > 0 {
		hash = tree.at(4, n-1, 2, 0, 1)
	}
	hash.bytes[0] ^= 1
	return tree.encode(nil)
}

// result is one line of the report.
type result struct {
	row, column string
	err         error
	// expected is the reason for which the case is known to fail. It must fail, with this in the error.
	expected *exception
}

type exception struct{ reason, message string }

func (r result) good() bool {
	if r.err == nil || r.expected == nil {
		return r.err == nil && r.expected == nil
	}
	return strings.Contains(r.err.Error(), r.expected.message)
}

func (r result) print() {
	name := r.row + ", " + r.column
	switch {
	case r.good() && r.err == nil:
		fmt.Println("pass    ", name)
	case r.err == nil:
		fmt.Println("FAIL    ", name, "- it is a named exception, and passes now")
	case r.good():
		fmt.Println("refused ", name, "-", r.err)
	default:
		fmt.Println("FAIL    ", name, "-", r.err)
	}
}

var rsaAsCOSE = &exception{"neither side writes an RSA key as COSE_Key", "cannot make it"}

// trip is a journey with its place in the report.
type trip struct {
	result
	journey journey
}

// travel runs journeys on every core and prints their results in order.
func travel(ring keyring, trips []trip) (results []result) {
	done := make([]chan result, len(trips))
	tickets := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, t := range trips {
		done[i] = make(chan result, 1)
		go func() {
			tickets <- struct{}{}
			t.err = t.journey.run(t.journey.t.owners(ring))
			<-tickets
			done[i] <- t.result
		}()
	}
	for _, one := range done {
		r := <-one
		r.print()
		results = append(results, r)
	}
	return results
}

func matrix(ring keyring, hops int, seed bool) []result {
	var trips []trip
	at := -1
	if seed {
		at = hops / 2
	}
	for _, t := range keyTypes {
		for _, encoding := range encodings {
			for _, theirs := range []bool{false, true} {
				for _, extra := range []map[int][]byte{nil, extras} {
					r := result{row: t.name + ", " + encodingNames[encoding], column: "made by " + side(theirs)}
					if extra != nil {
						r.column += ", with OVEExtra"
					}
					if t.isRSA() && encoding == protocol.CoseKeyEnc {
						r.expected = rsaAsCOSE
					}
					trips = append(trips, trip{r, journey{t, encoding, makeDevice(ring, t.device), theirs, !theirs, extra, hops, at}})
					at = -1
				}
			}
		}
	}
	return travel(ring, trips)
}

// lengths goes through other numbers of entries, for each kind of elliptic curve key.
func lengths(ring keyring, counts []int) []result {
	var trips []trip
	for _, n := range counts {
		for _, t := range keyTypes[:3] {
			for _, theirs := range []bool{false, true} {
				r := result{row: fmt.Sprintf("%s, %d", t.name, n), column: "made by " + side(theirs)}
				trips = append(trips, trip{r, journey{t, protocol.X509KeyEnc, makeDevice(ring, t.device), theirs, theirs, nil, n, -1}})
			}
		}
	}
	return travel(ring, trips)
}

// unequal goes through devices and owners of different strength.
func unequal(ring keyring) []result {
	var trips []trip
	for _, t := range []keyType{keyTypes[0], keyTypes[1], keyTypes[2], keyTypes[4]} {
		for _, kind := range []string{"P-256", "P-384", "RSA 2048", "RSA 3072"} {
			for _, theirs := range []bool{false, true} {
				for _, first := range []bool{false, true} {
					r := result{
						row:    t.name + ", device of " + kind,
						column: fmt.Sprintf("made by %s, first entry by %s", side(theirs), side(first)),
					}
					if !theirs && !first {
						r.expected = ownEntryRefused[t.name+" "+kind]
					}
					trips = append(trips, trip{r, journey{t, protocol.X509KeyEnc, makeDevice(ring, kind), theirs, first, nil, 6, -1}})
				}
			}
		}
	}
	return travel(ring, trips)
}

var weakerHash = &exception{
	"go-fdo chooses the hash of its entry by device and owner, whatever the voucher used so far, and then refuses its own entry, because the hash is not that of the first entry",
	"after 2 entries go-fdo refuses: entries: cryptographic verification failed: voucher entry payload 0 header hash was computed with",
}

// ownEntryRefused names the pairs of owner and device in which ownership-voucher makes the voucher
// and its first entry, and go-fdo refuses the entry that it then adds itself.
var ownEntryRefused = map[string]*exception{
	"SECP256R1 P-384":    weakerHash,
	"SECP384R1 P-256":    weakerHash,
	"SECP384R1 RSA 2048": weakerHash,
	"RSA2048RESTR P-384": weakerHash,
}
