package activities

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// quietFor is how long after an attempt nothing of it can still be under way.
const quietFor = 10 * time.Second

// looking is a ledger whose partner knows no keys, but can be asked what became of an act.
type looking struct {
	*book
	clock *storetest.Clock
	// known is what the partner finds under our reference; empty when it finds nothing.
	known   string
	findErr error
	// done is what happened, in order: "call", "find", "keep REFERENCE".
	done []string
}

// lookSetup makes one act whose answer is lost, some time ago.
func lookSetup(t *testing.T, ago time.Duration) *looking {
	t.Helper()
	l := &looking{clock: storetest.NewClock(time.Now().Add(-ago))}
	d := storetest.Make(t, storetest.Config{Now: l.clock.Now})
	l.book = &book{ledger: ledger{d.DB}, activation: storetest.Launched(t, d.DB)}
	_, err := l.perform(t, "", answer(mobile.VerdictUnknown, nil))
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.Type() != errLookLater.Reason || app.NonRetryable() {
		t.Fatalf("the first attempt: %v", err)
	}
	l.clock.Set(time.Now())
	return l
}

// perform does the act as an activity does, and gives what the engine is told and how long is
// left of the quiet time at the start of the attempt.
func (l *looking) perform(t *testing.T, reference string, callErr error) (left time.Duration, _ error) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	act := func(ctx context.Context) error {
		started := activity.GetInfo(ctx).StartedTime
		before, _, err := l.look(ctx, l.effect(mobile.SettleReadable))
		must(t, err)
		left = before.Sent.Add(quietFor).Sub(started)
		_, err = l.do(ctx, deed{
			effect: l.effect(mobile.SettleReadable), quiet: quietFor,
			find: func(context.Context, mobile.Effect) (string, bool, error) {
				l.done = append(l.done, "find")
				return l.known, l.known != "", l.findErr
			},
			call: func(context.Context, mobile.Effect) (string, error) {
				l.done = append(l.done, "call")
				return reference, callErr
			},
			keep: func(_ context.Context, _ *store.Store, e mobile.Effect) error {
				l.done = append(l.done, "keep "+e.Reference)
				return nil
			},
		})
		return Outward(err)
	}
	env.RegisterActivity(act)
	_, err := env.ExecuteActivity(act)
	return left, err
}

func (l *looking) wantDone(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, l.done); diff != "" {
		t.Errorf("done: -want +got\n%s", diff)
	}
}

func (l *looking) wantRow(t *testing.T, verdict mobile.Verdict, reference string, fence int) {
	t.Helper()
	row, _, err := l.look(t.Context(), l.effect(mobile.SettleReadable))
	must(t, err)
	if row.Verdict != verdict || row.Reference != reference || row.Fence != fence {
		t.Errorf("the row says %q %q after %d attempts, want %q %q after %d", row.Verdict, row.Reference, row.Fence, verdict, reference, fence)
	}
}

// wantLater checks that the engine is told to come back once nothing can be under way.
func wantLater(t *testing.T, err error, after time.Duration) {
	t.Helper()
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.Type() != errLookLater.Reason || app.NonRetryable() {
		t.Fatalf("got %v", err)
	}
	if app.NextRetryDelay() != after {
		t.Errorf("it is tried again after %s, want %s", app.NextRetryDelay(), after)
	}
	if app.Category() != temporal.ApplicationErrorCategoryBenign {
		t.Error("a wait is told as a failure")
	}
}

// While the act may still be on its way to the partner, nobody is asked and nothing sent.
func TestLookUp_NotBeforeTheQuietTime(t *testing.T) {
	t.Parallel()
	l := lookSetup(t, time.Second)
	l.done = nil

	left, err := l.perform(t, "", nil)

	wantLater(t, err, left)
	if left <= 0 || left > quietFor-time.Second {
		t.Errorf("%s are left", left)
	}
	l.wantDone(t)
	l.wantRow(t, mobile.VerdictUnknown, "", 1)
}

// The attempt whose answer was lost says itself when to look.
func TestLookUp_AfterALostAnswer(t *testing.T) {
	t.Parallel()
	l := &looking{clock: storetest.NewClock(time.Now().Add(-3 * time.Second))}
	d := storetest.Make(t, storetest.Config{Now: l.clock.Now})
	l.book = &book{ledger: ledger{d.DB}, activation: storetest.Launched(t, d.DB)}

	_, err := l.perform(t, "", answer(mobile.VerdictUnknown, nil))

	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.Type() != errLookLater.Reason {
		t.Fatalf("got %v", err)
	}
	if wait := app.NextRetryDelay(); wait < time.Second || wait > quietFor-3*time.Second {
		t.Errorf("it is looked up after %s", wait)
	}
	l.wantDone(t, "call")
}

// What the partner finds has happened, and is kept as if the answer had come.
func TestLookUp_Found(t *testing.T) {
	t.Parallel()
	l := lookSetup(t, time.Minute)
	l.done, l.known = nil, "LN-9"

	_, err := l.perform(t, "another", nil)
	must(t, err)

	l.wantDone(t, "find", "keep LN-9")
	l.wantRow(t, mobile.VerdictYes, "LN-9", 1)
	// From now on it is told, and nobody asked.
	_, err = l.perform(t, "another", nil)
	must(t, err)
	l.wantDone(t, "find", "keep LN-9")
}

// What the partner does not know of, once nothing can be under way, has not happened, and is
// sent again.
func TestLookUp_NotFound(t *testing.T) {
	t.Parallel()
	l := lookSetup(t, time.Minute)
	l.done = nil

	_, err := l.perform(t, "LN-10", nil)
	must(t, err)

	l.wantDone(t, "find", "call", "keep LN-10")
	l.wantRow(t, mobile.VerdictYes, "LN-10", 2)
}

// An answer that is lost once more is waited for once more: it is looked up anew.
func TestLookUp_LostAgain(t *testing.T) {
	t.Parallel()
	l := lookSetup(t, time.Minute)
	l.done = nil

	_, err := l.perform(t, "", answer(mobile.VerdictUnknown, nil))

	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.Type() != errLookLater.Reason || app.NextRetryDelay() <= 0 {
		t.Errorf("got %v", err)
	}
	l.wantDone(t, "find", "call")
	l.wantRow(t, mobile.VerdictUnknown, "", 2)
}

// A partner that cannot be asked now is asked again later; nothing is sent, and nothing is
// taken for known.
func TestLookUp_CannotBeAsked(t *testing.T) {
	t.Parallel()
	for name, cannot := range map[string]error{
		"busy": answer(mobile.VerdictNotNow, nil), "no clear answer": answer(mobile.VerdictUnknown, nil), "odd": errors.New("odd"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := lookSetup(t, time.Minute)
			l.done, l.findErr, l.known = nil, cannot, "LN-9"

			_, err := l.perform(t, "another", nil)

			var app *temporal.ApplicationError
			if !errors.As(err, &app) || app.NonRetryable() {
				t.Errorf("got %v", err)
			}
			l.wantDone(t, "find")
			l.wantRow(t, mobile.VerdictUnknown, "", 1)
		})
	}
}

// An attempt that died is looked up like one whose answer was lost.
func TestLookUp_AnAttemptThatDied(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock(time.Now().Add(-time.Minute))
	d := storetest.Make(t, storetest.Config{Now: clock.Now})
	l := &looking{clock: clock, known: "LN-9", book: &book{ledger: ledger{d.DB}, activation: storetest.Launched(t, d.DB)}}
	if _, _, err := l.begin(t.Context(), deed{effect: l.effect(mobile.SettleReadable)}); err != nil {
		t.Fatal(err)
	}
	clock.Set(time.Now())

	_, err := l.perform(t, "another", nil)
	must(t, err)

	l.wantDone(t, "find", "keep LN-9")
}

// What the partner has not taken yet has not happened: there is nothing to look up.
func TestLookUp_NotNowIsSent(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	l := &looking{book: &book{ledger: ledger{d.DB}, activation: storetest.Launched(t, d.DB)}}
	_, _ = l.perform(t, "", answer(mobile.VerdictNotNow, nil))

	_, err := l.perform(t, "LN-11", nil)
	must(t, err)

	l.wantDone(t, "call", "call", "keep LN-11")
}
