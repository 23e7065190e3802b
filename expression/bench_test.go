package expression

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stator-db/stator/storage/item"
)

const (
	simpleCondition = "#s = :v"
	usualFilter     = "attribute_exists(m.k) AND (n BETWEEN :n AND :n OR begins_with(#s, :v)) AND NOT contains(ss, :v)"
)

func benchBinder() *Binder {
	return NewBinder(map[string]string{"#s": "s"}, testValues)
}

// wideItem has 100 attributes besides the ones the expressions look for.
func wideItem() item.Item {
	b := item.NewBuilder()
	for i := range 100 {
		b.Set(fmt.Sprintf("attr%02d", i), item.String("some text"))
	}
	b.Set("s", item.String("a"))
	b.Set("n", item.NumberValue(item.NumberFromInt(1)))
	b.Set("ss", item.Set(item.SS, item.String("b")))
	b.Set("m", item.Map(map[string]item.Value{"k": item.Bool(true)}))
	return b.Item()
}

func mustCondition(t testing.TB, text string) *Condition {
	t.Helper()
	c, err := benchBinder().Condition(KindCondition, text)
	require.NoError(t, err)
	return c
}

func TestEvalDoesNotAllocate(t *testing.T) {
	it := wideItem()
	for _, text := range []string{simpleCondition, usualFilter, "n < :n OR n >= :n", "size(#s) = :n", "s IN (:n, :v)", "size(ss) < size(m)",
		"attribute_not_exists(s) OR m.k <> :v"} {
		text = strings.ReplaceAll(text, "#s", "s")
		c := mustCondition(t, text)
		require.Zero(t, testing.AllocsPerRun(100, func() { c.Eval(it) }), text)
	}
}

// TestConcurrentUse binds and evaluates the same texts from many goroutines;
// the race detector watches the shared trees.
func TestConcurrentUse(t *testing.T) {
	it := wideItem()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 50 {
				c, err := benchBinder().Condition(KindCondition, fmt.Sprintf("%s OR a%d.b[0] = :n", usualFilter, i))
				if err != nil || !c.Eval(it) {
					t.Error("condition does not hold", err)
				}
				u, err := benchBinder().Update(fmt.Sprintf("SET #s = :v, c%d = n + :n REMOVE m.k", i))
				if err != nil {
					t.Error(err)
					continue
				}
				if _, err := u.Apply(it); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkParse(b *testing.B) {
	for name, text := range map[string]string{
		"simple": simpleCondition,
		"filter": usualFilter,
		"nested": strings.Repeat("(a=:v AND ", 100) + "a=:v" + strings.Repeat(")", 100),
		"4KB":    joined("a=:v", " OR ", 150) + strings.Repeat(" ", 2900),
		"parens": strings.Repeat("(", 4096),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = conditions.parser.ParseString("", text)
			}
		})
	}
}

// BenchmarkCached is what finding the tree of a known text costs.
func BenchmarkCached(b *testing.B) {
	for name, text := range map[string]string{"simple": simpleCondition, "filter": usualFilter} {
		b.Run(name, func(b *testing.B) {
			_, err := conditions.parse(KindFilter, text)
			require.Nil(b, err)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = conditions.parse(KindFilter, text)
			}
		})
	}
}

// BenchmarkBind is a whole request's work on a known text: binder, binding and
// the check for unused placeholders.
func BenchmarkBind(b *testing.B) {
	names := map[string]string{"#s": "s"}
	b.Run("condition", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			binder := NewBinder(names, testValues)
			if _, err := binder.Condition(KindCondition, "#s = :v AND n < :n"); err != nil || binder.Unused() != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("update", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			binder := NewBinder(names, testValues)
			if _, err := binder.Update("SET #s = :v, n = n + :n"); err != nil || binder.Unused() != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkEval(b *testing.B) {
	it := wideItem()
	for name, text := range map[string]string{"simple": simpleCondition, "filter": usualFilter, "missing": "a = :v"} {
		b.Run(name, func(b *testing.B) {
			c := mustCondition(b, text)
			b.ReportAllocs()
			for b.Loop() {
				c.Eval(it)
			}
		})
	}
}

func BenchmarkApply(b *testing.B) {
	it := wideItem()
	for name, text := range map[string]string{"top level": "SET s = :v, n = n + :n", "nested": "SET m.j = :v"} {
		b.Run(name, func(b *testing.B) {
			u := mustUpdate(b, text, testValues)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := u.Apply(it); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkProject(b *testing.B) {
	it := wideItem()
	for name, text := range map[string]string{"top level": "s, n, attr50", "nested": "m.k, attr50"} {
		b.Run(name, func(b *testing.B) {
			p, err := benchBinder().Projection(text)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				p.Apply(it)
			}
		})
	}
}
