package book_test

import (
	"flag"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/cmd/phonebook/internal/book"
	"github.com/stator-db/stator/cmd/phonebook/internal/book/booktest"
	"github.com/stator-db/stator/cmd/phonebook/internal/contact"
	"github.com/stator-db/stator/cmd/phonebook/internal/sample"
)

var benchContacts = flag.Int("contacts", 100_000, "contacts in the book of the benchmarks")

// BenchmarkSearch searches a large book, one request after the other, through the SDK
// and HTTP. Besides the mean it reports the median and the 99th percentile.
func BenchmarkSearch(b *testing.B) {
	phonebook, _ := booktest.Open(b, nil)
	_, err := phonebook.Import(b.Context(), "import-bench", sample.New(*benchContacts, 1), nil)
	require.NoError(b, err)
	var all []contact.Contact
	for source := sample.New(*benchContacts, 1); len(all) < min(*benchContacts, 10_000); {
		c, err := source.Next()
		require.NoError(b, err)
		all = append(all, c)
	}
	random := rand.New(rand.NewPCG(1, 1))
	someone := func() contact.Contact { return all[random.IntN(len(all))] }
	prefix := func(length int) func() (book.Page, error) {
		return func() (book.Page, error) {
			names := someone().SearchNames()
			name := []rune(names[random.IntN(len(names))])
			return phonebook.ByName(b.Context(), string(name[:min(length, len(name))]), book.PageOptions{})
		}
	}
	for _, search := range []struct {
		name string
		call func() (book.Page, error)
	}{
		{"prefix=1", prefix(1)},
		{"prefix=2", prefix(2)},
		{"prefix=4", prefix(4)},
		{"number", func() (book.Page, error) {
			return phonebook.ByNumber(b.Context(), someone().Numbers[0].Number, book.PageOptions{})
		}},
		{"tag", func() (book.Page, error) { return phonebook.ByTag(b.Context(), "friends", book.PageOptions{}) }},
	} {
		b.Run(search.name, func(b *testing.B) {
			var times []time.Duration
			for b.Loop() {
				start := time.Now()
				page, err := search.call()
				times = append(times, time.Since(start))
				require.NoError(b, err)
				require.NotEmpty(b, page.Contacts)
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}
