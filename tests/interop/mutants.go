package main

// Vouchers that are valid but for one or two changes, verified by both sides.

import (
	"crypto"
	"crypto/hmac"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"github.com/fido-device-onboard/go-fdo/protocol"
)

// base is a valid voucher of which every key is known.
type base struct {
	tree *item
	keys []signer // who signs which entry
}

// bases are the same bytes in every run: ECDSA and PKCS#1 signatures are deterministic here.
func bases(ring keyring) (all []base) {
	for i, kind := range []struct {
		t        int
		encoding protocol.KeyEncoding
		entries  int
		extra    map[int][]byte
	}{
		{0, protocol.X509KeyEnc, 3, nil},
		{0, protocol.X5ChainKeyEnc, 2, map[int][]byte{-65537: {1, 2, 3}}},
		{0, protocol.CoseKeyEnc, 2, nil},
		{1, protocol.X509KeyEnc, 2, nil},
		{1, protocol.CoseKeyEnc, 1, map[int][]byte{-65538: {4}}},
		{2, protocol.X509KeyEnc, 2, nil},
		{4, protocol.X5ChainKeyEnc, 1, nil},
		{0, protocol.X509KeyEnc, 0, nil},
	} {
		t := keyTypes[kind.t]
		owners := t.owners(ring)
		guid := append([]byte("interop-mutant-"), byte(i))
		voucher := must(oursCreate(t, owners[0], kind.encoding, makeDevice(ring, t.device), guid, secret))
		b := base{}
		holder := owners[0]
		for n := range kind.entries {
			b.keys = append(b.keys, holder.key)
			voucher = must(oursExtend(voucher, holder.key, owners[1+n%3], kind.encoding, kind.extra, facts{secret: secret}))
			holder = owners[1+n%3]
		}
		check(theirsJudge(voucher, facts{secret: secret}))
		b.tree = parseVoucher(voucher)
		all = append(all, b)
	}
	return all
}

var numbers = []int64{0, 1, 2, 3, 5, 6, 10, 11, 14, 100, 101, 102, 200, 255, 256, 65536, -7, -8, -16, -35, -36, -37, -38, -43, -44, -257, -258, -259, 1 << 40, -1 << 40}

// mutate changes one item of the tree and says how, or "" if the change does not apply.
func mutate(r *rand.Rand, root *item) string {
	list := root.all(nil)
	it := list[r.Intn(len(list))]
	it.changed = true
	other := list[r.Intn(len(list))].clone()
	switch op := r.Intn(16); op {
	case 0:
		it.width = []int{1, 2, 4, 8}[r.Intn(4)]
		return "longer head"
	case 1:
		if it.major < byteString || it.major > mapping {
			return ""
		}
		it.open = true
		return "indefinite length"
	case 2:
		*it = *other
		it.changed = true
		return "replaced by another item"
	case 3:
		*it = *[]*item{{major: simple, arg: 22}, {major: simple, arg: 20}, num(0), {major: byteString}, {major: array}, {major: mapping}, {major: textString}}[r.Intn(7)]
		it.changed = true
		return "replaced by an empty value"
	case 4:
		*it = item{major: tag, arg: []uint64{18, 17, 24, 55799}[r.Intn(4)], kids: []*item{it.clone()}, changed: true}
		return "tag added"
	case 5:
		*it = item{major: byteString, inner: it.clone(), changed: true}
		return "wrapped in a byte string"
	case 6:
		if it.inner == nil {
			return ""
		}
		*it = *it.inner
		it.changed = true
		return "byte string unwrapped"
	}
	switch it.major {
	case unsigned, negative:
		n, _ := it.number()
		if r.Intn(2) == 0 {
			n += int64(r.Intn(5) - 2)
		} else {
			n = numbers[r.Intn(len(numbers))]
		}
		width := it.width
		*it = *num(n)
		it.width, it.changed = width, true
		return "another number"
	case byteString, textString:
		b := it.content()
		it.inner = nil
		switch op := r.Intn(5); {
		case op == 0 && len(b) > 0:
			b[r.Intn(len(b))] ^= 1 << r.Intn(8)
		case op == 1 && len(b) > 0:
			b = b[:r.Intn(len(b))]
		case op == 2:
			b = append(b, byte(r.Intn(256)))
		case op == 3 && len(b) > 0:
			b = b[1:]
		default:
			b = append([]byte{0}, b...)
		}
		it.bytes = b
		return "other bytes"
	case array, mapping:
		step := 1
		if it.major == mapping {
			step = 2
		}
		n := len(it.kids) / step
		if n == 0 {
			it.kids = []*item{other, num(1)}
			return "added to an empty one"
		}
		at := r.Intn(n) * step
		group := append([]*item(nil), it.kids[at:at+step]...)
		switch r.Intn(4) {
		case 0:
			it.kids = append(append([]*item(nil), it.kids[:at]...), it.kids[at+step:]...)
			return "an item removed"
		case 1:
			for i := range group {
				group[i] = group[i].clone()
			}
			it.kids = append(append(append([]*item(nil), it.kids[:at]...), group...), it.kids[at:]...)
			return "an item repeated"
		case 2:
			to := r.Intn(n) * step
			for i := range step {
				it.kids[at+i], it.kids[to+i] = it.kids[to+i], it.kids[at+i]
			}
			return "two items exchanged"
		default:
			it.kids = append(it.kids, num(int64(r.Intn(40)-20)))
			if step == 2 {
				it.kids = append(it.kids, other)
			}
			return "an item added"
		}
	case tag:
		if r.Intn(2) == 0 {
			*it = *it.kids[0]
			return "tag removed"
		}
		it.arg = []uint64{17, 24, 98, 55799}[r.Intn(4)]
		return "another tag"
	}
	return ""
}

func hashOf(code *item) crypto.Hash {
	switch n, _ := code.number(); n {
	case -16, 5:
		return crypto.SHA256
	case -43, 6:
		return crypto.SHA384
	}
	return 0
}

// put replaces bytes that no mutation touched.
func put(pair *item, compute func(crypto.Hash) []byte) {
	if pair == nil || len(pair.kids) != 2 || pair.kids[1].changed || pair.kids[1].major != byteString {
		return
	}
	if hash := hashOf(pair.kids[0]); hash != 0 {
		pair.kids[1].inner, pair.kids[1].bytes = nil, compute(hash)
	}
}

func sum(hash crypto.Hash, parts ...[]byte) []byte {
	h := hash.New()
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}

// repair recomputes hashes, HMAC and signatures as far as the shape of the mutant allows, so that
// nothing but the change itself is wrong.
func (b base) repair(root *item) {
	header := root.at(1)
	if header.open1() == nil || header.major != byteString {
		return
	}
	if chain := root.at(3); chain != nil && chain.major == array {
		put(root.at(1, 5), func(hash crypto.Hash) []byte {
			var all [][]byte
			for _, certificate := range chain.kids {
				all = append(all, certificate.content())
			}
			return sum(hash, all...)
		})
	}
	put(root.at(2), func(hash crypto.Hash) []byte {
		mac := hmac.New(hash.New, secret)
		mac.Write(header.content())
		return mac.Sum(nil)
	})
	entries := root.at(4)
	guid, info := root.at(1, 1), root.at(1, 3)
	if entries == nil || guid == nil || info == nil {
		return
	}
	previous := [][]byte{header.content(), root.at(2).encode(nil)}
	for i, entry := range entries.kids {
		put(root.at(4, i, 2, 0), func(hash crypto.Hash) []byte { return sum(hash, previous...) })
		put(root.at(4, i, 2, 1), func(hash crypto.Hash) []byte { return sum(hash, guid.content(), info.content()) })
		protected, payload, signature := root.at(4, i, 0), root.at(4, i, 2), root.at(4, i, 3)
		if i < len(b.keys) && signature != nil && !signature.changed && signature.major == byteString {
			structure := &item{major: array, kids: []*item{
				{major: textString, bytes: []byte("Signature1")},
				{major: byteString, bytes: protected.content()},
				{major: byteString},
				{major: byteString, bytes: payload.content()},
			}}
			algorithm, _ := root.at(4, i, 0, 1).number()
			if s, err := signMessage(b.keys[i], algorithm, structure.encode(nil)); err == nil {
				signature.inner, signature.bytes = nil, s
			}
		}
		previous = [][]byte{entry.encode(nil)}
	}
}

// mutant returns a changed voucher and what was changed.
func (b base) mutant(r *rand.Rand) ([]byte, string) {
	for {
		root := b.tree.clone()
		what := mutate(r, root)
		if r.Intn(4) == 0 {
			if more := mutate(r, root); more != "" && what != "" {
				what += ", " + more
			}
		}
		if what == "" {
			continue
		}
		if r.Intn(10) < 7 {
			b.repair(root)
			what += ", signed again"
		}
		out := root.encode(nil)
		switch r.Intn(60) {
		case 0:
			return append(out, 0), what + ", a byte behind"
		case 1:
			return out[:r.Intn(len(out))], what + ", cut"
		}
		return out, what
	}
}

// classesOf names a disagreement: who refuses, and why. None if both agree. Where go-fdo refuses, its
// messages tell how its reader is built; the reason is what this library noted about the bytes.
func classesOf(voucher []byte, ours, theirs error, f facts) (names []string) {
	var r refusal
	var s stage
	switch {
	case ours == nil && theirs != nil:
		for _, deviation := range deviations(voucher, f) {
			names = append(names, "go-fdo refuses, "+deviation)
		}
		// A certificate that cannot be read leaves the hash unexplained: that is no reason of its own.
		slices.SortStableFunc(names, func(a, b string) int {
			return strings.Count(a, "hash-table") - strings.Count(b, "hash-table")
		})
		if errors.As(theirs, &s) && len(names) == 0 {
			names = []string{"go-fdo refuses without a deviation, " + s.name}
		}
	case errors.As(ours, &r) && theirs == nil:
		names = []string{"ownership-voucher refuses, " + r.name}
	}
	return names
}

// differential judges `count` mutants and returns whether every disagreement is of a known class.
func differential(ring keyring, count int, seed int64, keep string, wrong bool) bool {
	all := bases(ring)
	r := rand.New(rand.NewSource(seed))
	known, panics := map[string]int{}, map[string]int{}
	accepted, refused, failed := 0, 0, false
	f := facts{secret: secret}
	for n := range count {
		voucher, what := all[n%len(all)].mutant(r)
		ours, theirs := oursJudge(voucher, f), theirsJudge(voucher, f)
		if wrong && n == 0 {
			ours, theirs = refusal{name: "a-mismatch-on-purpose", message: ""}, nil
		}
		var p panicked
		if errors.As(theirs, &p) {
			panics[general(theirs)]++
		}
		names := classesOf(voucher, ours, theirs, f)
		switch {
		case len(names) > 0:
			// Of several deviations one is the reason: the first that is known to be one.
			class := names[0]
			for _, name := range slices.Backward(names) {
				if _, ok := classes[name]; ok {
					class = name
				}
			}
			known[class]++
			if _, ok := classes[class]; !ok && known[class] == 1 {
				failed = true
				fmt.Printf("FAIL     mutant %d (%s), a new class: %s\n         ours: %v; go-fdo: %v\n", n, what, class, ours, theirs)
			}
			if keep != "" && known[class] <= 5 {
				check(os.MkdirAll(keep, 0o755))
				check(os.WriteFile(filepath.Join(keep, fmt.Sprintf("%d.cbor", n)), voucher, 0o644))
				fmt.Printf("kept     %d.cbor, %s, %s: ours %v; theirs %v\n", n, class, what, ours, theirs)
			}
		case ours == nil:
			accepted++
		default:
			refused++
		}
	}
	fmt.Printf("%d mutants, seed %d: %d accepted by both, %d refused by both\n", count, seed, accepted, refused)
	for _, list := range []struct {
		title  string
		counts map[string]int
	}{{"differ", known}, {"go-fdo panics, counted", panics}} {
		var names []string
		for name := range list.counts {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			fmt.Printf("%8d %s: %s\n", list.counts[name], list.title, name)
		}
	}
	return !failed
}
