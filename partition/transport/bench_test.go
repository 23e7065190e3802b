package transport

import (
	"sync/atomic"
	"testing"
)

func BenchmarkCall(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(map[int]string{1: "callers=1", 64: "callers=64"}[callers], func(b *testing.B) {
			a, _ := pair(b)
			request := make([]byte, 300)
			if _, err := a.Call(b.Context(), 2, methodEcho, request); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			var left atomic.Int64
			left.Store(int64(b.N))
			done := make(chan error, callers)
			for range callers {
				go func() {
					for left.Add(-1) >= 0 {
						if _, err := a.Call(b.Context(), 2, methodEcho, request); err != nil {
							done <- err
							return
						}
					}
					done <- nil
				}()
			}
			for range callers {
				if err := <-done; err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
		})
	}
}

func BenchmarkSend(b *testing.B) {
	a, c := pair(b)
	got := make(chan struct{}, 1<<20)
	c.HandleMessages(func(uint64, []byte) { got <- struct{}{} })
	batch := make([]byte, 1000)
	b.SetBytes(int64(len(batch)))
	b.ReportAllocs()
	for i := range b.N {
		for !a.Send(2, batch) {
			b.Fatal("dropped")
		}
		// At most 1000 on the way.
		if i >= 1000 {
			<-got
		}
	}
	for range min(b.N, 1000) {
		<-got
	}
}
