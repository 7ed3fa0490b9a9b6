package main

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/sethvargo/go-envconfig"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/postgrestest"
	"github.com/dialtone/dialtone/internal/store"
)

// TestMigrate: two migrations at a time make one installation with one first token, and one
// after them changes nothing. (internal/sandbox has those that reach Temporal.)
func TestMigrate(t *testing.T) {
	t.Parallel()
	cluster, err := postgrestest.Start(t.Context(), postgrestest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Stop() })
	conn, err := pgx.Connect(t.Context(), cluster.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "CREATE ROLE \"front-1\" LOGIN PASSWORD 'p'"); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close(t.Context())
	app := cluster.UserURL("front-1", "p", "postgres")
	env := map[string]string{"DATABASE_MIGRATE_URL": cluster.URL("postgres"), "DATABASE_URL": app, "MIGRATE_TEMPORAL": "false"}

	var said [3]bytes.Buffer
	var both sync.WaitGroup
	migrate := func(ctx context.Context, out *bytes.Buffer) {
		if err := run(ctx, envconfig.MapLookuper(env), out); err != nil {
			t.Error(err)
		}
	}
	both.Go(func() { migrate(t.Context(), &said[0]) })
	both.Go(func() { migrate(t.Context(), &said[1]) })
	both.Wait()
	migrate(t.Context(), &said[2])

	var tokens []string
	for i := range said {
		for line := range strings.Lines(said[i].String()) {
			if token, found := strings.CutPrefix(line, "admin token: "); found {
				tokens = append(tokens, strings.TrimSpace(token))
			}
		}
	}
	if len(tokens) != 1 || !strings.Contains(said[2].String(), "there is an ADMIN token already") {
		t.Fatalf("tokens: %d; said last:\n%s", len(tokens), said[2].String())
	}
	db, err := store.Open(t.Context(), store.Config{URL: app, Sealer: noSealer{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	if err := db.Ready(t.Context()); err != nil {
		t.Errorf("the database is not ready for its user: %v", err)
	}
	caller, err := access.NewGate(db, nil).Authenticate(t.Context(), "Bearer "+tokens[0])
	if err != nil || caller.Principal != mobile.PrincipalAdmin {
		t.Errorf("the token stands for %s, %v", caller.Principal, err)
	}
}

func TestMissingAttributes(t *testing.T) {
	t.Parallel()
	const keyword, integer = enumspb.INDEXED_VALUE_TYPE_KEYWORD, enumspb.INDEXED_VALUE_TYPE_INT
	type attributes = map[string]enumspb.IndexedValueType
	for name, test := range map[string]struct {
		has     attributes
		want    attributes
		refused string
	}{
		"none there":   {attributes{}, attributes{"Donor": keyword, "Stage": keyword}, ""},
		"one there":    {attributes{"Stage": keyword, "Other": integer}, attributes{"Donor": keyword}, ""},
		"all there":    {attributes{"Stage": keyword, "Donor": keyword}, attributes{}, ""},
		"another type": {attributes{"Stage": integer}, nil, "Stage is Int and must be Keyword;"},
		"two that clash": {
			attributes{"Stage": integer, "Donor": integer},
			nil,
			"Donor is Int and must be Keyword, Stage is Int and must be Keyword;",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := missingAttributes(attributes{"Stage": keyword, "Donor": keyword}, test.has)

			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (err == nil) != (test.refused == "") || err != nil && !strings.HasPrefix(err.Error(), test.refused) {
				t.Errorf("refused: %v", err)
			}
		})
	}
}
