package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// noon is a moment that is not now, so that a test notices which clock was asked.
var noon = time.Date(2031, 3, 14, 12, 0, 0, 0, time.UTC)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tenantly runs what through the tenant's door and fails the test when it is refused.
func tenantly(t *testing.T, db *store.DB, tenant mobile.TenantID, what func(context.Context, *store.Store) error) {
	t.Helper()
	must(t, db.InTenant(t.Context(), tenant, func(s *store.Store) error { return what(t.Context(), s) }))
}

// systemly runs what through the system's door and fails the test when it is refused.
func systemly(t *testing.T, db *store.DB, what func(context.Context, *store.Store) error) {
	t.Helper()
	must(t, db.InSystem(t.Context(), func(s *store.Store) error { return what(t.Context(), s) }))
}

// ask reads one value past all doors.
func ask[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	var answer T
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return answer
}

// feed reads the types of an activation's events, numbered or not, in the order in which
// they were written.
func feed(t *testing.T, conn *pgx.Conn, id mobile.ActivationID) []string {
	t.Helper()
	return ask[[]string](t, conn, `
		SELECT coalesce(array_agg(type ORDER BY position), '{}')
		FROM events
		WHERE activation_id = $1`, id)
}

// newID makes an id of the form that rows have.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// iccids are distinct and of the form that ParseICCID accepts.
func iccid(n int) mobile.ICCID {
	const digits = "0123456789"
	text := []byte("89014103211118510720")
	for i := len(text) - 1; n > 0; i-- {
		text[i] = digits[n%10]
		n /= 10
	}
	return mobile.ICCID(text)
}
