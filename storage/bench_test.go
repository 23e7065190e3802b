package storage

import (
	"fmt"
	"testing"
)

// benchStore holds entries of 300 bytes, most of them in tables.
func benchStore(b *testing.B, o Options) *Shard {
	o.Shards = 1
	sh := open(b, o).Shards()[0]
	value := make([]byte, 300)
	for i := 0; i < benchEntries; i += 500 {
		batch := sh.NewBatch()
		for j := i; j < i+500; j++ {
			if err := batch.Set(benchKey(j), value); err != nil {
				b.Fatal(err)
			}
		}
		if err := batch.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	return sh
}

const benchEntries = 100_000

func benchKey(i int) []byte { return fmt.Appendf(nil, "table/%08d/sort", i%benchEntries) }

func stores(b *testing.B, f func(b *testing.B, sh *Shard)) {
	b.Run("memory", func(b *testing.B) { f(b, benchStore(b, Options{InMemory: true})) })
	b.Run("disk", func(b *testing.B) { f(b, benchStore(b, Options{Dir: b.TempDir()})) })
}

func BenchmarkGet(b *testing.B) {
	stores(b, func(b *testing.B, sh *Shard) {
		for i := 0; b.Loop(); i++ {
			key := benchKey(i * 7919)
			err := sh.View(func(sn *Snapshot) error {
				_, err := sn.Get(key, func([]byte) error { return nil })
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkScan(b *testing.B) {
	for _, n := range []int{10, 5000} {
		for _, reverse := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/reverse=%t", n, reverse), func(b *testing.B) {
				stores(b, func(b *testing.B, sh *Shard) {
					for i := 0; b.Loop(); i++ {
						left := n
						r := Range{Lower: benchKey(i * 7919), Upper: []byte("tablf"), Reverse: reverse}
						if reverse {
							r.Lower, r.Upper = nil, r.Lower
						}
						err := sh.View(func(sn *Snapshot) error {
							return sn.Scan(r, func(_, _ []byte) (bool, error) {
								left--
								return left > 0, nil
							})
						})
						if err != nil {
							b.Fatal(err)
						}
					}
				})
			})
		}
	}
}

// BenchmarkCommit reports the time of one entry in batches of different sizes.
func BenchmarkCommit(b *testing.B) {
	value := make([]byte, 300)
	for _, size := range []int{1, 100} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			stores(b, func(b *testing.B, sh *Shard) {
				for i := 0; b.Loop(); {
					batch := sh.NewBatch()
					for range size {
						if err := batch.Set(benchKey(i*7919), value); err != nil {
							b.Fatal(err)
						}
						i++
					}
					if err := batch.Commit(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*size), "ns/entry")
			})
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		s, err := Open(Options{Dir: dir, Shards: 1})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
