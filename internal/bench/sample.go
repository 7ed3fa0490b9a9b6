package main

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// sample is how long each of many equal acts took.
type sample struct {
	took []time.Duration
	// elapsed is how long all of them took together; 0 where they did not follow one another
	// at once, so that a rate would say nothing.
	elapsed time.Duration
}

// take does an act a number of times with so many hands at once, each beginning the next
// one as soon as it is done, and stops at the first error.
func take(ctx context.Context, count, hands int, act func(ctx context.Context, n int) error) (sample, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := sample{took: make([]time.Duration, count)}
	var next atomic.Int64
	var working sync.WaitGroup
	began := time.Now()
	for range hands {
		working.Go(func() {
			for n := int(next.Add(1)) - 1; n < count && ctx.Err() == nil; n = int(next.Add(1)) - 1 {
				from := time.Now()
				if err := act(ctx, n); err != nil {
					cancel(err)
					return
				}
				s.took[n] = time.Since(from)
			}
		})
	}
	working.Wait()
	s.elapsed = time.Since(began)
	return s, context.Cause(ctx)
}

// figures are what is told of a sample.
type figures struct {
	Samples int `json:"samples"`
	// PerSecond is 0 where a rate would say nothing.
	PerSecond float64 `json:"per_second,omitempty"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
}

func (s sample) figures() figures {
	f := figures{Samples: len(s.took), P50: milliseconds(s.quantile(50)), P99: milliseconds(s.quantile(99))}
	if s.elapsed > 0 {
		f.PerSecond = float64(len(s.took)) / s.elapsed.Seconds()
	}
	return f
}

// quantile is the nearest rank: the shortest time within which that many in a hundred were
// done. It is always one that was measured.
func (s sample) quantile(percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(s.took))
	rank := (len(sorted)*percent + 99) / 100
	return sorted[max(rank, 1)-1]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
