package partnertest

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Faults is the set of faults of one pretend partner. Its zero value is ready for use and
// safe for concurrent use.
type Faults struct {
	mu      sync.Mutex
	set     []*armed
	next    int
	changed chan struct{} // closed and replaced by each change; nil until somebody waits
}

// armed is a fault that is set, and what tells those it holds to go on.
type armed struct {
	Fault
	cleared chan struct{}
}

// Set adds a fault and returns it with its ID. Of several that match a call the first that
// was set bites. A fault that could not do what it says is refused; one with the ID of
// another takes its place.
func (f *Faults) Set(fault Fault) (Fault, error) {
	if err := fault.check(); err != nil {
		return Fault{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	fault.Hits = 0
	if fault.ID == "" {
		f.next++
		fault.ID = "fault-" + strconv.Itoa(f.next)
	}
	f.remove(fault.ID)
	f.set = append(f.set, &armed{Fault: fault, cleared: make(chan struct{})})
	f.announce()
	return fault, nil
}

// Clear removes the fault of that id, or all when id is empty, and lets go of the calls that
// they hold. It says whether there was one.
func (f *Faults) Clear(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	removed := f.remove(id)
	f.announce()
	return removed
}

func (f *Faults) remove(id string) bool {
	var kept []*armed
	for _, a := range f.set {
		if id == "" || a.ID == id {
			close(a.cleared)
			continue
		}
		kept = append(kept, a)
	}
	removed := len(kept) < len(f.set)
	f.set = kept
	return removed
}

// List returns the faults that are set, those that have bitten their last time included,
// with their Hits.
func (f *Faults) List() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.list()
}

func (f *Faults) list() []Fault {
	faults := make([]Fault, 0, len(f.set))
	for _, a := range f.set {
		faults = append(faults, a.Fault)
	}
	return faults
}

// Wait returns as soon as the fault of that id has bitten n calls; the n-th may still be
// held by it. It fails when there is no such fault, or with the context's error.
func (f *Faults) Wait(ctx context.Context, id string, n int) error {
	for {
		f.mu.Lock()
		if f.changed == nil {
			f.changed = make(chan struct{})
		}
		hits, found, changed := 0, false, f.changed
		for _, a := range f.set {
			if a.ID == id {
				hits, found = a.Hits, true
			}
		}
		f.mu.Unlock()
		if !found {
			return fmt.Errorf("fault %q is not set", id)
		}
		if hits >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("wait for fault %s: %w", id, ctx.Err())
		}
	}
}

func (f *Faults) announce() {
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

// bite takes the fault that is meant for this call, if there is one, and counts it.
func (f *Faults) bite(r *http.Request) *armed {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.set {
		if (a.Times == 0 || a.Hits < a.Times) && a.matches(r) {
			a.Hits++
			f.announce()
			return &armed{Fault: a.Fault, cleared: a.cleared}
		}
	}
	return nil
}

// hold waits for d, or for the fault to be cleared; 0 waits for the clearing alone.
func (a *armed) hold(d time.Duration) {
	var after <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		after = timer.C
	}
	select {
	case <-after:
	case <-a.cleared:
	}
}
