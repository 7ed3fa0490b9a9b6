package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/config"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
)

// makeFirstToken makes the token with which the others are made, and prints it, unless there
// is an ADMIN token already. The caller sees to it that nobody else does the same.
func makeFirstToken(ctx context.Context, database config.Database, out io.Writer) error {
	db, err := store.Open(ctx, store.Config{URL: database.URL.Reveal(), Sealer: noSealer{}})
	if err != nil {
		return err
	}
	defer db.Close()
	text, token, hash := access.NewToken(mobile.PrincipalAdmin)
	token.Name = "first"
	had := false
	err = db.InSystem(ctx, func(s *store.Store) error {
		if had, err = s.HasAdminToken(ctx); err != nil || had {
			return err
		}
		return s.InsertToken(ctx, token, hash)
	})
	switch {
	case err != nil:
		return fmt.Errorf("make the first token as the user of DATABASE_URL: %w", err)
	case had:
		fmt.Fprintln(out, "tokens: there is an ADMIN token already")
	default:
		fmt.Fprintf(out, "admin token: %s\n", text.Reveal())
		fmt.Fprintln(out, "tokens: keep it in a vault, it is shown this once; dialtone token create makes the others")
	}
	return nil
}

// noSealer stands where a record that seals would have its keys: a migration has none, and
// seals nothing.
type noSealer struct{}

var errNoKeys = errors.New("a migration has no keys")

// Seal refuses.
func (noSealer) Seal([]byte, ...string) ([]byte, error) { return nil, errNoKeys }

// Open refuses.
func (noSealer) Open([]byte, ...string) ([]byte, error) { return nil, errNoKeys }

// Digest is like no other: secret.SameDigest takes none for the same.
func (noSealer) Digest(string, ...string) []byte { return nil }
