package relay_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
	"github.com/dialtone/dialtone/workflows"
)

// replaced files that the run of an activation is to be replaced, and gives the request.
func replaced(t *testing.T, db *store.DB, a mobile.Activation) string {
	t.Helper()
	request := uuid.NewString()
	must(t, db.InTenant(t.Context(), a.Tenant, func(s *store.Store) error {
		return s.ReviveActivation(t.Context(), store.Revival{
			Tenant: a.Tenant, Activation: a.ID, RequestID: request, ReplaceRun: true,
		})
	}))
	return request
}

// The run that is there is ended, that one and no other, and another is started.
func TestReplace(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	conn := d.Connect(t)
	a := overdue(t, d)
	request := replaced(t, d.DB, a)
	e := newEngine()
	e.hasRun(a.WorkflowID, "stuck")

	first := run(t, d.DB, e, never)
	until(t, conn, delivered)
	first.stop()

	ends := e.ended()
	if len(ends) != 1 || !strings.Contains(ends[0].Reason, request) {
		t.Fatalf("ended %v, want a reason that names the request", ends)
	}
	want := workflows.Terminate{WorkflowID: a.WorkflowID, RunID: "stuck", Reason: ends[0].Reason}
	if diff := cmp.Diff(want, ends[0]); diff != "" || len(e.started()) != 1 || e.run(a.WorkflowID) == "stuck" {
		t.Errorf("started %v; -want +ended\n%s", e.started(), diff)
	}
	if n := first.metric(t, "dialtone_runs_lost_total"); n != 0 {
		t.Errorf("%v counted as lost", n)
	}

	// Carried again, because a relay died before it could note it: the new run stays.
	exec(t, conn, `UPDATE outbox SET done_at = NULL, leased_until = '-infinity' WHERE kind = 'REPLACE'`)
	second := run(t, d.DB, e, never)
	until(t, conn, delivered)
	second.stop()
	if n := len(e.ended()); n != 1 || len(e.started()) != 1 {
		t.Errorf("a repeat ended %d, started %d", n, len(e.started()))
	}
}

// A relay that dies in the middle leaves the rest to the next.
func TestReplace_InTheMiddle(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		there              string
		meant              any
		ends, starts, lost int
	}{
		"before anything":         {"stuck", nil, 1, 1, 0},
		"before the end":          {"stuck", "stuck", 1, 1, 0},
		"between end and start":   {"", "stuck", 0, 1, 0},
		"after the start":         {"another", "stuck", 0, 0, 0},
		"none was there":          {"", nil, 0, 1, 1},
		"none was there, started": {"another", "", 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := storetest.Make(t, storetest.Config{})
			conn := d.Connect(t)
			a := overdue(t, d)
			replaced(t, d.DB, a)
			_, err := conn.Exec(t.Context(), `UPDATE outbox SET run_id = $1 WHERE kind = 'REPLACE'`, test.meant)
			must(t, err)
			e := newEngine()
			e.hasRun(a.WorkflowID, test.there)

			r := run(t, d.DB, e, never)
			until(t, conn, delivered)
			r.stop()

			if len(e.ended()) != test.ends || len(e.started()) != test.starts {
				t.Errorf("ended %v, started %v", e.ended(), e.started())
			}
			if there := e.run(a.WorkflowID); there == "" || (test.starts == 1) == (there == test.there) {
				t.Errorf("at the end %q is there", there)
			}
			if n := r.metric(t, "dialtone_runs_lost_total"); n != float64(test.lost) {
				t.Errorf("%v counted as lost, want %d", n, test.lost)
			}
		})
	}
}

// What has ended meanwhile needs no run; an engine that is down is asked again.
func TestReplace_NotNow(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	conn := d.Connect(t)
	a := overdue(t, d)
	replaced(t, d.DB, a)
	e := newEngine()
	e.hasRun(a.WorkflowID, "run")
	e.show(func(context.Context, string) error {
		return workflows.ErrEngineDown.Because(errors.New("connection refused"))
	})
	r := run(t, d.DB, e, never)
	e.waitLooks(t, 1)
	must(t, end(t.Context(), d.DB, a))
	e.show(func(context.Context, string) error { return nil })
	r.stop() // the message is given back by then
	exec(t, conn, `UPDATE outbox SET leased_until = '-infinity' WHERE done_at IS NULL`)

	again := run(t, d.DB, e, never)
	until(t, conn, delivered)
	again.stop()

	if len(e.ended()) != 0 || len(e.started()) != 0 {
		t.Errorf("ended %v, started %v", e.ended(), e.started())
	}
}
