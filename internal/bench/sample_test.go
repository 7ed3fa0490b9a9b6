package main

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSample_QuantileIsTheNearestRank(t *testing.T) {
	t.Parallel()
	var hundred sample
	for n := range 100 {
		hundred.took = append(hundred.took, time.Duration(100-n)*time.Millisecond)
	}
	few := sample{took: []time.Duration{3, 1, 2}}

	got := []time.Duration{hundred.quantile(50), hundred.quantile(99), few.quantile(50), few.quantile(99)}

	if diff := cmp.Diff([]time.Duration{50 * time.Millisecond, 99 * time.Millisecond, 2, 3}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTake_DoesEachOnce(t *testing.T) {
	t.Parallel()
	const count, hands = 50, 4
	var done [count]atomic.Int32

	s, err := take(t.Context(), count, hands, func(_ context.Context, n int) error {
		done[n].Add(1)
		return nil
	})
	if err != nil || len(s.took) != count || s.elapsed <= 0 {
		t.Errorf("take gave %d samples in %s, %v", len(s.took), s.elapsed, err)
	}
	for n := range done {
		if times := done[n].Load(); times != 1 {
			t.Errorf("act %d was done %d times", n, times)
		}
	}
}

func TestTake_StopsAtTheFirstError(t *testing.T) {
	t.Parallel()
	errBroken := errors.New("broken")
	var begun atomic.Int32

	_, err := take(t.Context(), 1000, 1, func(_ context.Context, n int) error {
		begun.Add(1)
		if n == 3 {
			return errBroken
		}
		return nil
	})

	if !errors.Is(err, errBroken) || begun.Load() != 4 {
		t.Errorf("take began %d acts and gave %v", begun.Load(), err)
	}
}

func TestNewStand_IsNoFloor(t *testing.T) {
	t.Parallel()
	_, err := newStand(t.Context(), environment{environ: []string{floorMark}})
	if !errors.Is(err, errFloor) {
		t.Errorf("newStand: %v, want %v", err, errFloor)
	}
}
