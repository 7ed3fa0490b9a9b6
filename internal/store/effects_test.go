package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// send makes the row if need be and begins an attempt.
func send(t *testing.T, db *store.DB, e mobile.Effect) mobile.Effect {
	t.Helper()
	tenantly(t, db, e.Tenant, func(ctx context.Context, s *store.Store) (err error) {
		if e, err = s.LockEffect(ctx, e); err != nil {
			return err
		}
		e, err = s.SendEffect(ctx, e)
		return err
	})
	return e
}

// settle writes a verdict and tells whether the attempt was still the one that may.
func settle(t *testing.T, db *store.DB, e mobile.Effect, verdict mobile.Verdict) bool {
	t.Helper()
	e.Verdict = verdict
	var counted bool
	tenantly(t, db, e.Tenant, func(ctx context.Context, s *store.Store) (err error) {
		counted, err = s.SettleEffect(ctx, e)
		return err
	})
	return counted
}

func readEffect(t *testing.T, db *store.DB, e mobile.Effect) mobile.Effect {
	t.Helper()
	var found mobile.Effect
	tenantly(t, db, e.Tenant, func(ctx context.Context, s *store.Store) (err error) {
		found, _, err = s.Effect(ctx, e)
		return err
	})
	return found
}

func TestEffect_NeverSent(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	e := effectOf(storetest.Launched(t, db), mobile.SettleBlind)

	tenantly(t, db, e.Tenant, func(ctx context.Context, s *store.Store) error {
		_, found, err := s.Effect(ctx, e)
		if found {
			t.Error("an effect that nobody sent is there")
		}
		return err
	})
}

// However many ask for it at one moment, an act is one row.
func TestLockEffect_OneRow(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	e := effectOf(storetest.Launched(t, db), mobile.SettleBlind)
	ids := make([]string, 12)

	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			err := db.InTenant(t.Context(), e.Tenant, func(s *store.Store) error {
				got, err := s.LockEffect(t.Context(), e)
				ids[i] = got.ID
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()

	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("rows %q and %q", id, ids[0])
		}
	}
}

// A deliberate repeat is another row under another key, once, however often it is ordered of
// the same generation; and another follow-up's act is another row still.
func TestRepeatEffect(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	first := send(t, db, effectOf(storetest.Launched(t, db), mobile.SettleBlind))

	for range 3 {
		must(t, db.InTenant(t.Context(), first.Tenant, func(s *store.Store) error { return s.RepeatEffect(t.Context(), first) }))
	}

	again := send(t, db, first)
	if again.ID == first.ID || again.Generation != 1 || again.Key() == first.Key() {
		t.Errorf("after %+v came %+v", first, again)
	}
	if settle(t, db, first, mobile.VerdictYes) {
		t.Error("the word of the generation before counted")
	}
	if !settle(t, db, again, mobile.VerdictYes) {
		t.Error("the word of the latest generation did not count")
	}
	again.Verdict = mobile.VerdictYes
	err := db.InTenant(t.Context(), first.Tenant, func(s *store.Store) error { return s.RepeatEffect(t.Context(), again) })
	if !errors.Is(err, store.ErrEffectSettled) {
		t.Errorf("an act that succeeded was repeated: %v", err)
	}
}

// Of attempts that begin at one moment each has a fence of its own, and only the last one's
// word counts.
func TestSettleEffect_Fence(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	e := effectOf(storetest.Launched(t, db), mobile.SettleKeyed)
	attempts := make([]mobile.Effect, 8)

	var all sync.WaitGroup
	for i := range attempts {
		all.Go(func() {
			err := db.InTenant(t.Context(), e.Tenant, func(s *store.Store) error {
				locked, err := s.LockEffect(t.Context(), e)
				if err != nil {
					return err
				}
				attempts[i], err = s.SendEffect(t.Context(), locked)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()

	seen := map[int]bool{}
	for _, attempt := range attempts {
		seen[attempt.Fence] = true
		if counted := settle(t, db, attempt, mobile.VerdictYes); counted != (attempt.Fence == len(attempts)) {
			t.Errorf("the word of attempt %d of %d counted: %t", attempt.Fence, len(attempts), counted)
		}
	}
	if len(seen) != len(attempts) {
		t.Errorf("fences %v for %d attempts", seen, len(attempts))
	}
}

// A zombie's word counts for nothing, whatever it is and whenever it comes.
func TestSettleEffect_Zombie(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	e := effectOf(storetest.Launched(t, db), mobile.SettleKeyed)
	zombie := send(t, db, e)
	alive := send(t, db, e)

	if settle(t, db, zombie, mobile.VerdictRefused) {
		t.Error("the zombie's refusal counted before the verdict")
	}
	alive.Reference = "order-7"
	if !settle(t, db, alive, mobile.VerdictYes) {
		t.Error("the last attempt's word did not count")
	}
	zombie.Reference = "order-6"
	if settle(t, db, zombie, mobile.VerdictUnknown) {
		t.Error("the zombie's word counted after the verdict")
	}

	if got := readEffect(t, db, e); got.Verdict != mobile.VerdictYes || got.Reference != "order-7" || got.Settled.IsZero() {
		t.Errorf("%s of %q, settled %v", got.Verdict, got.Reference, got.Settled)
	}
}

// Doubt comes from an attempt of which nothing is known, and stays until it is cleared up:
// a later "not now" is about the later attempt only.
func TestEffect_Doubt(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant := storetest.Tenant(t, db)
	const died mobile.Verdict = "" // the attempt never told
	for name, c := range map[string]struct {
		attempts []mobile.Verdict
		// keyed and blind are what may be done next, by how doubt is settled.
		keyed, blind mobile.Next
		doubted      bool
		may          bool
	}{
		"never sent":                {nil, mobile.NextSend, mobile.NextSend, false, false},
		"under way, or died":        {[]mobile.Verdict{died}, mobile.NextSend, mobile.NextAsk, false, true},
		"yes":                       {[]mobile.Verdict{mobile.VerdictYes}, mobile.NextTell, mobile.NextTell, false, true},
		"refused":                   {[]mobile.Verdict{mobile.VerdictRefused}, mobile.NextTell, mobile.NextTell, false, false},
		"not now":                   {[]mobile.Verdict{mobile.VerdictNotNow}, mobile.NextSend, mobile.NextSend, false, false},
		"unknown":                   {[]mobile.Verdict{mobile.VerdictUnknown}, mobile.NextSend, mobile.NextAsk, true, true},
		"not now, then unknown":     {[]mobile.Verdict{mobile.VerdictNotNow, mobile.VerdictUnknown}, mobile.NextSend, mobile.NextAsk, true, true},
		"unknown, then not now":     {[]mobile.Verdict{mobile.VerdictUnknown, mobile.VerdictNotNow}, mobile.NextSend, mobile.NextAsk, true, true},
		"died, then not now":        {[]mobile.Verdict{died, mobile.VerdictNotNow}, mobile.NextSend, mobile.NextAsk, true, true},
		"died, then died":           {[]mobile.Verdict{died, died}, mobile.NextSend, mobile.NextAsk, true, true},
		"unknown, then yes":         {[]mobile.Verdict{mobile.VerdictUnknown, mobile.VerdictYes}, mobile.NextTell, mobile.NextTell, false, true},
		"died, then refused":        {[]mobile.Verdict{died, mobile.VerdictRefused}, mobile.NextTell, mobile.NextTell, false, false},
		"not now twice":             {[]mobile.Verdict{mobile.VerdictNotNow, mobile.VerdictNotNow}, mobile.NextSend, mobile.NextSend, false, false},
		"not now, then died":        {[]mobile.Verdict{mobile.VerdictNotNow, died}, mobile.NextSend, mobile.NextAsk, false, true},
		"unknown, not now, not now": {[]mobile.Verdict{mobile.VerdictUnknown, mobile.VerdictNotNow, mobile.VerdictNotNow}, mobile.NextSend, mobile.NextAsk, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for settling, next := range map[mobile.Settle]mobile.Next{mobile.SettleKeyed: c.keyed, mobile.SettleBlind: c.blind} {
				e := effectOf(storetest.Activation(t, db, storetest.Subscription(t, db, tenant)), settling)
				for _, verdict := range c.attempts {
					attempt := send(t, db, e)
					if verdict != died && !settle(t, db, attempt, verdict) {
						t.Fatal("the word of the only attempt did not count")
					}
				}

				got := readEffect(t, db, e)
				if got.Next() != next || got.Doubted.IsZero() == c.doubted || got.MayHaveHappened() != c.may {
					t.Errorf("%s: next %v, doubted %v, may have happened %t; want %v, %t, %t",
						settling, got.Next(), got.Doubted, got.MayHaveHappened(), next, c.doubted, c.may)
				}
			}
		})
	}
}

// The row is held while it is decided upon, so that two attempts never decide on the same.
func TestLockEffect_Holds(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	e := effectOf(storetest.Launched(t, db), mobile.SettleKeyed)
	send(t, db, e)
	release, waited := make(chan struct{}), make(chan mobile.Effect, 1)

	var second sync.WaitGroup
	tenantly(t, db, e.Tenant, func(ctx context.Context, s *store.Store) error {
		held, err := s.LockEffect(ctx, e)
		must(t, err)
		second.Go(func() {
			close(release)
			err := db.InTenant(t.Context(), e.Tenant, func(s *store.Store) error {
				got, err := s.LockEffect(t.Context(), e)
				waited <- got
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
		<-release
		held.Verdict, held.Reference = mobile.VerdictYes, "order-1"
		_, err = s.SettleEffect(ctx, held)
		return err
	})
	second.Wait()

	if got := <-waited; got.Verdict != mobile.VerdictYes {
		t.Errorf("the second read %q before the first had committed", got.Verdict)
	}
}

// An act that was settled stays settled.
func TestSendEffect_SettledStays(t *testing.T) {
	t.Parallel()
	for _, verdict := range []mobile.Verdict{mobile.VerdictYes, mobile.VerdictRefused} {
		db := storetest.New(t)
		e := effectOf(storetest.Launched(t, db), mobile.SettleKeyed)
		attempt := send(t, db, e)
		settle(t, db, attempt, verdict)

		err := db.InTenant(t.Context(), e.Tenant, func(s *store.Store) error {
			_, err := s.SendEffect(t.Context(), attempt)
			return err
		})

		if !errors.Is(err, store.ErrEffectSettled) {
			t.Errorf("sent again after %s: %v", verdict, err)
		}
		if settle(t, db, attempt, mobile.VerdictUnknown) {
			t.Errorf("doubt was taken after %s", verdict)
		}
		if got := readEffect(t, db, e); got.Verdict != verdict {
			t.Errorf("it is %q now", got.Verdict)
		}
	}
}

func TestEffect_Times(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock(noon)
	db := storetest.Make(t, storetest.Config{Now: clock.Now}).DB
	e := effectOf(storetest.Launched(t, db), mobile.SettleBlind)

	send(t, db, e) // dies
	clock.Advance(time.Minute)
	attempt := send(t, db, e)
	clock.Advance(time.Minute)
	settle(t, db, attempt, mobile.VerdictNotNow)

	got := readEffect(t, db, e)
	if !got.Doubted.Equal(noon) || !got.Sent.Equal(noon.Add(time.Minute)) || !got.Settled.IsZero() {
		t.Errorf("doubted %v, sent %v, settled %v; the doubt is as old as the attempt that died", got.Doubted, got.Sent, got.Settled)
	}
}
