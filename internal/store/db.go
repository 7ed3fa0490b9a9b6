// Package store is the record, and the only room that says SQL.
//
// It has two doors: DB.InTenant for what one tenant may see and change, and DB.InSystem for
// the relay, the webhooks and what must be unique across tenants. Each is one transaction
// whose first statement sets the role (and the tenant), so that row-level security stands
// behind every query. The callback's Store is bound to that transaction and has no pool to
// reach for.
//
// Transactions are READ COMMITTED. Correctness rests on constraints, row locks and
// conditional updates, never on a check before a write.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// Sealer keeps secrets. The associated data bind a ciphertext to its place: label, tenant,
// row.
type Sealer interface {
	Seal(plain []byte, associated ...string) ([]byte, error)
	Open(sealed []byte, associated ...string) ([]byte, error)
	Digest(label string, fields ...string) []byte
}

// Config says where the record is and how it keeps secrets.
type Config struct {
	// URL is a Postgres connection string. Its user is a member of dialtone_tenant and
	// dialtone_system, and neither owner nor superuser.
	URL    string
	Sealer Sealer
	// Now is the clock of the created and updated columns; time.Now when nil.
	Now func() time.Time
	// MaxConns bounds the pool; 0 means 16.
	MaxConns int32
}

// DB is the record.
type DB struct {
	pool   *pgxpool.Pool
	sealer Sealer
	now    func() time.Time
}

// Bounds on what one statement or lock may take: a stuck one fails and is tried again
// rather than holding everybody.
const (
	statementTimeout = "5s"
	lockTimeout      = "4s"
	idleTimeout      = "10s"
	// connectTimeout bounds what no server is there to bound.
	connectTimeout  = 5 * time.Second
	maxConnsDefault = 16
)

// Open prepares the pool. It connects lazily: the first transaction says what is wrong.
func Open(ctx context.Context, config Config) (*DB, error) {
	if config.Sealer == nil {
		panic("store.Open needs a sealer")
	}
	pc, err := pgxpool.ParseConfig(config.URL)
	if err != nil {
		// pgx hides the password in its message.
		return nil, fmt.Errorf("read DATABASE_URL: %w", err)
	}
	pc.MaxConns = config.MaxConns
	if pc.MaxConns == 0 {
		pc.MaxConns = maxConnsDefault
	}
	for name, value := range map[string]string{
		"application_name": "dialtone", "timezone": "UTC",
		// A plan made while a table was empty reads it whole for ever after.
		"plan_cache_mode": "force_custom_plan", "statement_timeout": statementTimeout, "lock_timeout": lockTimeout,
		"idle_in_transaction_session_timeout": idleTimeout,
	} {
		pc.ConnConfig.RuntimeParams[name] = value
	}
	pc.ConnConfig.ConnectTimeout = connectTimeout
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, fmt.Errorf("open the database pool: %w", err)
	}
	now := config.Now
	if now == nil {
		now = time.Now
	}
	return &DB{pool: pool, sealer: config.Sealer, now: now}, nil
}

// Close ends the pool and waits for connections in use.
func (db *DB) Close() { db.pool.Close() }

// Store is the record as one transaction sees it.
type Store struct {
	tx     pgx.Tx
	sealer Sealer
	// now is one time for the whole transaction, in UTC and in Postgres's microseconds.
	now time.Time
}

// ErrUnavailable refuses when the record cannot be reached.
var ErrUnavailable = fault.New(fault.Unavailable, "TRY_AGAIN",
	"Dialtone cannot reach its database just now. Send the same request again shortly: that is safe, whether this one got through or not.").After(time.Second)

// InTenant runs what as one transaction that sees and changes the rows of one tenant only.
// It commits when what returns nil. It may run what twice, after a deadlock. A tenant
// without a name is refused: rows without one are the installation's.
func (db *DB) InTenant(ctx context.Context, tenant mobile.TenantID, what func(*Store) error) error {
	if tenant == "" {
		return errNoTenant
	}
	return db.in(ctx, "dialtone_tenant", string(tenant), what)
}

// InSystem runs what as one transaction that sees all tenants: for the relay, the webhooks,
// sign-in, and what must be unique across tenants.
func (db *DB) InSystem(ctx context.Context, what func(*Store) error) error {
	return db.in(ctx, "dialtone_system", "", what)
}

// errNoTenant is a mistake of our own code.
var errNoTenant = errors.New("a tenant's rows were asked for, and no tenant was named")

// attemptsMax bounds how often a transaction that Postgres gave up for another is run.
const attemptsMax = 3

func (db *DB) in(ctx context.Context, role, tenant string, what func(*Store) error) error {
	var err error
	for range attemptsMax {
		err = pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx,
				`SELECT set_config('role', $1, true), set_config('dialtone.tenant', $2, true)`, role, tenant); err != nil {
				return fmt.Errorf("take the role %s: %w", role, err)
			}
			return what(&Store{tx: tx, sealer: db.sealer, now: db.now().UTC().Truncate(time.Microsecond)})
		})
		if !givenUp(err) {
			break
		}
	}
	if fault.Of(err) == nil && outage(err) {
		return ErrUnavailable.Because(err)
	}
	return err
}

// SQLSTATEs that this room reads (Postgres, appendix A).
const (
	serializationFailure  = "40001"
	deadlockDetected      = "40P01"
	undefinedTable        = "42P01"
	insufficientPrivilege = "42501"
	invalidParameter      = "22023"
	uniqueViolation       = "23505"
)

// givenUp tells whether Postgres undid the whole transaction in favour of another.
func givenUp(err error) bool {
	code := sqlState(err)
	return code == deadlockDetected || code == serializationFailure
}

// outage tells whether the server could not be reached or did not answer in time: classes
// 08 (connection), 53 (resources) and 57 (shutdown, cancelled statement), a lock that was
// not to be had, and everything below SQL.
//
// A caller that left is no outage.
func outage(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code[:2] {
		case "08", "53", "57":
			return true
		}
		return pg.Code == "55P03" || pg.Code == "25P03"
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	return pgconn.SafeToRetry(err) || pgconn.Timeout(err) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, pgconn.ErrConnClosed)
}

// sqlState is Postgres's code of an error; empty when it is none of Postgres's.
func sqlState(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code
	}
	return ""
}

// exec runs a statement and gives the number of rows that it changed.
func (s *Store) exec(ctx context.Context, sql string, args pgx.StrictNamedArgs) (int64, error) {
	tag, err := s.tx.Exec(ctx, sql, args)
	return tag.RowsAffected(), err
}

// seal and unseal keep one field of one row.
func (s *Store) seal(plain string, label string, tenant mobile.TenantID, row string) ([]byte, error) {
	return s.sealer.Seal([]byte(plain), label, string(tenant), row)
}

func (s *Store) unseal(sealed []byte, label string, tenant mobile.TenantID, row string) (string, error) {
	if sealed == nil {
		return "", nil
	}
	plain, err := s.sealer.Open(sealed, label, string(tenant), row)
	if err != nil {
		return "", fmt.Errorf("open %s of %s: %w", label, row, err)
	}
	return string(plain), nil
}

// sealOptional leaves an empty value NULL.
func (s *Store) sealOptional(plain string, label string, tenant mobile.TenantID, row string) ([]byte, error) {
	if plain == "" {
		return nil, nil
	}
	return s.seal(plain, label, tenant, row)
}
