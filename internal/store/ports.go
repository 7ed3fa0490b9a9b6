package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// Ports. Whoever changes one holds its activation, so that all that is said about a port, by
// the customer, the carrier and operators, takes turns.

// Refusals about ports.
var (
	ErrNumberBeingPorted = fault.New(fault.Exists, "NUMBER_BEING_PORTED",
		"This number is being brought in already: the activation_id of that is in this error. Adopt that one, or cancel it first.")
	ErrNoPort = fault.New(fault.Conflict, "NOT_APPLICABLE",
		"This activation brings no number along: it is for a new one, and nothing of this kind can be asked of it.")
	// ErrNumberOrderedElsewhere says nothing about where: another tenant's business is nobody's.
	ErrNumberOrderedElsewhere = fault.New(fault.Conflict, "DUPLICATE_PORT",
		"Another order for this number is at the carrier. Find out with the customer who is to bring it.")
)

const portColumns = `port_id, tenant_id, activation_id, phone_number, donor, state, since, version, reason, code, message_sealed,
	number_type, looked_up, required, earliest_at, checked_at, submitted_at, due_at, completed_at, closed_at, refusals, pin_refusals,
	reference, external_id, orders, ordered, rescheduled, word_at, pin_expires_at, coalesce(replaced_by::text, ''),
	created_at, updated_at,
	EXISTS (SELECT FROM submissions s WHERE s.port_id = ports.port_id AND s.info_sealed IS NOT NULL)`

func (s *Store) scanPort(row pgx.CollectableRow) (p mobile.Port, err error) {
	var message []byte
	var earliest, checked, submitted, due, completed, closed, word, pin *time.Time
	err = row.Scan(&p.ID, &p.Tenant, &p.Activation, &p.Number, &p.Donor, &p.State, &p.Since, &p.Version, &p.Reason, &p.Code, &message,
		&p.NumberType, &p.LookedUp, &p.Required, &earliest, &checked, &submitted, &due, &completed, &closed, &p.Refusals, &p.PINRefusals,
		&p.Reference, &p.ExternalID, &p.Orders, &p.Ordered, &p.Rescheduled, &word, &pin, &p.ReplacedBy,
		&p.Created, &p.Updated, &p.InfoPresent)
	if err != nil {
		return p, err
	}
	p.Earliest, p.Checked, p.Submitted, p.Due = value(earliest), value(checked), value(submitted), value(due)
	p.Completed, p.Closed, p.Word, p.PINExpires = value(completed), value(closed), value(word), value(pin)
	p.Message, err = s.unseal(message, "port.message", p.Tenant, string(p.ID))
	return p, err
}

// InsertPort makes a port in the transaction of the launch, or of the customer's word that
// another number is to come. It refuses ErrNumberBeingPorted: two that arrive at the same
// moment meet at the index.
func (s *Store) InsertPort(ctx context.Context, p mobile.Port) error {
	n, err := s.exec(ctx, `
		INSERT INTO ports (port_id, tenant_id, activation_id, phone_number, donor, state, since, created_at, updated_at)
		VALUES (@id, @tenant, @activation, @number, @donor, 'AWAITING_INFO', @now, @now, @now)
		ON CONFLICT (tenant_id, phone_number) WHERE closed_at IS NULL AND replaced_by IS NULL DO NOTHING`, pgx.StrictNamedArgs{
		"id": p.ID, "tenant": p.Tenant, "activation": p.Activation, "number": p.Number, "donor": p.Donor, "now": s.now,
	})
	switch {
	case err != nil:
		return fmt.Errorf("insert the port of %s: %w", p.Activation, err)
	case n == 1:
		return nil
	}
	open, found, err := s.BeingPorted(ctx, p.Tenant, p.Number)
	switch {
	case err != nil:
		return err
	case !found:
		return ErrUnavailable // it ended between the two statements: the caller's next try will succeed
	}
	return ErrNumberBeingPorted.With("activation_id", string(open))
}

// HasLiveLine tells whether a number is on a line of this tenant's that Dialtone has brought
// up, and that billing has not ended.
func (s *Store) HasLiveLine(ctx context.Context, tenant mobile.TenantID, number string) (has bool, err error) {
	err = s.tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM subscriptions
		               WHERE tenant_id = @tenant AND phone_number = @number AND status IN ('ACTIVE', 'SUSPENDED'))`,
		pgx.StrictNamedArgs{"tenant": tenant, "number": number}).Scan(&has)
	if err != nil {
		return false, fmt.Errorf("look for a line with a number: %w", err)
	}
	return has, nil
}

// Which of an activation's ports.
const (
	// portNewest is the one that the customer deals with; a number that has moved is it.
	portNewest = `ORDER BY state = 'COMPLETED' DESC, created_at DESC, port_id DESC`
	// portInWork is the one that the run deals with: one of another number waits until the one
	// before it is out of the way.
	portInWork = `ORDER BY closed_at IS NOT NULL, closed_at IS NOT NULL AND state <> 'COMPLETED', CASE WHEN closed_at IS NULL THEN created_at END ASC, created_at DESC, port_id DESC`
)

// Port reads the port that an activation's customer deals with, whole. It refuses ErrNoPort.
func (s *Store) Port(ctx context.Context, activation mobile.ActivationID) (mobile.Port, error) {
	return s.readPort(ctx, activation, portNewest)
}

// PortInWork reads the port that an activation's run deals with, whole. It refuses ErrNoPort.
func (s *Store) PortInWork(ctx context.Context, activation mobile.ActivationID) (mobile.Port, error) {
	return s.readPort(ctx, activation, portInWork)
}

// PortByID reads one port of an activation, whole. It refuses ErrNoPort.
func (s *Store) PortByID(ctx context.Context, activation mobile.ActivationID, port mobile.PortID) (mobile.Port, error) {
	rows, err := s.tx.Query(ctx, `SELECT `+portColumns+` FROM ports WHERE activation_id = @activation AND port_id = @port`,
		pgx.StrictNamedArgs{"activation": activation, "port": port})
	if err != nil {
		return mobile.Port{}, fmt.Errorf("read the port %s: %w", port, err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, s.scanPort)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return p, ErrNoPort
	case err != nil:
		return p, fmt.Errorf("read the port %s: %w", port, err)
	}
	return s.completePort(ctx, p)
}

func (s *Store) readPort(ctx context.Context, activation mobile.ActivationID, which string) (mobile.Port, error) {
	rows, err := s.tx.Query(ctx, `SELECT `+portColumns+` FROM ports WHERE activation_id = @id `+which+` LIMIT 1`,
		pgx.StrictNamedArgs{"id": activation})
	if err != nil {
		return mobile.Port{}, fmt.Errorf("read the port of %s: %w", activation, err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, s.scanPort)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return p, ErrNoPort
	case err != nil:
		return p, fmt.Errorf("read the port of %s: %w", activation, err)
	}
	return s.completePort(ctx, p)
}

// completePort reads what stands beside a port's row.
func (s *Store) completePort(ctx context.Context, p mobile.Port) (mobile.Port, error) {
	var err error
	if p.Prompt, err = s.latestPrompt(ctx, p.Activation); err != nil {
		return p, err
	}
	p.Refused, err = s.refusals(ctx, p)
	return p, err
}

// ports reads the newest port of each of these activations, whole.
func (s *Store) ports(ctx context.Context, ids []string) (map[mobile.ActivationID]*mobile.Port, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT DISTINCT ON (activation_id) `+portColumns+`
		FROM ports
		WHERE activation_id = ANY (@ids::uuid[])
		ORDER BY activation_id, state = 'COMPLETED' DESC, created_at DESC, port_id DESC`, pgx.StrictNamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("read ports: %w", err)
	}
	list, err := pgx.CollectRows(rows, s.scanPort)
	if err != nil {
		return nil, fmt.Errorf("read ports: %w", err)
	}
	all := make(map[mobile.ActivationID]*mobile.Port, len(list))
	for _, p := range list {
		if p, err = s.completePort(ctx, p); err != nil {
			return nil, err
		}
		all[p.Activation] = &p
	}
	return all, nil
}

// attachPorts puts their ports to those activations that bring a number. Until there is a line
// of another number, the ported one is theirs.
func (s *Store) attachPorts(ctx context.Context, all []mobile.Activation) error {
	var ids []string
	for _, a := range all {
		if a.Type == mobile.TypePortIn {
			ids = append(ids, string(a.ID))
		}
	}
	if len(ids) == 0 {
		return nil
	}
	ports, err := s.ports(ctx, ids)
	if err != nil {
		return err
	}
	for i, a := range all {
		p := ports[a.ID]
		if p == nil {
			continue
		}
		all[i].Port = p
		if a.PhoneNumber == "" && (!p.State.Closed() || p.State == mobile.PortCompleted) {
			all[i].PhoneNumber = p.Number
		}
	}
	return nil
}

func (s *Store) refusals(ctx context.Context, p mobile.Port) ([]mobile.PortRefusal, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT at, reason, code, message_sealed, reference
		FROM port_refusals
		WHERE port_id = @id
		ORDER BY port_refusal_id`, pgx.StrictNamedArgs{"id": p.ID})
	if err != nil {
		return nil, fmt.Errorf("read the refusals of %s: %w", p.ID, err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r mobile.PortRefusal, err error) {
		var message []byte
		if err := row.Scan(&r.Time, &r.Reason, &r.Code, &message, &r.Reference); err != nil {
			return r, err
		}
		r.Message, err = s.unseal(message, "port_refusal.message", p.Tenant, string(p.ID))
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the refusals of %s: %w", p.ID, err)
	}
	return all, nil
}

// savePort writes a port of an activation that this transaction holds, as it is after a change
// of what it was before, and tells the feed when its state has moved.
func (s *Store) savePort(ctx context.Context, a mobile.Activation, before, after mobile.Port) error {
	if before.State != after.State {
		after.Since = s.now
	}
	if after.State.Closed() && after.Closed.IsZero() {
		after.Closed = s.now
	}
	message, err := s.sealOptional(after.Message, "port.message", after.Tenant, string(after.ID))
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, `
		UPDATE ports
		SET state = @state, since = @since, version = version + 1, reason = @reason, code = @code, message_sealed = @message,
		    number_type = @number_type, looked_up = @looked_up, required = @required, earliest_at = @earliest, checked_at = @checked,
		    submitted_at = @submitted, due_at = @due, completed_at = @completed, closed_at = @closed, refusals = @refusals,
		    pin_refusals = @pin_refusals, reference = @reference, external_id = @external, orders = @orders, ordered = @ordered,
		    rescheduled = @rescheduled, word_at = @word, pin_expires_at = @pin, replaced_by = @replaced_by, updated_at = @now
		WHERE port_id = @id`, pgx.StrictNamedArgs{
		"id": after.ID, "state": after.State, "since": after.Since, "reason": after.Reason, "code": after.Code, "message": message,
		"number_type": after.NumberType, "looked_up": after.LookedUp, "required": texts(after.Required),
		"earliest": zeroNull(after.Earliest), "checked": zeroNull(after.Checked), "submitted": zeroNull(after.Submitted),
		"due": zeroNull(after.Due), "completed": zeroNull(after.Completed), "closed": zeroNull(after.Closed),
		"refusals": after.Refusals, "pin_refusals": after.PINRefusals, "reference": after.Reference, "external": after.ExternalID,
		"orders": after.Orders, "ordered": after.Ordered, "rescheduled": after.Rescheduled, "word": zeroNull(after.Word),
		"pin": zeroNull(after.PINExpires), "replaced_by": emptyNull(string(after.ReplacedBy)), "now": s.now,
	})
	switch {
	case violates(err, "ports_submitted_number"), violates(err, "ports_open_number"):
		return ErrNumberOrderedElsewhere
	case err != nil:
		return fmt.Errorf("write the port %s: %w", after.ID, err)
	}
	if err := s.touch(ctx, a.ID, touchRevision); err != nil || before.State == after.State {
		return err
	}
	return s.emit(ctx, mobile.Event{
		Tenant: a.Tenant, Type: mobile.EventPortStateChanged, Activation: a.ID, Subscription: a.Subscription,
		Data: mobile.EventData{
			AccountID: a.AccountID, PortState: after.State, PreviousPortState: before.State, Reason: string(after.Reason),
			PhoneNumber: after.Number, Donor: after.Donor, DueTime: zeroNull(after.Due),
		},
	})
}

// violates tells whether an error is a breach of this unique index.
func violates(err error, index string) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == uniqueViolation && pg.ConstraintName == index
}

// lockPort holds an activation and reads one port of it. It refuses ErrNoPort.
func (s *Store) lockPort(ctx context.Context, tenant mobile.TenantID, id mobile.ActivationID, port mobile.PortID) (mobile.Activation, mobile.Port, error) {
	a, err := s.lockActivation(ctx, tenant, id)
	if err != nil {
		return a, mobile.Port{}, err
	}
	p, err := s.PortByID(ctx, id, port)
	return a, p, err
}

// PortOrdered tells whether an order for a port of an activation ever went to the carrier.
func (s *Store) PortOrdered(ctx context.Context, id mobile.ActivationID) (ordered bool, err error) {
	err = s.tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM ports WHERE activation_id = @id AND orders > 0)`,
		pgx.StrictNamedArgs{"id": id}).Scan(&ordered)
	if err != nil {
		return false, fmt.Errorf("look for orders of %s: %w", id, err)
	}
	return ordered, nil
}

// stirPorts says that something changed beside an activation's ports that their reading shows:
// what the customer is asked, or has said.
func (s *Store) stirPorts(ctx context.Context, id mobile.ActivationID) error {
	if _, err := s.exec(ctx, `UPDATE ports SET version = version + 1 WHERE activation_id = @id AND closed_at IS NULL`,
		pgx.StrictNamedArgs{"id": id}); err != nil {
		return fmt.Errorf("stir the ports of %s: %w", id, err)
	}
	return nil
}
