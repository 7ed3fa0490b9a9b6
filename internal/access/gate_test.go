package access_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// insert keeps a new token and gives its text.
func insert(t *testing.T, db *store.DB, like mobile.Token) (text, id string) {
	t.Helper()
	secret, token, hash := access.NewToken(like.Principal)
	like.ID = token.ID
	if err := db.InSystem(t.Context(), func(s *store.Store) error { return s.InsertToken(t.Context(), like, hash) }); err != nil {
		t.Fatal(err)
	}
	return secret.Reveal(), token.ID
}

func TestNewToken(t *testing.T) {
	t.Parallel()
	first, token, hash := access.NewToken(mobile.PrincipalPortalBackend)
	second, _, _ := access.NewToken(mobile.PrincipalPortalBackend)

	form := regexp.MustCompile(`^dt_portalbackend_` + strings.ReplaceAll(token.ID, "-", "") + `_[0-9a-f]{64}$`)
	if !form.MatchString(first.Reveal()) || first.Reveal() == second.Reveal() || len(hash) != 32 {
		t.Error("a token has another form")
	}
	if strings.Contains(first.String(), "dt_") {
		t.Error("a token prints")
	}
}

func TestGate(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant := storetest.Tenant(t, db)
	now := time.Now()
	gate := access.NewGate(db, func() time.Time { return now })
	text, id := insert(t, db, mobile.Token{
		Principal: mobile.PrincipalConsole, Tenant: tenant.ID, Name: "console", Expires: now.Add(time.Hour),
	})

	for _, header := range []string{"Bearer " + text, "bearer " + text} {
		caller, err := gate.Authenticate(t.Context(), header)
		if err != nil {
			t.Fatal(err)
		}
		if caller.Principal != mobile.PrincipalConsole || caller.Tenant != tenant.ID || caller.TokenID != id || caller.Name != "console" {
			t.Errorf("%+v", caller)
		}
		if caller.Actor("Grace") != "Grace" || caller.AuditActor("Grace") != "Grace (token "+id+")" {
			t.Errorf("a console acts as %q", caller.Actor("Grace"))
		}
	}
	stranger, _, _ := access.NewToken(mobile.PrincipalAdmin)
	for name, header := range map[string]string{
		"nothing": "", "no scheme": text, "basic": "Basic " + text, "cut": "Bearer " + text[:20],
		"unknown": "Bearer " + stranger.Reveal(), "changed": "Bearer " + strings.Replace(text, "console", "admin", 1),
		"long": "Bearer " + strings.Repeat("x", 1<<16), "two blanks": "Bearer  " + text,
	} {
		if _, err := gate.Authenticate(t.Context(), header); !errors.Is(err, access.ErrUnauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}

	now = now.Add(time.Hour)
	if _, err := gate.Authenticate(t.Context(), "Bearer "+text); !errors.Is(err, access.ErrUnauthenticated) {
		t.Errorf("expired: %v", err)
	}
}

// A token is in the memory for five seconds, and not a moment longer; a revoke here drops it.
func TestGate_Memory(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	tenant := storetest.Tenant(t, d.DB)
	now := time.Now()
	gate := access.NewGate(d.DB, func() time.Time { return now })
	text, id := insert(t, d.DB, mobile.Token{Principal: mobile.PrincipalBilling, Tenant: tenant.ID, Name: "b"})
	known := func() bool {
		_, err := gate.Authenticate(t.Context(), "Bearer "+text)
		return err == nil
	}
	revoke := func(revoked *time.Time) {
		if _, err := d.Connect(t).Exec(t.Context(), `UPDATE tokens SET revoked_at = $1 WHERE token_id = $2`, revoked, id); err != nil {
			t.Fatal(err)
		}
	}
	if !known() {
		t.Fatal("a token that is alive is not known")
	}

	revoke(&now)
	now = now.Add(5*time.Second - 1)
	if !known() {
		t.Error("the memory is shorter than it is said to be")
	}
	now = now.Add(1)
	if known() {
		t.Error("the memory is longer than it is said to be")
	}

	revoke(nil)
	gate.Forget(id)
	if !known() {
		t.Error("after Forget the record is not asked")
	}
	revoke(&now)
	gate.Forget(id)
	caller, err := gate.Authenticate(t.Context(), "Bearer "+text)
	if !errors.Is(err, access.ErrUnauthenticated) {
		t.Errorf("revoked here: %+v, %v", caller, err)
	}
}

func TestGate_Recheck(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	gate := access.NewGate(db, nil)
	text, id := insert(t, db, mobile.Token{Principal: mobile.PrincipalAdmin, Name: "root"})
	insert(t, db, mobile.Token{Principal: mobile.PrincipalAdmin, Name: "other"})
	caller, err := gate.Authenticate(t.Context(), "Bearer "+text)
	if err != nil {
		t.Fatal(err)
	}
	ctx := access.With(t.Context(), caller)
	if access.From(ctx) != caller || access.From(t.Context()) != (access.Caller{}) {
		t.Error("the context carries another caller")
	}

	if err := gate.Recheck(ctx); err != nil {
		t.Error(err)
	}
	if err := db.InSystem(ctx, func(s *store.Store) error { _, err := s.RevokeToken(ctx, id); return err }); err != nil {
		t.Fatal(err)
	}
	gate.Forget(id)
	if err := gate.Recheck(ctx); !errors.Is(err, access.ErrUnauthenticated) {
		t.Errorf("revoked: %v", err)
	}
	if err := gate.Recheck(context.WithoutCancel(t.Context())); !errors.Is(err, access.ErrUnauthenticated) {
		t.Errorf("nobody: %v", err)
	}
}
