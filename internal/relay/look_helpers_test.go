package relay_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
	"github.com/dialtone/dialtone/workflows"
)

// begin lets a run be there, unless one is there already.
func (e *engine) begin(s workflows.Start) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.starts = append(e.starts, s)
	if e.there[s.WorkflowID] == "" {
		e.there[s.WorkflowID] = fmt.Sprintf("run-%d", len(e.starts))
	}
}

// Alive implements relay.Engine.
func (e *engine) Alive(ctx context.Context, workflowID string) (string, error) {
	e.mu.Lock()
	shows := e.shows
	e.mu.Unlock()
	err := shows(ctx, workflowID)
	defer func() { e.looks <- workflowID }()
	if err != nil {
		return "", err
	}
	return e.run(workflowID), nil
}

// Terminate implements relay.Engine.
func (e *engine) Terminate(_ context.Context, t workflows.Terminate) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ends = append(e.ends, t)
	if e.there[t.WorkflowID] == t.RunID {
		delete(e.there, t.WorkflowID)
	}
	return nil
}

// run is the one that is there.
func (e *engine) run(workflowID string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.there[workflowID]
}

// hasRun lets a run be there that nobody has started.
func (e *engine) hasRun(workflowID, run string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.there[workflowID] = run
}

// show changes what the engine says when it is looked at.
func (e *engine) show(shows func(context.Context, string) error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.shows = shows
}

func (e *engine) started() []workflows.Start {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.starts)
}

func (e *engine) ended() []workflows.Terminate {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.ends)
}

// waitLooks returns once n more looks were answered, and says at what.
func (e *engine) waitLooks(t *testing.T, n int) []string {
	t.Helper()
	var all []string
	for range n {
		select {
		case workflow := <-e.looks:
			all = append(all, workflow)
		case <-t.Context().Done():
			t.Fatal("the test ended first")
		}
	}
	return all
}

// overdue makes an open activation that has begun and that nobody has looked at for two hours.
func overdue(t *testing.T, d *storetest.Database) mobile.Activation {
	t.Helper()
	a := storetest.Launched(t, d.DB)
	conn := d.Connect(t)
	exec(t, conn, `UPDATE outbox SET done_at = now() WHERE done_at IS NULL`)
	exec(t, conn, `UPDATE activations SET created_at = now() - interval '2 hours' WHERE looked_at IS NULL`)
	return a
}

// until asks the record again and again. It is for what nobody tells of.
func until(t *testing.T, conn *pgx.Conn, question string, args ...any) {
	t.Helper()
	for so := false; !so; {
		must(t, conn.QueryRow(t.Context(), question, args...).Scan(&so))
	}
}

const (
	lookedAt  = `SELECT bool_and(coalesce(looked_at > now() - interval '1 minute', false)) FROM activations`
	delivered = `SELECT bool_and(done_at IS NOT NULL) FROM outbox`
)

// end ends an activation in the record.
func end(ctx context.Context, db *store.DB, a mobile.Activation) error {
	return db.InTenant(ctx, a.Tenant, func(s *store.Store) error {
		_, err := s.End(ctx, store.Move{Tenant: a.Tenant, Activation: a.ID, To: mobile.StateFailed, At: a.Created})
		return err
	})
}
