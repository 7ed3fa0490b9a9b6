package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/dialtone/dialtone/internal/fault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Another migration is waited for, by a probe each second, for five minutes.
const (
	lockProbeSeconds = 1
	lockProbesMax    = 300
)

// Migrate brings the schema to this version, forward only, under a lock, and makes member
// (the user of DATABASE_URL, empty for none) a member of the two roles. url is
// DATABASE_MIGRATE_URL: a user that may create roles. It gives the schema's version.
func Migrate(ctx context.Context, url, member string) (int64, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return 0, fmt.Errorf("read DATABASE_MIGRATE_URL: %w", err)
	}
	db := stdlib.OpenDB(*config)
	defer func() { _ = db.Close() }()
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(lockProbeSeconds, lockProbesMax))
	if err != nil {
		return 0, fmt.Errorf("make the migration lock: %w", err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return 0, fmt.Errorf("read the embedded migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker))
	if err != nil {
		return 0, fmt.Errorf("read the migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return 0, fmt.Errorf("migrate the schema: %w", err)
	}
	if member != "" {
		if err := join(ctx, db, member); err != nil {
			return 0, fmt.Errorf("let %s take the roles: %w", member, err)
		}
	}
	return provider.GetDBVersion(ctx)
}

// join makes a user a member of the two roles. The roles are the whole cluster's, so that
// another migration may do the same meanwhile; what counts is that the user is a member.
func join(ctx context.Context, db *sql.DB, member string) error {
	joined := func() (is bool, err error) {
		err = db.QueryRowContext(ctx, `
			SELECT pg_has_role($1, 'dialtone_tenant', 'MEMBER') AND pg_has_role($1, 'dialtone_system', 'MEMBER')`,
			member).Scan(&is)
		return is, err
	}
	if is, err := joined(); err != nil || is {
		return err
	}
	// A role's name cannot be an argument; it is quoted as an identifier.
	_, err := db.ExecContext(ctx, "GRANT dialtone_tenant, dialtone_system TO "+pgx.Identifier{member}.Sanitize())
	if err != nil {
		if is, _ := joined(); is {
			return nil
		}
	}
	return err
}

// SchemaVersion is the version that this program's code expects.
func SchemaVersion() int64 {
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		panic("store: no embedded migrations: " + err.Error()) //nolint:forbidigo // They are part of the program: it was built wrong.
	}
	var version int64
	for _, entry := range entries {
		var v int64
		if _, err := fmt.Sscanf(strings.TrimLeft(entry.Name(), "0"), "%d_", &v); err == nil {
			version = max(version, v)
		}
	}
	return version
}

// Faults of readiness: each says how to mend it.
var (
	ErrSchemaOld = fault.New(fault.Unavailable, "SCHEMA_OLD", "The database's schema is older than this program. Run the migrate command.")
	ErrNotMember = fault.New(fault.Unavailable, "DATABASE_USER_NOT_MEMBER",
		"The user of DATABASE_URL may not take the roles dialtone_tenant and dialtone_system. Run the migrate command with its name.")
	ErrTooMighty = fault.New(fault.Unavailable, "DATABASE_USER_TOO_MIGHTY",
		"The user of DATABASE_URL is a superuser, bypasses row-level security or owns tables, itself or by a role. Give it only the roles dialtone_tenant and dialtone_system.")
)

// Ready tells whether the record can be used: reachable, its schema at least this program's,
// and its user a member of the two roles and no mightier than it should be. It refuses
// ErrUnavailable, ErrSchemaOld, ErrNotMember and ErrTooMighty.
func (db *DB) Ready(ctx context.Context) error {
	var version int64
	var mighty bool
	err := db.InSystem(ctx, func(s *Store) error {
		return s.tx.QueryRow(ctx, `
			SELECT (SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied),
			       EXISTS (SELECT FROM pg_roles WHERE (rolsuper OR rolbypassrls)
			               AND pg_has_role(session_user, oid, 'MEMBER'))
			       OR EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace
			                  AND pg_has_role(session_user, relowner, 'MEMBER'))`,
		).Scan(&version, &mighty)
	})
	switch {
	case sqlState(err) == undefinedTable, sqlState(err) == invalidParameter:
		// No table of versions, or no such role to take: nothing was ever migrated here.
		return ErrSchemaOld.Because(err)
	case sqlState(err) == insufficientPrivilege:
		return ErrNotMember.Because(err)
	case err != nil:
		return fmt.Errorf("ask the database: %w", err)
	case version < SchemaVersion():
		return ErrSchemaOld
	case mighty:
		return ErrTooMighty
	}
	return nil
}
