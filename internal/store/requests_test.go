package store_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/dialtone/dialtone/internal/store"
	"github.com/dialtone/dialtone/internal/store/storetest"
)

func TestAccept_Racers(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant := storetest.Tenant(t, db)
	id := uuid.NewString()
	var firsts atomic.Int32
	resources := make([]string, 50)

	var all sync.WaitGroup
	for i := range resources {
		all.Go(func() {
			err := db.InTenant(t.Context(), tenant.ID, func(s *store.Store) error {
				resource, repeated, err := s.Accept(t.Context(), store.Request{
					Tenant: tenant.ID, Method: "LaunchWorkflow", ID: id, Fields: []string{"same"}, Resource: uuid.NewString(),
				})
				if err == nil && !repeated {
					firsts.Add(1)
				}
				resources[i] = resource
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()

	if n := firsts.Load(); n != 1 {
		t.Errorf("%d were told that they are the first", n)
	}
	for _, resource := range resources {
		if resource != resources[0] || resource == "" {
			t.Fatalf("told of %q and of %q", resource, resources[0])
		}
	}
}

// One whose transaction fails was never accepted, and the next is the first.
func TestAccept_UndoneIsForgotten(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant := storetest.Tenant(t, db)
	r := store.Request{Tenant: tenant.ID, Method: "LaunchWorkflow", ID: uuid.NewString(), Resource: "a"}
	refused := errors.New("refused")

	err := db.InTenant(t.Context(), tenant.ID, func(s *store.Store) error {
		_, _, err := s.Accept(t.Context(), r)
		must(t, err)
		return refused
	})

	if !errors.Is(err, refused) {
		t.Fatal(err)
	}
	r.Fields = []string{"other content"}
	tenantly(t, db, tenant.ID, func(ctx context.Context, s *store.Store) error {
		_, repeated, err := s.Accept(ctx, r)
		if repeated {
			t.Error("a refused request is remembered")
		}
		return err
	})
}

func TestAccept_Sameness(t *testing.T) {
	t.Parallel()
	db := storetest.New(t)
	tenant, other := storetest.Tenant(t, db), storetest.Tenant(t, db)
	first := store.Request{
		Tenant: tenant.ID, Method: "LaunchWorkflow", ID: uuid.NewString(), Fields: []string{"ab", "c"}, Resource: "made",
	}
	tenantly(t, db, tenant.ID, func(ctx context.Context, s *store.Store) error {
		_, _, err := s.Accept(ctx, first)
		return err
	})

	for name, c := range map[string]struct {
		change   func(*store.Request)
		repeated bool
		want     error
	}{
		"the same again":                  {func(*store.Request) {}, true, nil},
		"the same for something else":     {func(r *store.Request) { r.Resource = "else" }, true, nil},
		"other content":                   {func(r *store.Request) { r.Fields = []string{"ab", "d"} }, false, store.ErrRequestIDReused},
		"the boundary moved":              {func(r *store.Request) { r.Fields = []string{"a", "bc"} }, false, store.ErrRequestIDReused},
		"less content":                    {func(r *store.Request) { r.Fields = nil }, false, store.ErrRequestIDReused},
		"another method":                  {func(r *store.Request) { r.Method = "CancelWorkflow" }, false, nil},
		"another tenant":                  {func(r *store.Request) { r.Tenant = other.ID }, false, nil},
		"another tenant, other content":   {func(r *store.Request) { r.Tenant, r.Fields, r.ID = other.ID, nil, uuid.NewString() }, false, nil},
		"another id with the same fields": {func(r *store.Request) { r.ID = uuid.NewString() }, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := first
			c.change(&r)

			err := db.InTenant(t.Context(), r.Tenant, func(s *store.Store) error {
				resource, repeated, err := s.Accept(t.Context(), r)
				if repeated != c.repeated || repeated && resource != first.Resource {
					t.Errorf("repeated %t, of %q", repeated, resource)
				}
				return err
			})
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}
