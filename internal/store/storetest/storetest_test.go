package storetest_test

import (
	"testing"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func TestLaunched(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)

	a := storetest.Launched(t, db)

	if a.State != mobile.StateAccepted || len(a.Steps) != len(a.Type.Plan()) {
		t.Errorf("the fixture is %s with %d steps", a.State, len(a.Steps))
	}
	if err := db.Ready(t.Context()); err != nil {
		t.Errorf("not ready: %v", err)
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	d := storetest.Make(t, storetest.Config{})
	proxy := d.Proxy(t)
	db := d.OpenThrough(t, proxy.Address(), storetest.Config{})
	ask := func() error { return db.InSystem(t.Context(), func(*store.Store) error { return nil }) }
	if err := ask(); err != nil {
		t.Fatal(err)
	}

	proxy.Cut()
	if err := ask(); fault.Of(err) == nil || fault.Of(err).Kind != fault.Unavailable {
		t.Errorf("while cut: %v, want unavailable", err)
	}

	proxy.Mend()
	if err := ask(); err != nil {
		t.Errorf("once mended: %v", err)
	}
}
