package sandbox

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// The marker table says that a database is a sandbox's, and whose: without it nothing is
// ever used or deleted.
const markerTable = "dialtone_sandbox_marker"

// prepareDatabases makes the role and the databases, or takes those of the last time.
func prepareDatabases(ctx context.Context, p *postgres, s *state) error {
	return p.withConnection(ctx, "postgres", func(conn *pgx.Conn) error {
		if err := makeRole(ctx, conn, s.DatabasePassword); err != nil {
			return err
		}
		for _, name := range databaseNames() {
			if err := makeDatabase(ctx, p, conn, name); err != nil {
				return err
			}
			if err := mark(ctx, p, name, s.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

func makeRole(ctx context.Context, conn *pgx.Conn, password string) error {
	var there bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, appRole).Scan(&there); err != nil {
		return fmt.Errorf("look for the role %s: %w", appRole, err)
	}
	verb := "CREATE ROLE "
	if there {
		verb = "ALTER ROLE "
	}
	_, err := conn.Exec(ctx, verb+quoted(appRole)+" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD "+quotedText(password))
	if err != nil {
		return fmt.Errorf("make the role %s: %w", appRole, err)
	}
	return nil
}

func makeDatabase(ctx context.Context, p *postgres, conn *pgx.Conn, name string) error {
	there, err := databaseExists(ctx, conn, name)
	if err != nil || there {
		return err
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+quoted(name)); err != nil {
		return fmt.Errorf("make the database %s: %w", name, err)
	}
	return nil
}

func databaseExists(ctx context.Context, conn *pgx.Conn, name string) (there bool, err error) {
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&there)
	if err != nil {
		return false, fmt.Errorf("look for the database %s: %w", name, err)
	}
	return there, nil
}

// owner is what a database says of itself.
type owner struct {
	// id is the sandbox's whose it is; empty when nobody has marked it.
	id string
	// tables is how many it has.
	tables int
}

func readOwner(ctx context.Context, p *postgres, name string) (o owner, err error) {
	err = p.withConnection(ctx, name, func(conn *pgx.Conn) error {
		var marked bool
		err := conn.QueryRow(ctx, `
			SELECT to_regclass('public.`+markerTable+`') IS NOT NULL,
			       (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r')`,
		).Scan(&marked, &o.tables)
		if err != nil || !marked {
			return err
		}
		return conn.QueryRow(ctx, `SELECT id FROM `+markerTable).Scan(&o.id)
	})
	if err != nil {
		return owner{}, fmt.Errorf("look whose the database %s is: %w", name, err)
	}
	return o, nil
}

// mark takes an empty database, and refuses one with anything in it that is not ours.
func mark(ctx context.Context, p *postgres, name, id string) error {
	o, err := readOwner(ctx, p, name)
	switch {
	case err != nil:
		return err
	case o.id == id:
		return nil
	case o.id != "":
		return fmt.Errorf("the database %s belongs to a sandbox whose keys are not here: end that one and say --fresh to delete it, or set DATABASE_URL to another server", name)
	case o.tables > 0:
		return fmt.Errorf("there is a database %s which no sandbox made: rename it, or set DATABASE_URL to another server", name)
	}
	return p.withConnection(ctx, name, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `CREATE TABLE `+markerTable+` AS SELECT `+quotedText(id)+`::text AS id`)
		if err != nil {
			return fmt.Errorf("mark the database %s as the sandbox's: %w", name, err)
		}
		return nil
	})
}

// dropDatabases deletes the databases that a sandbox made, on a server that stays.
func dropDatabases(ctx context.Context, p *postgres) error {
	return p.withConnection(ctx, "postgres", func(conn *pgx.Conn) error {
		for _, name := range databaseNames() {
			there, err := databaseExists(ctx, conn, name)
			if err == nil && there {
				err = dropMarked(ctx, p, conn, name)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// dropMarked deletes a database with our marker. An empty one without it stays, and is taken.
func dropMarked(ctx context.Context, p *postgres, conn *pgx.Conn, name string) error {
	o, err := readOwner(ctx, p, name)
	switch {
	case err != nil:
		return err
	case o.id == "" && o.tables > 0:
		return fmt.Errorf("there is a database %s which no sandbox made, and it stays: rename it, or set DATABASE_URL to another server", name)
	case o.id == "":
		return nil
	}
	if _, err := conn.Exec(ctx, "DROP DATABASE "+quoted(name)+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("delete the database %s: %w", name, err)
	}
	p.config.tell("  deleted the database %s", name)
	return nil
}
