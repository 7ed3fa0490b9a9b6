package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5" //nolint:depguard // A floor is bare SQL.
)

// makeScratch makes the floors' tables.
func makeScratch(ctx context.Context, url string) error {
	return execute(ctx, url, `
		CREATE TABLE launches (
		    activation_id   uuid PRIMARY KEY,
		    request_id      text NOT NULL UNIQUE,
		    subscription_id text NOT NULL,
		    imei            text NOT NULL,
		    zip_code        text NOT NULL
		);
		CREATE TABLE changes AS SELECT 0 AS n`)
}

func execute(ctx context.Context, url, sql string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to Postgres: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("tell Postgres %s: %w", sql, err)
	}
	return nil
}

// notified takes how long after a COMMIT is sent a listener has its NOTIFY. The transaction
// changes a row, so that there is something to sync.
func notified(ctx context.Context, url string) (sample, error) {
	changer, err := pgx.Connect(ctx, url)
	if err != nil {
		return sample{}, fmt.Errorf("connect the changer: %w", err)
	}
	defer func() { _ = changer.Close(context.WithoutCancel(ctx)) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	heard, err := listen(ctx, url)
	if err != nil {
		return sample{}, err
	}
	var took sample
	for n := range changesBefore + changes {
		from, err := change(ctx, changer)
		if err != nil {
			return sample{}, err
		}
		said := <-heard
		if said.err != nil {
			return sample{}, fmt.Errorf("wait for a notification: %w", said.err)
		}
		if n >= changesBefore {
			took.took = append(took.took, said.at.Sub(from))
		}
	}
	return took, nil
}

// notification is when one was heard, or why none will be any more.
type notification struct {
	at  time.Time
	err error
}

// listen hears notifications until ctx ends.
func listen(ctx context.Context, url string) (<-chan notification, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("connect the listener: %w", err)
	}
	if _, err := conn.Exec(ctx, `LISTEN bench`); err != nil {
		return nil, errors.Join(fmt.Errorf("listen: %w", err), conn.Close(context.WithoutCancel(ctx)))
	}
	heard := make(chan notification, changesBefore+changes+1)
	go func() {
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		for {
			_, err := conn.WaitForNotification(ctx)
			heard <- notification{time.Now(), err}
			if err != nil {
				return
			}
		}
	}()
	return heard, nil
}

func change(ctx context.Context, conn *pgx.Conn) (time.Time, error) {
	var from time.Time
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE changes SET n = n + 1`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `SELECT pg_notify('bench', 'changed')`)
		from = time.Now()
		return err
	})
	if err != nil {
		return from, fmt.Errorf("change a row: %w", err)
	}
	return from, nil
}
