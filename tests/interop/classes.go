package main

// classes are the known disagreements on mutants: who is right, and why. Where go-fdo refuses, the name
// is that of the deviation which ownership-voucher reports and accepts; the strict profile refuses it.
var classes = map[string]string{
	"go-fdo refuses, certificate-malformed":                  "Both may. go-fdo parses all certificates as it reads. Here hashes and signatures over the bytes are what counts, and a certificate is parsed where something depends on it: a malformed one is never part of a path",
	"go-fdo refuses, certificate-unreadable":                 "Both may: as for `certificate-malformed`. The certificate is that of a CA, with a key or field that cannot be read",
	"go-fdo refuses, device-key":                             "Both may: the certificate of the device has a key that FDO does not have. A chain of entries does not depend on it; onboarding fails later",
	"go-fdo refuses, device-chain-broken":                    "Both may: a field inside of a device certificate was changed. go-fdo reads more fields; here the path to a root is refused, if roots are given",
	"go-fdo refuses, owner-chain-broken":                     "Both may: as for `device-chain-broken`, in a certificate of an owner",
	"go-fdo refuses without a deviation, parse":              "Both may: a name in the certificate of a CA has a character that its type of string does not have. Names are not interpreted here except for a path",
	"go-fdo refuses without a deviation, owner":              "Both may: a name in a certificate of the current owner has a character that its type of string does not have. Names are not interpreted here except for a path",
	"go-fdo refuses, cose-key-private":                       "go-fdo: a private member in a public key. It is ignored here and reported, since the voucher is genuine and the leak has happened; `ov privacy` reports the key",
	"go-fdo refuses, cose-key-without-kty":                   "go-fdo: RFC 9052 §7.1 requires kty. The curve says it too, so nothing is ambiguous, and the deviation is reported",
	"go-fdo refuses, cose-key-wrapped":                       "go-fdo: the key is a map in FDO 1.1. A wrapped one is read and reported, because its bytes are signed as they are",
	"go-fdo refuses, wrapped":                                "go-fdo: the voucher is an array in FDO 1.1. One in a byte string or behind another tag is read and reported; what is verified are its own bytes",
	"go-fdo refuses, x5chain-wrapped":                        "go-fdo: the chain is an array in FDO 1.1. A wrapped one is read and reported",
	"go-fdo refuses, extra-inline-map":                       "go-fdo: OVEExtra is a byte string in FDO 1.1. A bare map is read and reported",
	"go-fdo refuses, extra-order":                            "ownership-voucher: go-fdo sorts the map before it verifies the signature, so that it verifies other bytes than were signed. The order is reported",
	"go-fdo refuses, indefinite-length":                      "Both may: FDO writes definite lengths, and go-fdo reads nothing else. Hash and signature cover the bytes as received, and the deviation is reported",
	"go-fdo refuses, non-shortest":                           "ownership-voucher, or both: go-fdo re-encodes the parts in the shortest form and hashes that, so that it refuses what was truly hashed and signed. The deviation is reported",
	"go-fdo refuses, rv-shape":                               "Both may: a verdict on ownership does not depend on the rendezvous info, which the HMAC covers. It is reported, and not used",
	"go-fdo refuses, rv-unknown":                             "Both may: a number that no variable has, out of the range of go-fdo's type",
	"go-fdo refuses, rv-value":                               "Both may: as for `rv-shape`, in a value",
	"go-fdo refuses, rv-value-missing":                       "Both may: as for `rv-shape`, in a value",
	"ownership-voucher refuses, algorithm-mismatch":          "ownership-voucher: the algorithm has to be that of the key (FDO 1.1). go-fdo takes only the hash from the header, and PSS or PKCS#1 v1.5 whatever the label says",
	"ownership-voucher refuses, chain-empty":                 "ownership-voucher: a chain has at least one certificate. go-fdo refuses an empty one later, in its check of the path",
	"ownership-voucher refuses, duplicate-label":             "ownership-voucher: RFC 8949 §5.6 and RFC 9052 §3. With two values for a label two readers can see two keys",
	"ownership-voucher refuses, hmac-mismatch":               "ownership-voucher: other bytes than the device's HMAC covers. go-fdo re-encodes the header before it computes the HMAC",
	"ownership-voucher refuses, key-type-mismatch":           "ownership-voucher: the label has to be that of the key (FDO 1.1). An allowance accepts P-256 and P-384 exchanged",
	"ownership-voucher refuses, label-in-both-headers":       "ownership-voucher: RFC 9052 §3",
	"ownership-voucher refuses, not-a-hash":                  "ownership-voucher: the code is that of an HMAC. go-fdo looks at the code of the first hash only",
	"ownership-voucher refuses, not-utf8":                    "ownership-voucher: RFC 8949 §3.1 requires UTF-8 in text strings",
	"ownership-voucher refuses, point-encoding":              "ownership-voucher: a coordinate that is longer than its field (RFC 9053 §7.1.1)",
	"ownership-voucher refuses, point-not-on-curve":          "ownership-voucher: no key. go-fdo notices when somebody signs with it, which nobody can: a device that nobody can onboard",
	"ownership-voucher refuses, previous-hash-mismatch":      "ownership-voucher: other bytes than were hashed. go-fdo re-encodes the preceding entry before it hashes it",
	"ownership-voucher refuses, signature-invalid":           "ownership-voucher: other bytes than were signed. go-fdo re-encodes the payload before it verifies the signature",
	"ownership-voucher refuses, unsupported-critical-header": "ownership-voucher: RFC 9052 §3.1: crit has to be understood, and has to be in the protected header",
	"ownership-voucher refuses, unsupported-hash-type":       "ownership-voucher: no hash of FDO. go-fdo looks at the code of the first hash only",
	"ownership-voucher refuses, unsupported-key-encoding":    "ownership-voucher, on purpose: an RSA key as COSE_Key (docs/refused.md). go-fdo reads some, and writes none",
	"ownership-voucher refuses, unsupported-key-type":        "ownership-voucher: no key type of FDO. go-fdo does not look at the label of a COSE_Key",
	"ownership-voucher refuses, unsupported-version":         "ownership-voucher: the version says how the rest is to be read. go-fdo does not look at the outer one, which nothing signs",
	"ownership-voucher refuses, version-mismatch":            "ownership-voucher: the header's version is not that of the voucher (FDO 1.1)",
	"ownership-voucher refuses, wrong-type":                  "ownership-voucher: null in the place of the entries or of a certificate. go-fdo reads it as none",
	"go-fdo refuses, hash-table":                             "Both may: an entry uses the other hash. FDO 1.1 fixes the hash by device and owner; go-fdo requires that of the first entry, here it is reported",
	"go-fdo refuses, protected-extra":                        "ownership-voucher: a further label in the protected header. go-fdo cannot re-encode some values of it, which it does before it verifies",
	"go-fdo refuses, unprotected-header":                     "ownership-voucher: as for `protected-extra`, before the hash of the next entry",
	"ownership-voucher refuses, rsa-modulus":                 "ownership-voucher: RSA2048RESTR is for 2048 bits. go-fdo does not compare",
}

// flipClasses are the same for one bit that is changed in a message of onboarding. Which of many faults
// makes a message malformed is not told apart.
var flipClasses = map[string]string{
	"TO0.OwnerSign: ownership-voucher refuses, algorithm-mismatch":                 unsignedTo1d,
	"TO0.OwnerSign: ownership-voucher refuses, malformed":                          "ownership-voucher: as for the others; undefined in the place of null; or a length that is not that of the content, or a signature that cannot be one, neither of which go-fdo looks at",
	"TO0.OwnerSign: ownership-voucher refuses, signature-invalid":                  unsignedTo1d,
	"TO0.OwnerSign: ownership-voucher refuses, to0d-hash-mismatch":                 "ownership-voucher: other bytes than were hashed. go-fdo re-encodes To0d before it hashes it",
	"TO0.OwnerSign: ownership-voucher refuses, unsupported-algorithm":              unsignedTo1d,
	"TO1.ProveToRV: ownership-voucher refuses, malformed":                          textForBytes,
	"TO1.RVRedirect: ownership-voucher refuses, malformed":                         textForBytes + "; or undefined in the place of null",
	"TO2.OVNextEntry: ownership-voucher refuses, malformed":                        textForBytes + "; or undefined in the place of null",
	"TO2.DeviceServiceInfoReady: ownership-voucher refuses, malformed":             textForBytes + "; or another simple value in the place of null, or the length of the HMAC is not that of its content",
	"TO2.DeviceServiceInfoReady: ownership-voucher refuses, unsupported-hash-type": "ownership-voucher: no HMAC of FDO. go-fdo makes the new voucher with it, and reads its code later",
	"TO2.Done: ownership-voucher refuses, malformed":                               textForBytes,
	"TO2.Done2: ownership-voucher refuses, malformed":                              textForBytes,
	"TO2.ProveDevice: ownership-voucher refuses, malformed":                        textForBytes,
	"TO2.ProveOVHdr: ownership-voucher refuses, hmac-mismatch":                     "ownership-voucher: other bytes than the device's HMAC covers. go-fdo reads a text as bytes and re-encodes the header before it computes the HMAC",
	"TO2.ProveOVHdr: ownership-voucher refuses, key-type-mismatch":                 "ownership-voucher: the label of the owner's key in the unprotected header is not that of the key",
	"TO2.ProveOVHdr: ownership-voucher refuses, malformed":                         textForBytes + "; or the length of the byte string around the header is not that of the header",
	"TO2.SetupDevice: ownership-voucher refuses, algorithm-mismatch":               unsignedSetup,
	"TO2.SetupDevice: ownership-voucher refuses, key-type-mismatch":                unsignedSetup,
	"TO2.SetupDevice: ownership-voucher refuses, malformed":                        textForBytes + "; or a signature that cannot be one",
	"TO2.SetupDevice: ownership-voucher refuses, signature-invalid":                unsignedSetup,
	"TO2.SetupDevice: ownership-voucher refuses, unsupported-algorithm":            unsignedSetup,
}

const (
	textForBytes  = "ownership-voucher: a text where bytes have to be. go-fdo reads it as bytes, and re-encodes it as bytes before it verifies what was signed"
	unsignedTo1d  = "ownership-voucher: the owner of the voucher signs to1d, and the rendezvous role here verifies it as the device does later"
	unsignedSetup = "ownership-voucher: the owner signs TO2.SetupDevice, and the device role here verifies it, encrypted session or not"
)
