package store

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
)

// OpenItem asks an operator. An item of the same kind and step that is open already stays
// as it is, so that repeating asks once.
func (s *Store) OpenItem(ctx context.Context, tenant mobile.TenantID, item mobile.Item) error {
	item.ID, item.Severity = uuid.Must(uuid.NewV7()).String(), item.Kind.Severity()
	n, err := s.exec(ctx, `
		INSERT INTO items (item_id, tenant_id, activation_id, kind, severity, step, detail, opened_at)
		VALUES (@id, @tenant, @activation, @kind, @severity, @step, @detail, @now)
		ON CONFLICT (activation_id, kind, step) WHERE closed_at IS NULL DO NOTHING`, pgx.StrictNamedArgs{
		"id": item.ID, "tenant": tenant, "activation": item.Activation, "kind": item.Kind,
		"severity": item.Severity, "step": item.Step, "detail": item.Detail, "now": s.now,
	})
	switch {
	case err != nil:
		return fmt.Errorf("open item %s of %s: %w", item.Kind, item.Activation, err)
	case n == 0:
		return nil
	}
	a, err := s.activation(ctx, tenant, Key{ID: item.Activation}, "")
	if err != nil {
		return err
	}
	if err := s.emitItem(ctx, mobile.EventItemOpened, a, item); err != nil {
		return err
	}
	if item.Kind != mobile.ItemStepStuck && item.Step != "" {
		// What is known now takes the place of "it does not get through".
		if err := s.closeItems(ctx, a, item.Step, mobile.ItemStepStuck); err != nil {
			return err
		}
	}
	return s.touch(ctx, item.Activation, touchRevision)
}

func (s *Store) emitItem(ctx context.Context, kind mobile.EventType, a mobile.Activation, item mobile.Item) error {
	return s.emit(ctx, mobile.Event{
		Tenant: a.Tenant, Type: kind, Activation: a.ID, Subscription: a.Subscription,
		Data: mobile.EventData{AccountID: a.AccountID, ItemID: item.ID, ItemKind: item.Kind, Severity: item.Severity},
	})
}

// closeItems closes the open items of these kinds, of one step or of all when step is empty,
// and tells the feed.
func (s *Store) closeItems(ctx context.Context, a mobile.Activation, step mobile.StepName, kinds ...mobile.ItemKind) error {
	names := make([]string, 0, len(kinds))
	for _, kind := range kinds {
		names = append(names, string(kind))
	}
	rows, err := s.tx.Query(ctx, `
		UPDATE items
		SET closed_at = @now
		WHERE activation_id = @id AND closed_at IS NULL AND kind = ANY (@kinds) AND (@step = '' OR step = @step)
		RETURNING item_id, kind, severity`,
		pgx.StrictNamedArgs{"id": a.ID, "kinds": names, "step": step, "now": s.now})
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

// items reads the open items of activations, oldest first.
func (s *Store) items(ctx context.Context, ids []string) (map[mobile.ActivationID][]mobile.Item, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT item_id, activation_id, kind, severity, step, detail, opened_at
		FROM items
		WHERE activation_id = ANY (@ids::uuid[]) AND closed_at IS NULL
		ORDER BY opened_at, item_id`, pgx.StrictNamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("read items: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (i mobile.Item, err error) {
		err = row.Scan(&i.ID, &i.Activation, &i.Kind, &i.Severity, &i.Step, &i.Detail, &i.Opened)
		return i, err
	})
	if err != nil {
		return nil, fmt.Errorf("read items: %w", err)
	}
	all := make(map[mobile.ActivationID][]mobile.Item, len(list))
	for _, item := range list {
		all[item.Activation] = append(all[item.Activation], item)
	}
	return all, nil
}
