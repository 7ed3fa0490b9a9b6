package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// emit writes an event in the transaction of the change that it tells. The relay numbers it
// after the commit; until then the feed does not show it.
func (s *Store) emit(ctx context.Context, e mobile.Event) error {
	data, err := json.Marshal(e.Data)
	if err != nil {
		return fmt.Errorf("write event %s: %w", e.Type, err)
	}
	_, err = s.exec(ctx, `
		INSERT INTO events (event_id, tenant_id, type, activation_id, subscription_id, data, created_at)
		VALUES (@id, @tenant, @type, @activation, @subscription, @data, @now)`, pgx.StrictNamedArgs{
		"id": uuid.Must(uuid.NewV7()), "tenant": e.Tenant, "type": e.Type, "activation": emptyNull(string(e.Activation)),
		"subscription": e.Subscription, "data": data, "now": s.now,
	})
	if err != nil {
		return fmt.Errorf("insert event %s: %w", e.Type, err)
	}
	return s.notify(ctx, RelayTopic)
}

// EventFilter narrows the feed; empty fields do not.
type EventFilter struct {
	// After keeps events with a greater sequence number.
	After int64
	// Types keeps events of these types; one that ends in ".*" stands for all that begin so.
	Types        []string
	Activation   mobile.ActivationID
	Subscription mobile.SubscriptionID
}

// FeedPage is a part of a feed.
type FeedPage struct {
	Events []mobile.Event
	// Next is how far it was read, also over events that the filter left out.
	Next int64
	// Head is the newest sequence number at that time.
	Head int64
}

// ListEvents gives up to limit events of a tenant's feed, in order, and how far that reading came.
//
// The feed's head is read before its events, and events beyond it are left for the next
// reading: so all up to the head are seen, and a filter can pass over those that it leaves
// out without passing over one that is numbered meanwhile.
func (s *Store) ListEvents(ctx context.Context, tenant mobile.TenantID, f EventFilter, limit int) (FeedPage, error) {
	var page FeedPage
	err := s.tx.QueryRow(ctx, `SELECT feed_sequence FROM tenants WHERE tenant_id = @tenant`,
		pgx.StrictNamedArgs{"tenant": tenant}).Scan(&page.Head)
	if err != nil {
		return FeedPage{}, fmt.Errorf("read the head of the feed of %s: %w", tenant, err)
	}
	rows, err := s.tx.Query(ctx, `
		SELECT event_id, sequence, type, activation_id, subscription_id, data, created_at,
		       coalesce((SELECT b.account_id FROM subscriptions b
		                 WHERE b.tenant_id = e.tenant_id AND b.subscription_id = e.subscription_id), '')
		FROM events e
		WHERE tenant_id = @tenant AND sequence > @after AND sequence <= @head
		  AND (cardinality(@types::text[]) = 0 OR type LIKE ANY (@types))
		  AND (@activation::uuid IS NULL OR activation_id = @activation)
		  AND (@subscription = '' OR subscription_id = @subscription)
		ORDER BY sequence
		LIMIT @limit`, pgx.StrictNamedArgs{
		"tenant": tenant, "after": f.After, "head": page.Head, "types": patterns(f.Types),
		"activation": emptyNull(string(f.Activation)), "subscription": f.Subscription, "limit": limit,
	})
	if err != nil {
		return FeedPage{}, fmt.Errorf("list events: %w", err)
	}
	page.Events, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (mobile.Event, error) {
		e := mobile.Event{Tenant: tenant}
		var activation *mobile.ActivationID
		var data []byte
		var account string
		if err := row.Scan(&e.ID, &e.Sequence, &e.Type, &activation, &e.Subscription, &data, &e.Created, &account); err != nil {
			return e, err
		}
		e.Activation = value(activation)
		err := json.Unmarshal(data, &e.Data)
		e.Data.AccountID = account
		return e, err
	})
	if err != nil {
		return FeedPage{}, fmt.Errorf("list events: %w", err)
	}
	page.Next = max(page.Head, f.After)
	if len(page.Events) == limit {
		page.Next = page.Events[limit-1].Sequence
	}
	return page, nil
}

// patterns writes types as patterns for LIKE, whose own signs lose their meaning.
func patterns(types []string) []string {
	all := make([]string, 0, len(types))
	for _, t := range types {
		t = strings.NewReplacer(`\`, `\\`, `_`, `\_`, `%`, `\%`).Replace(t)
		if family, ok := strings.CutSuffix(t, ".*"); ok {
			t = family + ".%"
		}
		all = append(all, t)
	}
	return all
}

// numberedAtOnce bounds one statement that numbers a tenant's events, so that a long backlog
// fits into what a statement may take; the next pass goes on.
const numberedAtOnce = 5000

// NumberFeed gives sequence numbers to events that have none, in the order in which they
// were written, for up to limit tenants. InSystem only.
//
// A serial drawn inside a transaction is not commit order: a reader's cursor would pass a
// row that commits later. Here the lock on the tenant's row orders the numbering, and only
// committed events are seen, so that a number once shown never gets a smaller neighbour.
func (s *Store) NumberFeed(ctx context.Context, limit int) (int64, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT t.tenant_id
		FROM tenants t
		WHERE EXISTS (SELECT FROM events e WHERE e.tenant_id = t.tenant_id AND e.sequence IS NULL)
		ORDER BY t.tenant_id
		LIMIT @limit
		FOR NO KEY UPDATE OF t SKIP LOCKED`, pgx.StrictNamedArgs{"limit": limit})
	if err != nil {
		return 0, fmt.Errorf("find unnumbered events: %w", err)
	}
	tenants, err := pgx.CollectRows(rows, pgx.RowTo[mobile.TenantID])
	if err != nil {
		return 0, fmt.Errorf("find unnumbered events: %w", err)
	}
	var numbered int64
	for _, tenant := range tenants {
		// A statement of its own, so that it sees what was committed before the lock was had.
		n, err := s.exec(ctx, `
			WITH fresh AS (
			    SELECT event_id, row_number() OVER (ORDER BY position) AS n
			    FROM events
			    WHERE tenant_id = @tenant AND sequence IS NULL
			    ORDER BY position
			    LIMIT @most
			), counter AS (
			    UPDATE tenants
			    SET feed_sequence = feed_sequence + (SELECT count(*) FROM fresh)
			    WHERE tenant_id = @tenant
			    RETURNING feed_sequence - (SELECT count(*) FROM fresh) AS base
			)
			UPDATE events e
			SET sequence = counter.base + fresh.n
			FROM fresh, counter
			WHERE e.event_id = fresh.event_id`, pgx.StrictNamedArgs{"tenant": tenant, "most": numberedAtOnce})
		if err != nil {
			return 0, fmt.Errorf("number the feed of %s: %w", tenant, err)
		}
		numbered += n
		if err := s.notify(ctx, FeedTopic(tenant)); err != nil {
			return 0, err
		}
	}
	return numbered, nil
}

// Unnumbered tells whether committed events are without a number: those of a tenant whom
// another relay was numbering, which may have looked before they were committed. InSystem
// only.
func (s *Store) Unnumbered(ctx context.Context) (left bool, err error) {
	err = s.tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM events WHERE sequence IS NULL)`).Scan(&left)
	if err != nil {
		return false, fmt.Errorf("find unnumbered events: %w", err)
	}
	return left, nil
}
