// interop runs ownership-voucher, through its C interface, against go-fdo in one process.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

// library is the beginning of the hash of the C library that is linked.
var library string

func main() {
	root := flag.String("root", "../..", "folder of the repository")
	hops := flag.Int("hops", 16, "hand-overs of each chain")
	count := flag.Int("count", 4000, "mutants")
	seed := flag.Int64("seed", 1, "of the first mutant")
	rounds := flag.Int("rounds", 25, "of the benchmark")
	keep := flag.String("keep", "", "folder for mutants on which the two sides differ")
	report := flag.String("report", "", "file to write the report to")
	version := flag.String("version", "", "of ownership-voucher, for the report")
	wrong := flag.Bool("seed-mismatch", false, "change one hash of one chain, one bit of a message or one verdict: the run must fail")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: interop [OPTION…] chains|lives|differential|flips|bench")
		flag.PrintDefaults()
	}
	flag.Parse()
	ring := loadKeys(*root)
	begun := time.Now()
	fmt.Printf("go-fdo %s, library %s\n", goFDO(), library)
	good := true
	switch flag.Arg(0) {
	case "chains", "lives":
		var tables [4][]result
		if flag.Arg(0) == "lives" {
			tables[3] = lives(ring, *wrong)
		} else if tables[0] = matrix(ring, *hops, *wrong); !*wrong {
			tables[1], tables[2], tables[3] = lengths(ring, []int{0, 1, 2, 5, 255}), unequal(ring), lives(ring, false)
		}
		passed, refused, failed := 0, 0, 0
		for _, table := range tables {
			for _, r := range table {
				switch {
				case !r.good():
					failed++
				case r.err == nil:
					passed++
				default:
					refused++
				}
			}
		}
		good = failed == 0
		fmt.Printf("%d passed, %d refused as named, %d failed, %.0f s\n", passed, refused, failed, time.Since(begun).Seconds())
		if *report != "" {
			check(os.WriteFile(*report, []byte(write(tables, *version, *hops, *count)), 0o644))
		}
	case "differential":
		good = differential(ring, *count, *seed, *keep, *wrong)
		fmt.Printf("%.0f s\n", time.Since(begun).Seconds())
	case "flips":
		good = flips(ring, *count, *seed, *wrong)
		fmt.Printf("%.0f s\n", time.Since(begun).Seconds())
	case "bench":
		benchmark(*root, *rounds)
	default:
		flag.Usage()
		os.Exit(2)
	}
	if !good {
		os.Exit(1)
	}
}
