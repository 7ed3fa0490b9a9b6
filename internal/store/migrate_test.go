package store_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func TestMigrate_TwiceIsOnce(t *testing.T) {
	t.Parallel()
	d := storetest.Blank(t)

	for range 2 {
		version, err := store.Migrate(t.Context(), d.URL(), storetest.AppUser)
		if err != nil || version != store.SchemaVersion() {
			t.Fatalf("version %d, %v; want %d", version, err, store.SchemaVersion())
		}
	}

	if n := ask[int](t, d.Connect(t), `SELECT count(*) - count(DISTINCT version_id) FROM goose_db_version`); n != 0 {
		t.Errorf("%d migrations ran twice", n)
	}
	if err := d.Open(t, storetest.Config{}).Ready(t.Context()); err != nil {
		t.Errorf("not ready afterwards: %v", err)
	}
}

// Two deployments may start at once, also on two databases of one cluster, which share the
// roles.
func TestMigrate_AtOnce(t *testing.T) {
	t.Parallel()
	one, two := storetest.Blank(t), storetest.Blank(t)

	var all sync.WaitGroup
	for i := range 8 {
		address := []string{one.URL(), two.URL()}[i%2]
		all.Go(func() {
			if _, err := store.Migrate(t.Context(), address, storetest.AppUser); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()

	for _, d := range []*storetest.Database{one, two} {
		if err := d.Open(t, storetest.Config{}).Ready(t.Context()); err != nil {
			t.Errorf("not ready afterwards: %v", err)
		}
	}
}

// DATABASE_MIGRATE_URL is no superuser in production: its user owns the database and may
// create roles. Everything must then work for the processes' user.
func TestMigrate_AsOwner(t *testing.T) {
	t.Parallel()
	d := storetest.Blank(t)
	owner := role(t, d, "CREATEROLE")
	super := d.Connect(t)
	run(t, super, `ALTER DATABASE `+d.Name+` OWNER TO `+owner.name)
	run(t, super, `ALTER SCHEMA public OWNER TO `+owner.name)

	if _, err := store.Migrate(t.Context(), owner.url, storetest.AppUser); err != nil {
		t.Fatal(err)
	}

	db := d.Open(t, storetest.Config{})
	if err := db.Ready(t.Context()); err != nil {
		t.Errorf("not ready: %v", err)
	}
	fill(t, db, 1)
}

func TestReady(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	super := d.Connect(t)
	plain := role(t, d, "")
	run(t, super, `GRANT dialtone_tenant, dialtone_system TO `+plain.name)
	owner := role(t, d, "")
	run(t, super, `GRANT dialtone_tenant, dialtone_system TO `+owner.name)
	bypass := role(t, d, "BYPASSRLS")
	run(t, super, `GRANT dialtone_tenant, dialtone_system TO `+bypass.name)
	heir := role(t, d, "")
	run(t, super, `GRANT dialtone_tenant, dialtone_system, `+owner.name+` TO `+heir.name)
	super2 := role(t, d, "SUPERUSER")
	stranger := role(t, d, "")
	run(t, super, `ALTER TABLE audit OWNER TO `+owner.name) // one table will do

	for name, c := range map[string]struct {
		url  string
		want error
	}{
		"a plain member":        {plain.url, nil},
		"an owner of a table":   {owner.url, store.ErrTooMighty},
		"a member of the owner": {heir.url, store.ErrTooMighty},
		"past row security":     {bypass.url, store.ErrTooMighty},
		"a superuser":           {super2.url, store.ErrTooMighty},
		"the first superuser":   {d.URL(), store.ErrTooMighty},
		"no member":             {stranger.url, store.ErrNotMember},
	} {
		t.Run(name, func(t *testing.T) {
			if err := openURL(t, c.url).Ready(t.Context()); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func TestReady_OldSchema(t *testing.T) {
	t.Parallel()
	blank, old := storetest.Blank(t), storetest.Make(t, storetest.Config{})
	run(t, old.Connect(t), `UPDATE goose_db_version SET version_id = version_id - 1 WHERE version_id > 0`)
	newer := storetest.Make(t, storetest.Config{})
	run(t, newer.Connect(t), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)

	if err := blank.Open(t, storetest.Config{}).Ready(t.Context()); !errors.Is(err, store.ErrSchemaOld) {
		t.Errorf("without a schema: %v", err)
	}
	if err := old.Ready(t.Context()); !errors.Is(err, store.ErrSchemaOld) {
		t.Errorf("with an old schema: %v", err)
	}
	if err := newer.Ready(t.Context()); err != nil {
		t.Errorf("with a newer schema, on which old code must run: %v", err)
	}
}

func TestReady_Unreachable(t *testing.T) {
	t.Parallel()
	db := openURL(t, "postgres://dialtone_app:hidden-password@127.0.0.1:1/nowhere?sslmode=disable")

	err := db.Ready(t.Context())

	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v, want unavailable", err)
	}
	if strings.Contains(fmt.Sprintf("%v %+v", err, errors.Unwrap(err)), "hidden-password") {
		t.Error("the error tells the password")
	}
}

func openURL(t *testing.T, address string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{URL: address, Sealer: storetest.Sealer()})
	must(t, err)
	t.Cleanup(db.Close)
	return db
}

// login is a role of one test.
type login struct{ name, url string }

// role makes a role that can log in, with an attribute; roles are of the whole cluster.
func role(t *testing.T, d *storetest.Database, attribute string) login {
	t.Helper()
	name := "role_" + strings.ReplaceAll(newID(), "-", "")
	conn := d.Connect(t)
	run(t, conn, `CREATE ROLE `+name+` LOGIN PASSWORD 'secret' `+attribute)
	u, err := url.Parse(d.URL())
	must(t, err)
	u.User = url.UserPassword(name, "secret")
	return login{name: name, url: u.String()}
}

func run(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
