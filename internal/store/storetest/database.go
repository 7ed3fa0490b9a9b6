package storetest

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/postgrestest"
	"github.com/dialtone/dialtone/internal/store"
)

// New gives a record on a database of its own.
func New(t testing.TB) *store.DB {
	t.Helper()
	return Make(t, Config{}).DB
}

// Config is what a test may want otherwise. The zero value is what New takes.
type Config struct {
	// Now is the record's clock; time.Now when nil. See Clock.
	Now func() time.Time
	// MaxConns bounds the record's pool; 0 is the record's own default.
	MaxConns int32
}

// Database is a record whose database the test can also reach beside it.
type Database struct {
	// DB is the record, open as AppUser.
	*store.DB
	// Name is the database's name.
	Name string

	cluster *postgrestest.Cluster
}

// Make gives a record on a database of its own.
func Make(t testing.TB, config Config) *Database {
	t.Helper()
	c, err := cluster.migrated()
	if err != nil {
		t.Fatalf("storetest: %v", err)
	}
	d := create(t, c, "TEMPLATE "+templateName)
	d.DB = d.Open(t, config)
	return d
}

// Blank gives an empty database, without schema and without DB, for tests of the migration.
// The cluster may have the two roles already: they are not of one database.
func Blank(t testing.TB) *Database {
	t.Helper()
	c, err := cluster.start()
	if err != nil {
		t.Fatalf("storetest: %v", err)
	}
	return create(t, c, "")
}

func create(t testing.TB, c *postgrestest.Cluster, how string) *Database {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text()[:16])
	if err := administer(c, "CREATE DATABASE "+name+" "+how); err != nil {
		t.Fatalf("storetest: %v", err)
	}
	t.Cleanup(func() {
		// By force, because a test that failed may have left connections.
		if err := administer(c, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("storetest: %v", err)
		}
	})
	return &Database{Name: name, cluster: c}
}

// URL connects to the database as the superuser, who sees and may do everything.
func (d *Database) URL() string { return d.cluster.URL(d.Name) }

// AppURL connects to the database as AppUser: it is what DATABASE_URL would be.
func (d *Database) AppURL() string { return d.cluster.UserURL(AppUser, appPassword, d.Name) }

// Open opens the database once more as AppUser, as another process would.
func (d *Database) Open(t testing.TB, config Config) *store.DB {
	t.Helper()
	return open(t, d.AppURL(), config)
}

// OpenThrough opens the database as AppUser by way of another listen address, such as that
// of a Proxy.
func (d *Database) OpenThrough(t testing.TB, address string, config Config) *store.DB {
	t.Helper()
	return open(t, through(address, d.AppURL()), config)
}

func open(t testing.TB, connection string, config Config) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{
		URL: connection, Sealer: Sealer(), Now: config.Now, MaxConns: config.MaxConns,
	})
	if err != nil {
		t.Fatalf("storetest: %v", err)
	}
	t.Cleanup(db.Close)
	return db
}

// Connect opens one connection as the superuser, to look at what no door shows, to hold a
// transaction, or to cut somebody off.
func (d *Database) Connect(t testing.TB) *pgx.Conn {
	t.Helper()
	return connect(t, d.URL())
}

// ConnectApp opens one connection as AppUser, without any role taken.
func (d *Database) ConnectApp(t testing.TB) *pgx.Conn {
	t.Helper()
	return connect(t, d.AppURL())
}

func connect(t testing.TB, connection string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), connection)
	if err != nil {
		t.Fatalf("storetest: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}
