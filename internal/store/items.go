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

// ErrItemNotFound refuses an item that the activation does not have.
var ErrItemNotFound = fault.New(fault.NotFound, "ITEM_NOT_FOUND", "The activation has no such item.")

// ErrAnotherAsks puts off a run that asks what another run of the same activation asks already:
// one is answered after the other.
var ErrAnotherAsks = fault.New(fault.Unavailable, "ANOTHER_ASKS",
	"Another run of this activation asks an operator the same. It is asked again once that is settled.")

// OpenItem asks an operator. An item of the same kind and step that is open already becomes
// this question: repeating asks once, and what is asked while something is given back is
// another question than before. It refuses ErrAnotherAsks.
func (s *Store) OpenItem(ctx context.Context, tenant mobile.TenantID, item mobile.Item) error {
	item.ID, item.Severity = uuid.Must(uuid.NewV7()).String(), item.Kind.Severity()
	about, err := s.AboutWhat(ctx, item)
	if err != nil {
		return err
	}
	if about.Act != "" && item.Detail == "" {
		item.Detail = "To quote to the partner: " + about.Key() + "."
	}
	fresh, changed, err := s.putItem(ctx, tenant, item)
	if err != nil || !changed {
		return err
	}
	a, err := s.activation(ctx, tenant, Key{ID: item.Activation}, "")
	if err != nil {
		return err
	}
	if fresh {
		if err := s.emitItem(ctx, mobile.EventItemOpened, a, item); err != nil {
			return err
		}
	}
	if item.Kind == mobile.ItemRunLost {
		// What the lost run asked nobody hears the answer to. Whoever goes on asks again.
		err := s.closeItems(ctx, a, itemsOf{followUp: item.FollowUp, kinds: []mobile.ItemKind{
			mobile.ItemStepStuck, mobile.ItemOutcomeUnknown, mobile.ItemStepRefused,
		}})
		if err != nil {
			return err
		}
	} else if item.Kind != mobile.ItemStepStuck && item.Step != "" {
		// What is known now takes the place of "it does not get through".
		err := s.closeItems(ctx, a, itemsOf{followUp: item.FollowUp, step: item.Step, kinds: []mobile.ItemKind{mobile.ItemStepStuck}})
		if err != nil {
			return err
		}
	}
	return s.touch(ctx, item.Activation, touchRevision)
}

// putItem writes an open item, and tells whether it is new, and whether anything has changed.
func (s *Store) putItem(ctx context.Context, tenant mobile.TenantID, item mobile.Item) (fresh, changed bool, err error) {
	rows, err := s.tx.Query(ctx, `
		SELECT `+itemColumns+`
		FROM items
		WHERE activation_id = @activation AND kind = @kind AND step = @step AND closed_at IS NULL`,
		pgx.StrictNamedArgs{"activation": item.Activation, "kind": item.Kind, "step": item.Step})
	if err != nil {
		return false, false, fmt.Errorf("read item %s of %s: %w", item.Kind, item.Activation, err)
	}
	open, err := pgx.CollectExactlyOneRow(rows, scanItem)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return true, true, s.insertItem(ctx, tenant, item)
	case err != nil:
		return false, false, fmt.Errorf("read item %s of %s: %w", item.Kind, item.Activation, err)
	case open.FollowUp != item.FollowUp:
		return false, false, ErrAnotherAsks
	case open.Undoing == item.Undoing && open.Reason == item.Reason && open.Detail == item.Detail:
		return false, false, nil
	}
	_, err = s.exec(ctx, `
		UPDATE items
		SET undoing = @undoing, reason = @reason, detail = @detail, due_at = @due
		WHERE item_id = @id`, pgx.StrictNamedArgs{
		"id": open.ID, "undoing": item.Undoing, "reason": item.Reason, "detail": item.Detail, "due": zeroNull(item.Due),
	})
	if err != nil {
		return false, false, fmt.Errorf("change item %s of %s: %w", item.Kind, item.Activation, err)
	}
	return false, true, nil
}

// insertItem refuses ErrAnotherAsks when another transaction was first.
func (s *Store) insertItem(ctx context.Context, tenant mobile.TenantID, item mobile.Item) error {
	n, err := s.exec(ctx, `
		INSERT INTO items (item_id, tenant_id, activation_id, follow_up_id, kind, severity, step, undoing, reason, detail,
		                   opened_at, due_at)
		VALUES (@id, @tenant, @activation, @follow_up, @kind, @severity, @step, @undoing, @reason, @detail, @now, @due)
		ON CONFLICT (activation_id, kind, step) WHERE closed_at IS NULL DO NOTHING`, pgx.StrictNamedArgs{
		"id": item.ID, "tenant": tenant, "activation": item.Activation, "follow_up": emptyNull(string(item.FollowUp)),
		"kind": item.Kind, "severity": item.Severity, "step": item.Step, "undoing": item.Undoing, "reason": item.Reason,
		"detail": item.Detail, "now": s.now, "due": zeroNull(item.Due),
	})
	switch {
	case err != nil:
		return fmt.Errorf("open item %s of %s: %w", item.Kind, item.Activation, err)
	case n == 0:
		return ErrAnotherAsks
	}
	return nil
}

// AboutWhat is the act outside that an item is about, by the ledger; zero when about none.
func (s *Store) AboutWhat(ctx context.Context, item mobile.Item) (mobile.Effect, error) {
	effects, err := s.effectsOf(ctx, item)
	return item.About(effects), err
}

func (s *Store) emitItem(ctx context.Context, kind mobile.EventType, a mobile.Activation, item mobile.Item) error {
	return s.emit(ctx, mobile.Event{
		Tenant: a.Tenant, Type: kind, Activation: a.ID, Subscription: a.Subscription,
		Data: mobile.EventData{AccountID: a.AccountID, ItemID: item.ID, ItemKind: item.Kind, Severity: item.Severity},
	})
}

// itemsOf says which open items to close, and how they were settled.
type itemsOf struct {
	followUp mobile.FollowUpID
	// id is one item; empty: all that the rest describes.
	id string
	// step is empty for those of any step, kinds for those of any kind.
	step  mobile.StepName
	kinds []mobile.ItemKind
	// resolution and actor are empty when they close by themselves.
	resolution mobile.Resolution
	actor      string
}

// closeItems closes open items of an activation and tells the feed.
func (s *Store) closeItems(ctx context.Context, a mobile.Activation, of itemsOf) error {
	rows, err := s.tx.Query(ctx, `
		UPDATE items
		SET closed_at = @now, resolution = @resolution, actor = @actor
		WHERE activation_id = @activation AND closed_at IS NULL AND follow_up_id IS NOT DISTINCT FROM @follow_up::uuid
		  AND (@id::uuid IS NULL OR item_id = @id)
		  AND (cardinality(@kinds::text[]) = 0 OR kind = ANY (@kinds))
		  AND (@step = '' OR step = @step)
		RETURNING item_id, kind, severity`, pgx.StrictNamedArgs{
		"activation": a.ID, "follow_up": emptyNull(string(of.followUp)), "id": emptyNull(of.id), "kinds": texts(of.kinds),
		"step": of.step, "resolution": of.resolution, "actor": of.actor, "now": s.now,
	})
	if err != nil {
		return fmt.Errorf("close items of %s: %w", a.ID, err)
	}
	closed, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (i mobile.Item, err error) {
		err = row.Scan(&i.ID, &i.Kind, &i.Severity)
		return i, err
	})
	if err != nil {
		return fmt.Errorf("close items of %s: %w", a.ID, err)
	}
	for _, item := range closed {
		if err := s.emitItem(ctx, mobile.EventItemClosed, a, item); err != nil {
			return err
		}
	}
	return nil
}

const itemColumns = `item_id, activation_id, coalesce(follow_up_id::text, ''), kind, severity, step, undoing, reason, detail,
	opened_at, due_at, closed_at, resolution, actor`

func scanItem(row pgx.CollectableRow) (i mobile.Item, err error) {
	var due, closed *time.Time
	err = row.Scan(&i.ID, &i.Activation, &i.FollowUp, &i.Kind, &i.Severity, &i.Step, &i.Undoing, &i.Reason, &i.Detail,
		&i.Opened, &due, &closed, &i.Resolution, &i.Actor)
	i.Due, i.Closed = value(due), value(closed)
	return i, err
}

// Item reads an item of an activation, open or closed. It refuses ErrItemNotFound.
func (s *Store) Item(ctx context.Context, activation mobile.ActivationID, id string) (mobile.Item, error) {
	if !isUUID(id) {
		return mobile.Item{}, ErrItemNotFound
	}
	rows, err := s.tx.Query(ctx, `SELECT `+itemColumns+` FROM items WHERE activation_id = @activation AND item_id = @id`,
		pgx.StrictNamedArgs{"activation": activation, "id": id})
	if err != nil {
		return mobile.Item{}, fmt.Errorf("read item %s: %w", id, err)
	}
	item, err := pgx.CollectExactlyOneRow(rows, scanItem)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return item, ErrItemNotFound
	case err != nil:
		return item, fmt.Errorf("read item %s: %w", id, err)
	}
	return item, s.say(ctx, &item)
}

// say completes an open item with the act that it is about. That is read from the ledger each
// time: what may be decided rests on what is known now, not on what was when it was asked.
func (s *Store) say(ctx context.Context, item *mobile.Item) error {
	if !item.Closed.IsZero() {
		return nil
	}
	about, err := s.AboutWhat(ctx, *item)
	item.Act = about.Act
	return err
}

// items reads the items of activations, open ones first, each oldest first.
func (s *Store) items(ctx context.Context, ids []string) (map[mobile.ActivationID][]mobile.Item, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT `+itemColumns+`
		FROM items
		WHERE activation_id = ANY (@ids::uuid[])
		ORDER BY closed_at IS NOT NULL, opened_at, item_id`, pgx.StrictNamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("read items: %w", err)
	}
	list, err := pgx.CollectRows(rows, scanItem)
	if err != nil {
		return nil, fmt.Errorf("read items: %w", err)
	}
	all := make(map[mobile.ActivationID][]mobile.Item, len(list))
	for _, item := range list {
		if err := s.say(ctx, &item); err != nil {
			return nil, err
		}
		all[item.Activation] = append(all[item.Activation], item)
	}
	return all, nil
}
