package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// installLock is the key of the advisory lock of Exclusively. Its value is arbitrary and must
// stay.
const installLock = 7_401_743_302_551_208

// Exclusively runs what while nobody else does, on any machine: a second caller waits until
// the first is done. url is DATABASE_MIGRATE_URL.
func Exclusively(ctx context.Context, url string, what func(context.Context) error) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect as the owner: %w", err)
	}
	// The lock goes with the connection.
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(installLock)); err != nil {
		return fmt.Errorf("wait for another migration: %w", err)
	}
	return what(ctx)
}

// HasAdminToken tells whether an ADMIN token was ever made. InSystem only.
func (s *Store) HasAdminToken(ctx context.Context) (has bool, err error) {
	err = s.tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM tokens WHERE principal = 'ADMIN')`).Scan(&has)
	if err != nil {
		return false, fmt.Errorf("look for an ADMIN token: %w", err)
	}
	return has, nil
}
