package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// PartnerEvent is something that a partner told us, kept before anything is made of it.
type PartnerEvent struct {
	Partner mobile.Partner
	// DedupKey makes a repeated delivery the same event.
	DedupKey string
	Kind     string
	// Activation is the one that it is about; empty when it matched none.
	Activation mobile.ActivationID
	// Port is the one that it is about, and Odd why a person must look at it; both mostly empty.
	Port     mobile.PortID
	Odd      string
	Body     []byte
	Occurred time.Time
}

// KeepPartnerEvent stores an event and gives false when it was stored before. An event that
// names an activation which is not ours is kept unmatched. InSystem only.
func (s *Store) KeepPartnerEvent(ctx context.Context, e PartnerEvent) (bool, error) {
	tenant, err := s.tenantOf(ctx, e.Activation)
	if err != nil {
		return false, err
	}
	if tenant == "" {
		e.Activation = ""
	}
	id := uuid.Must(uuid.NewV7()).String()
	sealed, err := s.sealer.Seal(e.Body, "partner_event.body", string(tenant), id)
	if err != nil {
		return false, err
	}
	n, err := s.exec(ctx, `
		INSERT INTO partner_events (partner_event_id, partner, dedup_key, kind, tenant_id, activation_id, port_id, odd, body_sealed,
		                            occurred_at, received_at)
		VALUES (@id, @partner, @dedup, @kind, @tenant, @activation, @port, @odd, @body, @occurred, @now)
		ON CONFLICT ON CONSTRAINT partner_events_dedup DO NOTHING`, pgx.StrictNamedArgs{
		"id": id, "partner": e.Partner, "dedup": e.DedupKey, "kind": e.Kind, "tenant": tenant,
		"activation": emptyNull(string(e.Activation)), "body": sealed, "occurred": e.Occurred, "now": s.now,
		"port": emptyNull(string(e.Port)), "odd": e.Odd,
	})
	if err != nil {
		return false, fmt.Errorf("keep an event of %s: %w", e.Partner, err)
	}
	return n == 1, nil
}

// tenantOf gives the tenant of an activation, and nothing for one that is not ours.
func (s *Store) tenantOf(ctx context.Context, id mobile.ActivationID) (mobile.TenantID, error) {
	if !isUUID(string(id)) {
		return "", nil
	}
	var tenant mobile.TenantID
	err := s.tx.QueryRow(ctx, `SELECT tenant_id FROM activations WHERE activation_id = @id`,
		pgx.StrictNamedArgs{"id": id}).Scan(&tenant)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("find the tenant of %s: %w", id, err)
	}
	return tenant, nil
}

// WakeRun files a wake-up of an activation's run, so that it looks at what the outside said.
// An activation that has ended has no run to wake, and one that has ended or is unknown is
// left alone. InSystem only.
func (s *Store) WakeRun(ctx context.Context, id mobile.ActivationID) error {
	tenant, err := s.tenantOf(ctx, id)
	if err != nil || tenant == "" {
		return err
	}
	a, err := s.activation(ctx, tenant, Key{ID: id}, "")
	if err != nil {
		return err
	}
	return s.wake(ctx, a, "")
}

// wake files a wake-up of the run of a follow-up, or with an empty one of the activation's
// own. What has ended has no run to wake.
func (s *Store) wake(ctx context.Context, a mobile.Activation, followUp mobile.FollowUpID) error {
	if followUp == "" {
		if a.State.Final() {
			return nil
		}
		return s.file(ctx, a, outboxIntake)
	}
	f, err := s.FollowUp(ctx, a.Tenant, followUp)
	if err != nil || f.State != mobile.FollowUpOpen {
		return err
	}
	return s.fileFor(ctx, a.Tenant, a.ID, followUp, outboxIntake)
}

// Facts are what the outside has said to a run that it has not taken up yet.
type Facts struct {
	Type      mobile.Type
	Cancelled bool
	// LineEvents counts the carrier's unconsumed events. They are hints: the line is read.
	LineEvents int64
	// Settled tells that an outcome which an operator is asked about has become known.
	Settled bool
}

// TakeFacts reads the facts of an activation, or of a follow-up of it, and consumes the
// carrier's events.
func (s *Store) TakeFacts(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, followUp mobile.FollowUpID) (Facts, error) {
	a, err := s.activation(ctx, tenant, Key{ID: id}, "")
	if err != nil {
		return Facts{}, err
	}
	facts := Facts{Type: a.Type, Cancelled: !a.CancelRequested.IsZero()}
	if facts.Settled, err = s.outcomeKnown(ctx, id, followUp); err != nil {
		return Facts{}, err
	}
	if followUp != "" {
		return facts, nil // the carrier's events are the own run's
	}
	facts.LineEvents, err = s.exec(ctx, `
		UPDATE partner_events
		SET consumed_at = @now
		WHERE activation_id = @id AND partner = 'carrier' AND consumed_at IS NULL`,
		pgx.StrictNamedArgs{"id": id, "now": s.now})
	if err != nil {
		return Facts{}, fmt.Errorf("take the events of %s: %w", id, err)
	}
	return facts, nil
}

// outcomeKnown tells whether every effect of a kind that only evidence or a person can settle
// is settled: whoever waits for an outcome may look again. Mails that only ask or tell are not
// waited for.
func (s *Store) outcomeKnown(ctx context.Context, id mobile.ActivationID, followUp mobile.FollowUpID) (known bool, err error) {
	err = s.tx.QueryRow(ctx, `
		SELECT coalesce(bool_and(verdict IN ('yes', 'refused')), false)
		FROM (SELECT DISTINCT ON (act) verdict
		      FROM effects
		      WHERE activation_id = @id AND follow_up_id IS NOT DISTINCT FROM @follow_up::uuid
		        AND settle IN ('blind', 'evidenced') AND act NOT LIKE 'send_notice:%'
		      ORDER BY act, generation DESC) latest`,
		pgx.StrictNamedArgs{"id": id, "follow_up": emptyNull(string(followUp))}).Scan(&known)
	if err != nil {
		return false, fmt.Errorf("look for outcomes of %s: %w", id, err)
	}
	return known, nil
}
