package main

// A voucher as a tree of CBOR items that can be written wrongly in every way.

import (
	"encoding/binary"
	"errors"
)

const (
	unsigned = iota
	negative
	byteString
	textString
	array
	mapping
	tag
	simple
)

type item struct {
	major byte
	arg   uint64  // number, tag or simple value
	bytes []byte  // of a string
	inner *item   // what a byte string holds, if that is an item
	kids  []*item // of an array, a map (key, value, key…) or a tag

	width   int  // bytes of the argument where it is not the shortest form: 1, 2, 4 or 8
	open    bool // of indefinite length
	changed bool // by a mutation: a repair leaves it alone
}

var errCBOR = errors.New("not the CBOR of a base voucher")

// parseItem reads what both sides write: shortest forms of definite length.
func parseItem(b []byte) (*item, []byte, error) {
	if len(b) == 0 {
		return nil, nil, errCBOR
	}
	it := &item{major: b[0] >> 5, arg: uint64(b[0] & 31)}
	b = b[1:]
	if it.arg >= 24 {
		size := 1 << (it.arg - 24)
		if it.arg > 27 || len(b) < size {
			return nil, nil, errCBOR
		}
		wide := make([]byte, 8)
		copy(wide[8-size:], b)
		it.arg, b = binary.BigEndian.Uint64(wide), b[size:]
	}
	count := uint64(0)
	switch it.major {
	case byteString, textString:
		if uint64(len(b)) < it.arg {
			return nil, nil, errCBOR
		}
		it.bytes, b = b[:it.arg:it.arg], b[it.arg:]
		if it.major == byteString && it.arg > 0 && (it.bytes[0]>>5 == array || it.bytes[0]>>5 == mapping) {
			if inner, rest, err := parseItem(it.bytes); err == nil && len(rest) == 0 {
				it.inner = inner
			}
		}
		return it, b, nil
	case array:
		count = it.arg
	case mapping:
		count = 2 * it.arg
	case tag:
		count = 1
	default:
		return it, b, nil
	}
	if count > uint64(len(b)) {
		return nil, nil, errCBOR
	}
	for range count {
		var kid *item
		var err error
		if kid, b, err = parseItem(b); err != nil {
			return nil, nil, err
		}
		it.kids = append(it.kids, kid)
	}
	return it, b, nil
}

func parseVoucher(b []byte) *item {
	it, rest, err := parseItem(b)
	if err != nil || len(rest) != 0 {
		check(errCBOR)
	}
	return it
}

func (it *item) content() []byte {
	if it.inner != nil {
		return it.inner.encode(nil)
	}
	return it.bytes
}

func (it *item) encode(out []byte) []byte {
	n := it.arg
	var body []byte
	switch it.major {
	case byteString, textString:
		body = it.content()
		n = uint64(len(body))
	case array:
		n = uint64(len(it.kids))
	case mapping:
		n = uint64(len(it.kids) / 2)
	}
	if !it.open {
		out = append(head(out, it.major, n, it.width), body...)
	} else {
		out = append(out, it.major<<5|31)
		if body != nil {
			out = append(head(out, it.major, n, 0), body...)
		}
	}
	for _, kid := range it.kids {
		out = kid.encode(out)
	}
	if it.open {
		out = append(out, 0xff)
	}
	return out
}

func head(out []byte, major byte, n uint64, width int) []byte {
	for _, least := range []struct {
		width int
		limit uint64
	}{{1, 1 << 8}, {2, 1 << 16}, {4, 1 << 32}, {8, 0}} {
		if n < 24 && width == 0 {
			return append(out, major<<5|byte(n))
		}
		if width <= least.width && (n < least.limit || least.limit == 0) {
			code := map[int]byte{1: 24, 2: 25, 4: 26, 8: 27}[least.width]
			wide := binary.BigEndian.AppendUint64(nil, n)
			return append(append(out, major<<5|code), wide[8-least.width:]...)
		}
	}
	return out
}

func (it *item) clone() *item {
	if it == nil {
		return nil
	}
	c := *it
	c.bytes = append([]byte(nil), it.bytes...)
	c.inner = it.inner.clone()
	c.kids = make([]*item, len(it.kids))
	for i, kid := range it.kids {
		c.kids[i] = kid.clone()
	}
	return &c
}

// at follows numbers of children; byte strings and tags that hold an item are passed by themselves.
func (it *item) at(path ...int) *item {
	for _, i := range path {
		it = it.open1()
		if it == nil || i >= len(it.kids) {
			return nil
		}
		it = it.kids[i]
	}
	return it
}

func (it *item) open1() *item {
	for it != nil {
		switch {
		case it.major == byteString && it.inner != nil:
			it = it.inner
		case it.major == tag && len(it.kids) == 1:
			it = it.kids[0]
		default:
			return it
		}
	}
	return nil
}

// all lists the items of a tree, those inside of byte strings too.
func (it *item) all(list []*item) []*item {
	list = append(list, it)
	if it.inner != nil {
		list = it.inner.all(list)
	}
	for _, kid := range it.kids {
		list = kid.all(list)
	}
	return list
}

func (it *item) number() (int64, bool) {
	switch {
	case it == nil || it.arg > 1<<62:
	case it.major == unsigned:
		return int64(it.arg), true
	case it.major == negative:
		return -1 - int64(it.arg), true
	}
	return 0, false
}

func num(n int64) *item {
	if n < 0 {
		return &item{major: negative, arg: uint64(-1 - n)}
	}
	return &item{major: unsigned, arg: uint64(n)}
}

func entryCount(voucher []byte) int {
	if entries := parseVoucher(voucher).at(4); entries != nil {
		return len(entries.kids)
	}
	return 0
}
