package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// tables lists what the schema has, so that a new table is looked at without being named.
func tables(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	all := ask[[]string](t, conn, `
		SELECT array_agg(table_name::text ORDER BY table_name)
		FROM information_schema.tables
		WHERE table_schema = 'public' AND table_name <> 'goose_db_version'`)
	if len(all) < 16 {
		t.Fatalf("only %d tables: %v", len(all), all)
	}
	return all
}

// asRole runs what as AppUser in a role, within a transaction that is always undone.
func asRole(t *testing.T, conn *pgx.Conn, role string, tenant mobile.TenantID, what func(pgx.Tx)) {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	must(t, err)
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if role != "" {
		_, err = tx.Exec(t.Context(), `SELECT set_config('role', $1, true), set_config('dialtone.tenant', $2, true)`, role, tenant)
		must(t, err)
	}
	what(tx)
}

// A new table fails here until it has a tenant, a policy, and a row in fill.
func TestTenancy(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	mine, other := fill(t, d.DB, 1), fill(t, d.DB, 2)
	super, app := d.Connect(t), d.ConnectApp(t)

	for _, table := range tables(t, super) {
		t.Run(table, func(t *testing.T) {
			for _, tenant := range []mobile.TenantID{mine.Tenant, other.Tenant} {
				if n := ask[int](t, super, `SELECT count(*) FROM `+table+` WHERE tenant_id = $1`, tenant); n == 0 {
					t.Fatal("fill makes no row in this table, so that nothing is shown")
				}
			}
			asRole(t, app, "dialtone_tenant", mine.Tenant, func(tx pgx.Tx) {
				var own, all int
				must(t, tx.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE tenant_id = $1), count(*) FROM `+table, mine.Tenant).Scan(&own, &all))
				if own == 0 || own != all {
					t.Errorf("a tenant sees %d rows, %d of them its own", all, own)
				}
			})
			for _, change := range []string{
				`UPDATE ` + table + ` SET tenant_id = tenant_id WHERE tenant_id = $1`,
				`DELETE FROM ` + table + ` WHERE tenant_id = $1`,
			} {
				asRole(t, app, "dialtone_tenant", mine.Tenant, func(tx pgx.Tx) {
					tag, err := tx.Exec(t.Context(), change, other.Tenant)
					if err == nil && tag.RowsAffected() > 0 || err != nil && !denied(err) {
						t.Errorf("%s: changed %d rows of another tenant, %v", change, tag.RowsAffected(), err)
					}
				})
			}
			asRole(t, app, "dialtone_tenant", mine.Tenant, func(tx pgx.Tx) {
				_, err := tx.Exec(t.Context(), `UPDATE `+table+` SET tenant_id = $1`, other.Tenant)
				if !denied(err) {
					t.Errorf("giving its rows to another tenant: %v, want denied", err)
				}
			})
		})
	}
}

// denied tells whether Postgres refused for want of a privilege, or by a policy.
func denied(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == "42501"
}

// The processes' user is a member of two roles and must take one to see anything.
func TestTenancy_NoRoleSeesNothing(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	fill(t, d.DB, 1)
	super, app := d.Connect(t), d.ConnectApp(t)

	for _, table := range tables(t, super) {
		var n int
		err := app.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n)
		if err == nil && n > 0 || err != nil && !denied(err) {
			t.Errorf("%s: saw %d rows without a role, %v", table, n, err)
		}
	}
}

func TestTenancy_NoTenantSeesNothing(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	fill(t, d.DB, 1)
	// Rows without a tenant are the installation's, not those of a tenant without a name.
	systemly(t, d.DB, func(ctx context.Context, s *store.Store) error {
		must(t, s.InsertToken(ctx, mobile.Token{ID: newID(), Principal: mobile.PrincipalAdmin}, []byte("hash")))
		_, err := s.KeepPartnerEvent(ctx, store.PartnerEvent{Partner: mobile.PartnerCarrier, DedupKey: "1", Occurred: noon})
		return err
	})
	super, app := d.Connect(t), d.ConnectApp(t)

	for _, table := range tables(t, super) {
		asRole(t, app, "dialtone_tenant", "", func(tx pgx.Tx) {
			var n int
			must(t, tx.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n))
			if n > 0 {
				t.Errorf("%s: a tenant without a name sees %d rows", table, n)
			}
		})
	}
	err := d.InTenant(t.Context(), "", func(*store.Store) error { return nil })
	if err == nil {
		t.Error("a tenant without a name may come in")
	}
}

func TestTenancy_NoEscalation(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	app := d.ConnectApp(t)

	for _, statement := range []string{
		`SET ROLE postgres`,
		`SET SESSION AUTHORIZATION postgres`,
		`ALTER ROLE dialtone_app SUPERUSER`,
		`ALTER ROLE dialtone_app BYPASSRLS`,
		`ALTER TABLE subscriptions DISABLE ROW LEVEL SECURITY`,
		`DROP POLICY tenant_rows ON subscriptions`,
		`DROP TABLE audit`,
		`CREATE TABLE mine (x int)`,
		`CREATE ROLE mine`,
		`GRANT postgres TO dialtone_app`,
	} {
		for _, role := range []string{"", "dialtone_tenant", "dialtone_system"} {
			asRole(t, app, role, "tenant", func(tx pgx.Tx) {
				if _, err := tx.Exec(t.Context(), statement); !denied(err) {
					t.Errorf("%s as %q: %v, want denied", statement, role, err)
				}
			})
		}
	}
}

// What was done and who did it is for ever, whoever asks.
func TestTenancy_HistoryIsAppendOnly(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := fill(t, d.DB, 1)
	app := d.ConnectApp(t)

	for _, role := range []string{"dialtone_tenant", "dialtone_system"} {
		for _, statement := range slices.Concat(
			[]string{`UPDATE audit SET actor = 'nobody'`, `DELETE FROM audit`, `TRUNCATE audit`},
			[]string{`UPDATE activation_events SET reason = ''`, `DELETE FROM activation_events`, `DELETE FROM requests`},
		) {
			asRole(t, app, role, a.Tenant, func(tx pgx.Tx) {
				if _, err := tx.Exec(t.Context(), statement); !denied(err) {
					t.Errorf("%s as %s: %v, want denied", statement, role, err)
				}
			})
		}
	}
}

// Through the doors, another tenant's rows are not there.
func TestTenancy_Doors(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	mine, other := fill(t, db, 1), fill(t, db, 2)

	err := db.InTenant(t.Context(), mine.Tenant, func(s *store.Store) error {
		_, err := s.Activation(t.Context(), other.Tenant, store.Key{ID: other.ID})
		return err
	})
	if !errors.Is(err, store.ErrActivationNotFound) {
		t.Errorf("reading another's activation: %v", err)
	}
	err = db.InTenant(t.Context(), mine.Tenant, func(s *store.Store) error {
		return s.CancelActivation(t.Context(), store.Cancel{Tenant: other.Tenant, Activation: other.ID})
	})
	if !errors.Is(err, store.ErrActivationNotFound) {
		t.Errorf("cancelling another's activation: %v", err)
	}
	err = db.InTenant(t.Context(), mine.Tenant, func(s *store.Store) error {
		return s.InsertSubscription(t.Context(), mobile.Subscription{ID: "x", Tenant: other.Tenant, Status: mobile.SubscriptionPending})
	})
	if !denied(err) {
		t.Errorf("writing for another tenant: %v, want denied", err)
	}
}
