package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// ErrTokenNotFound refuses an id or a hash that belongs to no token the caller may see.
var ErrTokenNotFound = fault.New(fault.NotFound, "TOKEN_NOT_FOUND", "There is no such token. List the tokens to see their ids.")

// InsertToken remembers a token by the SHA-256 of its text.
func (s *Store) InsertToken(ctx context.Context, t mobile.Token, hash []byte) error {
	_, err := s.exec(ctx, `
		INSERT INTO tokens (token_id, hash, principal, tenant_id, activation_id, name, created_at, expires_at)
		VALUES (@id, @hash, @principal, @tenant, @activation, @name, @now, @expires)`, pgx.StrictNamedArgs{
		"id": t.ID, "hash": hash, "principal": t.Principal, "tenant": t.Tenant,
		"activation": emptyNull(string(t.Activation)), "name": t.Name, "now": s.now, "expires": zeroNull(t.Expires),
	})
	if err != nil {
		return fmt.Errorf("insert token %s: %w", t.ID, err)
	}
	return nil
}

const tokenColumns = `token_id, principal, tenant_id, activation_id, name, created_at, expires_at, revoked_at, used_at`

func scanToken(row pgx.CollectableRow) (t mobile.Token, err error) {
	var activation *mobile.ActivationID
	var expires, revoked, used *time.Time
	err = row.Scan(&t.ID, &t.Principal, &t.Tenant, &activation, &t.Name, &t.Created, &expires, &revoked, &used)
	t.Activation, t.Expires, t.Revoked, t.Used = value(activation), value(expires), value(revoked), value(used)
	return t, err
}

// TokenByHash finds the token whose text has this SHA-256, dead or alive. It refuses
// ErrTokenNotFound.
func (s *Store) TokenByHash(ctx context.Context, hash []byte) (mobile.Token, error) {
	rows, err := s.tx.Query(ctx, `SELECT `+tokenColumns+` FROM tokens WHERE hash = @hash`, pgx.StrictNamedArgs{"hash": hash})
	if err != nil {
		return mobile.Token{}, fmt.Errorf("find a token: %w", err)
	}
	t, err := pgx.CollectExactlyOneRow(rows, scanToken)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return mobile.Token{}, ErrTokenNotFound
	case err != nil:
		return mobile.Token{}, fmt.Errorf("find a token: %w", err)
	}
	return t, nil
}

// tokenUseStep is how exactly the last use of a token is known: one write in that time.
const tokenUseStep = time.Hour

// TokenUsed notes that a token is in use, at most once an hour.
func (s *Store) TokenUsed(ctx context.Context, t mobile.Token) error {
	if s.now.Sub(t.Used) < tokenUseStep {
		return nil
	}
	if _, err := s.exec(ctx, `UPDATE tokens SET used_at = @now WHERE token_id = @id AND used_at IS DISTINCT FROM @now`,
		pgx.StrictNamedArgs{"id": t.ID, "now": s.now.Truncate(tokenUseStep)}); err != nil {
		return fmt.Errorf("note the use of token %s: %w", t.ID, err)
	}
	return nil
}

// TokenFilter narrows a list of tokens.
type TokenFilter struct {
	// Tenant keeps those of one tenant; empty keeps all, and those of ADMIN.
	Tenant mobile.TenantID
	// Ended keeps those that are revoked or expired, too.
	Ended bool
}

// ListTokens gives up to limit tokens, newest first, without those of portals, which are
// many and short-lived. InSystem only.
func (s *Store) ListTokens(ctx context.Context, f TokenFilter, after Cursor, limit int) ([]mobile.Token, error) {
	rows, err := s.tx.Query(ctx, `
		SELECT `+tokenColumns+`
		FROM tokens
		WHERE principal <> 'PORTAL'
		  AND (@tenant = '' OR tenant_id = @tenant)
		  AND (@ended OR revoked_at IS NULL AND (expires_at IS NULL OR expires_at > @now))
		  AND (@id::uuid IS NULL OR (created_at, token_id) < (@created, @id))
		ORDER BY created_at DESC, token_id DESC
		LIMIT @limit`, pgx.StrictNamedArgs{
		"tenant": f.Tenant, "ended": f.Ended, "now": s.now, "created": after.Created, "id": emptyNull(after.ID), "limit": limit,
	})
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	tokens, err := pgx.CollectRows(rows, scanToken)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return tokens, nil
}

// ErrLastAdminToken refuses to revoke the token without which nobody could make another.
var ErrLastAdminToken = fault.New(fault.Conflict, "NOT_APPLICABLE",
	"This is the last ADMIN token that never expires. Make another one first: without any, nobody could make tokens.")

// keepAdmin refuses ErrLastAdminToken. It holds the rows of all ADMIN tokens for ever, so
// that two revokes at the same moment cannot each count on the other's.
func (s *Store) keepAdmin(ctx context.Context, id string) error {
	rows, err := s.tx.Query(ctx, `
		SELECT token_id::text
		FROM tokens
		WHERE principal = 'ADMIN' AND expires_at IS NULL AND revoked_at IS NULL
		ORDER BY token_id
		FOR UPDATE`)
	if err != nil {
		return fmt.Errorf("find the ADMIN tokens: %w", err)
	}
	lasting, err := pgx.CollectRows(rows, pgx.RowTo[string])
	switch {
	case err != nil:
		return fmt.Errorf("find the ADMIN tokens: %w", err)
	case len(lasting) == 1 && lasting[0] == id:
		return ErrLastAdminToken
	}
	return nil
}

// RevokeToken ends a token at once; a second time changes nothing. InSystem only. It
// refuses ErrTokenNotFound and ErrLastAdminToken.
func (s *Store) RevokeToken(ctx context.Context, id string) (mobile.Token, error) {
	if err := s.keepAdmin(ctx, id); err != nil {
		return mobile.Token{}, err
	}
	rows, err := s.tx.Query(ctx, `
		UPDATE tokens
		SET revoked_at = coalesce(revoked_at, @now)
		WHERE token_id = @id
		RETURNING `+tokenColumns, pgx.StrictNamedArgs{"id": id, "now": s.now})
	if err != nil {
		return mobile.Token{}, fmt.Errorf("revoke token %s: %w", id, err)
	}
	t, err := pgx.CollectExactlyOneRow(rows, scanToken)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return mobile.Token{}, ErrTokenNotFound
	case err != nil:
		return mobile.Token{}, fmt.Errorf("revoke token %s: %w", id, err)
	}
	return t, nil
}

// Token reads a token by its id. It refuses ErrTokenNotFound.
func (s *Store) Token(ctx context.Context, id string) (mobile.Token, error) {
	rows, err := s.tx.Query(ctx, `SELECT `+tokenColumns+` FROM tokens WHERE token_id = @id`, pgx.StrictNamedArgs{"id": id})
	if err != nil {
		return mobile.Token{}, fmt.Errorf("read token %s: %w", id, err)
	}
	t, err := pgx.CollectExactlyOneRow(rows, scanToken)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return mobile.Token{}, ErrTokenNotFound
	case err != nil:
		return mobile.Token{}, fmt.Errorf("read token %s: %w", id, err)
	}
	return t, nil
}
