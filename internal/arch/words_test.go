package arch

import (
	"fmt"
	"slices"
	"strings"
)

// word is a package of others, or some names in it, that belongs to some places only.
type word struct {
	// imported is the package; what is below it counts too, unless names are given.
	imported string
	// names are the words of the package that the rule is about; none means all.
	names []string
	// only lists the places where it may stand, never those where it may not; one of them
	// is set. A place is a folder, or a file.
	only, never []string
	// tests says that test rooms, the sandbox and the bench may use it too.
	tests  bool
	remedy string
}

func words() []word {
	database := []string{"internal/store"}
	decisions := []string{"workflows", "internal/mobile", "internal/fault"}
	quiet := []string{"internal/mobile", "internal/fault", "internal/store", "internal/wire", "internal/carrier", "internal/esim", "internal/mail"}
	statuses := []string{"internal/server", "internal/cli", "internal/console", "api/gen", "deploy/examples"}
	const (
		sqlRemedy     = "internal/store is the only room that says SQL; give it a method"
		logRemedy     = "only the edges log; return the error, wrapped with the act in progress"
		statusRemedy  = "only internal/server chooses codes, and only clients read them; return a fault"
		envRemedy     = "cmd reads the environment, through internal/config; take the value you need"
		clockRemedy   = "take the time from workflow.Now, or as an argument"
		failureRemedy = "activities/frontier.go turns faults into Temporal's errors; return a fault"
	)
	return []word{
		{imported: "github.com/jackc/pgx", only: database, tests: true, remedy: sqlRemedy},
		{imported: "github.com/pressly/goose", only: database, tests: true, remedy: sqlRemedy},
		{imported: "database/sql", only: database, tests: true, remedy: sqlRemedy},
		{imported: "os", names: []string{"Getenv", "LookupEnv", "ExpandEnv"}, only: []string{"cmd", "deploy/examples"}, remedy: envRemedy},
		{imported: "syscall", names: []string{"Getenv"}, only: []string{"cmd"}, remedy: envRemedy},
		{imported: "github.com/sethvargo/go-envconfig", names: []string{"OsLookuper"}, only: []string{"cmd"}, remedy: envRemedy},
		{imported: "time", names: []string{"Now", "Since", "Until"}, never: decisions, remedy: clockRemedy},
		{imported: "time", names: []string{"Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}, never: decisions, remedy: "wait with waitFor, in workflows"},
		{imported: "log/slog", never: quiet, remedy: logRemedy},
		{imported: "log", never: quiet, remedy: logRemedy},
		{imported: "google.golang.org/grpc/codes", only: statuses, tests: true, remedy: statusRemedy},
		{imported: "google.golang.org/grpc/status", only: statuses, tests: true, remedy: statusRemedy},
		{imported: "go.temporal.io/sdk/temporal", only: []string{"activities/frontier.go", "workflows"}, tests: true, remedy: failureRemedy},
		{imported: "go.temporal.io/sdk/workflow", only: []string{"workflows", "cmd/worker"}, tests: true, remedy: "what decides and waits belongs to workflows"},
		{imported: "net/http", never: append([]string{"activities", "internal/store"}, decisions...), remedy: "a partner's wire belongs to internal/carrier, internal/esim or internal/mail"},
	}
}

// checkWords holds the words in their rooms.
func checkWords(rooms []room) []violation {
	var found []violation
	for _, r := range rooms {
		for _, f := range r.files {
			for _, w := range words() {
				if said := w.in(f); said != "" && !w.allows(r.path, f.name) {
					found = append(found, violation{r.path + "/" + f.name, "says " + said, w.remedy})
				}
			}
		}
	}
	return found
}

// in returns the word as it stands in the file, "" when it does not.
func (w word) in(f file) string {
	for _, imported := range f.imports {
		if len(w.names) == 0 && w.means(imported) {
			return imported
		}
	}
	for _, name := range w.names {
		if f.uses(w.imported, name) {
			return fmt.Sprintf("%s.%s", f.localName(w.imported), name)
		}
	}
	return ""
}

// means leaves log/slog to a rule of its own.
func (w word) means(imported string) bool {
	return imported == w.imported || strings.Contains(w.imported, ".") && within(imported, w.imported)
}

func (w word) allows(roomPath, fileName string) bool {
	if w.tests && (isTestRoom(roomPath) || withinAny(roomPath, []string{"internal/sandbox", "internal/bench"})) {
		return true
	}
	matches := func(place string) bool { return within(roomPath, place) || roomPath+"/"+fileName == place }
	if len(w.only) > 0 {
		return slices.ContainsFunc(w.only, matches)
	}
	return !slices.ContainsFunc(w.never, matches) || isTestRoom(roomPath)
}
