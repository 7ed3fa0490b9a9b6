package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// Refusals about follow-ups.
var (
	ErrFollowUpNotFound     = fault.New(fault.NotFound, "FOLLOW_UP_NOT_FOUND", "There is no such follow-up.")
	ErrFollowUpEnded        = fault.New(fault.Conflict, "FOLLOW_UP_ENDED", "The follow-up has ended; nothing more is done for it.")
	ErrProfileBeingReplaced = fault.New(fault.Conflict, "NOT_APPLICABLE",
		"The eSIM of this activation is being replaced already. Wait until that is done, or settle what it waits for.")
)

// FileFollowUp keeps something to be done beside an activation's own run and files it with
// the relay, in the transaction of the request. It gives the follow-up with its id, and
// refuses ErrProfileBeingReplaced: one eSIM is replaced at a time.
func (s *Store) FileFollowUp(ctx context.Context, f mobile.FollowUp, policies string) (mobile.FollowUp, error) {
	f.ID = mobile.FollowUpID(uuid.Must(uuid.NewV7()).String())
	f.State, f.Created = mobile.FollowUpOpen, s.now
	f.WorkflowID = mobile.FollowUpWorkflowID(f.Tenant, f.Activation, f.ID)
	n, err := s.exec(ctx, `
		INSERT INTO follow_ups (follow_up_id, tenant_id, activation_id, kind, workflow_id, state, imei, policies,
		                        principal, actor, request_id, created_at)
		VALUES (@id, @tenant, @activation, @kind, @workflow, 'OPEN', @imei, @policies, @principal, @actor, @request, @now)
		ON CONFLICT (activation_id) WHERE kind = 'REPLACE' AND ended_at IS NULL DO NOTHING`, pgx.StrictNamedArgs{
		"id": f.ID, "tenant": f.Tenant, "activation": f.Activation, "kind": f.Kind, "workflow": f.WorkflowID,
		"imei": f.IMEI, "policies": policies, "principal": f.Asked.Principal, "actor": f.Asked.Actor,
		"request": f.Asked.RequestID, "now": s.now,
	})
	switch {
	case err != nil:
		return f, fmt.Errorf("file a follow-up of %s: %w", f.Activation, err)
	case n == 0:
		return f, ErrProfileBeingReplaced
	}
	if err := s.fileFor(ctx, f.Tenant, f.Activation, f.ID, outboxStart); err != nil {
		return f, err
	}
	return f, s.touch(ctx, f.Activation, touchRevision)
}

// OpenFollowUp claims a follow-up for a run and gives it. The first run to come holds it; a
// repeat by the same run is the same claim. It refuses ErrNotThisRun, with the follow-up, and
// ErrFollowUpNotFound.
func (s *Store) OpenFollowUp(ctx context.Context, tenant mobile.TenantID, id mobile.FollowUpID, run string) (mobile.FollowUp, error) {
	f, err := s.FollowUp(ctx, tenant, id)
	switch {
	case err != nil:
		return f, err
	case f.RunID == run || f.State != mobile.FollowUpOpen:
		return f, nil
	case f.RunID != "":
		return f, ErrNotThisRun
	}
	return f, s.claimFollowUp(ctx, id, run)
}

func (s *Store) claimFollowUp(ctx context.Context, id mobile.FollowUpID, run string) error {
	if _, err := s.exec(ctx, `UPDATE follow_ups SET run_id = @run WHERE follow_up_id = @id`,
		pgx.StrictNamedArgs{"id": id, "run": run}); err != nil {
		return fmt.Errorf("claim follow-up %s: %w", id, err)
	}
	return nil
}

// FollowUp reads a follow-up and holds it until the transaction ends. It refuses
// ErrFollowUpNotFound.
func (s *Store) FollowUp(ctx context.Context, tenant mobile.TenantID, id mobile.FollowUpID) (mobile.FollowUp, error) {
	var f mobile.FollowUp
	var ended *time.Time
	err := s.tx.QueryRow(ctx, `
		SELECT follow_up_id, tenant_id, activation_id, kind, workflow_id, run_id, state, imei, principal, actor, request_id,
		       created_at, ended_at
		FROM follow_ups
		WHERE tenant_id = @tenant AND follow_up_id = @id
		FOR NO KEY UPDATE`, pgx.StrictNamedArgs{"tenant": tenant, "id": id}).
		Scan(&f.ID, &f.Tenant, &f.Activation, &f.Kind, &f.WorkflowID, &f.RunID, &f.State, &f.IMEI, &f.Asked.Principal,
			&f.Asked.Actor, &f.Asked.RequestID, &f.Created, &ended)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return f, ErrFollowUpNotFound
	case err != nil:
		return f, fmt.Errorf("read follow-up %s: %w", id, err)
	}
	f.Ended = value(ended)
	return f, nil
}

// EndFollowUp says how a follow-up ended, and closes what it asked. Twice is once.
func (s *Store) EndFollowUp(ctx context.Context, f mobile.FollowUp, to mobile.FollowUpState, at time.Time) error {
	a, err := s.lockActivation(ctx, f.Tenant, f.Activation)
	if err != nil {
		return err
	}
	n, err := s.exec(ctx, `
		UPDATE follow_ups
		SET state = @to, ended_at = @at
		WHERE follow_up_id = @id AND ended_at IS NULL`, pgx.StrictNamedArgs{"id": f.ID, "to": to, "at": at})
	switch {
	case err != nil:
		return fmt.Errorf("end follow-up %s: %w", f.ID, err)
	case n == 0:
		return nil
	}
	if err := s.closeItems(ctx, a, itemsOf{followUp: f.ID}); err != nil {
		return err
	}
	return s.touch(ctx, f.Activation, touchRevision)
}

// AnsweredFollowUp takes back what an operator was asked about a follow-up: it got through by
// itself.
func (s *Store) AnsweredFollowUp(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, followUp mobile.FollowUpID) error {
	a, err := s.lockActivation(ctx, tenant, id)
	if err != nil {
		return err
	}
	if err := s.closeItems(ctx, a, itemsOf{followUp: followUp}); err != nil {
		return err
	}
	return s.touch(ctx, id, touchRevision)
}

// openFollowUps reads which kinds of follow-up are open, for each activation.
func (s *Store) openFollowUps(ctx context.Context, ids []string) (map[mobile.ActivationID][]mobile.FollowUpKind, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT activation_id, kind
		FROM follow_ups
		WHERE activation_id = ANY (@ids::uuid[]) AND ended_at IS NULL
		ORDER BY created_at`, pgx.StrictNamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("read follow-ups: %w", err)
	}
	all := make(map[mobile.ActivationID][]mobile.FollowUpKind)
	var id mobile.ActivationID
	var kind mobile.FollowUpKind
	_, err = pgx.ForEachRow(rows, []any{&id, &kind}, func() error {
		all[id] = append(all[id], kind)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read follow-ups: %w", err)
	}
	return all, nil
}
