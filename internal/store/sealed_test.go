package store_test

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/secret"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

// dump gives every row of every table as text; bytes are in hexadecimal.
func dump(t *testing.T, conn *pgx.Conn) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, table := range tables(t, conn) {
		all[table] = ask[string](t, conn, `SELECT coalesce(string_agg(t::text, E'\n'), '') FROM `+table+` t`)
	}
	return all
}

// Whoever reads the database without the keys reads no secret.
func TestSealed(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	a := fill(t, d.DB, 1)
	conn := d.Connect(t)

	rows := dump(t, conn)

	if !strings.Contains(rows["activations"], string(a.ID)) {
		t.Fatal("the dump shows no rows")
	}
	for table, text := range rows {
		for _, canary := range canaries() {
			for form, shown := range map[string]string{"as text": canary, "as bytes": hex.EncodeToString([]byte(canary))} {
				if strings.Contains(strings.ToLower(text), strings.ToLower(shown)) {
					t.Errorf("%s shows %q %s", table, canary, form)
				}
			}
		}
	}
	// They are there, for whoever has the keys.
	got := storetest.Read(t, d.DB, a)
	if got.NameOverride != canaryNameOverride || got.EmailOverride != canaryMailOverride || got.CancelReason != canaryCancel {
		t.Errorf("opened %q %q %q", got.NameOverride, got.EmailOverride, got.CancelReason)
	}
	tenantly(t, d.DB, a.Tenant, func(ctx context.Context, s *store.Store) error {
		sub, err := s.Subscription(ctx, a.Tenant, a.Subscription)
		if sub.CustomerName != canaryName || sub.CustomerEmail != canaryEmail {
			t.Errorf("opened %q %q", sub.CustomerName, sub.CustomerEmail)
		}
		return err
	})
}

// A sealed value is bound to its row: carried to another one, by whoever can write to the
// database, it does not open.
func TestSealed_BoundToItsRow(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	tenant := storetest.Tenant(t, d.DB)
	mine, other := storetest.Subscription(t, d.DB, tenant), storetest.Subscription(t, d.DB, tenant)
	read := func() error {
		return d.InTenant(t.Context(), tenant.ID, func(s *store.Store) error {
			_, err := s.Subscription(t.Context(), tenant.ID, mine.ID)
			return err
		})
	}

	for name, statement := range map[string]string{
		"from another row":    `UPDATE subscriptions SET customer_name_sealed = (SELECT customer_name_sealed FROM subscriptions WHERE subscription_id = '` + string(other.ID) + `')`,
		"from another column": `UPDATE subscriptions SET customer_name_sealed = customer_email_sealed`,
	} {
		t.Run(name, func(t *testing.T) {
			if err := read(); err != nil {
				t.Fatal(err)
			}
			conn := d.Connect(t)
			kept := ask[[]byte](t, conn, `SELECT customer_name_sealed FROM subscriptions WHERE subscription_id = $1`, mine.ID)

			run(t, conn, statement)

			if err := read(); !errors.Is(err, secret.ErrSealed) {
				t.Errorf("%v, want that it does not open", err)
			}
			_, err := conn.Exec(t.Context(), `UPDATE subscriptions SET customer_name_sealed = $1 WHERE subscription_id = $2`, kept, mine.ID)
			must(t, err)
		})
	}
}

// Errors name ids at most.
func TestSealed_NotInErrors(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	tenant := storetest.Tenant(t, d.DB)
	sub := mobile.Subscription{
		ID: "sub-\x00", Tenant: tenant.ID, AccountID: "acct", CustomerName: canaryName, CustomerEmail: canaryEmail,
		Plan: storetest.PlanName, Status: "NONSENSE",
	}

	err := d.InTenant(t.Context(), tenant.ID, func(s *store.Store) error { return s.InsertSubscription(t.Context(), sub) })

	if err == nil {
		t.Fatal("it was accepted")
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		for _, canary := range canaries() {
			if strings.Contains(e.Error(), canary) {
				t.Errorf("%v", e)
			}
		}
	}
}
