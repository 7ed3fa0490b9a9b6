package arch

import (
	"slices"
	"strings"
	"testing"
)

func checkAll(rooms []room) []violation {
	return slices.Concat(checkArrows(rooms), checkProduction(rooms), checkWords(rooms))
}

func TestTree(t *testing.T) {
	t.Parallel()
	for _, v := range checkAll(readTree(t)) {
		t.Error(v)
	}
}

// made builds a tree from files: path to source after the package clause.
func made(t *testing.T, sources map[string]string) []room {
	t.Helper()
	rooms := map[string]room{}
	for name, source := range sources {
		folder, base, _ := cutLast(name)
		r := rooms[folder]
		r.path = folder
		r.files = append(r.files, parse(t, base, "package p\n"+source))
		rooms[folder] = r
	}
	var tree []room
	for _, r := range rooms {
		tree = append(tree, r)
	}
	return tree
}

func cutLast(name string) (folder, base string, ok bool) {
	at := strings.LastIndex(name, "/")
	return name[:at], name[at+1:], at >= 0
}

func imports(paths ...string) string {
	var b strings.Builder
	for _, p := range paths {
		b.WriteString("import _ \"" + strings.Replace(p, "~/", module, 1) + "\"\n")
	}
	return b.String()
}

func TestRules_LetTheDesignPass(t *testing.T) {
	t.Parallel()
	tree := made(t, map[string]string{
		"cmd/server/main.go":                  imports("~/internal/server", "~/internal/config", "~/workflows") + `import "os"` + "\nvar _ = os.Getenv",
		"cmd/partners/main.go":                imports("~/internal/carrier/carriertest"),
		"cmd/sandbox/main.go":                 imports("~/internal/sandbox"),
		"cmd/worker/main.go":                  imports("~/activities", "go.temporal.io/sdk/workflow"),
		"internal/sandbox/sandbox.go":         imports("~/internal/postgrestest", "~/internal/cli", "github.com/jackc/pgx/v5", "google.golang.org/grpc/status"),
		"internal/server/errors.go":           imports("~/api/gen/dialtone/v1", "~/internal/access", "~/internal/fault", "google.golang.org/grpc/codes"),
		"internal/cli/cli.go":                 imports("~/api/gen/dialtone/v1", "google.golang.org/grpc/status"),
		"internal/store/open.go":              imports("~/internal/mobile", "~/internal/store/migrations", "github.com/jackc/pgx/v5/pgxpool"),
		"internal/store/migrations/embed.go":  imports("github.com/pressly/goose/v3"),
		"internal/store/storetest/new.go":     imports("~/internal/store", "~/internal/postgrestest", "testing", "log/slog"),
		"internal/postgrestest/cluster.go":    imports("github.com/jackc/pgx/v5/pgconn"),
		"internal/carrier/client.go":          imports("~/internal/wire", "~/internal/fault", "net/http") + `import "time"` + "\nvar _ = time.Now",
		"internal/carrier/carriertest/new.go": imports("~/internal/partnertest", "testing"),
		"activities/frontier.go":              imports("~/internal/store", "~/internal/fault", "go.temporal.io/sdk/temporal"),
		"workflows/step.go":                   imports("~/activities", "~/internal/mobile", "go.temporal.io/sdk/workflow", "go.temporal.io/sdk/temporal") + `import "time"` + "\nvar _ = time.Second",
		"internal/mobile/time.go":             imports("~/internal/fault", "time") + "type clock struct{ Now int }\nfunc f(time clock) int { return time.Now }",
		"api/gen/dialtone/v1/grpc.go":         imports("google.golang.org/grpc/status"),
		"deploy/examples/billing/main.go":     imports("~/api/gen/dialtone/v1", "google.golang.org/grpc/codes"),
	})

	for _, v := range checkAll(tree) {
		t.Error(v)
	}
}

func TestRules_Catch(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sources map[string]string
		want    string
	}{
		"a door that knows another":   {one("internal/server/x.go", imports("~/internal/webhook")), "internal/server imports internal/webhook"},
		"a leaf that knows another":   {one("internal/mail/x.go", imports("~/internal/esim")), "internal/mail imports internal/esim"},
		"an arrow that points back":   {one("internal/store/x.go", imports("~/activities")), "internal/store imports activities"},
		"a domain with a database":    {one("internal/mobile/x.go", imports("~/internal/store")), "internal/mobile imports internal/store"},
		"a fault that knows":          {one("internal/fault/x.go", imports("~/internal/mobile")), "internal/fault imports internal/mobile"},
		"a CLI with a short cut":      {one("internal/cli/x.go", imports("~/internal/store")), "internal/cli imports internal/store"},
		"a console with settings":     {one("internal/console/x.go", imports("~/internal/config")), "internal/console imports internal/config"},
		"a workflow with the wire":    {one("workflows/x.go", imports("~/api/gen/dialtone/v1")), "workflows imports api/gen/dialtone/v1"},
		"an activity that decides":    {one("activities/x.go", imports("~/workflows")), "activities imports workflows"},
		"a store that seals itself":   {one("internal/store/x.go", imports("~/internal/secret")), "internal/store imports internal/secret"},
		"a room below that strays":    {one("internal/store/sub/x.go", imports("~/internal/carrier")), "internal/store/sub imports internal/carrier"},
		"a room nobody planned":       {one("internal/util/x.go", ""), "internal/util is not on the map"},
		"an imported command":         {one("internal/sandbox/x.go", imports("~/cmd/server")), "internal/sandbox imports cmd/server"},
		"the sandbox in a binary":     {one("cmd/worker/x.go", imports("~/internal/sandbox")), "cmd/worker imports internal/sandbox"},
		"a fake in the product":       {one("internal/server/x.go", imports("~/internal/carrier/carriertest")), "internal/server imports internal/carrier/carriertest"},
		"a command with a fake":       {one("cmd/sandbox/x.go", imports("~/internal/postgrestest")), "cmd/sandbox imports internal/postgrestest"},
		"a conformance test":          {one("internal/relay/x.go", imports("~/internal/carrier/carrierconformance")), "internal/relay imports internal/carrier/carrierconformance"},
		"SQL outside":                 {one("internal/relay/x.go", imports("github.com/jackc/pgx/v5")), "internal/relay/x.go says github.com/jackc/pgx/v5"},
		"SQL of the standard library": {one("cmd/migrate/x.go", imports("database/sql")), "cmd/migrate/x.go says database/sql"},
		"the environment":             {one("internal/config/x.go", "import \"os\"\nvar _ = os.Getenv"), "internal/config/x.go says os.Getenv"},
		"the environment, renamed":    {one("internal/mail/x.go", "import sys \"os\"\nvar _, _ = sys.LookupEnv(\"A\")"), "internal/mail/x.go says sys.LookupEnv"},
		"the whole environment":       {one("internal/config/x.go", "import \"github.com/sethvargo/go-envconfig\"\nvar _ = envconfig.OsLookuper()"), "says envconfig.OsLookuper"},
		"a clock in a workflow":       {one("workflows/x.go", "import \"time\"\nvar _ = time.Now()"), "workflows/x.go says time.Now"},
		"a clock in the domain":       {one("internal/mobile/x.go", "import \"time\"\nfunc f(t time.Time) any { return time.Since(t) }"), "internal/mobile/x.go says time.Since"},
		"a sleep in a workflow":       {one("workflows/x.go", "import \"time\"\nfunc f() { time.Sleep(1) }"), "workflows/x.go says time.Sleep"},
		"a leaf that logs":            {one("internal/esim/x.go", imports("log/slog")), "internal/esim/x.go says log/slog"},
		"a store that logs":           {one("internal/store/x.go", imports("log")), "internal/store/x.go says log"},
		"a relay with codes":          {one("internal/relay/x.go", imports("google.golang.org/grpc/codes")), "internal/relay/x.go says google.golang.org/grpc/codes"},
		"a store with statuses":       {one("internal/store/x.go", imports("google.golang.org/grpc/status")), "internal/store/x.go says google.golang.org/grpc/status"},
		"a second frontier":           {one("activities/mail.go", imports("go.temporal.io/sdk/temporal")), "activities/mail.go says go.temporal.io/sdk/temporal"},
		"a door with failures":        {one("internal/server/x.go", imports("go.temporal.io/sdk/temporal")), "internal/server/x.go says go.temporal.io/sdk/temporal"},
		"an activity that waits":      {one("activities/x.go", imports("go.temporal.io/sdk/workflow")), "activities/x.go says go.temporal.io/sdk/workflow"},
		"an activity on the wire":     {one("activities/x.go", imports("net/http")), "activities/x.go says net/http"},
		"testing in a binary": {map[string]string{
			"cmd/worker/main.go":  imports("~/activities"),
			"activities/x.go":     imports("~/internal/store"),
			"internal/store/x.go": imports("testing"),
		}, "cmd/worker links testing through internal/store/x.go"},
		"a fake, two rooms away": {map[string]string{
			"cmd/server/main.go":   imports("~/internal/server"),
			"internal/server/x.go": imports("~/internal/mail/mailtest"),
		}, "cmd/server links internal/mail/mailtest"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := checkAll(made(t, test.sources))

			if !slices.ContainsFunc(found, func(v violation) bool {
				return strings.Contains(v.String(), test.want+":") && v.remedy != ""
			}) {
				t.Errorf("got %v, want %s", found, test.want)
			}
		})
	}
}

func one(name, source string) map[string]string { return map[string]string{name: source} }
