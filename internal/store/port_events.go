package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// PortEvent is an event of the carrier about a port, as it arrives.
type PortEvent struct {
	PartnerEvent
	// ExternalID is our name of the order that it is about.
	ExternalID string
	Word       mobile.PortWord
	Reason     mobile.PortReason
	Code       string
	Message    string
	Reference  string
	Due        time.Time
	// At is when the carrier says that it became so; the zero time means Occurred.
	At     time.Time
	Number string
	ICCID  mobile.ICCID
	// Ahead is how far its time may be from ours.
	Ahead time.Duration
}

// Why an event of the carrier's about a port is odd.
const (
	oddNumber = "It names another number than the port's."
	oddICCID  = "It names another eSIM than the activation's."
	oddTime   = "Its time is in the future."
	oddState  = "Its type and the state that it shows differ."
)

// TakePortEvent keeps an event about a port and hears it like any other word of the carrier's;
// it gives false when it was kept before. One that does not fit its port is not heard: the run
// reads the port instead, and an operator is asked; one that matches no port is only kept. InSystem only.
func (s *Store) TakePortEvent(ctx context.Context, e PortEvent) (bool, error) {
	port, found, err := s.portNamed(ctx, e.ExternalID)
	if err != nil {
		return false, err
	}
	if !found {
		return s.KeepPartnerEvent(ctx, e.PartnerEvent)
	}
	a, err := s.lockActivation(ctx, port.Tenant, port.Activation)
	if err != nil {
		return false, err
	}
	e.Activation, e.Port = a.ID, port.ID
	if e.Odd, err = s.odd(ctx, port, e); err != nil {
		return false, err
	}
	fresh, err := s.KeepPartnerEvent(ctx, e.PartnerEvent)
	switch {
	case err != nil || !fresh:
		return false, err
	case e.Odd != "":
		if err := s.OpenItem(ctx, a.Tenant, mobile.Item{
			Activation: a.ID, Kind: mobile.ItemOddEvent, Reason: string(mobile.ItemOddEvent),
			Detail: "An event " + e.Kind + " of the carrier was not heeded. " + e.Odd,
		}); err != nil {
			return true, err
		}
		// Something has happened there, whatever it is: the run reads the port.
		return true, s.wake(ctx, a, "")
	}
	at := e.At
	if at.IsZero() {
		at = e.Occurred
	}
	if _, err := s.HearOfPort(ctx, PortWord{
		Tenant: a.Tenant, Activation: a.ID, Port: port.ID, ExternalID: e.ExternalID, Word: e.Word, Reason: e.Reason,
		Code: e.Code, Message: e.Message, Reference: e.Reference, Due: e.Due, At: at,
	}); err != nil {
		return true, err
	}
	return true, s.wake(ctx, a, "")
}

// portNamed finds a port by our name of one of its orders.
func (s *Store) portNamed(ctx context.Context, externalID string) (mobile.Port, bool, error) {
	id, nth, _ := strings.Cut(externalID, ".")
	if !isUUID(id) {
		return mobile.Port{}, false, nil
	}
	rows, err := s.tx.Query(ctx, `SELECT `+portColumns+` FROM ports WHERE port_id = @id`, pgx.StrictNamedArgs{"id": id})
	if err != nil {
		return mobile.Port{}, false, fmt.Errorf("find the port %s: %w", id, err)
	}
	p, err := pgx.CollectExactlyOneRow(rows, s.scanPort)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return p, false, nil
	case err != nil:
		return p, false, fmt.Errorf("find the port %s: %w", id, err)
	}
	n := 1
	if nth != "" {
		if n, err = strconv.Atoi(nth); err != nil {
			return p, false, nil //nolint:nilerr // It is nobody's name.
		}
	}
	return p, n <= p.Orders && externalID == externalIDOf(p.ID, n), nil
}

// odd says why an event does not fit its port; empty when it does.
func (s *Store) odd(ctx context.Context, port mobile.Port, e PortEvent) (string, error) {
	switch {
	case e.Number != "" && e.Number != port.Number:
		return oddNumber, nil
	case e.Occurred.After(s.now.Add(e.Ahead)), e.At.After(s.now.Add(e.Ahead)):
		return oddTime, nil
	case contradicts(e.Kind, e.Word):
		return oddState, nil
	case e.ICCID == "":
		return "", nil
	}
	ours, err := s.hadICCID(ctx, port.Activation, e.ICCID)
	if err != nil || ours {
		return "", err
	}
	return oddICCID, nil
}

// contradicts tells whether an event's type says something else than the state that it shows. A
// type that we do not know says nothing.
func contradicts(kind string, word mobile.PortWord) bool {
	said := mobile.PortWord(strings.ToUpper(strings.TrimPrefix(kind, "port.")))
	return slices.Contains(mobile.PortWords(), said) && said != word
}

// hadICCID tells whether an eSIM is, or was, an activation's own; also when it never had any:
// then there is nothing to compare.
func (s *Store) hadICCID(ctx context.Context, id mobile.ActivationID, iccid mobile.ICCID) (had bool, err error) {
	err = s.tx.QueryRow(ctx, `
		SELECT coalesce(bool_or(iccid = @iccid), true) FROM profiles WHERE activation_id = @id`,
		pgx.StrictNamedArgs{"id": id, "iccid": iccid}).Scan(&had)
	if err != nil {
		return false, fmt.Errorf("compare the eSIMs of %s: %w", id, err)
	}
	return had, nil
}

// ErasePorts removes what customers gave for the donor of ports that ended longer ago than
// this, with all by which it could be guessed, and what carriers said about them in their own
// words. It takes up to limit ports and gives how many it took. InSystem only.
func (s *Store) ErasePorts(ctx context.Context, older time.Duration, limit int) (int, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT port_id
		FROM ports
		WHERE closed_at < @before AND erased_at IS NULL
		ORDER BY closed_at
		LIMIT @limit
		FOR UPDATE SKIP LOCKED`, pgx.StrictNamedArgs{"before": s.now.Add(-older), "limit": limit})
	if err != nil {
		return 0, fmt.Errorf("find ports to erase: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return 0, fmt.Errorf("find ports to erase: %w", err)
	}
	// Also what was said later of those that were erased before.
	if _, err := s.exec(ctx, `
		UPDATE partner_events e
		SET body_sealed = ''
		FROM ports p
		WHERE e.port_id = p.port_id AND p.erased_at IS NOT NULL AND e.body_sealed <> '' AND e.received_at < @before`,
		pgx.StrictNamedArgs{"before": s.now.Add(-older)}); err != nil {
		return 0, fmt.Errorf("erase late events of ports: %w", err)
	}
	if len(ids) == 0 {
		return 0, nil
	}
	for _, statement := range []string{
		`UPDATE submissions SET info_sealed = NULL, digests = NULL, content = NULL, erased_at = @now WHERE port_id = ANY (@ids::uuid[])`,
		`UPDATE partner_events SET body_sealed = '' WHERE port_id = ANY (@ids::uuid[]) AND @now::timestamptz IS NOT NULL`,
		`UPDATE port_refusals SET message_sealed = NULL WHERE port_id = ANY (@ids::uuid[]) AND @now::timestamptz IS NOT NULL`,
		`UPDATE ports SET message_sealed = NULL, erased_at = @now WHERE port_id = ANY (@ids::uuid[])`,
	} {
		if _, err := s.exec(ctx, statement, pgx.StrictNamedArgs{"ids": ids, "now": s.now}); err != nil {
			return 0, fmt.Errorf("erase ports: %w", err)
		}
	}
	return len(ids), nil
}
