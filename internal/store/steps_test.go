package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

const step = mobile.StepActivateLine

// stand puts an activation and one step of it into a state, past all rules.
func stand(t *testing.T, conn *pgx.Conn, a mobile.Activation, state mobile.State, stepState mobile.StepState) {
	t.Helper()
	_, err := conn.Exec(t.Context(), `
		UPDATE activations
		SET state = $2, next = '', reason = '', deadline = NULL, ended_at = CASE WHEN $3 THEN now() END
		WHERE activation_id = $1`, a.ID, state, state.Final())
	must(t, err)
	_, err = conn.Exec(t.Context(), `
		UPDATE activation_steps
		SET state = $3, attempts = 0, started_at = NULL, ended_at = NULL
		WHERE activation_id = $1 AND name = $2`, a.ID, step, stepState)
	must(t, err)
}

func record(t *testing.T, db *store.DB, a mobile.Activation, attempt store.Attempt) {
	t.Helper()
	attempt.Tenant, attempt.Activation, attempt.Step = a.Tenant, a.ID, step
	if attempt.At.IsZero() {
		attempt.At = noon
	}
	tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error { return s.RecordAttempt(ctx, attempt) })
}

// stepOf reads the step that these tests move.
func stepOf(a mobile.Activation) mobile.Step {
	for _, s := range a.Steps {
		if s.Name == step {
			return s
		}
	}
	return mobile.Step{}
}

// How an activation follows its step.
func TestRecordAttempt_Follow(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	conn := d.Connect(t)
	const (
		accepted, running, customer = mobile.StateAccepted, mobile.StateRunning, mobile.StateWaitingForCustomer
		carrier, operator, undoing  = mobile.StateWaitingForCarrier, mobile.StateWaitingForOperator, mobile.StateUndoing
	)
	begins := store.Attempt{State: mobile.StepRunning, Counts: true}
	through := store.Attempt{State: mobile.StepRunning, Through: true}
	waits := store.Attempt{State: mobile.StepWaiting, Detail: "The line is coming up"}
	inDoubt := store.Attempt{State: mobile.StepWaiting, Reason: "OUTCOME_UNKNOWN"}
	fails := store.Attempt{State: mobile.StepRetrying, Reason: "HTTP_503", NextTry: noon.Add(time.Minute)}
	refused := store.Attempt{State: mobile.StepRefused, Reason: "DEVICE_BLOCKED"}
	done := store.Attempt{State: mobile.StepDone, Detail: "(212) 555-0123 is live"}
	undone := store.Attempt{State: mobile.StepUndone, Undo: true}
	undoing1 := store.Attempt{State: mobile.StepRetrying, Undo: true, Reason: "HTTP_503"}

	for name, c := range map[string]struct {
		state    mobile.State
		step     mobile.StepState
		attempt  store.Attempt
		want     mobile.State
		wantStep mobile.StepState
	}{
		"the first attempt sets it running":   {accepted, mobile.StepPending, begins, running, mobile.StepRunning},
		"an attempt while running":            {running, mobile.StepPending, begins, running, mobile.StepRunning},
		"a failure":                           {running, mobile.StepRunning, fails, running, mobile.StepRetrying},
		"the next attempt":                    {running, mobile.StepRetrying, begins, running, mobile.StepRunning},
		"waiting for the carrier":             {running, mobile.StepRunning, waits, carrier, mobile.StepWaiting},
		"still waiting":                       {carrier, mobile.StepWaiting, waits, carrier, mobile.StepWaiting},
		"in doubt, which is no carrier's":     {running, mobile.StepRunning, inDoubt, running, mobile.StepWaiting},
		"done after waiting":                  {carrier, mobile.StepWaiting, done, running, mobile.StepDone},
		"done at once":                        {accepted, mobile.StepRunning, done, running, mobile.StepDone},
		"an operator's stays through trying":  {operator, mobile.StepRetrying, begins, operator, mobile.StepRunning},
		"an operator's stays through failing": {operator, mobile.StepRunning, fails, operator, mobile.StepRetrying},
		"an operator's stays through waiting": {operator, mobile.StepRunning, waits, operator, mobile.StepWaiting},
		"an operator's ends by success":       {operator, mobile.StepRetrying, done, running, mobile.StepDone},
		"an operator's ends by getting there": {operator, mobile.StepRetrying, through, running, mobile.StepRunning},
		"a refusal alone moves nothing":       {running, mobile.StepRunning, refused, running, mobile.StepRefused},
		"undoing stays while giving back":     {undoing, mobile.StepDone, undoing1, undoing, mobile.StepRetrying},
		"given back":                          {undoing, mobile.StepRetrying, undone, undoing, mobile.StepUndone},
		"undoing stays after a late success":  {undoing, mobile.StepRunning, done, undoing, mobile.StepDone},
		"a step that never began":             {undoing, mobile.StepPending, undone, undoing, mobile.StepPending},
		"a refused step":                      {undoing, mobile.StepRefused, undone, undoing, mobile.StepRefused},
		"done is done":                        {running, mobile.StepDone, begins, running, mobile.StepDone},
		"given back is given back":            {undoing, mobile.StepUndone, done, undoing, mobile.StepUndone},
		"skipped is skipped":                  {running, mobile.StepSkipped, begins, running, mobile.StepSkipped},
		"a customer's wait is not touched":    {customer, mobile.StepRunning, fails, customer, mobile.StepRetrying},
	} {
		t.Run(name, func(t *testing.T) {
			stand(t, conn, a, c.state, c.step)

			record(t, d.DB, a, c.attempt)

			got := storetest.Read(t, d.DB, a)
			if got.State != c.want || stepOf(got).State != c.wantStep {
				t.Errorf("%s with its step %s, want %s with %s", got.State, stepOf(got).State, c.want, c.wantStep)
			}
		})
	}
}

// After the end nothing moves, whatever a late attempt says.
func TestRecordAttempt_AfterTheEnd(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := storetest.Launched(t, d.DB)
	conn := d.Connect(t)
	for _, state := range mobile.States() {
		if !state.Final() {
			continue
		}
		stand(t, conn, a, state, mobile.StepRunning)
		before := storetest.Read(t, d.DB, a)

		for _, late := range mobile.StepStates() {
			record(t, d.DB, a, store.Attempt{State: late, Counts: true})
		}

		if diff := cmp.Diff(before, storetest.Read(t, d.DB, a)); diff != "" {
			t.Errorf("%s: -before +after\n%s", state, diff)
		}
	}
}

func TestRecordAttempt_Story(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	at := func(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }

	record(t, db, a, store.Attempt{State: mobile.StepRunning, Counts: true, At: at(0)})
	record(t, db, a, store.Attempt{State: mobile.StepRetrying, Reason: "HTTP_503", NextTry: at(2), At: at(1)})
	failed := storetest.Read(t, db, a)
	record(t, db, a, store.Attempt{State: mobile.StepRunning, Counts: true, At: at(2)})
	record(t, db, a, store.Attempt{State: mobile.StepWaiting, Detail: "Coming up", NextTry: at(4), At: at(3)})
	waiting := storetest.Read(t, db, a)
	record(t, db, a, store.Attempt{State: mobile.StepDone, Detail: "Live", At: at(4)})
	done := storetest.Read(t, db, a)

	for name, c := range map[string]struct{ want, got mobile.Step }{
		"failed":  {mobile.Step{Name: step, State: mobile.StepRetrying, Started: at(0), Attempts: 1, Reason: "HTTP_503", NextTry: at(2)}, stepOf(failed)},
		"waiting": {mobile.Step{Name: step, State: mobile.StepWaiting, Started: at(0), Attempts: 2, Detail: "Coming up", NextTry: at(4)}, stepOf(waiting)},
		"done":    {mobile.Step{Name: step, State: mobile.StepDone, Started: at(0), Ended: at(4), Attempts: 2, Detail: "Live"}, stepOf(done)},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
	if waiting.State != mobile.StateWaitingForCarrier || waiting.Next != "Coming up" || !waiting.Since.Equal(at(3)) {
		t.Errorf("while waiting: %s %q since %v", waiting.State, waiting.Next, waiting.Since)
	}
}

// A step that is tried again and again leaves the revision alone, so that an operator's
// decision on it is not stale before it is made.
func TestRecordAttempt_AttemptsDecideNothing(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	record(t, db, a, store.Attempt{State: mobile.StepRunning, Counts: true})
	begun := storetest.Read(t, db, a)

	for range 3 {
		record(t, db, a, store.Attempt{State: mobile.StepRetrying, Reason: "HTTP_503"})
		record(t, db, a, store.Attempt{State: mobile.StepRunning, Counts: true})
	}

	got := storetest.Read(t, db, a)
	if got.Revision != begun.Revision || stepOf(got).Attempts != 4 {
		t.Errorf("revision %d after %d attempts, want %d", got.Revision, stepOf(got).Attempts, begun.Revision)
	}
	record(t, db, a, store.Attempt{State: mobile.StepDone})
	if done := storetest.Read(t, db, a); done.Revision <= got.Revision {
		t.Errorf("revision %d once it is done, after %d", done.Revision, got.Revision)
	}
}

// Once it is not known what became of a step, nobody need be told as well that it is stuck.
func TestOpenItem_TakesThePlaceOfStuck(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	a := storetest.Launched(t, db)
	for _, kind := range []mobile.ItemKind{mobile.ItemStepStuck, mobile.ItemOutcomeUnknown} {
		tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
			return s.OpenItem(ctx, a.Tenant, mobile.Item{Activation: a.ID, Kind: kind, Step: step})
		})
	}

	if got := storetest.Read(t, db, a).OpenItems(); len(got) != 1 || got[0].Kind != mobile.ItemOutcomeUnknown {
		t.Errorf("open: %v", got)
	}
}

// What an operator was asked about a step is settled by its success, and only that.
func TestRecordAttempt_ClosesItems(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	for name, c := range map[string]struct {
		attempt store.Attempt
		open    int
	}{
		"done":                {store.Attempt{State: mobile.StepDone}, 2},
		"got through":         {store.Attempt{State: mobile.StepRunning, Through: true}, 2},
		"fails again":         {store.Attempt{State: mobile.StepRetrying}, 4},
		"another try":         {store.Attempt{State: mobile.StepRunning, Counts: true}, 4},
		"waits for a partner": {store.Attempt{State: mobile.StepWaiting}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			a := storetest.Launched(t, db)
			tenantly(t, db, a.Tenant, func(ctx context.Context, s *store.Store) error {
				for _, item := range []mobile.Item{
					{Kind: mobile.ItemOutcomeUnknown, Step: step},
					{Kind: mobile.ItemStepStuck, Step: step},
					{Kind: mobile.ItemStepStuck, Step: mobile.StepReserveESIM},
					{Kind: mobile.ItemNumberAtRisk},
				} {
					item.Activation = a.ID
					must(t, s.OpenItem(ctx, a.Tenant, item))
				}
				return nil
			})

			record(t, db, a, c.attempt)

			if got := storetest.Read(t, db, a).OpenItems(); len(got) != c.open {
				t.Errorf("%d items are open, want %d: %v", len(got), c.open, got)
			}
		})
	}
}
