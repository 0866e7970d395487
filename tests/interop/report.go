package main

import (
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// goFDO is the version of go-fdo in this program.
func goFDO() string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if strings.HasSuffix(dependency.Path, "/go-fdo") {
			return dependency.Version
		}
	}
	return "unknown"
}

// write is docs/interop.md. Only its line of dates and versions may differ between two runs.
func write(tables [4][]result, version string, hops, count int) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Interoperability with go-fdo")
	line("")
	line("Written by `.ci/interop --write`; do not edit. `.ci/interop` fails if a run finds anything else. How it works:")
	line("[tests/interop](../tests/interop/README.md).")
	line("")
	line("Run on %s with %s.", time.Now().UTC().Format("2006-01-02"), runtime.Version())
	line("")
	line("- ownership-voucher %s, through its C library", version)
	line("- go-fdo %s, the reference implementation", goFDO())
	line("")
	line("Each voucher is verified by both sides after every entry: reading, HMAC of the header, hash of the device chain, all")
	line("entries, owner, manufacturer by key and by hash, path from the device to its CA. go-fdo also has to write the voucher")
	line("as it read it, byte for byte.")
	line("")
	line("## Chains of %d entries", hops)
	line("")
	line("The two sides extend in turn; the one that did not make the voucher begins. Key type × encoding × maker × OVEExtra.")
	line("")
	table(line, "key type, encoding", tables[0])
	line("## Other numbers of entries")
	line("")
	line("X509. The maker of the voucher extends first; after entry 16, ownership-voucher makes every tenth.")
	line("")
	table(line, "key type, entries", tables[1])
	line("## Device and owner of different strength")
	line("")
	line("Six entries, X509. An exception has to fail in this way: the run fails if one passes.")
	line("")
	table(line, "key type, device", tables[2])
	line("## Onboarding")
	line("")
	line("Two hand-overs, TO0 to TO2 with credential reuse, TO0 to TO2 with resale, and all of it again with the new voucher and the")
	line("new credential. The voucher was made by the side that is not its last owner. The three letters of a column are owner,")
	line("rendezvous server and device: O is ownership-voucher, G go-fdo. The messages of a role come from that side: 21 to 23,")
	line("31 to 33, 60 to 66, 70 and 71, of which go-fdo's sides give ownership-voucher's the nonces, the key exchange and the names of")
	line("algorithms. ownership-voucher judges all of them on their way, go-fdo those that its own roles get. go-fdo has the rest:")
	line("transport, key exchange, service info (67 to 69).")
	line("")
	line("At the end both owners have to have the same new voucher, and both devices the same credential in the format of go-fdo,")
	line("byte for byte; each side reads the credential that the other one wrote. The messages 60 and 66 of both devices have to be the same")
	line("bytes.")
	line("")
	table(line, "key type, encoding", tables[3])
	line("Not reached: ownership-voucher has no functions for TO0.Hello (20), TO1.HelloRV (30), and service info (67 to 69).")
	line("")
	line("go-fdo's own client test suite passes over a store in which ownership-voucher makes every entry (`suite_test.go`).")
	line("")
	line("A bit of each message with a voucher of two entries (P-256, X509) is changed, in a sample here and in every place in")
	line("`.ci/interop --long`: TO0.OwnerSign, TO1.ProveToRV, TO1.RVRedirect, TO2.HelloDevice, TO2.ProveOVHdr, TO2.GetOVNextEntry,")
	line("TO2.OVNextEntry, TO2.ProveDevice, TO2.SetupDevice, TO2.DeviceServiceInfoReady, TO2.Done, TO2.Done2. Both")
	line("sides refuse all of them but these, which nothing ties to a signature: the nonce of TO2.ProveOVHdr outside of the signature,")
	line("which the owner compares later; of TO2.DeviceServiceInfoReady the value of the HMAC, which the owner cannot know, and the size")
	line("of service info. And one side refuses these:")
	line("")
	explain(line, flipClasses)
	line("")
	line("## Mutants")
	line("")
	line("%d mutants of valid vouchers, seven of ten with HMAC, hashes and signatures recomputed after the change, verified by both", count)
	line("sides under the HMAC secret. Each class of disagreement is listed; the run fails on one that is not. What this library")
	line("refuses has the name of its error, what go-fdo refuses that of the deviation which this library reports and accepts; the")
	line("strict profile refuses those too. Rare ones do not occur in every run.")
	line("")
	explain(line, classes)
	line("")
	line("## Others")
	line("")
	line("Vouchers of other implementations cannot be made in CI, and those of their projects are not in this repository. On 2026-11-29")
	line("`ov verify` was run on 35 of them: written by go-fdo, fdo-rs and the FIDO conformance tool in runs of our own, or published by")
	line("pri-fidoiot, go-fdo, fdo-rs and Astarte. Each got the expected verdict; the last two kinds below need an allowance, which the")
	line("error names. Each dialect has vectors of our own generator in `test-vectors`.")
	line("")
	line("| implementation | read and verified |")
	line("|---|---|")
	line("| pri-fidoiot | P-256, one entry, with the owner's key |")
	line("| fdo-rs | X5CHAIN wrapped in a byte string; OVEExtra as a map without its byte string; PEM in one long line |")
	line("| FIDO conformance tool | six entries, an intermediate certificate signed with SHA-1 |")
	line("| Astarte | P-256 with SHA-384 |")
	line("| fdo-rs, two vouchers | hash of the certificate chain over the CBOR item: `legacy-chain-hash` |")
	line("| go-fdo with an FDO 2.0 draft | external_aad in the signatures of a version 101: `fdo-2.0-draft-aad` |")
	return b.String()
}

func explain(line func(string, ...any), classes map[string]string) {
	line("| class | who is right, and why |")
	line("|---|---|")
	for _, name := range slices.Sorted(maps.Keys(classes)) {
		line("| %s | %s |", name, classes[name])
	}
}

// table has one line for each row, and under it the reasons of what is refused.
func table(line func(string, ...any), first string, results []result) {
	var columns, rows, reasons []string
	cells := map[string]string{}
	for _, r := range results {
		if !slices.Contains(columns, r.column) {
			columns = append(columns, r.column)
		}
		if !slices.Contains(rows, r.row) {
			rows = append(rows, r.row)
		}
		cell := "**FAIL**"
		if r.good() && r.err == nil {
			cell = "pass"
		} else if r.good() {
			at := slices.Index(reasons, r.expected.reason)
			if at < 0 {
				at = len(reasons)
				reasons = append(reasons, r.expected.reason)
			}
			cell = fmt.Sprintf("refused (%d)", at+1)
		}
		cells[r.row+r.column] = cell
	}
	line("| %s | %s |", first, strings.Join(columns, " | "))
	line("|---%s|", strings.Repeat("|---", len(columns)))
	for _, row := range rows {
		text := "| " + row
		for _, column := range columns {
			text += " | " + cells[row+column]
		}
		line("%s |", text)
	}
	line("")
	for i, reason := range reasons {
		line("%d. %s.", i+1, reason)
	}
	if len(reasons) > 0 {
		line("")
	}
}
